/** The search as commands: opened, and what is done with the hit that is chosen in it. */

import { type Disposable, env, window } from 'vscode';

import { command, complain } from '../commands';
import { insertLink } from '../links/insert';
import { openPlace, noteEditor } from '../notes';
import type { Server } from '../server/server';
import type { Hit } from '../wire';
import { hitItems, headline, noteItems, type SearchItem } from './items';
import { SearchPicker, type Wanted } from './picker';

/** Register the commands of the search. */
export function registerSearch(server: Server): Disposable[] {
  let open: SearchPicker | undefined;

  const act = async (name: string, picker: SearchPicker): Promise<void> => {
    const hit = picker.chosen?.hit;
    if (!hit) {
      return;
    }
    try {
      if (name === 'khoj-ls.search.copyLink') {
        await env.clipboard.writeText(linkTo(hit));
        window.setStatusBarMessage('khoj-ls: the link is copied', 3_000);
      } else if (name === 'khoj-ls.search.openToSide') {
        await picker.leave();
        await openPlace(hit, { beside: true });
      } else {
        const { editor, selection } = picker;
        await picker.leave();
        await insertLink(server, hit, editor, selection);
      }
    } catch (error) {
      complain(server, error);
    }
  };
  const show = (wanted: Wanted, value?: string): void => {
    open?.pick.hide();
    const picker: SearchPicker = new SearchPicker(server, wanted, act, () => {
      open = open === picker ? undefined : open;
    });
    open = picker;
    picker.show(value);
  };
  const onChosen = (name: string): Disposable => command(server, name, () => open && act(name, open));

  return [
    command(server, 'khoj-ls.search', (query?: unknown) => {
      show(
        {
          title: 'Search notes',
          placeholder: 'Words or a question; "…" must occur, tag: file: dt> filter',
          accept: (item) => {
            openHit(server, item);
          },
        },
        typeof query === 'string' ? query : '',
      );
    }),
    command(server, 'khoj-ls.insertLink', () => {
      const editor = noteEditor();
      if (!editor) {
        void window.showInformationMessage('khoj-ls: Open a note first: the link goes where the cursor is.');
        return;
      }
      const { selection } = editor;
      show(
        {
          title: 'Insert a link',
          placeholder: 'The title of a note, or what it is about',
          first: async () => suggested(server, editor.document.uri.toString(), selection.active),
          returns: true,
          items: noteItems,
          accept: (item) => {
            if (item.hit) {
              insertLink(server, item.hit, editor, selection).catch((error: unknown) => {
                complain(server, error);
              });
            }
          },
        },
        editor.document.getText(selection).split('\n')[0]?.slice(0, 200) ?? '',
      );
    }),
    onChosen('khoj-ls.search.openToSide'),
    onChosen('khoj-ls.search.insertLink'),
    onChosen('khoj-ls.search.copyLink'),
  ];
}

function openHit(server: Server, item: SearchItem): void {
  if (item.hit) {
    openPlace(item.hit).catch((error: unknown) => {
      complain(server, error);
    });
  }
}

/** Notes that belong linked at a place, before anything is typed. */
async function suggested(server: Server, uri: string, position: { line: number; character: number }): Promise<SearchItem[]> {
  const at = { line: position.line, character: position.character };
  const { suggestions } = await server.request('khoj/suggestLinks', { textDocument: { uri }, position: at, limit: 10 });
  const start = { line: 0, character: 0 };
  return hitItems(
    suggestions.map((each) => ({
      uri: each.uri,
      title: each.title,
      score: each.score,
      range: { start, end: start },
      outline: [],
      type: 'note',
      vault: '',
      snippet: each.linked ? 'This note links it already, elsewhere' : '',
    })),
  );
}

/** A Markdown link that works from anywhere. */
export function linkTo(hit: Pick<Hit, 'title' | 'outline' | 'uri' | 'range'>): string {
  const label = headline(hit).replace(/[\\[\]]/g, '\\$&');
  const uri = hit.uri.replaceAll('(', '%28').replaceAll(')', '%29');
  return `[${label}](${uri}#L${String(hit.range.start.line + 1)})`;
}

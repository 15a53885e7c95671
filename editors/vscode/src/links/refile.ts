/** Moving a section to another note: notes like it first, and every other as it is typed. */

import { window } from 'vscode';

import { complain } from '../commands';
import { fromPosition, noteEditor } from '../notes';
import { type Found, headingOf, hitItems, type SearchItem } from '../search/items';
import { SearchPicker } from '../search/picker';
import type { Server } from '../server/server';

/** Ask where the section at the cursor is to go, and let the server move it. */
export function refile(server: Server): void {
  const editor = noteEditor();
  if (!editor) {
    void window.showInformationMessage('khoj-ls: Put the cursor in the section that is to move.');
    return;
  }
  const { document, selection } = editor;
  const place = { textDocument: { uri: document.uri.toString() }, position: fromPosition(selection.active) };
  // A section stays in its format. VS Code has no language called Org of its own.
  const type = document.languageId === 'org' || document.uri.path.toLowerCase().endsWith('.org') ? 'org' : 'markdown';
  const move = async ({ hit }: SearchItem): Promise<void> => {
    const heading = hit && headingOf(hit);
    await (hit && server.request('khoj/refile', { ...place, target: hit.uri, ...(heading !== undefined && { heading }) }));
  };
  const picker = new SearchPicker(
    server,
    {
      title: 'Move this section to',
      placeholder: 'A note, or a heading of it: its title, or what it is about',
      filter: `type:${type}`,
      first: async () => {
        const { hits } = await server.request('khoj/related', { ...place, limit: 30 });
        return targets(hits.filter((hit) => hit.type === type));
      },
      items: targets,
      returns: true,
      accept: (item) => {
        move(item).catch((error: unknown) => {
          complain(server, error);
        });
      },
    },
    () => undefined,
    () => undefined,
  );
  picker.show();
}

/** Each note, and below it its headings that were found. */
function targets(hits: readonly Found[]): SearchItem[] {
  const notes = new Map<string, Found[]>();
  for (const hit of hits) {
    const found = notes.get(hit.uri) ?? [{ ...hit, outline: [] }];
    notes.set(hit.uri, headingOf(hit) === undefined ? found : [...found, hit]);
  }
  return hitItems([...notes.values()].flat()).map((item) => ({ ...item, buttons: [] }));
}

/** What the server's lenses, and the palette, do with links and notes: lists of places, notes of days, new notes, moved sections. */

import { commands, type Disposable, Location, Uri, window } from 'vscode';

import { command } from '../commands';
import { fromPosition, fromRange, noteEditor, toPosition, toRange } from '../notes';
import { SHOW_REFERENCES } from '../names';
import { headline, hitItems } from '../search/items';
import type { Server } from '../server/server';
import type { Position, Range } from '../wire';

/** Register the commands about links and notes. */
export function registerLinks(server: Server): Disposable[] {
  const daily = (day: string) => () => {
    const editor = noteEditor();
    return server.request('khoj/daily', { day, ...(editor && { textDocument: { uri: editor.document.uri.toString() } }) });
  };
  return [
    command(server, SHOW_REFERENCES, (uri: string, position: Position, locations: { uri: string; range: Range }[]) =>
      commands.executeCommand(
        'editor.action.showReferences',
        Uri.parse(uri),
        toPosition(position),
        locations.map((each) => new Location(Uri.parse(each.uri), toRange(each.range))),
      ),
    ),
    command(server, 'khoj-ls.daily', daily('today')),
    command(server, 'khoj-ls.dailyPrevious', daily('previous')),
    command(server, 'khoj-ls.dailyNext', daily('next')),
    command(server, 'khoj-ls.capture', () => capture(server)),
    command(server, 'khoj-ls.refile', () => refile(server)),
    command(server, 'khoj-ls.why', async () => {
      const { document } = window.activeTextEditor ?? {};
      if (document?.uri.scheme !== 'file') {
        void window.showInformationMessage('khoj-ls: Open a file of this machine first.');
        return;
      }
      const why = await server.request('khoj/why', { path: document.uri.toString() });
      const rule = why.rule ? ` (${why.rule})` : '';
      void window.showInformationMessage(`khoj-ls: ${why.indexed ? 'Indexed' : 'Not indexed'}: ${why.reason}${rule}`);
    }),
  ];
}

async function capture(server: Server): Promise<void> {
  const editor = noteEditor();
  const words = editor && !editor.selection.isEmpty ? fromRange(editor.selection) : undefined;
  const title = await window.showInputBox({
    title: words ? 'Move the selection to a new note' : 'New note',
    prompt: words ? 'Its title; empty: the first words of the text' : 'Its title',
  });
  if (title === undefined || (!title && !words)) {
    return;
  }
  await server.request('khoj/capture', {
    title,
    ...(editor && { textDocument: { uri: editor.document.uri.toString() } }),
    ...(words && { range: words }),
  });
}

async function refile(server: Server): Promise<void> {
  const editor = noteEditor();
  if (!editor) {
    void window.showInformationMessage('khoj-ls: Put the cursor in the section that is to move.');
    return;
  }
  const place = { textDocument: { uri: editor.document.uri.toString() }, position: fromPosition(editor.selection.active) };
  const { hits } = await server.request('khoj/related', { ...place, limit: 30 });
  const same = hits.filter((hit) => hit.type === (editor.document.languageId === 'org' ? 'org' : 'markdown'));
  const items = hitItems(same).map((item) => ({ ...item, buttons: [] }));
  const chosen = await window.showQuickPick(items, { title: 'Move this section to', placeHolder: 'A note, or a heading of it' });
  if (chosen?.hit) {
    const heading = chosen.hit.outline.at(-1);
    await server.request('khoj/refile', {
      ...place,
      target: chosen.hit.uri,
      ...(heading !== undefined && headline(chosen.hit) !== heading && { heading }),
    });
  }
}

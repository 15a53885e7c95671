/** What the server's lenses, and the palette, do with links and notes: lists of places, notes of days, new notes, moved sections. */

import { commands, type Disposable, Location, Uri, window } from 'vscode';

import { command } from '../commands';
import { fromRange, noteEditor, toPosition, toRange } from '../notes';
import { SHOW_REFERENCES } from '../names';
import type { Server } from '../server/server';
import type { Position, Range } from '../wire';
import { refile } from './refile';

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
    command(server, 'khoj-ls.refile', () => {
      refile(server);
    }),
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

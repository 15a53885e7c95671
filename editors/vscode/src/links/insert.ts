/** Links: written by the server where the cursor is, in the syntax of the note. */

import { Selection, type TextEditor, window } from 'vscode';

import { fromPosition, fromRange, isNote } from '../notes';
import { headingOf } from '../search/items';
import type { Server } from '../server/server';
import type { Hit } from '../wire';

/** Write a link to a note at a selection: over selected words, which become its label, or at the cursor. */
export async function insertLink(
  server: Server,
  target: Pick<Hit, 'uri' | 'title' | 'outline'>,
  editor: TextEditor | undefined,
  selection: Selection | undefined,
): Promise<void> {
  if (!editor || !selection || !isNote(editor.document)) {
    void window.showInformationMessage('khoj-ls: Open a note first: the link goes where the cursor is.');
    return;
  }
  if (target.uri === editor.document.uri.toString()) {
    void window.showInformationMessage('khoj-ls: That is the note you are in.');
    return;
  }
  const heading = headingOf(target);
  await server.request('khoj/insertLink', {
    textDocument: { uri: editor.document.uri.toString() },
    target: target.uri,
    ...(heading !== undefined && { heading }),
    ...(selection.isEmpty ? { position: fromPosition(selection.active) } : { range: fromRange(selection) }),
  });
  if (!selection.isEmpty) {
    const { end } = editor.selection;
    editor.selection = new Selection(end, end);
  }
}

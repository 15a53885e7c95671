/** What the next question is about: notes and selections that the user has added. */

import * as path from 'node:path';
import type { TextEditor } from 'vscode';

import { fromRange } from '../notes';
import type { ChatContext } from '../wire';
import type { Chip } from './messages';

/** A thing that was added, with how it is shown. */
export interface Added {
  readonly context: ChatContext;
  readonly chip: Chip;
}

/** The selection of an editor, or its whole note where nothing is selected. */
export function addedFrom(editor: TextEditor): Added {
  const { document, selection } = editor;
  const textDocument = { uri: document.uri.toString() };
  const name = path.basename(document.uri.fsPath);
  if (selection.isEmpty) {
    return { context: { kind: 'note', textDocument }, chip: { label: name, title: `The note ${document.uri.fsPath}` } };
  }
  const lines = [selection.start.line + 1, selection.end.line + 1];
  const where = lines[0] === lines[1] ? String(lines[0]) : lines.join('–');
  return {
    context: { kind: 'selection', textDocument, range: fromRange(selection) },
    chip: { label: `${name}:${where}`, title: `Lines ${where} of ${document.uri.fsPath}` },
  };
}

/** Whether two are the same. */
export function same(one: Added, other: Added): boolean {
  return JSON.stringify(one.context) === JSON.stringify(other.context);
}

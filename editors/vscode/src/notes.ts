/** Which documents are notes, and how a place of the protocol is shown in the editor. */

import {
  languages,
  Position,
  Range,
  type TextDocument,
  TextEditorRevealType,
  type TextEditor,
  Uri,
  ViewColumn,
  window,
  workspace,
} from 'vscode';

import type { Position as WirePosition, Range as WireRange } from './wire';

/** Documents that the server reads: files of this machine only. Of plain text those that are called so: whatever else VS Code takes for it is no note. */
export const NOTES = [
  { scheme: 'file', language: 'markdown' },
  { scheme: 'file', language: 'org' },
  { scheme: 'file', pattern: '**/*.{md,markdown,org,txt}' },
] as const;

/** Whether the server reads a document. */
export function isNote(document: TextDocument): boolean {
  return languages.match([...NOTES], document) > 0;
}

/** The editor the user is in, if it shows a note. */
export function noteEditor(): TextEditor | undefined {
  const editor = window.activeTextEditor;
  return editor && isNote(editor.document) ? editor : undefined;
}

/** The note the user is in; else one that he sees, since he may be in the chat, or in a list. */
export function nearNote(): TextEditor | undefined {
  return noteEditor() ?? window.visibleTextEditors.find(({ document }) => isNote(document));
}

/** A range of the protocol (VS Code and the server agree on UTF-16 units). */
export function toRange(range: WireRange): Range {
  return new Range(toPosition(range.start), toPosition(range.end));
}

/** A position of the protocol. */
export function toPosition(position: WirePosition): Position {
  return new Position(position.line, position.character);
}

/** The same the other way round. */
export function fromRange(range: Range): WireRange {
  return { start: fromPosition(range.start), end: fromPosition(range.end) };
}

/** The same the other way round. */
export function fromPosition(position: Position): WirePosition {
  return { line: position.line, character: position.character };
}

/** A place that can be shown. */
export interface Place {
  readonly uri: string;
  readonly range?: WireRange | null;
}

/** Show a place: the caret at its first line. */
export async function openPlace(place: Place, how: { beside?: boolean; preview?: boolean; preserveFocus?: boolean } = {}): Promise<TextEditor> {
  const at = place.range ? toPosition(place.range.start) : undefined;
  const editor = await window.showTextDocument(await workspace.openTextDocument(Uri.parse(place.uri, true)), {
    viewColumn: how.beside ? ViewColumn.Beside : ViewColumn.Active,
    preview: how.preview ?? false,
    preserveFocus: how.preserveFocus ?? false,
    ...(at && { selection: new Range(at, at) }),
  });
  if (at) {
    editor.revealRange(new Range(at, at), TextEditorRevealType.InCenterIfOutsideViewport);
  }
  return editor;
}

/** A file's path as people know it: in the workspace, or from the home folder on. */
export function shortPath(uri: string): string {
  return workspace.asRelativePath(Uri.parse(uri), (workspace.workspaceFolders ?? []).length > 1);
}

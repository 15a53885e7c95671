/** Shows the hit that is chosen in a list behind that list, and puts the editors back when nothing is taken. */

import { type Disposable, Range, type TextEditor, ThemeColor, Uri, window, workspace } from 'vscode';

import { openPlace, type Place, toRange } from '../notes';

/** A preview of places, one at a time. */
export class Preview implements Disposable {
  private readonly before: TextEditor | undefined = window.activeTextEditor;
  private readonly selections = this.before?.selections ?? [];
  private readonly visible = this.before?.visibleRanges[0];
  private readonly decoration = window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new ThemeColor('editor.rangeHighlightBackground'),
  });
  private shown: TextEditor | undefined;
  private opening: Promise<unknown> = Promise.resolve();
  private opened = false;
  private left = false;
  private wanted = 0;

  /** Show a place. Of several calls in a row the last counts. */
  async show(place: Place): Promise<void> {
    const mine = ++this.wanted;
    const late = (): boolean => this.left || mine !== this.wanted;
    // What has been read too late is not shown: the user may have left the list by then, and be somewhere else.
    await workspace.openTextDocument(Uri.parse(place.uri, true));
    if (late()) {
      return;
    }
    this.opened = true;
    const opening = openPlace(place, { preview: true, preserveFocus: true });
    this.opening = Promise.allSettled([this.opening, opening]);
    const editor = await opening;
    if (late()) {
      return;
    }
    this.clear();
    this.shown = editor;
    if (place.range) {
      const range = toRange(place.range);
      // The range ends at the beginning of the line behind it.
      const last = range.end.character === 0 && range.end.line > range.start.line ? range.end.line - 1 : range.end.line;
      editor.setDecorations(this.decoration, [new Range(range.start.line, 0, last, 0)]);
    }
  }

  /** Go back to where the user was. */
  async back(): Promise<void> {
    this.left = true;
    // What is still being opened would be shown over the note that is gone back to.
    await this.opening;
    const { before, selections, visible } = this;
    if (!this.opened || !before) {
      return;
    }
    // With the note, not after it: a caret that the user has moved by then would be moved back.
    const selection = selections[0];
    const editor = await window.showTextDocument(before.document, { viewColumn: before.viewColumn, preview: false, ...(selection && { selection }) });
    if (selections.length > 1) {
      editor.selections = selections;
    }
    if (visible) {
      editor.revealRange(visible);
    }
  }

  dispose(): void {
    this.left = true;
    this.clear();
    this.decoration.dispose();
  }

  private clear(): void {
    this.shown?.setDecorations(this.decoration, []);
  }
}

// VS Code in a browser, as a person uses it: the palette, files, lists, views, the chat's page.

import { until } from './harness.mjs';

const MS = Number(process.env.KHOJ_LS_WAIT ?? 15_000);
/** Milliseconds after which a key is pressed again. */
const SOON = 5_000;

/** Whether something is there soon. */
export const appears = (shown) => shown.first().waitFor({ timeout: SOON }).then(() => true, () => false);

export class Workbench {
  constructor(page) {
    page.setDefaultTimeout(MS);
    this.page = page;
    this.quick = page.locator('.quick-input-widget:visible');
    this.box = this.quick.locator('input').first();
    this.rows = this.quick.locator('.monaco-list-row');
    this.lines = page.locator('.editor-group-container.active .view-lines');
    this.toasts = page.locator('.notification-toast');
    this.bar = page.locator('.statusbar-item', { hasText: 'Notes' });
    this.position = page.locator('.statusbar-item[id="status.editor.selection"]');
    const frame = page.frameLocator('iframe.webview').frameLocator('#active-frame');
    this.chat = { turns: frame.locator('article'), box: frame.locator('#question'), page: frame.locator('body') };
  }

  /** Open a folder, and wait until the workbench is there. */
  async open(url, folder) {
    await this.page.goto(`${url}/?folder=${encodeURIComponent(folder)}`, { timeout: 60_000 });
    await this.page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    // The server runs, and what VS Code asks of it by itself is answered: while it starts another picture turns there.
    await this.bar.locator('.codicon-book').waitFor({ timeout: 60_000 });
  }

  /** Leave the workbench, whatever it asks. */
  async leave() {
    this.page.once('dialog', (dialog) => dialog.accept());
    await this.page.goto('about:blank');
  }

  /** Press keys until `shown`, a locator, is there: a key that comes before what it is for is ready does nothing, or not what is meant. */
  async press(keys, shown) {
    await until(`${keys}`, async () => {
      for (const key of [keys].flat()) {
        await this.page.keyboard.press(key);
      }
      return appears(shown);
    });
  }

  /** Press a key in the list that is open: never in what is behind it, should it be closed meanwhile. */
  async key(key) {
    await this.box.press(key);
  }

  /** Open a list by its key, or keys one after the other, and take a row; again where the list was closed by a web view that took the keyboard meanwhile. */
  async list(keys, typed, row) {
    await until(`${keys} ${typed}`, async () => {
      try {
        for (const key of [keys].flat()) {
          await this.page.keyboard.press(key);
        }
        await this.box.fill(typed, { timeout: 2_000 });
        await this.quick.locator('.monaco-list-row.focused', { hasText: row }).waitFor({ timeout: SOON });
        await this.box.press('Enter', { timeout: SOON });
        return true;
      } catch {
        return false;
      }
    });
  }

  /** Run a command by its title. */
  async run(title) {
    await this.list('F1', `>${title}`, title);
  }

  /** Open a file of the folder, and put the caret there (1-based). */
  async edit(file, line = 1, column = 1) {
    await this.list('Control+P', `${file}:${line}:${column}`, file.split('/').at(-1));
    await this.tab(file.split('/').at(-1));
    await this.at(line); // columns are shown as wide as characters are
    await this.caret();
  }

  /** Wait until the keyboard is the active editor's. */
  async caret() {
    await this.quick.waitFor({ state: 'hidden' });
    await this.page.locator('.editor-group-container.active .monaco-editor.focused').waitFor();
  }

  /** Select with keys from the start of a line on, until so many characters are selected. */
  async select(line, keys, characters) {
    const selected = this.page.locator('.statusbar-item', { hasText: `(${characters} selected)` });
    await this.press(['Control+1', 'Control+Home', ...Array(line - 1).fill('ArrowDown'), ...keys], selected);
  }

  /** Wait until a tab is the active one. */
  async tab(name) {
    await this.page.locator('.editor-group-container.active .tab.active', { hasText: name }).waitFor();
  }

  /** Wait until the caret is on a line and nothing is selected: what was selected before is not taken for what a key that follows selects. */
  async at(line, column = String.raw`\d+`) {
    await this.position.filter({ hasText: new RegExp(`^Ln ${line}, Col ${column}$`) }).waitFor();
  }

  /** Wait until the active editor shows a text. Spaces of an editor are no-break ones. */
  async shows(text) {
    await until(`the editor shows ${text}`, async () => (await this.text()).includes(text));
  }

  /** What the active editor shows. */
  async text() {
    return (await this.lines.first().innerText().catch(() => '')).replaceAll('\u00a0', ' ');
  }

  /** Type what the search is to look for, and wait for a row. */
  async search(query, row) {
    await this.run('Notes: Search Notes');
    await this.type('Search notes', query);
    return this.row(row);
  }

  /** Write in the list or box that is called so. */
  async type(title, text) {
    await this.quick.getByText(title).first().waitFor();
    await this.box.fill(text);
  }

  /** Wait for a row of the list. */
  async row(text) {
    const found = this.rows.filter({ hasText: text }).first();
    await found.waitFor();
    return found;
  }

  /** Choose a row of the list with the arrow keys. */
  async choose(text) {
    await this.row(text);
    for (let step = 0; step < 30; step++) {
      const chosen = (await this.quick.locator('.monaco-list-row.focused').first().innerText().catch(() => '')).replaceAll('\u00a0', ' ');
      if (chosen.includes(text)) {
        return;
      }
      await this.key('ArrowDown');
    }
    throw new Error(`the list has no ${text} to choose`);
  }

  /** Choose a row of the list, and take it. */
  async take(text, key = 'Enter') {
    await this.choose(text);
    await this.key(key);
  }

  /** Leave the list. */
  async escape() {
    await this.key('Escape');
    await this.quick.waitFor({ state: 'hidden' });
  }

  /** The rows of a side view. */
  view(name) {
    return this.page.locator('.pane', { has: this.page.locator(`.pane-header[aria-label^="${name}"]`) });
  }

  /** Take an entry of the menu of a row. */
  async menu(row, entry) {
    await row.click({ button: 'right' });
    await this.page.locator('.context-view').getByText(entry).hover();
    await this.page.keyboard.press('Enter');
  }

  /** Wait for a message, and return it. */
  async told(text) {
    const toast = this.toasts.filter({ hasText: text }).first();
    await toast.waitFor();
    return toast;
  }

  /** Begin a new conversation; again where the page was loaded anew meanwhile, or something else took the keyboard. */
  async fresh() {
    const ready = () => document.hasFocus() && document.activeElement?.id === 'question' && !document.querySelector('article');
    await until('the question has the caret', async () => {
      await this.run('Notes: New Conversation');
      return until('it soon has', () => this.chat.page.evaluate(ready, undefined, { timeout: SOON }), SOON).then(() => true, () => false);
    });
  }

  /** Ask in the chat. */
  async ask(question) {
    await this.chat.box.fill(question);
    await this.chat.box.press('Enter');
    const turn = this.chat.turns.filter({ hasText: question }).last();
    await turn.waitFor();
    return turn;
  }

  /** Wait until a turn of the chat is in a state. */
  async ended(turn, state = 'done') {
    await until(`the answer is ${state}`, async () => (await turn.getAttribute('data-state')) === state);
    return turn;
  }

  /** Choose a colour theme. */
  async theme(name) {
    await this.list(['Control+K', 'Control+T'], name, name);
    await this.quick.waitFor({ state: 'hidden' });
  }

  /** Close lists, messages and editors; notes are saved by themselves. */
  async tidy() {
    const { page } = this;
    const busy = page.locator('.tab, .notification-toast, .quick-input-widget:visible');
    await until('the window is tidy', async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Alt+Q');
      await page.waitForTimeout(50); // the keys that follow are for a window that has obeyed these
      return (await busy.count()) === 0;
    });
  }

  /** A picture, when nothing moves any more. */
  async photograph(name, folder, size) {
    if (size) {
      await this.page.setViewportSize(size);
    }
    await this.page.waitForTimeout(400); // list, toasts and hovers fade in, and do not say when they are done
    await this.page.screenshot({ path: `${folder}/${name}.png` });
  }
}

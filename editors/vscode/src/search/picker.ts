/** A list that is searched while one types: the newest question is the only one that is answered. */

import { CancellationTokenSource, commands, type Disposable, type QuickPick, window } from 'vscode';

import { messageOf, wasCancelled } from '../commands';
import { CONTEXT, SAYS } from '../names';
import type { Server } from '../server/server';
import type { SearchResult } from '../wire';
import { completed, completionItems, hitItems, type Found, missingPart, type SearchItem } from './items';
import { Preview } from './preview';

const REST_MS = 120;

/** How a picker looks, and what is done with a hit. */
export interface Wanted {
  readonly title: string;
  readonly placeholder: string;
  /** What is listed before anything is typed. */
  readonly first?: () => Promise<SearchItem[]>;
  /** A filter that holds for all that is typed: `type:org`. */
  readonly filter?: string;
  /** What the Enter key does. */
  readonly accept: (item: SearchItem) => unknown;
  /** Whether that is done where the user was, not where the hit is. */
  readonly returns?: boolean;
  /** What is listed of the hits; hits as they are when absent. */
  readonly items?: (hits: readonly Found[]) => SearchItem[];
}

/** A list of hits that follows what is typed. */
export class SearchPicker implements Disposable {
  readonly pick: QuickPick<SearchItem> = window.createQuickPick<SearchItem>();
  /** The editor and its selection when the list was opened: links go there. */
  readonly editor = window.activeTextEditor;
  readonly selection = this.editor?.selection;
  private readonly preview = new Preview();
  private asking = new CancellationTokenSource();
  private timer: NodeJS.Timeout | undefined;
  private taken = false;
  private readonly listening: Disposable;

  constructor(
    private readonly server: Server,
    private readonly wanted: Wanted,
    private readonly act: (command: string, picker: SearchPicker) => unknown,
    private readonly gone: () => void,
  ) {
    const { pick } = this;
    pick.title = wanted.title;
    pick.placeholder = wanted.placeholder;
    pick.matchOnDescription = false;
    pick.matchOnDetail = false;
    // The server's order is the order: without this VS Code puts labels first that hold what was typed.
    (pick as { sortByLabel?: boolean }).sortByLabel = false;
    pick.onDidChangeValue((value) => {
      this.ask(value);
    });
    pick.onDidChangeActive(([item]) => {
      if (item?.hit) {
        void this.preview.show(item.hit).catch(() => undefined);
      }
    });
    pick.onDidAccept(() => {
      this.accept();
    });
    pick.onDidTriggerItemButton(({ item, button }) => {
      pick.activeItems = [item];
      if ('command' in button) {
        this.act(String(button.command), this);
      }
    });
    pick.onDidHide(() => void this.close());
    // A question that the server's end has swallowed is asked again.
    this.listening = server.onDidChangeState(({ kind }) => {
      if (kind === 'running') {
        this.ask(pick.value);
      }
    });
  }

  /** Open the list, with this in its box. */
  show(value = ''): void {
    void commands.executeCommand('setContext', CONTEXT.searching, true);
    this.pick.value = value;
    this.pick.show();
    this.ask(value);
  }

  /** The hit that is chosen now. */
  get chosen(): SearchItem | undefined {
    return this.pick.activeItems[0];
  }

  /** Close the list and keep what it shows. */
  take(): void {
    this.taken = true;
    this.pick.hide();
  }

  /** Close the list and go back to where the user was; returns when that is shown. */
  async leave(): Promise<void> {
    await this.preview.back();
    this.take();
  }

  dispose(): void {
    this.listening.dispose();
    clearTimeout(this.timer);
    this.asking.cancel();
    this.asking.dispose();
    this.preview.dispose();
    this.pick.dispose();
  }

  private accept(): void {
    const item = this.chosen;
    if (item?.completion) {
      if (item.query !== this.pick.value) {
        return; // the list is behind what was typed since
      }
      const value = completed(this.pick.value, item.completion);
      this.pick.items = [];
      this.pick.value = value;
      this.ask(value);
    } else if (item) {
      void this.done(item);
    }
  }

  private async done(item: SearchItem): Promise<void> {
    if (this.wanted.returns) {
      await this.leave();
    } else {
      this.take();
    }
    this.wanted.accept(item);
  }

  private ask(value: string): void {
    clearTimeout(this.timer);
    this.asking.cancel();
    this.asking.dispose();
    this.asking = new CancellationTokenSource();
    const { token } = this.asking;
    this.timer = setTimeout(() => {
      void this.find(value.trim(), token);
    }, value ? REST_MS : 0);
  }

  private async find(query: string, token: CancellationTokenSource['token']): Promise<void> {
    const { pick, server, wanted } = this;
    const { value } = pick;
    pick.busy = true;
    try {
      if (!query) {
        const items = (await wanted.first?.()) ?? [];
        this.list(token, items, wanted.title);
        return;
      }
      const [result, ways] = await Promise.all([
        // In front, where no quotation mark that is still open can take it in.
        server.request('khoj/search', { query: wanted.filter ? `${wanted.filter} ${query}` : query, prefix: true }, token),
        server.request('khoj/completeQuery', { query: value }, token).catch(() => ({ completions: [] })),
      ]);
      const items = [...completionItems(value, ways.completions), ...(wanted.items ?? hitItems)(result.hits)];
      this.list(token, items.length ? items : nothing(result), titled(wanted.title, result));
    } catch (error) {
      if (!wasCancelled(error)) {
        this.list(token, [{ label: `$(error) ${messageOf(error)}`, alwaysShow: true }], wanted.title);
      }
    } finally {
      if (!token.isCancellationRequested) {
        pick.busy = false;
      }
    }
  }

  private list(token: CancellationTokenSource['token'], items: SearchItem[], title: string): void {
    if (!token.isCancellationRequested) {
      this.pick.title = title;
      this.pick.items = items;
    }
  }

  private async close(): Promise<void> {
    void commands.executeCommand('setContext', CONTEXT.searching, false);
    this.gone();
    if (!this.taken) {
      await this.preview.back();
    }
    this.dispose();
  }
}

function titled(title: string, result: SearchResult): string {
  const missing = missingPart(result);
  const respelled = Object.entries(result.respelled).map(([word, other]) => `${word} → ${other}`);
  return [title, ...(missing ? [missing] : []), ...(respelled.length ? [`looked for ${respelled.join(', ')}`] : [])].join(' — ');
}

function nothing(result: SearchResult): SearchItem[] {
  const missing = missingPart(result);
  return [{ label: SAYS.noHits, ...(missing && { description: missing }), alwaysShow: true }];
}

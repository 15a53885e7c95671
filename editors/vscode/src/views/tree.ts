/** Side views: trees whose content is asked for anew when something happens, and never more often than it can be answered. */

import {
  CancellationTokenSource,
  type Disposable,
  Event,
  EventEmitter,
  MarkdownString,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeDataProvider,
  type TreeView,
  window,
} from 'vscode';

import { messageOf, wasCancelled } from '../commands';
import type { Place } from '../notes';

/** A row. */
export interface Row {
  readonly label: string;
  readonly description?: string;
  /** Text of a note: shown as it is, never as markup. */
  readonly tooltip?: string;
  readonly icon?: string;
  /** What is shown when it is chosen. */
  readonly place?: Place;
  /** A command instead; it gets the row. */
  readonly command?: string;
  readonly rows?: readonly Row[];
  /** What menus know it by. */
  readonly kind?: string;
  /** What a command needs to know of it. */
  readonly id?: string;
  readonly expanded?: boolean;
}

/** What a view shows: rows, and a line above them. */
export interface Content {
  readonly rows: readonly Row[];
  readonly message?: string;
}

/** A view, and how it is filled. */
export class Tree implements Disposable, TreeDataProvider<Row> {
  readonly view: TreeView<Row>;
  private readonly changed = new EventEmitter<void>();
  readonly onDidChangeTreeData: Event<void> = this.changed.event;
  private rows: readonly Row[] = [];
  private asking = new CancellationTokenSource();
  private timer: NodeJS.Timeout | undefined;
  private stale = true;

  /** `fill` asks for the content; undefined leaves what is shown. */
  constructor(
    id: string,
    private readonly fill: (token: CancellationTokenSource['token']) => Promise<Content | undefined>,
    private readonly restMs: number,
  ) {
    this.view = window.createTreeView(id, { treeDataProvider: this, showCollapseAll: false });
    this.view.onDidChangeVisibility(() => {
      if (this.view.visible && this.stale) {
        this.refresh(0);
      }
    });
  }

  /** Ask anew after a rest; a hidden view is filled when it is shown. */
  refresh(afterMs = this.restMs): void {
    this.stale = true;
    clearTimeout(this.timer);
    if (this.view.visible) {
      this.timer = setTimeout(() => void this.ask(), afterMs);
    }
  }

  getTreeItem(row: Row): TreeItem {
    const state = row.rows?.length
      ? row.expanded === false
        ? TreeItemCollapsibleState.Collapsed
        : TreeItemCollapsibleState.Expanded
      : TreeItemCollapsibleState.None;
    const item = new TreeItem(row.label, state);
    item.description = row.description ?? '';
    item.contextValue = row.kind ?? '';
    if (row.tooltip) {
      item.tooltip = new MarkdownString().appendText(row.tooltip);
    }
    if (row.icon) {
      item.iconPath = new ThemeIcon(row.icon);
    }
    if (row.place || row.command) {
      item.command = { title: 'Open', command: row.command ?? 'khoj-ls.openRow', arguments: [row] };
    }
    return item;
  }

  getChildren(row?: Row): Row[] {
    return [...(row ? (row.rows ?? []) : this.rows)];
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.asking.cancel();
    this.asking.dispose();
    this.view.dispose();
    this.changed.dispose();
  }

  private async ask(): Promise<void> {
    this.asking.cancel();
    this.asking.dispose();
    this.asking = new CancellationTokenSource();
    const { token } = this.asking;
    this.stale = false;
    try {
      const content = await this.fill(token);
      if (content && !token.isCancellationRequested) {
        this.put(content);
      }
    } catch (error) {
      if (!wasCancelled(error) && !token.isCancellationRequested) {
        this.stale = true;
        this.put({ rows: [], message: messageOf(error) });
      }
    }
  }

  private put(content: Content): void {
    this.rows = content.rows;
    this.view.message = content.message ?? '';
    this.changed.fire();
  }
}

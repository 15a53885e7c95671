/** The item in the status bar: how far the index is, or what is wrong with the server. */

import { MarkdownString, StatusBarAlignment, ThemeColor, window } from 'vscode';

import { sayState, type Server, type ServerState } from '../server/server';
import type { StatusResult } from '../wire';
import { count, percent, phase } from '../views/status';
import type { StatusFeed } from './feed';

/** Make the item. */
export function statusBar(server: Server, feed: StatusFeed): { dispose(): unknown }[] {
  const item = window.createStatusBarItem('khoj-ls.status', StatusBarAlignment.Right, 90);
  item.name = 'khoj-ls';
  item.command = 'khoj-ls.menu';
  const show = (): void => {
    const { text, wrong } = barText(server.state, feed.status);
    item.text = text;
    item.tooltip = tooltip(server.state, feed.status);
    item.backgroundColor = wrong ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    item.accessibilityInformation = { label: `khoj-ls: ${text.replace(/\$\([^)]*\)\s*/g, '')}` };
    item.show();
  };
  show();
  return [item, server.onDidChangeState(show), feed.onDidChange(show)];
}

/** What the item says, and whether it is a warning. */
export function barText(state: ServerState, status: StatusResult | undefined): { text: string; wrong: boolean } {
  switch (state.kind) {
    case 'stopped':
      return { text: '$(book) Notes', wrong: false };
    case 'starting':
      return { text: '$(sync~spin) Notes', wrong: false };
    case 'waiting':
      return { text: '$(sync~spin) Notes: starting again', wrong: true };
    case 'missing':
      return { text: '$(warning) Notes: no server', wrong: true };
    case 'failed':
      return { text: '$(error) Notes: server failed', wrong: true };
    case 'running':
      return { text: ofIndex(status), wrong: false };
  }
}

function ofIndex(status: StatusResult | undefined): string {
  const vaults = status?.vaults ?? [];
  const chunks = vaults.reduce((sum, vault) => sum + vault.chunks, 0);
  const embedded = vaults.reduce((sum, vault) => sum + vault.embedded, 0);
  const failures = vaults.reduce((sum, vault) => sum + vault.failures.length, 0);
  if (vaults.some((vault) => vault.paused)) {
    return '$(debug-pause) Notes: paused';
  }
  if (vaults.some((vault) => vault.queue > 0)) {
    return `$(sync~spin) Notes ${percent(chunks ? embedded / chunks : 0)}`;
  }
  return failures ? `$(book) Notes $(warning) ${String(failures)}` : '$(book) Notes';
}

function tooltip(state: ServerState, status: StatusResult | undefined): MarkdownString {
  const text = new MarkdownString().appendText(state.kind === 'running' ? '' : sayState(state));
  for (const vault of status?.vaults ?? []) {
    text
      .appendText(`${vault.root}: ${phase(vault)}`)
      .appendMarkdown('\n\n')
      .appendText(`${count(vault.files, 'note')}, ${percent(vault.coverage)} found by meaning${vault.message ? `. ${vault.message}` : ''}`)
      .appendMarkdown('\n\n');
  }
  return text;
}

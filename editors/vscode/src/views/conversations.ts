/** The view “Conversations”, and what can be done with one. */

import { type CancellationToken, type Disposable, window, workspace } from 'vscode';

import { command, wasCancelled, complain } from '../commands';
import { SAYS } from '../names';
import type { Server } from '../server/server';
import type { ConversationHit, ConversationInfo } from '../wire';
import type { Content, Row, Tree } from './tree';

const PAGE = 50;

/** What the commands do beside asking the server. */
export interface Doing {
  /** Show a conversation in the chat. */
  open(id: string): Promise<void>;
  /** It is gone, or called otherwise. */
  changed(id: string, how: 'deleted' | 'renamed'): void;
  view(): Tree;
}

/** Ask for the content: the conversations that were used last. */
export async function conversations(server: Server, shown: number, token: CancellationToken): Promise<Content> {
  const pages: ConversationInfo[] = [];
  let total = 0;
  while (pages.length < shown) {
    const page = await server.request('khoj/conversations', { limit: PAGE, offset: pages.length }, token);
    total = page.total;
    pages.push(...page.conversations);
    if (page.conversations.length < PAGE) {
      break;
    }
  }
  const more: Row[] = pages.length < total ? [{ label: `Show more of ${String(total)}`, icon: 'ellipsis', command: 'khoj-ls.conversations.more' }] : [];
  return { rows: [...pages.map(row), ...more], message: pages.length ? '' : SAYS.noConversations };
}

function row(each: ConversationInfo): Row {
  const questions = each.turns === 1 ? '1 question' : `${String(each.turns)} questions`;
  return {
    label: each.title,
    description: ago(each.updated),
    tooltip: `${each.title}\n\n${questions}, ${each.persona}\n\n${each.vault}`,
    icon: 'comment-discussion',
    kind: 'conversation',
    id: each.id,
    command: 'khoj-ls.conversations.open',
  };
}

/** How long ago something was, in words. */
export function ago(date: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(date)) / 1000);
  const words: [number, number, string][] = [[90, 1, 'just now'], [5_400, 60, 'min'], [129_600, 3_600, 'h'], [Infinity, 86_400, 'd']];
  const [, unit, name] = words.find(([limit]) => seconds < limit) ?? [0, 1, ''];
  return unit === 1 ? name : `${String(Math.round(seconds / unit))} ${name}`;
}

/** Register the commands about kept conversations. */
export function registerConversations(server: Server, doing: Doing): Disposable[] {
  const of = (name: string, run: (row: Row & { id: string }) => Promise<void>): Disposable =>
    command(server, name, async (row?: Row) => {
      const chosen = row?.id ? row : await choose(server);
      if (chosen?.id) {
        await run(chosen as Row & { id: string });
      }
    });
  return [
    of('khoj-ls.conversations.open', (row) => doing.open(row.id)),
    of('khoj-ls.conversations.rename', async (row) => {
      const title = await window.showInputBox({ title: 'Rename the conversation', value: row.label });
      if (title) {
        await server.request('khoj/conversations', { action: 'rename', conversation: row.id, title });
        doing.changed(row.id, 'renamed');
      }
    }),
    of('khoj-ls.conversations.delete', async (row) => {
      const answer = await window.showWarningMessage(`Delete the conversation “${row.label}”?`, { modal: true, detail: 'It cannot be brought back.' }, 'Delete');
      if (answer) {
        await server.request('khoj/conversations', { action: 'delete', conversation: row.id });
        doing.changed(row.id, 'deleted');
      }
    }),
    of('khoj-ls.conversations.export', async (row) => {
      const formats = [
        { label: 'Markdown', format: 'markdown' as const, language: 'markdown' },
        { label: 'Org', format: 'org' as const, language: 'org' },
        { label: 'JSON', format: 'json' as const, language: 'json' },
      ];
      const chosen = await window.showQuickPick(formats, { title: 'Export the conversation as' });
      if (chosen) {
        const { text } = await server.request('khoj/conversations', { action: 'export', conversation: row.id, format: chosen.format });
        await window.showTextDocument(await workspace.openTextDocument({ content: text ?? '', language: chosen.language }));
      }
    }),
    command(server, 'khoj-ls.conversations.search', () => {
      search(server, doing);
    }),
  ];
}

async function choose(server: Server): Promise<Row | undefined> {
  const { conversations: found } = await server.request('khoj/conversations', { limit: 100 });
  if (!found.length) {
    void window.showInformationMessage(`khoj-ls: ${SAYS.noConversations}`);
    return undefined;
  }
  const items = found.map((each) => ({ label: each.title, description: ago(each.updated), row: row(each) }));
  return (await window.showQuickPick(items, { title: 'Conversations' }))?.row;
}

/** Search what was asked and answered, while one types. */
function search(server: Server, doing: Doing): void {
  const pick = window.createQuickPick<{ label: string; description?: string; detail?: string; alwaysShow: boolean; hit?: ConversationHit }>();
  let asked = 0;
  pick.title = 'Search conversations';
  pick.placeholder = 'Words, or what it was about';
  (pick as { sortByLabel?: boolean }).sortByLabel = false;
  const ask = async (query: string): Promise<void> => {
    const mine = ++asked;
    try {
      const { hits } = query ? await server.request('khoj/conversations', { action: 'search', query }) : { hits: [] };
      if (mine === asked) {
        const items = hits.map((hit) => ({ label: hit.question, description: hit.title, detail: hit.snippet, alwaysShow: true, hit }));
        pick.items = items.length || !query ? items : [{ label: SAYS.noHits, alwaysShow: true }];
      }
    } catch (error) {
      if (!wasCancelled(error)) {
        pick.hide();
        complain(server, error);
      }
    }
  };
  pick.onDidChangeValue((value) => void ask(value.trim()));
  pick.onDidAccept(() => {
    const [chosen] = pick.activeItems;
    pick.hide();
    if (chosen?.hit) {
      doing.open(chosen.hit.conversation).catch((error: unknown) => {
        complain(server, error);
      });
    }
  });
  pick.onDidHide(() => {
    pick.dispose();
  });
  pick.show();
}

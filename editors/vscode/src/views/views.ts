/** The side views together: when each is asked for anew, and the commands that rows and title bars run. */

import { commands, type Disposable, window, workspace } from 'vscode';

import { command } from '../commands';
import { insertLink } from '../links/insert';
import { isNote, noteEditor, openPlace } from '../notes';
import { VIEWS } from '../names';
import type { Server } from '../server/server';
import type { StatusFeed } from '../status/feed';
import { backlinks } from './backlinks';
import { conversations, registerConversations } from './conversations';
import { related } from './related';
import { indexStatus } from './status';
import { type Row, Tree } from './tree';

const REST_MS = 300;
const PAGE = 50;

/** What the chat does for the list of conversations, and the other way round. */
export interface ChatSide {
  open(id: string): Promise<void>;
  deleted(id: string): void;
  onDidChangeConversations(listener: () => void): Disposable;
}

/** Make the views and register their commands. */
export function registerViews(server: Server, feed: StatusFeed, chat: ChatSide): Disposable[] {
  let shown = PAGE;
  const relatedView = new Tree(VIEWS.related, (token) => related(server, token), REST_MS);
  const backlinksView = new Tree(VIEWS.backlinks, (token) => backlinks(server, token), REST_MS);
  const conversationsView = new Tree(VIEWS.conversations, (token) => conversations(server, shown, token), REST_MS);
  const statusView = new Tree(VIEWS.status, () => Promise.resolve(indexStatus(server, feed.status)), 0);
  const all = [relatedView, backlinksView, conversationsView, statusView];
  const ofNote = (): void => {
    relatedView.refresh();
    backlinksView.refresh();
  };
  const focus = (name: string, view: string): Disposable =>
    command(server, name, () => commands.executeCommand(`${view}.focus`));

  return [
    ...all,
    window.onDidChangeTextEditorSelection(({ textEditor }) => {
      if (isNote(textEditor.document)) {
        relatedView.refresh();
      }
    }),
    window.onDidChangeActiveTextEditor((editor) => {
      if (editor && isNote(editor.document)) {
        ofNote();
      }
    }),
    workspace.onDidChangeTextDocument(({ document }) => {
      if (document === noteEditor()?.document) {
        backlinksView.refresh(1_000);
      }
    }),
    server.onIndexChanged(ofNote),
    server.onDidChangeState(({ kind }) => {
      if (kind !== 'starting') {
        for (const view of all) {
          view.refresh(0);
        }
      }
    }),
    feed.onDidChange(() => {
      statusView.refresh(0);
    }),
    chat.onDidChangeConversations(() => {
      conversationsView.refresh();
    }),
    focus('khoj-ls.related', VIEWS.related),
    focus('khoj-ls.backlinks', VIEWS.backlinks),
    focus('khoj-ls.conversations', VIEWS.conversations),
    focus('khoj-ls.status', VIEWS.status),
    command(server, 'khoj-ls.refreshViews', async () => {
      await feed.ask();
      for (const view of all) {
        view.refresh(0);
      }
    }),
    command(server, 'khoj-ls.openRow', (row: Row) => row.place && openPlace(row.place)),
    command(server, 'khoj-ls.openRowToSide', (row?: Row) => row?.place && openPlace(row.place, { beside: true })),
    command(server, 'khoj-ls.insertRowLink', (row?: Row) => {
      const editor = noteEditor();
      return row?.place && insertLink(server, { uri: row.place.uri, title: '', outline: [] }, editor, editor?.selection);
    }),
    command(server, 'khoj-ls.conversations.more', () => {
      shown += PAGE;
      conversationsView.refresh(0);
    }),
    ...registerConversations(server, {
      open: (id) => chat.open(id),
      changed: (id, how) => {
        if (how === 'deleted') {
          chat.deleted(id);
        }
        conversationsView.refresh(0);
      },
      view: () => conversationsView,
    }),
  ];
}

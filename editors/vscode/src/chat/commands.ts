/** The chat as commands. */

import { commands, type Disposable, window, workspace } from 'vscode';

import { command } from '../commands';
import { fromRange, noteEditor } from '../notes';
import type { Server } from '../server/server';
import type { Chat } from './chat';

/** Register them. */
export function registerChat(server: Server, chat: Chat): Disposable[] {
  return [
    command(server, 'khoj-ls.chat', () => chat.focus()),
    command(server, 'khoj-ls.ask', async (question?: unknown) => {
      const asked =
        typeof question === 'string'
          ? question
          : await window.showInputBox({ title: 'Ask your notes', placeHolder: 'A question; / lists commands in the chat', prompt: about() });
      if (asked?.trim()) {
        await withSelection(chat);
        await chat.focus();
        await chat.ask(asked.trim());
      }
    }),
    command(server, 'khoj-ls.addSelection', () => chat.addSelection()),
    command(server, 'khoj-ls.chat.new', async () => {
      chat.begin();
      await chat.focus();
    }),
    command(server, 'khoj-ls.chat.stop', () => chat.stop()),
    command(server, 'khoj-ls.chat.retry', () => chat.retry()),
    command(server, 'khoj-ls.chat.persona', () => chat.choosePersona()),
    command(server, 'khoj-ls.chat.model', () => chat.chooseModel()),
    command(server, 'khoj-ls.chatFile', async () => {
      if (!workspace.isTrusted) {
        await commands.executeCommand('workbench.trust.manage');
        return;
      }
      const editor = noteEditor();
      const range = editor && !editor.selection.isEmpty ? { range: fromRange(editor.selection) } : {};
      await server.command('khoj.chat.file', editor ? { textDocument: { uri: editor.document.uri.toString() }, ...range } : {});
    }),
  ];
}

async function withSelection(chat: Chat): Promise<void> {
  const editor = noteEditor();
  if (editor && !editor.selection.isEmpty) {
    await chat.addSelection();
  }
}

function about(): string {
  const editor = noteEditor();
  return editor && !editor.selection.isEmpty ? 'What is selected is asked about' : 'All notes are asked';
}

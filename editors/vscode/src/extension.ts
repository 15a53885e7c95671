/** What happens when the extension is started: everything is made here, in one place, and nothing is sent anywhere. */

import { commands, type ExtensionContext, window } from 'vscode';

import { Chat } from './chat/chat';
import { registerChat } from './chat/commands';
import { ChatView } from './chat/view';
import { offerHelp } from './commands';
import { registerLinks } from './links/commands';
import { CONTEXT, VIEWS } from './names';
import { registerSearch } from './search/commands';
import { registerInstall } from './server/install';
import { Server } from './server/server';
import { statusBar } from './status/bar';
import { registerStatus } from './status/commands';
import { StatusFeed } from './status/feed';
import { registerViews } from './views/views';

let running: Server | undefined;

/** Called by VS Code when a note is opened, a view is shown, or a command is run. */
export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('khoj-ls', { log: true });
  const server = new Server(log, context);
  const feed = new StatusFeed(server);
  const chat = new Chat(server, context.workspaceState);
  running = server;
  context.subscriptions.push(
    log,
    server,
    feed,
    chat,
    ...statusBar(server, feed),
    ...registerStatus(server, feed, log),
    ...registerInstall(server),
    ...registerSearch(server),
    ...registerLinks(server),
    ...registerViews(server, feed, chat),
    ...registerChat(server, chat),
    window.registerWebviewViewProvider(VIEWS.chat, new ChatView(context.extensionUri, chat)),
    tellOnce(server),
  );
  void server.start();
}

/** Called when the window closes. */
export function deactivate(): Promise<void> | undefined {
  return running?.stop();
}

/** Says when the server cannot run: once for each reason, and not while it is being tried again. */
function tellOnce(server: Server): { dispose(): void } {
  let told = '';
  return server.onDidChangeState((state) => {
    void commands.executeCommand('setContext', CONTEXT.running, state.kind === 'running');
    if (state.kind === 'running') {
      told = '';
    } else if ((state.kind === 'missing' || state.kind === 'failed') && told !== state.why) {
      told = state.why;
      void offerHelp(server);
    }
  });
}

/** The chat's web page: it loads its own script and style sheet and nothing else, and can reach no address. */

import { randomBytes } from 'node:crypto';
import { type Disposable, Uri, type Webview, type WebviewView, type WebviewViewProvider } from 'vscode';

import type { Chat } from './chat';
import type { FromPage } from './messages';

/** Makes the page when the view is first shown. */
export class ChatView implements WebviewViewProvider {
  constructor(
    private readonly extension: Uri,
    private readonly chat: Chat,
  ) {}

  resolveWebviewView(view: WebviewView): void {
    const { webview } = view;
    const place = Uri.joinPath(this.extension, 'dist', 'webview');
    webview.options = { enableScripts: true, enableForms: false, enableCommandUris: false, localResourceRoots: [place] };
    const listening: Disposable = webview.onDidReceiveMessage((message: FromPage) => {
      // The page asks for its content when it has loaded: a message that is posted earlier is lost.
      void (message.type === 'ready'
        ? this.chat.attach({ post: (each) => void webview.postMessage(each) })
        : this.chat.hear(message));
    });
    view.onDidDispose(() => {
      listening.dispose();
      void this.chat.attach(undefined);
    });
    webview.html = html(webview, place);
  }
}

function html(webview: Webview, place: Uri): string {
  const nonce = randomBytes(18).toString('base64url');
  const file = (name: string): string => webview.asWebviewUri(Uri.joinPath(place, name)).toString();
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${file('chat.css')}">
  <title>Chat</title>
</head>
<body>
  <main id="turns" role="log" aria-live="polite" aria-label="Conversation"></main>
  <div id="composer">
    <div id="off" hidden></div>
    <div id="chips"></div>
    <div id="commands" role="listbox" aria-label="Commands" hidden></div>
    <div id="box">
      <textarea id="question" rows="1" aria-label="Question" placeholder="Ask your notes"></textarea>
      <button id="send" title="Ask (Enter)" aria-label="Ask">▶</button>
    </div>
    <div id="tools">
      <button id="add" title="Add what is selected in the editor, or the whole note">+ Selection</button>
      <button id="persona" title="Who answers"></button>
      <button id="model" title="The chat model"></button>
    </div>
  </div>
  <script nonce="${nonce}" src="${file('chat.js')}"></script>
</body>
</html>`;
}

/** The chat: asks the server, follows its events, and keeps what the page shows. */

import { commands, type Disposable, env, EventEmitter, type Memento, window, workspace } from 'vscode';

import { complain, messageOf } from '../commands';
import { fromRange, nearNote, noteEditor, openPlace } from '../notes';
import { CONTEXT, VIEWS } from '../names';
import type { ChatEvent, Server } from '../server/server';
import type { ChatParams, ChoicesResult } from '../wire';
import { type Added, addedFrom, same } from './context';
import { after, begun, kept, shown, type Turn } from './conversation';
import type { ChatState, FromPage, ToPage } from './messages';
import { pickModel, pickPersona } from './pickers';

const KEPT_ID = 'khoj-ls.conversation';
const RESTRICTED = 'This workspace is not trusted. Searching and links work; asking, which gives passages of notes to a model, does not.';

/** The page, as far as the chat needs it. */
export interface Page {
  post(message: ToPage): void;
}

/** The one chat of this window. */
export class Chat implements Disposable {
  private conversation: string | undefined;
  private turns: Turn[] = [];
  private added: Added[] = [];
  private persona: string | undefined;
  private model: string | undefined;
  private choices: ChoicesResult | undefined;
  private page: Page | undefined;
  /** What the page is to do when it is there: a message to one that is still loading is lost. */
  private focusing: Extract<ToPage, { type: 'focus' }> | undefined;
  /** Events of turns whose request is not answered yet. */
  private early: ChatEvent[] = [];
  private readonly conversationsChanged = new EventEmitter<void>();
  readonly onDidChangeConversations = this.conversationsChanged.event;
  private readonly listening: Disposable[];

  constructor(
    private readonly server: Server,
    private readonly memory: Memento,
  ) {
    this.conversation = memory.get<string>(KEPT_ID);
    this.listening = [
      server.onChatEvent((event) => {
        this.follow(event);
      }),
      server.onDidChangeState(({ kind }) => {
        if (kind === 'running') {
          void this.learn();
        } else if (this.running) {
          this.replace({ ...this.running, state: 'failed', status: '', message: 'The server ended before the answer did. Ask again.' });
        }
      }),
      workspace.onDidGrantWorkspaceTrust(() => {
        this.show();
      }),
    ];
  }

  dispose(): void {
    for (const each of this.listening) {
      each.dispose();
    }
    this.conversationsChanged.dispose();
  }

  /** The page is there, or is gone. */
  async attach(page: Page | undefined): Promise<void> {
    this.page = page;
    if (page) {
      this.show();
      if (this.focusing) {
        page.post(this.focusing);
      }
      await this.learn();
      if (this.conversation && this.turns.length === 0) {
        await this.load(this.conversation).catch(() => {
          this.begin();
        });
      }
    }
  }

  /** What the page says. */
  async hear(message: FromPage): Promise<void> {
    try {
      await this.obey(message);
    } catch (error) {
      complain(this.server, error);
    }
  }

  /** Show the chat with the caret in its box; with this in the box, if anything. */
  async focus(text = ''): Promise<void> {
    this.focusing = { type: 'focus', text };
    await commands.executeCommand(`${VIEWS.chat}.focus`);
    this.page?.post(this.focusing);
  }

  /** Ask. Never rejects: what goes wrong stands where the answer would. */
  async ask(question: string, replaces?: string): Promise<void> {
    if (this.state().off || this.running) {
      return;
    }
    const turn = begun(`asked-${String(Date.now())}`, question);
    const at = replaces === undefined ? this.turns.length : this.turns.findIndex(({ id }) => id === replaces);
    this.turns = [...this.turns.slice(0, at < 0 ? this.turns.length : at), turn];
    const added = replaces === undefined ? this.added : [];
    this.added = [];
    this.show();
    // A turn that never reached the server has no id there that could be replaced.
    const old = replaces?.startsWith('asked-') ? undefined : replaces;
    try {
      const started = await this.server.request('khoj/chat', this.params(question, added, old));
      this.conversation = started.conversation;
      await this.memory.update(KEPT_ID, started.conversation);
      this.rename(turn.id, started.turn);
    } catch (error) {
      this.added = [...added];
      this.replace({ ...turn, state: 'failed', status: '', message: messageOf(error) });
      this.show();
    }
  }

  /** Call the answer that is under way off. */
  async stop(): Promise<void> {
    const { running } = this;
    if (running && !running.id.startsWith('asked-')) {
      await this.server.request('khoj/chat/cancel', { turn: running.id });
    }
  }

  /** Ask the last question, or this one, again. */
  async retry(id = this.turns.at(-1)?.id): Promise<void> {
    const turn = this.turns.find((each) => each.id === id);
    if (turn) {
      await this.stop();
      await this.ask(turn.question, turn.id);
    }
  }

  /** Begin a new conversation. */
  begin(): void {
    void this.stop().catch(() => undefined);
    this.conversation = undefined;
    this.turns = [];
    void this.memory.update(KEPT_ID, undefined);
    this.show();
  }

  /** Show a kept conversation. */
  async open(id: string): Promise<void> {
    await this.stop();
    await this.load(id);
    await this.focus();
  }

  /** A conversation was deleted. */
  deleted(id: string): void {
    if (id === this.conversation) {
      this.begin();
    }
  }

  /** Add the selection, or the note, of the editor the user is in. */
  async addSelection(): Promise<void> {
    const editor = nearNote();
    if (!editor) {
      void window.showInformationMessage('khoj-ls: Open a note first, and select what you want to ask about.');
      return;
    }
    const added = addedFrom(editor);
    this.added = [...this.added.filter((each) => !same(each, added)), added];
    this.show();
    await this.focus();
  }

  /** Let the user choose who answers. */
  async choosePersona(): Promise<void> {
    const chosen = await pickPersona(await this.server.request('khoj/choices', {}), this.persona);
    if (chosen) {
      this.persona = chosen.name;
      this.show();
    }
  }

  /** Let the user choose the model. */
  async chooseModel(): Promise<void> {
    const chosen = await pickModel(await this.server.request('khoj/choices', {}), this.model);
    if (chosen) {
      this.model = chosen.name;
      this.show();
    }
  }

  private get running(): Turn | undefined {
    return this.turns.find(({ state }) => state === 'running');
  }

  private async obey(message: FromPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        return;
      case 'focused':
        this.focusing = undefined;
        return;
      case 'ask':
        return this.ask(message.text);
      case 'stop':
        return this.stop();
      case 'retry':
        return this.retry(message.turn);
      case 'allow':
        return this.allow(message.turn);
      case 'copy':
        return env.clipboard.writeText(this.turn(message.turn)?.text ?? '');
      case 'apply':
        return this.apply(message.turn);
      case 'addSelection':
        return this.addSelection();
      case 'removeChip':
        this.added = this.added.filter((_, index) => index !== message.index);
        this.show();
        return;
      case 'persona':
        return this.choosePersona();
      case 'model':
        return this.chooseModel();
      case 'trust':
        await commands.executeCommand('workbench.trust.manage');
        return;
      case 'source': {
        const place = this.turn(message.turn)?.places.find(({ number }) => number === message.number);
        await (place && openPlace(place, { beside: message.beside }));
        return;
      }
      case 'citation': {
        const place = this.turn(message.turn)?.cited[message.index];
        await (place && openPlace(place, { beside: message.beside }));
        return;
      }
    }
  }

  /** The user's yes to sending passages to a service; then the same question again. */
  private async allow(id: string): Promise<void> {
    const turn = this.turn(id);
    if (turn?.consent) {
      await this.server.request('khoj/allowHost', { host: turn.consent.host });
      await this.ask(turn.question, turn.id);
    }
  }

  /** Put an answer into the note the user is in, below the cursor or what is selected; the server plans the edit. */
  private async apply(id: string): Promise<void> {
    const editor = nearNote();
    if (!editor || !this.conversation) {
      void window.showInformationMessage('khoj-ls: Open the note that the answer is to go into.');
      return;
    }
    const textDocument = { uri: editor.document.uri.toString() };
    const place = { textDocument, range: fromRange(editor.selection) };
    await this.server.command('khoj.chat.apply', { turn: id, conversation: this.conversation, ...place, how: 'below' });
  }

  private turn(id: string): Turn | undefined {
    return this.turns.find((each) => each.id === id);
  }

  private params(message: string, added: readonly Added[], replaces: string | undefined): ChatParams {
    const editor = noteEditor();
    return {
      message,
      context: added.map(({ context }) => context),
      ...(this.conversation && { conversation: this.conversation }),
      ...(replaces && { replaces }),
      ...(this.persona && { persona: this.persona }),
      ...(this.model && { model: this.model }),
      ...(editor && { textDocument: { uri: editor.document.uri.toString() } }),
    };
  }

  private follow(event: ChatEvent): void {
    const turn = this.turn(event.turn);
    if (!turn) {
      this.early = [...this.early, event].slice(-200);
      return;
    }
    const next = after(turn, event);
    this.turns = this.turns.map((each) => (each.id === next.id ? next : each));
    if (event.kind === 'delta') {
      this.page?.post({ type: 'delta', id: event.turn, text: event.text });
    } else {
      this.page?.post({ type: 'turn', turn: shown(next) });
    }
    if (event.kind === 'done' || event.kind === 'failed') {
      this.announce();
      this.conversationsChanged.fire();
    }
  }

  private rename(from: string, to: string): void {
    this.turns = this.turns.map((each) => (each.id === from ? { ...each, id: to } : each));
    const waiting = this.early.filter((event) => event.turn === to);
    this.early = [];
    this.show();
    for (const event of waiting) {
      this.follow(event);
    }
  }

  private replace(turn: Turn): void {
    this.turns = this.turns.map((each) => (each.id === turn.id ? turn : each));
    this.page?.post({ type: 'turn', turn: shown(turn) });
    this.announce();
  }

  private async load(id: string): Promise<void> {
    const found = await this.server.request('khoj/conversations', { action: 'get', conversation: id });
    this.conversation = found.conversation?.id ?? id;
    await this.memory.update(KEPT_ID, this.conversation);
    this.turns = found.turns.map(kept);
    this.show();
  }

  private async learn(): Promise<void> {
    try {
      this.choices = await this.server.request('khoj/choices', {});
    } catch {
      // Shown as it is: the state of the server says why.
      this.choices = undefined;
    }
    this.show();
  }

  private announce(): void {
    void commands.executeCommand('setContext', CONTEXT.answering, this.running !== undefined);
  }

  private state(): ChatState {
    const { choices } = this;
    const persona = this.persona ?? choices?.persona ?? 'default';
    const model = this.model ?? choices?.model ?? '';
    return {
      turns: this.turns.map(shown),
      chips: this.added.map(({ chip }) => chip),
      persona,
      model: model === '' || model === 'none' ? 'no model: passages' : model,
      greeting: choices?.personas.find(({ name }) => name === persona)?.greeting ?? '',
      commands: choices?.commands ?? [],
      off: workspace.isTrusted ? '' : RESTRICTED,
      restricted: !workspace.isTrusted,
    };
  }

  private show(): void {
    this.announce();
    this.page?.post({ type: 'state', state: this.state() });
  }
}

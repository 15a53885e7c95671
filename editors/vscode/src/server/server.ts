/** The connection to the server: found, started, asked, and started again with growing pauses when it ends by itself. */

import {
  EventEmitter,
  type CancellationToken,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  workspace,
} from 'vscode';

import { SECTION } from '../names';
import type {
  ChatDeltaEvent,
  ChatDoneEvent,
  ChatFailedEvent,
  ChatSourcesEvent,
  ChatStatusEvent,
  Commands,
  IndexChanged,
  Requests,
} from '../wire';
import { createClient, type Client } from './client';
import { findServer } from './find';
import { machine } from './machine';
import { startProcess } from './process';
import { Restarts } from './restarts';
import { setByUser } from './settings';

/** What happens in a turn of a chat. */
export type ChatEvent = ChatSourcesEvent | ChatStatusEvent | ChatDeltaEvent | ChatDoneEvent | ChatFailedEvent;

/** How the server is. */
export type ServerState =
  | { readonly kind: 'stopped' | 'starting' | 'running' }
  | { readonly kind: 'waiting'; readonly seconds: number; readonly why: string }
  | { readonly kind: 'missing'; readonly why: string; readonly configured: boolean }
  | { readonly kind: 'failed'; readonly why: string };

/** The server cannot be asked now; the message says why and what to do. */
export class NotRunning extends Error {}

/** The one server of this window. */
export class Server implements Disposable {
  private current: ServerState = { kind: 'stopped' };
  private client: Client | undefined;
  private starting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private run = 0;
  private readonly restarts = new Restarts();
  private readonly stateChanged = new EventEmitter<ServerState>();
  private readonly chatEvents = new EventEmitter<ChatEvent>();
  private readonly indexEvents = new EventEmitter<IndexChanged>();
  private readonly watching: Disposable;

  readonly onDidChangeState = this.stateChanged.event;
  readonly onChatEvent = this.chatEvents.event;
  readonly onIndexChanged = this.indexEvents.event;

  constructor(
    private readonly log: LogOutputChannel,
    private readonly context: Pick<ExtensionContext, 'extension'>,
  ) {
    this.watching = workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(`${SECTION}.server.path`)) {
        void this.restart();
      } else if (change.affectsConfiguration(SECTION)) {
        this.client?.tellSettings(setByUser());
      }
    });
  }

  get state(): ServerState {
    return this.current;
  }

  /** Start the server where it does not run; returns when it runs, or cannot be started for now. Never rejects. */
  start(): Promise<void> {
    this.starting ??= this.begin(++this.run).finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  /** Stop the server, if it runs, and start it anew. */
  async restart(): Promise<void> {
    this.restarts.forget();
    await this.stop();
    await this.start();
  }

  /** Stop the server. */
  async stop(): Promise<void> {
    this.run++;
    clearTimeout(this.timer);
    const { client, starting } = this;
    this.client = undefined;
    this.starting = undefined;
    await client?.stop();
    await starting;
    this.become({ kind: 'stopped' });
  }

  /** Ask the server. Raises NotRunning, and what the server answers as an error. */
  async request<M extends keyof Requests>(method: M, params: Requests[M][0], token?: CancellationToken): Promise<Requests[M][1]> {
    const client = await this.ready();
    return client.request<Requests[M][1]>(method, params, token);
  }

  /** Run one of the server's commands (khoj.*) that is no request. */
  async command<C extends keyof Commands>(name: C, argument: Commands[C][0]): Promise<Commands[C][1]> {
    const client = await this.ready();
    return client.request<Commands[C][1]>('workspace/executeCommand', { command: name, arguments: [argument] });
  }

  dispose(): void {
    this.watching.dispose();
    void this.stop();
  }

  private async ready(): Promise<Client> {
    if (!this.client) {
      await this.start();
    }
    if (!this.client) {
      throw new NotRunning(sayState(this.current));
    }
    return this.client;
  }

  private async begin(run: number): Promise<void> {
    if (this.client) {
      return;
    }
    clearTimeout(this.timer);
    this.become({ kind: 'starting' });
    const found = await findServer(workspace.getConfiguration(SECTION).get('server.path', '').trim(), machine);
    if (run !== this.run) {
      return;
    }
    if ('missing' in found) {
      this.become({ kind: 'missing', why: found.missing, configured: found.configured });
      return;
    }
    this.log.info(`starting ${[found.command, ...found.args].join(' ')}`);
    let lastWords = () => '';
    try {
      const started = await startProcess(found, (text) => {
        this.log.warn(text);
      });
      lastWords = started.lastWords;
      const client = createClient(started.child, this.log, {
        version: String((this.context.extension.packageJSON as { version?: unknown }).version),
        settings: setByUser,
        chatEvent: (event) => {
          this.chatEvents.fire(event);
        },
        indexChanged: (change) => {
          this.indexEvents.fire(change);
        },
        closed: () => {
          this.ended(client, run, lastWords());
        },
      });
      try {
        await client.start();
      } catch (error) {
        started.child.kill();
        throw error;
      }
      if (run !== this.run) {
        await client.stop();
        return;
      }
      this.client = client;
      this.restarts.started();
      this.become({ kind: 'running' });
    } catch (error) {
      if (run === this.run) {
        this.failed(lastWords() || (error instanceof Error ? error.message : String(error)));
      }
    }
  }

  private ended(client: Client, run: number, words: string): void {
    if (run === this.run && this.client === client) {
      this.client = undefined;
      this.failed(words || 'The server ended.');
    }
  }

  private failed(why: string): void {
    const pause = this.restarts.ended();
    this.log.error(why);
    if (pause === undefined) {
      this.become({ kind: 'failed', why });
      return;
    }
    this.become({ kind: 'waiting', seconds: pause / 1000, why });
    this.timer = setTimeout(() => void this.start(), pause);
  }

  private become(state: ServerState): void {
    this.current = state;
    this.stateChanged.fire(state);
  }
}

/** A state in words. */
export function sayState(state: ServerState): string {
  switch (state.kind) {
    case 'stopped':
      return 'The server is not running.';
    case 'starting':
      return 'The server is starting.';
    case 'running':
      return 'The server is running.';
    case 'waiting':
      return `The server ended and starts again in ${String(state.seconds)} s. ${state.why}`;
    case 'missing':
      return state.why;
    case 'failed':
      return `The server does not run: ${state.why}`;
  }
}

/** A language client for one run of the server. It shows no messages of its own about the connection: `server.ts` does. */

import type { ChildProcess } from 'node:child_process';
import type { CancellationToken, LogOutputChannel } from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  type ServerOptions,
  type StaticFeature,
  State,
} from 'vscode-languageclient/node';

import { withCommands } from '../hover';
import { HOVER_COMMANDS, SECTION, SERVER_SECTION, SHOW_REFERENCES } from '../names';
import { NOTES } from '../notes';
import type { IndexChanged } from '../wire';
import type { ChatEvent } from './server';

/** What the one who makes a client wants to know, and tells it. */
export interface Surroundings {
  readonly version: string;
  settings(): Record<string, unknown>;
  chatEvent(event: ChatEvent): void;
  indexChanged(change: IndexChanged): void;
  /** The connection has ended, and nobody had asked for it. */
  closed(): void;
}

/** A client whose process runs already. */
export interface Client {
  start(): Promise<void>;
  stop(): Promise<void>;
  request<R>(method: string, params: unknown, token?: CancellationToken): Promise<R>;
  tellSettings(settings: Record<string, unknown>): void;
}

const STOP_MS = 2_000;

/** Make a client for a running process. */
export function createClient(child: ChildProcess, log: LogOutputChannel, around: Surroundings): Client {
  const server: ServerOptions = () => Promise.resolve(child);
  const client = new Quiet(SECTION, SECTION, server, options(log, around));
  client.registerFeature(shownReferences);
  client.onNotification('khoj/chatEvent', (event: ChatEvent) => {
    around.chatEvent(event);
  });
  client.onNotification('khoj/indexChanged', (change: IndexChanged) => {
    around.indexChanged(change);
  });
  return {
    start: () => client.start(),
    async stop() {
      if (client.state !== State.Stopped) {
        // A server that does not answer is left to its end of the pipe: the process is gone with it.
        await client.stop(STOP_MS).catch((error: unknown) => {
          log.debug(String(error));
        });
      }
      child.kill();
    },
    // A token that is undefined would be taken for a second parameter.
    request: <R>(method: string, params: unknown, token?: CancellationToken) =>
      token ? client.sendRequest<R>(method, params, token) : client.sendRequest<R>(method, params),
    tellSettings(settings) {
      void client.sendNotification('workspace/didChangeConfiguration', { settings: { [SERVER_SECTION]: settings } });
    },
  };
}

function options(log: LogOutputChannel, around: Surroundings): LanguageClientOptions {
  return {
    documentSelector: NOTES.map((filter) => ({ ...filter })),
    outputChannel: log,
    traceOutputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => around.settings(),
    markdown: { isTrusted: { enabledCommands: HOVER_COMMANDS }, supportHtml: false },
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        around.closed();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    initializationFailedHandler: () => false,
    middleware: {
      workspace: {
        configuration: (params) => params.items.map((item) => (item.section === SERVER_SECTION ? around.settings() : null)),
      },
      provideHover: async (document, position, token, next) => {
        const hover = await next(document, position, token);
        return hover && withCommands(hover, document, position);
      },
    },
  };
}

/** Says nothing to the user by itself, and everything to the log. */
class Quiet extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

/** Tells the server that this client shows lists of places by itself. */
const shownReferences: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), commands: { commands: [SHOW_REFERENCES] } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

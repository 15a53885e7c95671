/** Commands: each says what went wrong once, in words that help, and is silent when it was called off. */

import { CancellationError, commands, type Disposable, window } from 'vscode';

import { NotRunning, type Server } from './server/server';

const CANCELLED = new Set([-32800, -32801, -32802]);

/** Register a command of the extension. */
export function command(server: Server, name: string, run: (...args: never[]) => unknown): Disposable {
  return commands.registerCommand(name, async (...args: never[]) => {
    try {
      return await run(...args);
    } catch (error) {
      complain(server, error);
      return undefined;
    }
  });
}

/** Tell the user of an error, unless he called the thing off himself. */
export function complain(server: Server, error: unknown): void {
  if (wasCancelled(error)) {
    return;
  }
  if (error instanceof NotRunning) {
    void offerHelp(server);
    return;
  }
  void window.showErrorMessage(`khoj-ls: ${messageOf(error)}`);
}

/** Whether an error says that somebody called the request off. */
export function wasCancelled(error: unknown): boolean {
  return (
    error instanceof CancellationError ||
    (error instanceof Error && 'code' in error && typeof error.code === 'number' && CANCELLED.has(error.code))
  );
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Say why the server does not run, with what can be done about it. */
export async function offerHelp(server: Server): Promise<void> {
  const { state } = server;
  switch (state.kind) {
    case 'missing': {
      const install = state.configured ? [] : ['Install…'];
      const answer = await window.showErrorMessage(`khoj-ls: ${state.why}`, ...install, 'Set the Path…', 'Help');
      await does(answer, { 'Install…': 'khoj-ls.install', 'Set the Path…': 'khoj-ls.setPath', Help: 'khoj-ls.walkthrough' });
      return;
    }
    case 'failed': {
      const answer = await window.showErrorMessage(`khoj-ls: The server does not run. ${state.why}`, 'Start Again', 'Show Log');
      await does(answer, { 'Start Again': 'khoj-ls.restart', 'Show Log': 'khoj-ls.showLog' });
      return;
    }
    case 'waiting': {
      const answer = await window.showWarningMessage(`khoj-ls: The server ended. It starts again by itself. ${state.why}`, 'Show Log');
      await does(answer, { 'Show Log': 'khoj-ls.showLog' });
      return;
    }
    default:
      return;
  }
}

async function does(answer: string | undefined, what: Record<string, string>): Promise<void> {
  const name = answer === undefined ? undefined : what[answer];
  if (name) {
    await commands.executeCommand(name);
  }
}

/** The server's process: what is started, and what it said last on its standard error. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';

import type { Found } from './find';

const KEPT = 2_000;

/** A server that is running. */
export interface ServerProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Its last words on standard error. */
  readonly lastWords: () => string;
}

/** Start the server; rejects with the system's reason when it cannot be run. `said` is told what it writes to standard error. */
export function startProcess(found: Found, said: (text: string) => void): Promise<ServerProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(found.command, found.args, { cwd: homedir(), stdio: 'pipe', windowsHide: true });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-KEPT);
      said(text.trimEnd());
    });
    // Writing to a server that has just ended is no error of its own: its end is heard elsewhere.
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('spawn', () => {
      resolve({ child, lastWords: () => words.trim().split('\n').at(-1) ?? '' });
    });
  });
}

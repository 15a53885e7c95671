// A Neovim on the same notes that does what it is told: an object a line, and a line that begins with `=> ` for each.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { check } from './harness.mjs';

export class Neovim {
  constructor({ nvim, notes }) {
    const { program, script, ...environment } = nvim;
    this.program = spawn(program, ['--headless', '-u', 'NONE', '-i', 'NONE', '-l', script], {
      cwd: notes,
      env: { ...process.env, NOTES: notes, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.program.stdout })[Symbol.asyncIterator]();
  }

  /** What came of an order. */
  async do(what, order) {
    this.program.stdin.write(`${JSON.stringify({ do: what, ...order })}\n`);
    for (;;) {
      const { value, done } = await this.lines.next();
      check(!done, `Neovim ended at ${what}`);
      if (value.startsWith('=> ')) {
        return JSON.parse(value.slice(3))[0];
      }
    }
  }

  /** Let it come to its end. */
  async close() {
    const ended = this.program.exitCode === null ? once(this.program, 'exit') : undefined;
    this.program.stdin.end();
    await ended;
  }
}

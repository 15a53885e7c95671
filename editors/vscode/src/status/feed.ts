/** The status of the index: asked for while something is going on, and when the server says that something changed. */

import { commands, type Disposable, EventEmitter } from 'vscode';

import { CONTEXT } from '../names';
import type { Server } from '../server/server';
import type { StatusResult } from '../wire';

const BUSY_MS = 1_000;
const CALM_MS = 30_000;

/** The last status that was answered. */
export class StatusFeed implements Disposable {
  status: StatusResult | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asking = false;
  private readonly changed = new EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly listening: Disposable[];

  constructor(private readonly server: Server) {
    this.listening = [
      server.onDidChangeState(({ kind }) => {
        if (kind === 'running') {
          void this.ask();
        } else {
          this.take(undefined);
        }
      }),
      server.onIndexChanged(() => {
        this.later(BUSY_MS / 4);
      }),
    ];
  }

  /** Ask now. Never rejects: what cannot be told is undefined. */
  async ask(): Promise<void> {
    if (this.asking || this.server.state.kind !== 'running') {
      return;
    }
    this.asking = true;
    try {
      this.take(await this.server.request('khoj/status', {}));
    } catch {
      // The state of the server, which is shown beside this, says what is wrong.
      this.take(undefined);
    } finally {
      this.asking = false;
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const each of this.listening) {
      each.dispose();
    }
    this.changed.dispose();
  }

  private take(status: StatusResult | undefined): void {
    const before = JSON.stringify(this.status?.vaults);
    this.status = status;
    if (!status || before !== JSON.stringify(status.vaults)) {
      this.changed.fire();
    }
    const paused = status?.vaults.some((vault) => vault.paused) ?? false;
    void commands.executeCommand('setContext', CONTEXT.paused, paused);
    clearTimeout(this.timer);
    if (status) {
      const busy = status.vaults.some((vault) => !vault.paused && (vault.queue > 0 || !['idle', 'read-only', 'offline'].includes(vault.phase)));
      this.later(busy ? BUSY_MS : CALM_MS);
    }
  }

  private later(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), afterMs);
  }
}

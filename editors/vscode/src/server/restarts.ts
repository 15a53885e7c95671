/** When a server that ended is started again: later each time, and after some times in a row not by itself any more. */

/** Milliseconds before the first, second, ... restart in a row. */
export const DELAYS = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const;
/** A server that ran for so many milliseconds had started well: what ends it then is a new story. */
export const STEADY = 60_000;

/** The restarts in a row of one server. */
export class Restarts {
  private inRow = 0;
  private startedAt: number | undefined;

  constructor(private readonly now: () => number = Date.now) {}

  /** The server is running. */
  started(): void {
    this.startedAt = this.now();
  }

  /** The server has ended by itself: milliseconds to wait before it is started again; undefined when that was tried often enough. */
  ended(): number | undefined {
    if (this.startedAt !== undefined && this.now() - this.startedAt >= STEADY) {
      this.inRow = 0;
    }
    this.startedAt = undefined;
    return DELAYS[this.inRow++];
  }

  /** The user has started it by hand: it gets all its tries again. */
  forget(): void {
    this.inRow = 0;
    this.startedAt = undefined;
  }
}

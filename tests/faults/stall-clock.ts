// A clock that leaves out what this process itself stood still (a busy machine, a long computation): a deadline is
// held by timers of this process, and can't be held while it does not run. How much was left out is said in the results.

const tickMs = 5;
/** A timer that is late by less than this is no stall. */
const leastStallMs = 20;

export class StallClock {
  #stalledMs = 0;
  #nextTickMs = performance.now() + tickMs;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.#stalledMs += this.#overdueMs();
      this.#nextTickMs = performance.now() + tickMs;
    }, tickMs);
    this.#timer.unref();
  }

  /** Milliseconds in which the process ran. */
  now(): number {
    return performance.now() - this.stalledMs();
  }

  /** Milliseconds in which it did not. */
  stalledMs(): number {
    return this.#stalledMs + this.#overdueMs();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #overdueMs(): number {
    const lateMs = performance.now() - this.#nextTickMs;
    return lateMs < leastStallMs ? 0 : lateMs;
  }
}

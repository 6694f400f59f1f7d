// Alarms for the statements of a database. Nearly all have the same time, are due in the order they were set, and so
// need one timer between them: one each, set and cleared in an async context, took 4 of 30 microseconds of a short query.

/** Who is rung. */
export interface Sleeper {
  ring(): void;
}

/** More than a timer can wait, such as Infinity, is for ever. */
const longestMs = 2 ** 31 - 1;

export class Alarms {
  /** Those with the usual time, the oldest first, and when they are due by `performance.now()`. */
  private readonly line = new Map<Sleeper, number>();
  private readonly others = new Map<Sleeper, NodeJS.Timeout>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly usualMs: number) {}

  /** Rings after so long, if it is not cleared before. */
  set(sleeper: Sleeper, afterMs: number): void {
    if (afterMs > longestMs) return;
    if (afterMs !== this.usualMs) {
      this.others.set(
        sleeper,
        setTimeout(() => sleeper.ring(), afterMs),
      );
      return;
    }
    this.line.set(sleeper, performance.now() + afterMs);
    this.timer ??= this.wait(afterMs);
  }

  clear(sleeper: Sleeper): void {
    if (this.line.delete(sleeper) || this.others.size === 0) return;
    clearTimeout(this.others.get(sleeper));
    this.others.delete(sleeper);
  }

  /** Keeps no process alive: the connection of a statement under way does, and behind the last one nothing should. */
  private wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.ringDue(), ms).unref();
  }

  private ringDue(): void {
    this.timer = undefined;
    const nowMs = performance.now();
    for (const [sleeper, dueMs] of this.line) {
      if (dueMs > nowMs) {
        this.timer = this.wait(dueMs - nowMs);
        return;
      }
      this.line.delete(sleeper);
      sleeper.ring();
    }
  }
}

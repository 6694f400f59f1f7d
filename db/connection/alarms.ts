// Alarms for the statements of a database. Nearly all have the same time, are due in the order they were set, and so
// need one timer between them: one each, set and cleared in an async context, took 4 of 30 microseconds of a short query.

/** Is rung when it is due; its fields are the line's. A Map of them took longer to clean up behind than the timers. */
export abstract class Alarm {
  dueMs = 0;
  before: Alarm | undefined;
  behind: Alarm | undefined;
  timer: NodeJS.Timeout | undefined;

  abstract ring(): void;
}

/** More than a timer can wait, such as Infinity, is for ever. */
const longestMs = 2 ** 31 - 1;

export class Alarms {
  /** Those with the usual time. */
  private first: Alarm | undefined;
  private last: Alarm | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly usualMs: number) {}

  /** Rings after so long, if it is not cleared before. */
  set(alarm: Alarm, afterMs: number): void {
    if (afterMs > longestMs) return;
    if (afterMs !== this.usualMs) {
      alarm.timer = setTimeout(() => alarm.ring(), afterMs);
      return;
    }
    alarm.dueMs = performance.now() + afterMs;
    alarm.before = this.last;
    if (this.last) this.last.behind = alarm;
    else this.first = alarm;
    this.last = alarm;
    this.timer ??= this.wait(afterMs);
  }

  clear(alarm: Alarm): void {
    if (alarm.timer) clearTimeout(alarm.timer);
    if (alarm !== this.first && !alarm.before) return; // it is in no line
    const { before, behind } = alarm;
    if (before) before.behind = behind;
    else this.first = behind;
    if (behind) behind.before = before;
    else this.last = before;
    alarm.before = undefined; // or each would keep the next one from being collected
    alarm.behind = undefined;
  }

  /** Keeps no process alive: the connection of a statement under way does, and behind the last one nothing should. */
  private wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.ringDue(), ms).unref();
  }

  private ringDue(): void {
    this.timer = undefined;
    const nowMs = performance.now();
    for (let alarm = this.first; alarm; alarm = this.first) {
      if (alarm.dueMs > nowMs) {
        this.timer ??= this.wait(alarm.dueMs - nowMs);
        return;
      }
      this.clear(alarm);
      alarm.ring();
    }
  }
}

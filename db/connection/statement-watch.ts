// Ends a statement that takes too long, or whose caller gave up: asks the server to cancel it and, where no answer
// comes, drops the connection. Used for one statement.

import { Alarm, type Alarms } from './alarms.ts';
import type { Connection } from './connection.ts';
import { graceMs } from './deadlines.ts';

/** Why a statement was ended. */
export type Expiry = 'deadline' | 'signal';

export class StatementWatch extends Alarm {
  /** Set when the statement was ended from here. */
  expiry: Expiry | undefined;
  private grace: NodeJS.Timeout | undefined;
  private canceling: Promise<void> | undefined;
  private readonly onAbort: (() => void) | undefined;

  /** @param timeoutMs Infinity for none */
  constructor(
    private readonly connection: Connection,
    private readonly timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
    private readonly alarms: Alarms,
  ) {
    super();
    alarms.set(this, timeoutMs);
    if (!signal) return;
    this.onAbort = (): void => this.expire('signal');
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  ring(): void {
    this.expire('deadline');
  }

  private expire(expiry: Expiry): void {
    if (this.expiry) return;
    this.expiry = expiry;
    const givingUp = new AbortController(); // ends the cancel request: with the connection its reason is gone
    this.canceling = this.connection.cancel?.(givingUp.signal).catch(() => {});
    this.grace = setTimeout(() => {
      givingUp.abort();
      void this.connection.discard();
    }, graceMs(this.timeoutMs));
  }

  /**
   * The statement has ended. A cancel request that is on its way must arrive before the session runs another one,
   * or it would hit that: waited for, and without an answer within the grace the session is dropped.
   * @returns what to wait for, or undefined where there is nothing, as nearly always: a promise is a part of a short query
   */
  stop(): Promise<void> | undefined {
    this.alarms.clear(this);
    if (this.onAbort) this.signal?.removeEventListener('abort', this.onAbort);
    return this.canceling?.then(() => clearTimeout(this.grace));
  }
}

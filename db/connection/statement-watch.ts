// Ends a statement that takes too long, or whose caller gave up: asks the server to cancel it and, where no answer
// comes, drops the connection. Used for one statement.

import type { Connection } from './connection.ts';
import { graceMs } from './deadlines.ts';

/** Why a statement was ended. */
export type Expiry = 'deadline' | 'signal';

export class StatementWatch {
  /** Set when the statement was ended from here. */
  expiry: Expiry | undefined;
  private readonly timer: NodeJS.Timeout | undefined;
  private grace: NodeJS.Timeout | undefined;
  private canceling: Promise<void> | undefined;
  /** Ends the cancel request: with the connection its reason is gone. */
  private readonly givingUp = new AbortController();
  private readonly onAbort = (): void => this.expire('signal');

  /** @param timeoutMs Infinity for none */
  constructor(
    private readonly connection: Connection,
    private readonly timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    if (timeoutMs < 2 ** 31) this.timer = setTimeout(() => this.expire('deadline'), timeoutMs);
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  private expire(expiry: Expiry): void {
    if (this.expiry) return;
    this.expiry = expiry;
    this.canceling = this.connection.cancel?.(this.givingUp.signal).catch(() => {});
    this.grace = setTimeout(() => {
      this.givingUp.abort();
      void this.connection.discard();
    }, graceMs(this.timeoutMs));
  }

  /**
   * The statement has ended. A cancel request that is on its way must arrive before the session runs another one,
   * or it would hit that: waited for, and without an answer within the grace the session is dropped.
   */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.onAbort);
    if (!this.canceling) return;
    await this.canceling;
    clearTimeout(this.grace);
  }
}

// The line for work on other threads, such as bcrypt: few at once, so that files, DNS and the event loop go on, and a
// bound on how many wait. Who comes beyond it is refused at once. First come, first served.

import { deadlineExceeded } from './connection/failure.ts';
import { scopedDeadline } from './connection/scope.ts';
import { BusyError } from './errors.ts';

export interface LineLimits {
  maxConcurrent: number;
  maxWaiting: number;
}

export class HashingLine {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private limits: LineLimits) {}

  setLimits(limits: LineLimits): void {
    this.limits = limits;
    this.admit();
  }

  /**
   * Runs `work` when it is its turn.
   * @throws BusyError HASHING_BUSY, at once; ConnectionError DEADLINE_EXCEEDED while it waits
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.limits.maxConcurrent) this.running += 1;
    else await this.wait();
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.admit();
    }
  }

  private admit(): void {
    while (this.running < this.limits.maxConcurrent) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running += 1;
      next();
    }
  }

  private wait(): Promise<void> {
    const { maxConcurrent, maxWaiting } = this.limits;
    if (this.waiting.length >= maxWaiting) {
      throw new BusyError(
        'HASHING_BUSY',
        `${this.waiting.length} callers wait already for one of ${maxConcurrent} places to compute a bcrypt hash`,
        'Answer with 429 or 503, and let the caller try again in some seconds. Limit sign-ins by address and account.',
        { waiting: this.waiting.length, maxWaiting, maxConcurrent },
      );
    }
    const deadline = scopedDeadline();
    return new Promise((resolve, reject) => {
      const giveUp = (expiry: 'deadline' | 'signal'): void => {
        const place = this.waiting.indexOf(enter);
        if (place === -1) return;
        this.waiting.splice(place, 1);
        stop();
        reject(deadlineExceeded('bcrypt', expiry, 'it was not yet this caller’s turn, and nothing was computed'));
      };
      const onAbort = (): void => giveUp('signal');
      const leftMs = deadline ? deadline.atMs - performance.now() : Number.POSITIVE_INFINITY;
      const timer = Number.isFinite(leftMs) ? setTimeout(() => giveUp('deadline'), Math.max(0, leftMs)) : undefined;
      const stop = (): void => {
        clearTimeout(timer);
        deadline?.signal?.removeEventListener('abort', onAbort);
      };
      const enter = (): void => {
        stop();
        resolve();
      };
      this.waiting.push(enter);
      if (deadline?.signal?.aborted) giveUp('signal');
      else deadline?.signal?.addEventListener('abort', onAbort);
    });
  }
}

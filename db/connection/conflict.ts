// How often what met another transaction (SQLSTATE 40001, 40P01) is run again, and how long it waits before.

import { setTimeout as sleep } from 'node:timers/promises';

export const defaultMaxAttempts = 5;

/** Waits longer after each attempt, and never two callers alike, so that they do not meet again. */
export function waitAfterAttempt(attempt: number): Promise<void> {
  return sleep(Math.random() * 10 * 2 ** attempt);
}

// The deadlines of the fault runs: short, so that every fault outlasts them, and what they promise for a call. Not below
// two seconds to connect, and to wait for who connects: behind an outage a server is tried once a second.

import type { Deadlines } from '../../db/connection/deadlines.ts';

export const deadlines: Deadlines = {
  connectTimeoutMs: 2000,
  poolWaitMs: 2000,
  statementTimeoutMs: 2000,
  idleInTransactionMs: 2000,
};

/** A call under `withDeadline` settles within that, whatever it does inside. */
export const callDeadlineMs = 2400;

/**
 * A call without `withDeadline` that sends so many statements, one after another: for each of them the wait for a
 * connection and its own time. The statement's time includes the opening of a connection, where one must be opened.
 */
export function bareDeadlineMs(statements: number): number {
  return statements * (deadlines.poolWaitMs + deadlines.statementTimeoutMs);
}

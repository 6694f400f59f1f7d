// How long anything may take. Nothing waits for ever: what the server does not end by itself the client ends.

export interface Deadlines {
  /** To open a connection: 10,000 unless given. */
  connectTimeoutMs: number;
  /** To wait for a free connection: 10,000 unless given. */
  poolWaitMs: number;
  /** For one statement: 30,000 unless given; 0 for none. */
  statementTimeoutMs: number;
  /** Between two statements of a transaction: 60,000 unless given; 0 for none. */
  idleInTransactionMs: number;
}

export const defaultDeadlines: Deadlines = {
  connectTimeoutMs: 10_000,
  poolWaitMs: 10_000,
  statementTimeoutMs: 30_000,
  idleInTransactionMs: 60_000,
};

/** Migrations take the time they take. */
export const noStatementDeadline: Partial<Deadlines> = { statementTimeoutMs: 0, idleInTransactionMs: 0 };

/**
 * What the server is told, in milliseconds. It ends a statement a little after the client cancels it: for a client
 * that is gone, or that hangs itself.
 */
export function serverSettings({ statementTimeoutMs, idleInTransactionMs }: Deadlines): Record<string, number> {
  return {
    ...(statementTimeoutMs > 0 ? { statement_timeout: Math.ceil(statementTimeoutMs * 1.1) + 100 } : {}),
    ...(idleInTransactionMs > 0 ? { idle_in_transaction_session_timeout: idleInTransactionMs } : {}),
  };
}

/** The same for one transaction, where the session belongs to a pooler: statements to follow `begin`. */
export function localSettings(deadlines: Deadlines): string {
  return Object.entries(serverSettings(deadlines))
    .map(([name, value]) => `; set local ${name} = ${value}`)
    .join('');
}

/** After a cancel request, how long its answer is waited for before the connection is dropped. */
export function graceMs(timeoutMs: number): number {
  return Math.min(1000, Math.max(100, timeoutMs * 0.08)); // a busy server needs 20 to 50 ms to see a cancel request
}

/** A point in time, and a signal, that a caller set for everything inside withDeadline. */
export interface CallerDeadline {
  /** By `performance.now()`. */
  atMs: number;
  signal?: AbortSignal;
}

/** The earlier of two. */
export function tighter(outer: CallerDeadline | undefined, inner: CallerDeadline): CallerDeadline {
  if (!outer) return inner;
  const signals = [outer.signal, inner.signal].filter((signal) => signal !== undefined);
  const deadline: CallerDeadline = { atMs: Math.min(outer.atMs, inner.atMs) };
  if (signals.length > 0) deadline.signal = AbortSignal.any(signals);
  return deadline;
}

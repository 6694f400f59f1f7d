// What the running code is in (an AsyncLocalStorage): a database that is not the default one, a transaction, a
// deadline, a read that a replica may answer. Nothing outside db/connection/ and db/database.ts looks at it.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Connection } from './connection.ts';
import { type CallerDeadline, tighter } from './deadlines.ts';
import type { OpenDatabase } from './open-database.ts';
import type { WrittenRows } from './replicas.ts';

/** What all levels of a transaction share. */
interface SharedByLevels {
  /** The last conflict with another transaction, however it was wrapped since. */
  conflict?: unknown;
  written: WrittenRows;
  /** Whether its commit has to be waited for. */
  mayHaveWritten: boolean;
}

/** One transaction, or one savepoint inside it. */
export interface Level {
  database: OpenDatabase;
  connection: Connection;
  /** The user it belongs to, under row-level security; undefined outside of `asUser`. */
  user: string | undefined;
  /** While `begin` is under way behind which reads are sent already. */
  beginning: Promise<void> | undefined;
  depth: number;
  /** The connection's generation when the transaction began. */
  generation: number;
  /** The first statement that failed here: PostgreSQL refuses everything after it until the rollback. */
  failure?: unknown;
  shared: SharedByLevels;
  hasEnded: boolean;
  /** Statements under way. */
  pending: Set<Promise<unknown>>;
  /** Nested transactions, one after another; statements of this level wait while one is open. */
  nested: Promise<void> | undefined;
}

interface Scope {
  database?: OpenDatabase;
  level?: Level;
  deadline?: CallerDeadline;
  /** The user on whose behalf a replica may be read. */
  reader?: string;
  isOnPrimary?: boolean;
}

const storage = new AsyncLocalStorage<Scope>();

/** The database that `runWith` set for the running code, if it did. */
export function scopedDatabase(): OpenDatabase | undefined {
  return storage.getStore()?.database;
}

/** The transaction the running code is in. */
export function scopedLevel(): Level | undefined {
  return storage.getStore()?.level;
}

/** The deadline the running code is under. */
export function scopedDeadline(): CallerDeadline | undefined {
  return storage.getStore()?.deadline;
}

/** The user on whose behalf the running code reads what a replica may answer. */
export function scopedReader(): string | undefined {
  const { reader, isOnPrimary } = storage.getStore() ?? {};
  return isOnPrimary ? undefined : reader;
}

/** The user that the running code works as, under row-level security; undefined outside of `asUser`. */
export function scopedUser(): string | undefined {
  return storage.getStore()?.level?.user;
}

/** Runs `work` with `database` in the place of the default one, outside every transaction. */
export function runWith<T>(database: OpenDatabase, work: () => Promise<T>): Promise<T> {
  const { deadline } = storage.getStore() ?? {};
  return runIn(deadline ? { database, deadline } : { database }, work);
}

/** Runs `work` inside a transaction. */
export function runAt<T>(level: Level, work: () => Promise<T>): Promise<T> {
  return runIn({ ...storage.getStore(), database: level.database, level }, work);
}

/** Runs `work` under a deadline, which can only be earlier than the one there is. */
export function runUnder<T>(deadline: CallerDeadline, work: () => Promise<T>): Promise<T> {
  const current = storage.getStore();
  return runIn({ ...current, deadline: tighter(current?.deadline, deadline) }, work);
}

/** Runs reads on behalf of a user: a replica may answer them. */
export function runReading<T>(reader: string, work: () => Promise<T>): Promise<T> {
  return runIn({ ...storage.getStore(), reader }, work);
}

/** Runs `work` so that no replica answers. */
export function runOnPrimary<T>(work: () => Promise<T>): Promise<T> {
  return runIn({ ...storage.getStore(), isOnPrimary: true }, work);
}

/** Runs `work` outside of everything the running code is in. */
export function runOutside<T>(work: () => Promise<T>): Promise<T> {
  return runIn({}, work);
}

/** What is tried when the caller's time is over gets this long: its caller waits for it. */
const overtimeMs = 50;

/** Runs what must be tried even when the caller's time is over: a rollback. */
export function runPastDeadline<T>(work: () => Promise<T>): Promise<T> {
  const { deadline, ...rest } = storage.getStore() ?? {};
  if (!deadline) return runIn(rest, work);
  const leastMs = performance.now() + overtimeMs;
  const atMs = deadline.signal?.aborted ? leastMs : Math.max(deadline.atMs, leastMs);
  return runIn({ ...rest, deadline: { atMs } }, work);
}

/** Awaits inside: a Drizzle query that `work` returns begins only when it is awaited, and must begin here. */
function runIn<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  return storage.run(scope, async () => await work());
}

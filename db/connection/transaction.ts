// Transactions: begin, savepoints for nested ones, commit, and the bounded repetition of what met another one.
// Never says that a transaction is done when PostgreSQL rolled it back.

import { ConnectionError, TransactionError } from '../errors.ts';
import { defaultMaxAttempts, waitAfterAttempt } from './conflict.ts';
import type { Connection, StatementResult } from './connection.ts';
import { isRetriable } from './failure.ts';
import { isRead, type OpenDatabase } from './open-database.ts';
import { type RowOwner, WrittenRows } from './replicas.ts';
import { type Level, runAt, runPastDeadline, scopedLevel } from './scope.ts';

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

export interface TransactionOptions {
  /** PostgreSQL's own default, `read committed`, unless given. A nested transaction has its parent's. */
  isolationLevel?: IsolationLevel;
  readOnly?: boolean;
  /** How often the whole is run at most when it meets other transactions (SQLSTATE 40001, 40P01); 5 unless given. */
  maxAttempts?: number;
}

/** Runs one statement in the running transaction, or undefined where there is none. */
export function runInTransaction(
  statement: string,
  params: readonly unknown[],
  prepare: boolean,
  owner?: RowOwner,
): Promise<StatementResult> | undefined {
  const level = scopedLevel();
  return level && runAtLevel(level, statement, params, prepare, owner);
}

/** Runs one COPY of rows in the text format (copy-text.ts), in the running transaction, which there must be. */
export async function copyInTransaction(statement: string, chunks: readonly Buffer[]): Promise<StatementResult> {
  const level = scopedLevel();
  if (!level) throw new Error('rows are copied inside of a transaction only');
  while (level.nested) await level.nested;
  const result = await sendNow(level, () => level.database.copyIn(level.connection, statement, chunks));
  level.shared.written.add(undefined, result);
  return result;
}

/** Runs `work` in a transaction of `database`, or in a savepoint of the transaction that is running. */
export function runTransaction<T>(
  openDatabase: () => OpenDatabase | Promise<OpenDatabase>,
  work: () => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const parent = scopedLevel();
  return parent ? runNested(parent, work) : runOutermost(openDatabase, work, options);
}

async function runOutermost<T>(
  openDatabase: () => OpenDatabase | Promise<OpenDatabase>,
  work: () => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const maxAttempts = options.maxAttempts ?? defaultMaxAttempts;
  const database = await openDatabase();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce(database, work, options);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      if (attempt >= maxAttempts) throw conflict(error.cause, attempt);
      await waitAfterAttempt(attempt);
    }
  }
}

/** Says that the whole transaction may be run again; `cause` is why it failed. */
class Retry extends Error {}

function conflict(cause: unknown, attempts: number): TransactionError {
  return new TransactionError(
    'TRANSACTION_CONFLICT',
    `the transaction met others ${attempts} times and was rolled back each time`,
    'Call again later, or make the transaction shorter. Nothing was written.',
    cause,
    { attempts },
  );
}

function attemptOnce<T>(database: OpenDatabase, work: () => Promise<T>, options: TransactionOptions): Promise<T> {
  return database.withConnection(async (connection) => {
    await database.begin(connection, beginStatement(options));
    const level = newLevel(database, connection);
    let result: T;
    try {
      result = await runWork(level, work);
      if (level.failure !== undefined) throw aborted(level.failure);
    } catch (error) {
      await rollBack(level);
      if (level.shared.conflict !== undefined) throw new Retry('conflict', { cause: level.shared.conflict });
      throw error;
    }
    await commit(level);
    return result;
  });
}

async function commit(level: Level): Promise<void> {
  const { database, connection } = level;
  assertConnected(level);
  try {
    await database
      .runIn(connection, 'commit', [], false, 'commit')
      .finally(() => database.replicas?.wrote(level.shared.written));
  } catch (error) {
    await rollBack(level); // a commit that the deadline kept from being sent left the transaction open
    if (isRetriable(error)) throw new Retry('conflict', { cause: error });
    throw error;
  }
}

/** A rollback that can't be sent needs none: the server rolls back what its connection left. */
async function rollBack({ database, connection, generation }: Level): Promise<void> {
  if (connection.generation !== generation) return;
  try {
    await runPastDeadline(() => database.runIn(connection, 'rollback', [], false, 'in-transaction'));
  } catch {
    await connection.discard();
  }
}

function beginStatement({ isolationLevel, readOnly }: TransactionOptions): string {
  return `begin${isolationLevel ? ` isolation level ${isolationLevel}` : ''}${readOnly ? ' read only' : ''}`;
}

async function runNested<T>(parent: Level, work: () => Promise<T>): Promise<T> {
  assertOpen(parent);
  const before = parent.nested;
  let done: () => void = () => {};
  const mine = new Promise<void>((resolve) => {
    done = resolve;
  });
  parent.nested = before ? before.then(() => mine) : mine;
  const line = parent.nested;
  try {
    await before;
    await Promise.allSettled(parent.pending);
    return await runSavepoint(parent, work);
  } finally {
    if (parent.nested === line) parent.nested = undefined;
    done();
  }
}

async function runSavepoint<T>(parent: Level, work: () => Promise<T>): Promise<T> {
  const { connection } = parent;
  const level = newLevel(parent.database, connection, parent);
  const name = `mytx_${level.depth}`;
  await runNow(parent, `savepoint ${name}`, [], false);
  try {
    const result = await runWork(level, work);
    if (level.failure !== undefined) throw aborted(level.failure);
    await runNow(parent, `release savepoint ${name}`, [], false);
    return result;
  } catch (error) {
    if (connection.generation === parent.generation) await runNow(parent, `rollback to savepoint ${name}`, [], false);
    throw error;
  }
}

function newLevel(database: OpenDatabase, connection: Connection, parent?: Level): Level {
  return {
    database,
    connection,
    depth: parent ? parent.depth + 1 : 0,
    generation: parent?.generation ?? connection.generation,
    shared: parent?.shared ?? { written: new WrittenRows() },
    hasEnded: false,
    pending: new Set(),
    nested: undefined,
  };
}

/** Runs the caller's function, and waits for statements and nested transactions it did not wait for. */
async function runWork<T>(level: Level, work: () => Promise<T>): Promise<T> {
  try {
    return await runAt(level, work);
  } finally {
    while (level.nested || level.pending.size > 0) {
      await level.nested;
      await Promise.allSettled(level.pending);
    }
    level.hasEnded = true;
  }
}

async function runAtLevel(
  level: Level,
  statement: string,
  params: readonly unknown[],
  prepare: boolean,
  owner: RowOwner | undefined,
): Promise<StatementResult> {
  assertOpen(level);
  while (level.nested) await level.nested;
  const result = await runNow(level, statement, params, prepare);
  if (!isRead(statement)) level.shared.written.add(owner, result);
  return result;
}

function runNow(
  level: Level,
  statement: string,
  params: readonly unknown[],
  prepare: boolean,
): Promise<StatementResult> {
  const { database, connection } = level;
  return sendNow(level, () => database.runIn(connection, statement, params, prepare, 'in-transaction'));
}

async function sendNow(level: Level, send: () => Promise<StatementResult>): Promise<StatementResult> {
  assertOpen(level);
  assertConnected(level);
  const running = send();
  level.pending.add(running);
  try {
    return await running;
  } catch (error) {
    level.failure ??= error;
    if (isRetriable(error)) level.shared.conflict = error;
    throw error;
  } finally {
    level.pending.delete(running);
  }
}

function assertOpen(level: Level): void {
  if (!level.hasEnded) return;
  throw new TransactionError(
    'TRANSACTION_CLOSED',
    'a query was called after its transaction had ended',
    'Await every query inside the function given to transaction().',
  );
}

function assertConnected({ connection, generation, database }: Level): void {
  if (connection.generation === generation) return;
  throw new ConnectionError(
    'CONNECTION_LOST',
    `the connection to ${database.engine.target} broke and the transaction was rolled back`,
    'Call again: nothing was written.',
  );
}

function aborted(cause: unknown): TransactionError {
  return new TransactionError(
    'TRANSACTION_ABORTED',
    'a statement failed inside the transaction, its error was caught, and PostgreSQL rolled everything back',
    'Let the error leave the function given to transaction(), or put the statement that may fail into a nested transaction().',
    cause,
  );
}

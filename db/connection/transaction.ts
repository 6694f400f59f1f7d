// Transactions: begin, savepoints for nested ones, commit, and the bounded repetition of what met another one; each may
// be a user's, under row-level security. Never says that a transaction is done when PostgreSQL rolled it back. Nothing is
// sent for a user before `set local role` but a read right behind it, whose rows nobody gets unless that succeeded.

import { ConnectionError, StatementError, TransactionError } from '../errors.ts';
import { defaultMaxAttempts, waitAfterAttempt } from './conflict.ts';
import type { Connection, StatementResult } from './connection.ts';
import { isRetriable } from './failure.ts';
import { isRead, type OpenDatabase } from './open-database.ts';
import { type RowOwner, WrittenRows } from './replicas.ts';
import { type Level, runAt, runPastDeadline, scopedLevel } from './scope.ts';
import { becomeUser, failureAsUser, leaveUser, otherUser, roleRefused, textAsUser } from './user-role.ts';

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
  await level.beginning;
  const result = await sendNow(level, () => level.database.copyIn(level.connection, statement, chunks));
  level.shared.written.add(undefined, result);
  level.shared.mayHaveWritten = true;
  return result;
}

/**
 * Runs `work` in a transaction of `database`, or in a savepoint of the transaction that is running.
 * @param user whose transaction it is; one inside of a user's is that user's too
 */
export function runTransaction<T>(
  openDatabase: () => OpenDatabase | Promise<OpenDatabase>,
  work: () => Promise<T>,
  options: TransactionOptions = {},
  user?: string,
): Promise<T> {
  const parent = scopedLevel();
  return parent ? runNested(parent, work, user) : runOutermost(openDatabase, work, options, user);
}

async function runOutermost<T>(
  openDatabase: () => OpenDatabase | Promise<OpenDatabase>,
  work: () => Promise<T>,
  options: TransactionOptions,
  user: string | undefined,
): Promise<T> {
  const maxAttempts = options.maxAttempts ?? defaultMaxAttempts;
  const database = await openDatabase();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce(database, work, options, user);
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

async function attemptOnce<T>(
  database: OpenDatabase,
  work: () => Promise<T>,
  options: TransactionOptions,
  user: string | undefined,
): Promise<T> {
  const connection = await database.borrow();
  let ending: Promise<void> | undefined;
  try {
    const beginning = begin(database, connection, options, user);
    const isAhead = user !== undefined && database.isDirect;
    if (!isAhead) await beginning;
    const level = newLevel(database, connection, { user, ...(isAhead ? { beginning } : {}) });
    let result: T;
    try {
      result = await runWork(level, work);
      await beginning;
      if (level.failure !== undefined) throw aborted(level.failure);
    } catch (error) {
      await beginning; // where it failed, that is why the rest did, and there is nothing to roll back
      await rollBack(level);
      if (level.shared.conflict !== undefined) throw new Retry('conflict', { cause: level.shared.conflict });
      throw error;
    }
    // Whatever becomes of a commit behind reads alone changes nothing of what was read, but where it proves them wrong.
    const isWaitedFor = level.shared.mayHaveWritten || options.isolationLevel === 'serializable';
    ending = commit(level);
    if (isWaitedFor) await ending;
    else ending.catch(() => {});
    return result;
  } finally {
    if (ending) ending.catch(() => {}).finally(() => database.giveBack(connection));
    else database.giveBack(connection);
  }
}

/** Its failure may be looked at later than it happens. */
function begin(
  database: OpenDatabase,
  connection: Connection,
  options: TransactionOptions,
  user: string | undefined,
): Promise<void> {
  if (user === undefined) return database.begin(connection, beginStatement(options));
  const beginning = database.begin(connection, beginStatement(options), becomeUser(user)).catch((error) => {
    const isRefused = error instanceof StatementError && ['PERMISSION_DENIED', 'INVALID_VALUE'].includes(error.code);
    throw isRefused ? roleRefused(database.engine.target, error) : error;
  });
  beginning.catch(() => {});
  return beginning;
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

async function runNested<T>(parent: Level, work: () => Promise<T>, user: string | undefined): Promise<T> {
  assertOpen(parent);
  if (user !== undefined && parent.user !== undefined && user !== parent.user) throw otherUser(user);
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
    return await runSavepoint(parent, work, user);
  } finally {
    if (parent.nested === line) parent.nested = undefined;
    done();
  }
}

async function runSavepoint<T>(parent: Level, work: () => Promise<T>, user: string | undefined): Promise<T> {
  const { connection } = parent;
  const level = newLevel(parent.database, connection, { user: user ?? parent.user, parent });
  const isEntering = level.user !== parent.user;
  const name = `mytx_${level.depth}`;
  await runNow(parent, `savepoint ${name}`, [], false);
  try {
    if (isEntering) await scriptNow(level, becomeUser(level.user as string));
    const result = await runWork(level, work);
    if (level.failure !== undefined) throw aborted(level.failure);
    if (isEntering) await scriptNow(parent, leaveUser);
    await runNow(parent, `release savepoint ${name}`, [], false);
    return result;
  } catch (error) {
    // Takes the role and the setting back, too.
    if (connection.generation === parent.generation) await runNow(parent, `rollback to savepoint ${name}`, [], false);
    throw error;
  }
}

function newLevel(
  database: OpenDatabase,
  connection: Connection,
  { user, beginning, parent }: { user: string | undefined; beginning?: Promise<void>; parent?: Level },
): Level {
  return {
    database,
    connection,
    user,
    beginning,
    depth: parent ? parent.depth + 1 : 0,
    generation: parent?.generation ?? connection.generation,
    shared: parent?.shared ?? { written: new WrittenRows(), mayHaveWritten: false },
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
  // A prepared `select` is one of this package's, or was thought about; any other may call what writes.
  if (!prepare || !isRead(statement)) level.shared.mayHaveWritten = true;
  return result;
}

function runNow(
  level: Level,
  statement: string,
  params: readonly unknown[],
  prepare: boolean,
): Promise<StatementResult> {
  const { database, connection, user } = level;
  const text = prepare && user !== undefined ? textAsUser(statement) : statement;
  const send = (): Promise<StatementResult> => database.runIn(connection, text, params, prepare, 'in-transaction');
  return sendNow(level, () => (level.beginning ? sendBehind(level, isRead(statement), send) : send()));
}

function scriptNow(level: Level, script: string): Promise<StatementResult> {
  const { database, connection } = level;
  return sendNow(level, () => database.scriptIn(connection, script, 'in-transaction'));
}

/** A read goes out right behind `begin`, which saves a round trip; its answer is given only when `begin` has succeeded. */
async function sendBehind(
  level: Level,
  isReading: boolean,
  send: () => Promise<StatementResult>,
): Promise<StatementResult> {
  const answer = isReading ? send() : undefined;
  answer?.catch(() => {}); // why `begin` failed is told, not what followed from it
  await level.beginning;
  level.beginning = undefined;
  return answer ?? send();
}

async function sendNow(level: Level, send: () => Promise<StatementResult>): Promise<StatementResult> {
  assertOpen(level);
  assertConnected(level);
  const running = send();
  level.pending.add(running);
  try {
    return await running;
  } catch (error) {
    const failure = level.user === undefined ? error : failureAsUser(error);
    level.failure ??= failure;
    if (isRetriable(error)) level.shared.conflict = error;
    throw failure;
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

// The database of the running code: that of the transaction it is in, or the default one, which is opened at the
// first query (opening.ts). Everything that reaches a database from db/ comes through `execute` or `transaction`.

import { requireCount } from './arguments.ts';
import type { StatementResult } from './connection/connection.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import type { PoolFigures } from './connection/pool.ts';
import type { ReplicaFigures, RowOwner } from './connection/replicas.ts';
import { runOnPrimary, runReading, runUnder, runWith, scopedDatabase } from './connection/scope.ts';
import { drizzleDatabase, type MytxDatabase } from './connection/session.ts';
import { runInTransaction, runTransaction, type TransactionOptions } from './connection/transaction.ts';
import { encryptionWarnings } from './encryption/settings.ts';
import { ConnectionError, type MytxError } from './errors.ts';
import { type DatabaseOptions, type Opened, type OpenReport, open } from './opening.ts';

import * as protocolsSchema from './protocols-schema.ts';
import * as schema from './schema.ts';

export type { DatabaseOptions, OpenReport };

/**
 * Opens a database that is not the default one. `run(work)` makes every query called inside `work` use it.
 *
 * @example
 * const staging = await createDatabase({ url: process.env.STAGING_URL });
 * await staging.run(async () => console.log(await getUser('dana@example.com')));
 * await staging.close();
 */
export async function createDatabase(
  options: DatabaseOptions,
): Promise<{ report: OpenReport; run<T>(work: () => Promise<T>): Promise<T>; close(): Promise<void> }> {
  const { database, report } = await open(options);
  return { report, run: (work) => runWith(database, work), close: () => database.close() };
}

interface Shared {
  opening?: Promise<Opened>;
  opened?: Opened;
}

/** One default database for a process, also where a bundler or hot reload loads this file twice. */
const shared = sharedByProcess();

function sharedByProcess(): Shared {
  const key = Symbol.for('mytx-ai.database');
  const places = globalThis as Record<symbol, unknown>;
  places[key] ??= {};
  return places[key] as Shared;
}

/**
 * Opens the default database now instead of at the first query, and says what was opened.
 * @throws ConnectionError DATABASE_OPEN when it is open already and `options` are given
 * @throws ConnectionError INVALID_URL, UNREACHABLE, ACCESS_REFUSED, EMBEDDED_IN_USE; SchemaError SCHEMA_BEHIND
 * @throws InvalidSecretError INVALID_SECRET; EncryptionError ENCRYPTION_KEY_MISSING
 */
export async function openDatabase(options?: DatabaseOptions): Promise<OpenReport> {
  if (shared.opening && options) {
    throw new ConnectionError(
      'DATABASE_OPEN',
      'the database is open already, and options were given',
      'Call openDatabase(options) before the first query, or closeDatabase() first.',
    );
  }
  return (await openDefault(options)).report;
}

/** Closes the default database after the queries that are running. The next query opens it again. */
export async function closeDatabase(): Promise<void> {
  const { opening } = shared;
  if (!opening) return;
  delete shared.opening;
  delete shared.opened;
  const opened = await opening.catch(() => undefined);
  await opened?.database.close();
}

function openDefault(options: DatabaseOptions = {}): Promise<Opened> {
  if (shared.opening) return shared.opening;
  const opening = openAndWarn(options);
  shared.opening = opening;
  opening.then(
    (opened) => {
      if (shared.opening === opening) shared.opened = opened;
    },
    () => {
      if (shared.opening === opening) delete shared.opening; // the next query tries again
    },
  );
  return opening;
}

/** The application's own database is opened: its report also says what of it will not be encrypted. */
async function openAndWarn(options: DatabaseOptions): Promise<Opened> {
  const warnings = encryptionWarnings();
  const { database, report } = await open(options);
  return { database, report: { ...report, warnings: [...report.warnings, ...warnings] } };
}

/** The database that the running code uses; the default one is opened where it is not. */
export function currentDatabase(): OpenDatabase | Promise<OpenDatabase> {
  return scopedDatabase() ?? shared.opened?.database ?? openDefault().then(({ database }) => database);
}

/**
 * Runs one statement where the running code is: in its transaction, or by itself. Errors are ours.
 * @param owner whose rows it writes, where that is known
 */
export function execute(
  statement: string,
  params: readonly unknown[],
  prepare: boolean,
  owner?: RowOwner,
): Promise<StatementResult> {
  const running = runInTransaction(statement, params, prepare, owner);
  if (running) return running;
  const database = currentDatabase();
  return database instanceof Promise
    ? database.then((opened) => opened.run(statement, params, prepare, owner))
    : database.run(statement, params, prepare, owner);
}

/** Runs reads on behalf of a user, which a replica may answer that has what this user wrote. */
export function readFor<T>(userId: string, work: () => Promise<T>): Promise<T> {
  const database = scopedDatabase() ?? shared.opened?.database;
  const canOnlyBePrimary = database !== undefined && database.replicas === undefined;
  return canOnlyBePrimary ? work() : runReading(userId, work);
}

/**
 * Runs `work` so that no read replica answers: for a read that must see what another process has just written.
 * @example const fresh = await withPrimary(() => listTasks({ userId }));
 */
export function withPrimary<T>(work: () => Promise<T>): Promise<T> {
  return runOnPrimary(work);
}

/** `host:port/database`, or where the embedded database is: of the running code's database. */
export async function currentTarget(): Promise<string> {
  return (await currentDatabase()).engine.target;
}

/**
 * Runs every query called inside `work` in one transaction; the error that leaves `work` rolls it back.
 * Nested calls are savepoints. A conflict with another transaction (SQLSTATE 40001, 40P01) runs all of `work`
 * again, up to `maxAttempts` times, so it must change nothing but the database.
 *
 * @throws TransactionError TRANSACTION_CONFLICT, TRANSACTION_ABORTED; ConnectionError OUTCOME_UNKNOWN
 * @example
 * await transaction(async () => {
 *   await addTask({ userId, description: 'Book a flight' });
 *   await saveMemory({ userId, content: 'Prefers window seats' });
 * });
 */
export function transaction<T>(work: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  return runTransaction(currentDatabase, work, options);
}

/**
 * Runs `work` under a deadline: each statement inside gets the time that is left, is canceled on the server when it
 * is over, and nothing is sent after it. Nested deadlines can only be earlier. The embedded database is one process:
 * there the deadline holds between statements.
 *
 * @throws ConnectionError DEADLINE_EXCEEDED, or OUTCOME_UNKNOWN for a write that the server did not answer
 * @throws InvalidArgumentError INVALID_LIMIT
 * @example const chats = await withDeadline({ timeoutMs: 500 }, () => listChats({ userId }));
 */
export async function withDeadline<T>(
  { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const atMs =
    timeoutMs === undefined
      ? Number.POSITIVE_INFINITY
      : performance.now() + requireCount('timeoutMs', timeoutMs, 1, 86_400_000);
  return runUnder(signal ? { atMs, signal } : { atMs }, work);
}

/** What an application's health page says of its database. */
export interface Health {
  isHealthy: boolean;
  engine: 'server' | 'embedded';
  /** `host:port/database`, or where the embedded database is. */
  target: string;
  /** How long a `select 1` took, the wait for a connection included. */
  latencyMs: number;
  pool: PoolFigures;
  /** The read replicas, where there are some; one that is not usable does not make the database unhealthy. */
  replicas?: ReplicaFigures[];
  /** The error's code and text when it is not healthy. */
  error?: { code: string; message: string };
}

/** Asks the database whether it answers, within `timeoutMs` (2,000 unless given). Never throws. */
export async function checkHealth({ timeoutMs = 2000 }: { timeoutMs?: number } = {}): Promise<Health> {
  const database = await currentDatabase();
  const { kind: engine, target } = database.engine;
  const startMs = performance.now();
  const replicas = database.replicas;
  const looked = replicas?.look();
  const failure = await withDeadline({ timeoutMs }, () => database.runHere('select 1', [], false)).then(
    () => undefined,
    (error: MytxError) => ({ code: error.code, message: error.message }),
  );
  const latencyMs = Math.round(performance.now() - startMs);
  const health: Health = { isHealthy: !failure, engine, target, latencyMs, pool: database.figures() };
  if (replicas) {
    await looked;
    health.replicas = replicas.figures();
  }
  return failure ? { ...health, error: failure } : health;
}

const fullSchema = { ...schema, ...protocolsSchema };

/** A Drizzle database of our tables that is always the running transaction's. Opened at the first query. */
export const db: MytxDatabase<typeof fullSchema> = drizzleDatabase({ run: execute, transaction }, fullSchema);

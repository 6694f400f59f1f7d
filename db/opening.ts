// Opens a database as its options or the environment say: POSTGRES_URL or, without one, the embedded database in
// `.mytx/`. An embedded database is migrated when it is opened; a server that is behind is refused.
// With db/environment.ts the only place of the data layer that looks at the environment.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ApplyOptions, type ApplyReport, applyMigrations } from '../deploy/apply.ts';
import { DeployError } from '../deploy/errors.ts';
import { type ResetReport, refuseOutsideDevelopment, resetDatabase } from '../deploy/reset.ts';
import type { Engine } from './connection/connection.ts';
import { type Deadlines, defaultDeadlines, noStatementDeadline } from './connection/deadlines.ts';
import { deploySession } from './connection/deploy-session.ts';
import { type EmbeddedOptions, embeddedEngine } from './connection/embedded.ts';
import { translateFailure } from './connection/failure.ts';
import { OpenDatabase, type StatementEvent, type StatementLogger } from './connection/open-database.ts';
import { runPastDeadline } from './connection/scope.ts';
import { serverEngine } from './connection/server.ts';
import type { SnapshotReason } from './connection/snapshot-files.ts';
import { readPolicy, type SnapshotPolicy } from './connection/snapshot-policy.ts';
import { parseServerUrl, type ServerAddress } from './connection/url.ts';
import { readEnvironment } from './environment.ts';
import { assertSchemaCurrent } from './schema-check.ts';

/** The SQL files that make our tables. */
export const migrationsFolder: string = fileURLToPath(new URL('../lib/drizzle', import.meta.url));

export interface DatabaseOptions {
  /** A server: `postgres://user:password@host:port/database`. Unless given, POSTGRES_URL. */
  url?: string;
  /** Without a server: the folder of the embedded database (`.mytx` unless given), or 'memory'. */
  folder?: string;
  /** How many connections to a server at most; 10 unless given. The embedded database has one. */
  poolSize?: number;
  /** How many callers may wait for a connection; 1,000 unless given. Beyond that: POOL_EXHAUSTED, at once. */
  maxWaiting?: number;
  /** How long things may take; each has a default. */
  deadlines?: Partial<Deadlines>;
  /** Accept a server that is not on this machine without TLS; MYTX_ALLOW_PLAINTEXT=1 unless given. */
  allowPlaintext?: boolean;
  /** Told of each statement: its text, duration and rows, never a value. `true` writes them to stderr. */
  logger?: StatementLogger | true;
  /** Told, in a sentence, of work that takes seconds when the database is opened or closed. */
  onProgress?(message: string): void;
  /** A snapshot to start an embedded database from. */
  snapshot?: Blob;
  /**
   * How many snapshots of an embedded database in a folder are kept, and how far apart; `false` for none. Unless given,
   * MYTX_SNAPSHOTS_KEEP, MYTX_SNAPSHOTS_EVERY_MINUTES and MYTX_SNAPSHOTS_MAX_AGE_DAYS; without them 5, 60 and 30.
   */
  keepSnapshots?: false | Partial<SnapshotPolicy>;
}

/** What was opened. */
export interface OpenReport {
  engine: 'server' | 'embedded';
  /** `host:port/database`, or where the embedded database is. */
  target: string;
  /** Migrations that were applied while opening: an embedded database migrates itself. */
  applied: string[];
  warnings: string[];
}

const defaultFolder = '.mytx';

/** A database that is open, and what to say of it. */
export interface Opened {
  database: OpenDatabase;
  report: OpenReport;
}

interface Connected {
  database: OpenDatabase;
  warnings: string[];
  /** Takes a snapshot of an embedded database in a folder; nothing else may use it meanwhile. */
  saveBefore(reason: SnapshotReason): Promise<void>;
}

/** Opens a database whose schema is, or is brought, up to date. */
export async function open(options: DatabaseOptions): Promise<Opened> {
  const connected = await connect(options);
  const { database, warnings } = connected;
  const { kind: engine, target } = database.engine;
  try {
    if (engine === 'server') {
      await assertSchemaCurrent(database);
      return { database, report: { engine, target, applied: [], warnings } };
    }
    const { applied, notes } = await applyTo(connected, progressOf(options));
    return { database, report: { engine, target, applied, warnings: [...warnings, ...notes] } };
  } catch (error) {
    await database.close().catch(() => {}); // what failed first is what is told
    throw ours(error, target);
  }
}

export interface MigrateReport extends ApplyReport {
  target: string;
  warnings: string[];
}

/** Applies the pending migrations to a server or an embedded database. Errors as `applyMigrations`. */
export async function migrate(
  options: DatabaseOptions,
  callbacks: Pick<ApplyOptions, 'onMigration' | 'onLockWait'> & { onTarget?(target: string): void } = {},
): Promise<MigrateReport> {
  return withDatabase({ ...options, deadlines: noStatementDeadline }, async (connected) => {
    const { target } = connected.database.engine;
    callbacks.onTarget?.(target);
    return { ...(await applyTo(connected, callbacks)), target, warnings: connected.warnings };
  });
}

/**
 * Drops every table of the migrations and applies them anew: for development.
 * @throws DeployError RESET_REFUSED, before it connects, when the server is not on this machine or NODE_ENV is production
 */
export async function reset(options: DatabaseOptions): Promise<ResetReport & { target: string }> {
  const address = findServer(options);
  const target = address?.target ?? `embedded, ${join(options.folder ?? defaultFolder, 'database')}`;
  const isLocal = address?.isLoopback ?? true;
  const where = { target, isLocal, isProduction: readEnvironment().NODE_ENV === 'production' };
  refuseOutsideDevelopment(where);
  return withDatabase({ ...options, deadlines: noStatementDeadline }, async ({ database, saveBefore }) => {
    const report = await database.withConnection(async (connection) => {
      await saveBefore('before a reset');
      return resetDatabase(deploySession(connection), { folder: migrationsFolder, ...where });
    });
    return { ...report, target: database.engine.target };
  });
}

async function withDatabase<T>(options: DatabaseOptions, work: (connected: Connected) => Promise<T>): Promise<T> {
  const connected = await connect(options);
  const { database } = connected;
  try {
    const result = await work(connected);
    await database.close();
    return result;
  } catch (error) {
    await database.close().catch(() => {}); // what failed first is what is told
    throw ours(error, database.engine.target);
  }
}

/** The deploy engine lets the driver's errors through where no migration was under way. */
function ours(error: unknown, target: string): Error {
  return error instanceof DeployError ? error : translateFailure(error, { target, statement: '', outcome: 'read' });
}

/** The server that the options or the environment name; undefined for the embedded database. */
function findServer({ url, folder, allowPlaintext }: DatabaseOptions): ServerAddress | undefined {
  const environment = url === undefined && folder === undefined ? readEnvironment() : {};
  const text = url ?? (environment.POSTGRES_URL || undefined);
  return text === undefined
    ? undefined
    : parseServerUrl(text, allowPlaintext ?? environment.MYTX_ALLOW_PLAINTEXT === '1');
}

async function connect(options: DatabaseOptions): Promise<Connected> {
  const address = findServer(options);
  if (!address) return connectEmbedded(options);
  const engine = serverEngine(address, { ...defaultDeadlines, ...options.deadlines }, options.poolSize);
  return { database: openOver(engine, options), warnings: address.warnings, saveBefore: async (): Promise<void> => {} };
}

async function connectEmbedded(options: DatabaseOptions): Promise<Connected> {
  const { folder = defaultFolder, snapshot, onProgress } = options;
  const keepSnapshots = readPolicy(options.keepSnapshots, readEnvironment());
  const embedded: EmbeddedOptions = folder === 'memory' ? {} : { folder, keepSnapshots };
  if (snapshot) embedded.snapshot = snapshot;
  if (onProgress) embedded.onProgress = onProgress;
  const engine = await embeddedEngine(embedded);
  const { snapshots, warnings } = engine;
  const database = openOver(engine, options);
  snapshots?.watch((work) => runPastDeadline(() => database.withConnection(work)));
  return { database, warnings: [...warnings], saveBefore: async (reason) => snapshots?.before(reason) };
}

function openOver(engine: Engine, { logger, deadlines, maxWaiting }: DatabaseOptions): OpenDatabase {
  return new OpenDatabase(engine, {
    ...(logger ? { logger: logger === true ? writeToStderr : logger } : {}),
    ...(deadlines ? { deadlines } : {}),
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  });
}

function writeToStderr({ statement, durationMs, rows, errorCode }: StatementEvent): void {
  const outcome = errorCode ?? `${rows} row${rows === 1 ? '' : 's'}`;
  process.stderr.write(`${durationMs.toFixed(1)} ms, ${outcome}: ${statement.replaceAll(/\s+/g, ' ')}\n`);
}

function applyTo(
  { database, saveBefore }: Connected,
  callbacks: Pick<ApplyOptions, 'onMigration' | 'onLockWait'>,
): Promise<ApplyReport> {
  const beforeApplying = async (applied: number): Promise<void> => {
    if (applied > 0) await saveBefore('before migrations');
  };
  return database.withConnection((connection) =>
    applyMigrations(deploySession(connection), { folder: migrationsFolder, beforeApplying, ...callbacks }),
  );
}

function progressOf({ onProgress }: DatabaseOptions): Pick<ApplyOptions, 'onMigration'> {
  return { onMigration: ({ name, number, of }) => onProgress?.(`applying migration ${name} (${number} of ${of})`) };
}

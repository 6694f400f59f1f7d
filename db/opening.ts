// Opens a database as its options or the environment say: POSTGRES_URL or, without one, the embedded database in
// `.mytx/`. An embedded database is migrated when it is opened; a server that is behind is refused.
// With db/environment.ts the only place of the data layer that looks at the environment.

import { fileURLToPath } from 'node:url';
import { type ApplyOptions, type ApplyReport, applyMigrations } from '../deploy/apply.ts';
import { DeployError } from '../deploy/errors.ts';
import { type ResetReport, resetDatabase } from '../deploy/reset.ts';
import { deploySession } from './connection/deploy-session.ts';
import { type EmbeddedOptions, embeddedEngine } from './connection/embedded.ts';
import { translateFailure } from './connection/failure.ts';
import { OpenDatabase, type StatementLogger } from './connection/open-database.ts';
import { serverEngine } from './connection/server.ts';
import { parseServerUrl } from './connection/url.ts';
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
  /** Accept a server that is not on this machine without TLS; MYTX_ALLOW_PLAINTEXT=1 unless given. */
  allowPlaintext?: boolean;
  /** Told of each statement: its text, duration and rows, never a value. */
  logger?: StatementLogger;
  /** Told, in a sentence, of work that takes seconds when the database is opened. */
  onProgress?(message: string): void;
  /** A snapshot to start an embedded database from. */
  snapshot?: Blob;
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

/** A database that is open, and what to say of it. */
export interface Opened {
  database: OpenDatabase;
  report: OpenReport;
}

interface Connected {
  database: OpenDatabase;
  warnings: string[];
  /** An embedded database, or a server on this machine. */
  isLocal: boolean;
}

/** Opens a database whose schema is, or is brought, up to date. */
export async function open(options: DatabaseOptions): Promise<Opened> {
  const { database, warnings } = await connect(options);
  const { kind: engine, target } = database.engine;
  try {
    const applied = engine === 'embedded' ? (await applyTo(database, progressOf(options))).applied : [];
    if (engine === 'server') await assertSchemaCurrent(database);
    return { database, report: { engine, target, applied, warnings } };
  } catch (error) {
    await database.close();
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
  return withDatabase(options, async ({ database, warnings }) => {
    const { target } = database.engine;
    callbacks.onTarget?.(target);
    return { ...(await applyTo(database, callbacks)), target, warnings };
  });
}

/**
 * Drops every table of the migrations and applies them anew: for development.
 * @throws DeployError RESET_REFUSED when the server is not on this machine or NODE_ENV is production
 */
export async function reset(options: DatabaseOptions): Promise<ResetReport & { target: string }> {
  return withDatabase(options, async ({ database, isLocal }) => {
    const { target } = database.engine;
    const isProduction = readEnvironment().NODE_ENV === 'production';
    const report = await database.withConnection((connection) =>
      resetDatabase(deploySession(connection), { folder: migrationsFolder, target, isLocal, isProduction }),
    );
    return { ...report, target };
  });
}

async function withDatabase<T>(options: DatabaseOptions, work: (connected: Connected) => Promise<T>): Promise<T> {
  const connected = await connect(options);
  try {
    return await work(connected);
  } catch (error) {
    throw ours(error, connected.database.engine.target);
  } finally {
    await connected.database.close();
  }
}

/** The deploy engine lets the driver's errors through where no migration was under way. */
function ours(error: unknown, target: string): Error {
  return error instanceof DeployError ? error : translateFailure(error, { target, statement: '', outcome: 'read' });
}

async function connect(options: DatabaseOptions): Promise<Connected> {
  const environment = options.url === undefined && options.folder === undefined ? readEnvironment() : {};
  const url = options.url ?? (environment.POSTGRES_URL || undefined);
  if (url === undefined) return connectEmbedded(options);
  const address = parseServerUrl(url, options.allowPlaintext ?? environment.MYTX_ALLOW_PLAINTEXT === '1');
  const engine = serverEngine(address, options.poolSize);
  return {
    database: new OpenDatabase(engine, options.logger),
    warnings: address.warnings,
    isLocal: address.isLoopback,
  };
}

async function connectEmbedded({
  folder = '.mytx',
  snapshot,
  onProgress,
  logger,
}: DatabaseOptions): Promise<Connected> {
  const embedded: EmbeddedOptions = folder === 'memory' ? {} : { folder };
  if (snapshot) embedded.snapshot = snapshot;
  if (onProgress) embedded.onProgress = onProgress;
  return { database: new OpenDatabase(await embeddedEngine(embedded), logger), warnings: [], isLocal: true };
}

function applyTo(
  database: OpenDatabase,
  callbacks: Pick<ApplyOptions, 'onMigration' | 'onLockWait'>,
): Promise<ApplyReport> {
  return database.withConnection((connection) =>
    applyMigrations(deploySession(connection), { folder: migrationsFolder, ...callbacks }),
  );
}

function progressOf({ onProgress }: DatabaseOptions): Pick<ApplyOptions, 'onMigration'> {
  return { onMigration: ({ name, number, of }) => onProgress?.(`applying migration ${name} (${number} of ${of})`) };
}

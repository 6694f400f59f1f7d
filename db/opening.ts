// Opens a database as its options or the environment say: POSTGRES_URL or, without one, the embedded database in
// `.mytx/`. An embedded database is migrated when it is opened; a server that is behind is refused.
// With db/environment.ts the only place of the data layer that looks at the environment.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type ApplyOptions, type ApplyReport, applyMigrations } from '../deploy/apply.ts';
import { DeployError } from '../deploy/errors.ts';
import { poolerRefused } from '../deploy/lock.ts';
import { readMigrations } from '../deploy/migrations.ts';
import { type ResetReport, refuseOutsideDevelopment, resetDatabase } from '../deploy/reset.ts';
import type { DeploySession } from '../deploy/session.ts';
import type { Engine } from './connection/connection.ts';
import { type Deadlines, defaultDeadlines, noStatementDeadline } from './connection/deadlines.ts';
import { deploySession } from './connection/deploy-session.ts';
import { translateFailure } from './connection/failure.ts';
import { OpenDatabase, type StatementEvent, type StatementLogger } from './connection/open-database.ts';
import { findPooling } from './connection/pooler.ts';
import { type ReplicaOptions, Replicas } from './connection/replicas.ts';
import { runPastDeadline } from './connection/scope.ts';
import { serverEngine } from './connection/server.ts';
import { parseServerUrl, type ServerAddress } from './connection/url.ts';
import { closeOnSignal } from './embedded/close-on-signal.ts';
import { type EmbeddedEngine, type EmbeddedOptions, embeddedEngine, plainEngine } from './embedded/engine.ts';
import type { SnapshotReason } from './embedded/snapshot-files.ts';
import { readPolicy, type SnapshotPolicy } from './embedded/snapshot-policy.ts';
import { readEnvironment } from './environment.ts';
import { ConnectionError } from './errors.ts';
import { beginsWithOurs, expectedMigrations, findMigrationsFolder } from './migrations-folder.ts';
import { checkServer, findMissing } from './schema-check.ts';

export interface DatabaseOptions {
  /** A server: `postgres://user:password@host:port/database`. Unless given, POSTGRES_URL. */
  url?: string;
  /** Without a server: the folder of the embedded database (`.mytx` unless given), or 'memory'. */
  folder?: string;
  /** How many connections to a server at most; 10 unless given. The embedded database has one. */
  poolSize?: number;
  /**
   * Read replicas of that server, each URL of exactly one: lists and loads of a user's rows are read there. Unless
   * given, POSTGRES_REPLICA_URLS, where the server is that of POSTGRES_URL. Each has as many connections as the server.
   */
  replicaUrls?: readonly string[];
  /** When a replica is used, and for how long it is waited for. */
  replicas?: ReplicaOptions;
  /** How many callers may wait for a connection; 1,000 unless given. Beyond that: POOL_EXHAUSTED, at once. */
  maxWaiting?: number;
  /** How long things may take; each has a default. */
  deadlines?: Partial<Deadlines>;
  /** Accept a server that is not on this machine without TLS; MYTX_ALLOW_PLAINTEXT=1 unless given. */
  allowPlaintext?: boolean;
  /**
   * The folder of SQL files that make the schema. Unless given, `lib/drizzle` of the current folder where `mytx init` or
   * a checkout has put it, and otherwise the files of this package.
   */
  migrationsFolder?: string;
  /** Told of each statement: its text, duration and rows, never a value. `true` writes them to stderr. */
  logger?: StatementLogger | true;
  /** Told, in a sentence, of work that takes seconds when the database is opened or closed. */
  onProgress?(message: string): void;
  /** A snapshot to start an embedded database from. */
  snapshot?: Blob;
  /**
   * Whether other processes may come in to an embedded database in a folder, through a Unix socket there that only this
   * user may open; true unless given. Not on Windows.
   */
  socket?: boolean;
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
  /** For POSTGRES_URL and psql of another process: the way in to the embedded database, while it is open here. */
  socketUrl?: string;
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
  const hasSocket = (options.socket ?? true) && process.platform !== 'win32';
  const connected = await connect({ ...options, socket: hasSocket });
  const { database, warnings } = connected;
  const { kind: engine, target } = database.engine;
  try {
    if (engine === 'server') {
      const found = await checkServer(database, expectedMigrations(options.migrationsFolder));
      return { database, report: { engine, target, applied: [], warnings: [...warnings, ...found] } };
    }
    const { applied, notes } = await applyTo(connected, options, progressOf(options));
    const { warnings: refusals, ...way } = await letGuestsIn(database, options);
    return { database, report: { engine, target, applied, warnings: [...warnings, ...notes, ...refusals], ...way } };
  } catch (error) {
    await database.close().catch(() => {}); // what failed first is what is told
    throw ours(error, target);
  }
}

/** A database that was opened as it is. */
export interface OpenedUnchanged {
  database: OpenDatabase;
  warnings: string[];
  /** Migrations that an embedded database lacks, and gets when it is opened to be used. */
  pending: string[];
}

/**
 * Opens a database to look at it: applies nothing, takes no snapshot, lets nobody in.
 * @throws as `open`, SCHEMA_BEHIND for a server
 */
export async function openUnchanged(options: DatabaseOptions): Promise<OpenedUnchanged> {
  const { database, warnings } = await connect({ ...options, socket: false, keepSnapshots: false });
  const expected = expectedMigrations(options.migrationsFolder);
  try {
    if (database.engine.kind === 'embedded') {
      return { database, warnings, pending: await findMissing(database, expected) };
    }
    return { database, warnings: [...warnings, ...(await checkServer(database, expected))], pending: [] };
  } catch (error) {
    await database.close().catch(() => {}); // what failed first is what is told
    throw ours(error, database.engine.target);
  }
}

/** Opens a server as it is, whatever its schema: for what makes and drops databases. */
export async function openAsItIs(options: DatabaseOptions & { url: string }): Promise<OpenDatabase> {
  return (await connect({ ...options, replicaUrls: [] })).database;
}

/** One text that is another one as soon as anything in the migrations is. */
export function digestMigrations(folder?: string): string {
  const hashes = readMigrations(findMigrationsFolder(folder)).map(({ hash, createdAt }) => `${hash} ${createdAt}`);
  return createHash('sha256').update(hashes.join()).digest('hex').slice(0, 16);
}

/** Behind the migrations, so that nobody sees half a schema. A socket that can't be opened keeps nobody from working. */
async function letGuestsIn(
  database: OpenDatabase,
  { deadlines }: DatabaseOptions,
): Promise<Pick<OpenReport, 'warnings' | 'socketUrl'>> {
  try {
    await database.letGuestsIn({ ...defaultDeadlines, ...deadlines }.idleInTransactionMs);
    const { guestSocket } = database;
    return { warnings: [], ...(guestSocket ? { socketUrl: guestSocket.url } : {}) };
  } catch (error) {
    return { warnings: [`no other process can come in to ${database.engine.target}: ${(error as Error).message}`] };
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
  return withDatabase({ ...options, deadlines: noStatementDeadline, socket: false }, async (connected) => {
    const { target } = connected.database.engine;
    callbacks.onTarget?.(target);
    return { ...(await applyTo(connected, options, callbacks)), target, warnings: connected.warnings };
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
  return withDatabase(
    { ...options, deadlines: noStatementDeadline, socket: false },
    async ({ database, saveBefore }) => {
      const report = await database.withConnection(async (connection) => {
        await saveBefore('before a reset');
        return resetDatabase(deploySession(connection), {
          folder: findMigrationsFolder(options.migrationsFolder),
          ...where,
        });
      });
      return { ...report, target: database.engine.target };
    },
  );
}

/** A database that a deploy is about. */
export interface DeployDatabase extends DatabaseOptions {
  /** The folder is PGlite's own, as Drizzle's driver `pglite` has it, not one that this package made. */
  isPlain?: boolean;
}

/** What a deploy works with: two sessions of a server, one of an embedded database twice. */
export interface DeploySessions {
  session: DeploySession;
  /** For the lock. */
  lockSession: DeploySession;
  target: string;
  warnings: readonly string[];
  /** Takes a snapshot of an embedded database in a folder. */
  saveBefore(reason: SnapshotReason): Promise<void>;
}

/**
 * Opens a database as it is, for a schema change.
 * @throws DeployError POOLER_REFUSED for a pooler in transaction mode; ConnectionError as `open`
 */
export function withDeploySessions<T>(
  options: DeployDatabase,
  work: (sessions: DeploySessions) => Promise<T>,
): Promise<T> {
  const all = { ...options, poolSize: 2, deadlines: noStatementDeadline, socket: false };
  return withDatabase(all, ({ database, warnings, saveBefore }) => {
    const { kind, target } = database.engine;
    const facts = { target, warnings, saveBefore };
    return database.withConnection((connection) => {
      const session = deploySession(connection);
      if (kind === 'embedded') return work({ ...facts, session, lockSession: session });
      return database.withConnection((other) => work({ ...facts, session, lockSession: deploySession(other) }));
    });
  });
}

/** Opens a database as it is, to read from: also by way of a pooler, since nothing is locked. */
export function withReadingSession<T>(
  options: DeployDatabase,
  work: (session: DeploySession, target: string) => Promise<T>,
): Promise<T> {
  const all = { ...options, poolSize: 1, deadlines: noStatementDeadline, socket: false };
  return withDatabase(
    all,
    ({ database }) => database.withConnection((connection) => work(deploySession(connection), database.engine.target)),
    { mayBePooled: true },
  );
}

async function withDatabase<T>(
  options: DeployDatabase,
  work: (connected: Connected) => Promise<T>,
  { mayBePooled = false } = {},
): Promise<T> {
  const connected = await connect(options);
  const { database } = connected;
  try {
    if (!mayBePooled) await refusePooler(database);
    const result = await work(connected);
    await database.close();
    return result;
  } catch (error) {
    await database.close().catch(() => {}); // what failed first is what is told
    throw ours(error, database.engine.target);
  }
}

/** Before the lock is taken, which a pooler in transaction mode would leave behind in a session of somebody else's. */
async function refusePooler(database: OpenDatabase): Promise<void> {
  const { kind, isPooled, target } = database.engine;
  if (kind === 'embedded' || isPooled === false) return;
  const pooling = isPooled ? 'transactions' : await findPooling(database);
  if (pooling === 'transactions' || pooling === 'unknown') throw poolerRefused(target, pooling === 'transactions');
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

async function connect(options: DeployDatabase): Promise<Connected> {
  const address = findServer(options);
  if (!address) return connectEmbedded(options);
  const replicas = findReplicas(options);
  const database = openServer(address, options);
  if (replicas.length > 0) {
    const databases = replicas.map((replica) => openServer(replica, options));
    database.replicas = new Replicas(database, databases, options.replicas);
  }
  const warnings = [address, ...replicas].flatMap((server) => server.warnings);
  return { database, warnings, saveBefore: async (): Promise<void> => {} };
}

function openServer(address: ServerAddress, options: DatabaseOptions): OpenDatabase {
  return openOver(serverEngine(address, { ...defaultDeadlines, ...options.deadlines }, options.poolSize), options);
}

/** The replicas that the options name or, for the environment's server, the environment. */
function findReplicas({ url, replicaUrls, allowPlaintext }: DatabaseOptions): ServerAddress[] {
  const environment = readEnvironment();
  const isEnvironments = url === undefined || url === environment.POSTGRES_URL;
  const listed = isEnvironments ? (environment.POSTGRES_REPLICA_URLS ?? '') : '';
  const urls = replicaUrls ?? listed.split(/[\s,]+/).filter((text) => text !== '');
  const allows = allowPlaintext ?? environment.MYTX_ALLOW_PLAINTEXT === '1';
  return urls.map((text, i) => parseReplicaUrl(text, allows, i + 1));
}

function parseReplicaUrl(text: string, allowPlaintext: boolean, number: number): ServerAddress {
  try {
    const address = parseServerUrl(text, allowPlaintext);
    if (!address.isPooled) return address;
    throw new ConnectionError(
      'INVALID_URL',
      'the URL says pgbouncer=true',
      'Name the replica itself: a pooler hides that a replica was restarted, which may take it back to older rows.',
    );
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const message = `replica ${number} of POSTGRES_REPLICA_URLS: ${error.message.replace(/^POSTGRES_URL /, 'the URL ')}`;
    throw new ConnectionError(error.code, message, error.hint, { ...error.details, replica: number });
  }
}

async function connectEmbedded(options: DeployDatabase): Promise<Connected> {
  const { folder = defaultFolder } = options;
  const engine = await (options.isPlain
    ? plainEngine({ folder, ...(options.onProgress ? { onProgress: options.onProgress } : {}) })
    : ownEngine(folder, options));
  const { snapshots, warnings } = engine;
  const database = openOver(engine, options);
  if (folder !== 'memory') database.onClosed = closeOnSignal(() => database.close(true));
  snapshots?.watch((work) => runPastDeadline(() => database.withConnection(work)));
  return { database, warnings: [...warnings], saveBefore: async (reason) => snapshots?.before(reason) };
}

function ownEngine(folder: string, options: DatabaseOptions): Promise<EmbeddedEngine> {
  const { socket: hasSocket = false, snapshot, onProgress } = options;
  const keepSnapshots = readPolicy(options.keepSnapshots, readEnvironment());
  const embedded: EmbeddedOptions = folder === 'memory' ? {} : { folder, hasSocket, keepSnapshots };
  embedded.mayBePrepared = beginsWithOurs(findMigrationsFolder(options.migrationsFolder));
  if (snapshot) embedded.snapshot = snapshot;
  if (onProgress) embedded.onProgress = onProgress;
  return embeddedEngine(embedded);
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
  { migrationsFolder }: DatabaseOptions,
  callbacks: Pick<ApplyOptions, 'onMigration' | 'onLockWait'>,
): Promise<ApplyReport> {
  const beforeApplying = async (applied: number): Promise<void> => {
    if (applied > 0) await saveBefore('before migrations');
  };
  const folder = findMigrationsFolder(migrationsFolder);
  return database.withConnection((connection) =>
    applyMigrations(deploySession(connection), { folder, beforeApplying, ...callbacks }),
  );
}

function progressOf({ onProgress }: DatabaseOptions): Pick<ApplyOptions, 'onMigration'> {
  return { onMigration: ({ name, number, of }) => onProgress?.(`applying migration ${name} (${number} of ${of})`) };
}

// What the development commands do to a database: which one it is, and how it is made ready to work with.
// Never migrates a server that is not on this machine, and never loads the sample (its passwords are in the open)
// there or in production. Reads no environment: the command line does.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sqlStateOf } from './connection/failure.ts';
import { parseServerUrl } from './connection/url.ts';
import { openDatabase } from './database.ts';
import { SeedError } from './errors.ts';
import { type DatabaseOptions, type MigrateReport, migrate, type OpenReport } from './opening.ts';
import { type LoadedSample, type LoadOptions, loadSampleAssistant } from './sample/load.ts';
import { loadScaledSample } from './sample/load-scaled.ts';
import { sampleUsers } from './sample/users.ts';
import { countRows, type TableCount } from './table-counts.ts';

/** What the environment says. */
export interface DevelopmentEnvironment {
  /** POSTGRES_URL; without it the embedded database in `.mytx/`. */
  url: string | undefined;
  /** MYTX_ALLOW_PLAINTEXT. */
  allowPlaintext: boolean;
  isProduction: boolean;
}

/** A database that is not open yet. */
export interface Target {
  engine: OpenReport['engine'];
  /** `host:port/database`, or where the embedded database is. */
  target: string;
  /** Why this is no database for development, in a sentence that says what is left out; null where it is one. */
  restriction: string | null;
  options: DatabaseOptions;
}

export interface StartOptions {
  /** Told, in a sentence, of each step that may take a second or more. */
  onProgress(message: string): void;
  /** Stops at the next step. What is under way is rolled back or finished; close the database afterwards. */
  signal?: AbortSignal;
  /** Whether other processes may come in to the embedded database meanwhile; true unless given. */
  socket?: boolean;
}

export interface StartReport extends OpenReport {
  /** What was loaded; null where there was a user already, or the sample is not for this database. */
  sample: LoadedSample | null;
  /** A user of the sample that was loaded. */
  signIn: { email: string; password: string } | null;
  tables: TableCount[];
}

export interface SeedOptions extends Omit<StartOptions, 'socket'> {
  /** How many messages there are to be in all: the sample assistant scaled up or down. Unless given, as it is. */
  messages?: number;
  /** Told how many messages are written, of how many, from the first few on. */
  onCount(progress: { done: number; total: number; elapsedMs: number }): void;
}

export interface SeedReport extends OpenReport {
  /** What was loaded; null where there was a user already. */
  sample: LoadedSample | null;
  /** A user of the sample that was loaded. */
  signIn: StartReport['signIn'];
  /** How long the loading took, without opening and closing. */
  seconds: number;
  messagesPerSecond: number;
}

const embeddedFolder = '.mytx';
const embeddedData = join(embeddedFolder, 'database');

/** The database that the environment names. Connects to nothing. @throws ConnectionError INVALID_URL, PLAINTEXT_REFUSED */
export function findTarget({ url, allowPlaintext, isProduction }: DevelopmentEnvironment): Target {
  if (!url) {
    return {
      engine: 'embedded',
      target: `embedded, ${embeddedData}`,
      restriction: isProduction ? 'NODE_ENV is production: the sample assistant is not loaded' : null,
      options: { folder: embeddedFolder },
    };
  }
  const { target, isLoopback } = parseServerUrl(url, allowPlaintext);
  const reason = isProduction ? 'NODE_ENV is production' : isLoopback ? null : `${target} is not on this machine`;
  return {
    engine: 'server',
    target,
    restriction: reason && `${reason}: migrations are not applied and the sample assistant is not loaded`,
    options: { url, allowPlaintext },
  };
}

/**
 * Opens a database as the default one, up to date, with the sample assistant where it has no user yet.
 * @throws DeployError as `migrate`; ConnectionError and SchemaError as `openDatabase`
 */
export async function startDevelopment(target: Target, how: StartOptions): Promise<StartReport> {
  const opened = await openUpToDate(target, how);
  const sample = target.restriction === null ? await loadSample(how) : null;
  how.onProgress('counting the rows of each table');
  const tables = await countRows();
  return { ...opened, sample, signIn: sample && firstUser(), tables };
}

/**
 * Opens a database as the default one, up to date, and loads the sample assistant, with as many messages as are wanted.
 * @throws SeedError SEED_REFUSED where it is no database for that or, with `messages`, has users already; and as
 * `startDevelopment`
 */
export async function seedDevelopment(target: Target, how: SeedOptions): Promise<SeedReport> {
  if (target.restriction !== null) throw refused(target, target.restriction, hints.development);
  const opened = await openUpToDate(target, { ...how, socket: false });
  const startMs = performance.now();
  const sample = await loadCounted(how, startMs).catch((error: unknown) => {
    throw sqlStateOf(error) === '0A000' ? refused(target, `${target.target} ${cannotCopy}`, hints.owner, error) : error;
  });
  if (sample === null && how.messages !== undefined) {
    throw refused(target, `${target.target} has users already: nothing was loaded`, hints.empty);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const messagesPerSecond = Math.round((sample?.messages ?? 0) / seconds);
  return { ...opened, sample, signIn: sample && firstUser(), seconds, messagesPerSecond };
}

const cannotCopy = 'is the embedded database of another process, which takes no COPY from this one: nothing was loaded';
const hints = {
  development: 'The passwords of the sample are in the open: load it into a database for development on this machine.',
  owner: 'Stop that process, unset POSTGRES_URL, and run this again: it then opens the database itself.',
  empty: 'Empty it with npx mytx reset, which deletes every row, or set POSTGRES_URL to another database.',
};

function refused({ target }: Target, message: string, hint: string, cause?: unknown): SeedError {
  return new SeedError('SEED_REFUSED', message, hint, { target }, cause);
}

/** A server is migrated first; an embedded database migrates itself. */
async function openUpToDate({ engine, options, restriction }: Target, how: StartOptions): Promise<OpenReport> {
  const { onProgress, signal, socket = true } = how;
  const migrated = engine === 'server' && restriction === null ? await migrateServer(options, how) : undefined;
  signal?.throwIfAborted();
  // Creating it is told by whoever does it.
  if (engine === 'server' || existsSync(embeddedData)) onProgress('opening the database');
  const opened = await openDatabase({ ...options, onProgress, socket });
  signal?.throwIfAborted();
  const warnings = [...opened.warnings, ...(migrated?.notes ?? [])];
  return { ...opened, applied: migrated?.applied ?? opened.applied, warnings };
}

function migrateServer(options: DatabaseOptions, { onProgress, signal }: StartOptions): Promise<MigrateReport> {
  onProgress('comparing the migrations');
  return migrate(options, {
    onMigration: ({ name, number, of }) => onProgress(`applying migration ${name} (${number} of ${of})`),
    onLockWait: ({ pid, waitedMs }) => {
      signal?.throwIfAborted();
      const seconds = Math.round(waitedMs / 1000);
      onProgress(`waiting for another deploy (server process ${pid ?? 'unknown'}), ${seconds} s`);
    },
  });
}

function loadSample({ onProgress, signal }: StartOptions): Promise<LoadedSample | null> {
  return loadSampleAssistant({
    onProgress: ({ done, total }) => onProgress(`loading the sample assistant: ${done} of ${total} messages`),
    ...(signal ? { signal } : {}),
  });
}

function loadCounted({ messages, onCount, signal }: SeedOptions, startMs: number): Promise<LoadedSample | null> {
  const options: LoadOptions = {
    onProgress: (counted) => onCount({ ...counted, elapsedMs: performance.now() - startMs }),
    ...(signal ? { signal } : {}),
  };
  if (messages === undefined) return loadSampleAssistant(options);
  return loadScaledSample({ ...options, messages });
}

function firstUser(): StartReport['signIn'] {
  const [user] = sampleUsers;
  return user ? { email: user.email, password: user.password } : null;
}

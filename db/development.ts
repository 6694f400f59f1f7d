// What the development commands do to a database: which one it is, and how it is made ready to work with.
// Never migrates a server that is not on this machine, and never loads the sample (its passwords are in the open)
// there or in production. Reads no environment: the command line does.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseServerUrl } from './connection/url.ts';
import { openDatabase } from './database.ts';
import { type DatabaseOptions, type MigrateReport, migrate, type OpenReport } from './opening.ts';
import { type LoadedSample, loadSampleAssistant } from './sample/load.ts';
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
export async function startDevelopment(
  { engine, options, restriction }: Target,
  how: StartOptions,
): Promise<StartReport> {
  const { onProgress, signal, socket = true } = how;
  const migrated = engine === 'server' && restriction === null ? await migrateServer(options, how) : undefined;
  signal?.throwIfAborted();
  // Creating it is told by whoever does it.
  if (engine === 'server' || existsSync(embeddedData)) onProgress('opening the database');
  const opened = await openDatabase({ ...options, onProgress, socket });
  signal?.throwIfAborted();
  const sample = restriction === null ? await loadSample(how) : null;
  onProgress('counting the rows of each table');
  const tables = await countRows();
  return {
    ...opened,
    applied: migrated?.applied ?? opened.applied,
    warnings: [...opened.warnings, ...(migrated?.notes ?? [])],
    sample,
    signIn: sample && firstUser(),
    tables,
  };
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

function firstUser(): StartReport['signIn'] {
  const [user] = sampleUsers;
  return user ? { email: user.email, password: user.password } : null;
}

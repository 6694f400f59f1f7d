// createTestDatabase: a migrated, empty database that is the caller's alone, on a server or in memory.

import { parseServerUrl } from '../connection/url.ts';
import { closeDatabase, createDatabase, execute, openDatabase } from '../database.ts';
import { readEnvironment } from '../environment.ts';
import { ConnectionError } from '../errors.ts';
import type { DatabaseOptions } from '../opening.ts';
import { embeddedTemplate } from './embedded-template.ts';
import { emptyTables } from './empty-tables.ts';
import { copyOnServer } from './server-template.ts';

export interface TestDatabaseOptions extends Omit<DatabaseOptions, 'folder' | 'snapshot' | 'replicaUrls' | 'replicas'> {
  /**
   * A server on which databases may be made and dropped; unless given, MYTX_TEST_URL. Without both the database is in
   * memory. POSTGRES_URL is never taken: it may be one that people work with.
   */
  url?: string;
  /** Allows a server that is not on this machine. */
  allowRemote?: boolean;
  /** Makes it the database of every query of this process that is not inside another one's `run`. */
  isDefault?: boolean;
}

export interface TestDatabase {
  /** For tools and other processes; null for one in memory. */
  readonly url: string | null;
  /** Every query called inside `work` uses this database. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Empties every table, those of the application's own migrations too, and starts its sequences anew. */
  reset(): Promise<void>;
  /** Closes it, and drops it from the server. */
  close(): Promise<void>;
}

/**
 * Makes a migrated, empty database that nobody else uses. The first one of a process may take seconds.
 *
 * @throws ConnectionError TEST_DATABASE_REFUSED where the server is not on this machine, or the role may make none
 * @throws ConnectionError DATABASE_OPEN with `isDefault`, when the default database is open already
 * @example
 * const database = await createTestDatabase({ isDefault: true });
 * beforeEach(() => database.reset());
 * afterAll(() => database.close());
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { url: given, allowRemote = false, isDefault = false, ...rest } = options;
  const url = given ?? (readEnvironment().MYTX_TEST_URL || undefined);
  if (url === undefined) {
    const snapshot = await embeddedTemplate(rest.migrationsFolder);
    return opened(null, { ...rest, folder: 'memory', snapshot }, isDefault);
  }
  refuseRemote(url, allowRemote, rest.allowPlaintext);
  const copy = await copyOnServer({ ...rest, url });
  try {
    return await opened(copy.url, { ...rest, url: copy.url }, isDefault, copy.drop);
  } catch (error) {
    await copy.drop();
    throw error;
  }
}

function refuseRemote(url: string, allowRemote: boolean, allowPlaintext = false): void {
  const { isLoopback, target } = parseServerUrl(url, allowPlaintext);
  if (isLoopback || allowRemote) return;
  throw new ConnectionError(
    'TEST_DATABASE_REFUSED',
    `${target} is not on this machine, and tests would make and drop databases there`,
    'If that server is for tests, say so: createTestDatabase({ allowRemote: true }). Otherwise set MYTX_TEST_URL to one on this machine, or leave it out.',
  );
}

async function opened(
  url: string | null,
  options: DatabaseOptions,
  isDefault: boolean,
  drop: () => Promise<void> = async () => {},
): Promise<TestDatabase> {
  const database = isDefault ? await openAsDefault(options) : await createDatabase(options);
  const run: TestDatabase['run'] = (work) => database.run(work);
  return {
    url,
    run,
    reset: () => run(() => emptyTables(async (statement) => (await execute(statement, [], false)).rows)),
    async close(): Promise<void> {
      await database.close();
      await drop();
    },
  };
}

async function openAsDefault(
  options: DatabaseOptions,
): Promise<{ run<T>(work: () => Promise<T>): Promise<T>; close(): Promise<void> }> {
  await openDatabase(options);
  return { run: (work) => work(), close: closeDatabase };
}

// Whether a server's schema has every migration that this code was written for, and whether the server itself answers.
// One query, when it is opened. A newer schema is fine: code of the last release must run while the next one is rolled out.

import type { Connection } from './connection/connection.ts';
import { sqlStateOf } from './connection/failure.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import { checkPooling, processColumn } from './connection/pooler.ts';
import { SchemaError } from './errors.ts';
import type { ExpectedMigration } from './migrations-folder.ts';

const historyQuery = `select created_at::text, ${processColumn}, hash from drizzle.__drizzle_migrations`;

/**
 * @returns warnings
 * @throws SchemaError SCHEMA_BEHIND or, where the role may not read the history, SCHEMA_UNREADABLE
 * @throws ConnectionError POOLER_UNDECLARED
 */
export function checkServer(database: OpenDatabase, expected: readonly ExpectedMigration[]): Promise<string[]> {
  return database.withConnection(async (connection) => {
    const applied = await readApplied(database, connection);
    const missing = missingOf(expected, applied);
    if (missing.length > 0) throw schemaBehind(database.engine.target, missing);
    return checkPooling(database, connection, applied.pid);
  });
}

/** The names of migrations that a database lacks. */
export function findMissing(database: OpenDatabase, expected: readonly ExpectedMigration[]): Promise<string[]> {
  return database.withConnection(async (connection) => missingOf(expected, await readApplied(database, connection)));
}

function missingOf(expected: readonly ExpectedMigration[], { times, hashes }: Applied): string[] {
  return expected
    .filter(({ when, readHash }) => !times.has(String(when)) && !hashes.has(readHash()))
    .map(({ tag }) => tag);
}

function schemaBehind(target: string, missing: readonly string[]): SchemaError {
  return new SchemaError(
    'SCHEMA_BEHIND',
    `${target} lacks ${missing.length} migration${missing.length === 1 ? '' : 's'}: ${missing.join(', ')}`,
    'Apply them: npx tsx db/migrate.ts, or npx mytx migrate',
    { missing },
  );
}

interface Applied {
  /** The times of the migrations in the journal. */
  times: ReadonlySet<unknown>;
  /** The hashes of their files. */
  hashes: ReadonlySet<unknown>;
  /** The server process that said so. */
  pid: unknown;
}

async function readApplied(database: OpenDatabase, connection: Connection): Promise<Applied> {
  try {
    const { rows } = await database.runIn(connection, historyQuery, [], false, 'read');
    return {
      times: new Set(rows.map(([createdAt]) => createdAt)),
      hashes: new Set(rows.map(([, , hash]) => hash)),
      pid: rows[0]?.[1],
    };
  } catch (error) {
    const state = sqlStateOf(error);
    // The table is not there: no migration ever ran.
    if (state === '42P01' || state === '3F000') return { times: new Set(), hashes: new Set(), pid: undefined };
    if (state !== '42501') throw error;
    throw new SchemaError(
      'SCHEMA_UNREADABLE',
      `the role may not read which migrations ${database.engine.target} has`,
      'As its owner run: grant usage on schema drizzle to <role>; grant select on drizzle.__drizzle_migrations to <role>;',
      {},
      error,
    );
  }
}

// Whether a server's schema has every migration that this code was written for, and whether the server itself answers.
// One query, when it is opened. A newer schema is fine: code of the last release must run while the next one is rolled out.

import type { Connection } from './connection/connection.ts';
import { sqlStateOf } from './connection/failure.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import { checkPooling, processColumn } from './connection/pooler.ts';
import { SchemaError } from './errors.ts';
import type { JournalEntry } from './migrations-folder.ts';

const historyQuery = `select created_at::text, ${processColumn} from drizzle.__drizzle_migrations`;

/**
 * @returns warnings
 * @throws SchemaError SCHEMA_BEHIND or, where the role may not read the history, SCHEMA_UNREADABLE
 * @throws ConnectionError POOLER_UNDECLARED
 */
export function checkServer(database: OpenDatabase, expected: readonly JournalEntry[]): Promise<string[]> {
  return database.withConnection(async (connection) => {
    const { applied, pid } = await readApplied(database, connection);
    const missing = expected.filter(({ when }) => !applied.has(String(when))).map(({ tag }) => tag);
    if (missing.length > 0) throw schemaBehind(database.engine.target, missing);
    return checkPooling(database, connection, pid);
  });
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
  applied: ReadonlySet<unknown>;
  /** The server process that said so. */
  pid: unknown;
}

async function readApplied(database: OpenDatabase, connection: Connection): Promise<Applied> {
  try {
    const { rows } = await database.runIn(connection, historyQuery, [], false, 'read');
    return { applied: new Set(rows.map(([createdAt]) => createdAt)), pid: rows[0]?.[1] };
  } catch (error) {
    const state = sqlStateOf(error);
    // The table is not there: no migration ever ran.
    if (state === '42P01' || state === '3F000') return { applied: new Set(), pid: undefined };
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

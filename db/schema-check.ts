// Whether a server's schema has every migration that this code was written for. One query, when it is opened.
// A newer schema is fine: code of the last release must run while the next one is rolled out.

import journal from '../lib/drizzle/meta/_journal.json' with { type: 'json' };
import { sqlStateOf } from './connection/failure.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import { SchemaError } from './errors.ts';

const historyQuery = 'select created_at::text from drizzle.__drizzle_migrations';

/** @throws SchemaError SCHEMA_BEHIND or, where the role may not read the history, SCHEMA_UNREADABLE */
export async function assertSchemaCurrent(database: OpenDatabase): Promise<void> {
  const applied = await readApplied(database);
  const missing = journal.entries.filter(({ when }) => !applied.has(String(when))).map(({ tag }) => tag);
  if (missing.length === 0) return;
  const { target } = database.engine;
  throw new SchemaError(
    'SCHEMA_BEHIND',
    `${target} lacks ${missing.length} migration${missing.length === 1 ? '' : 's'}: ${missing.join(', ')}`,
    'Apply them: npx tsx db/migrate.ts',
    { missing },
  );
}

/** The name of the migration with this time in the journal; null for one that is not there. */
export function nameOfMigration(when: number): string | null {
  return journal.entries.find((entry) => entry.when === when)?.tag ?? null;
}

async function readApplied(database: OpenDatabase): Promise<Set<unknown>> {
  try {
    const { rows } = await database.run(historyQuery, [], false);
    return new Set(rows.map(([createdAt]) => createdAt));
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === '42P01' || state === '3F000') return new Set(); // the table is not there: no migration ever ran
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

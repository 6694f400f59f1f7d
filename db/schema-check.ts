// Whether a server's schema has every migration that this code was written for, whether the login sees rows under its
// row-level security, and whether the server itself answers. One query, when it is opened. A newer schema is fine: code of the last release must run while the next one is rolled out.

import type { Connection } from './connection/connection.ts';
import { sqlStateOf } from './connection/failure.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import { checkPooling, processColumn } from './connection/pooler.ts';
import { serviceRole, userRole } from './connection/user-role.ts';
import { AccessError, SchemaError } from './errors.ts';
import type { ExpectedMigration } from './migrations-folder.ts';

/** A login that is no member of the service role sees no row outside of asUser: of no migration's making, but a new login's. */
const isBlind = `row_security_active(to_regclass('"Chat"')) and not coalesce(
  (select pg_has_role(oid, 'usage') from pg_catalog.pg_roles where rolname = '${serviceRole}'), false)`;
const historyQuery = `select created_at::text, ${processColumn}, hash, session_user, ${isBlind}
from drizzle.__drizzle_migrations`;

/**
 * @returns warnings
 * @throws SchemaError SCHEMA_BEHIND or, where the role may not read the history, SCHEMA_UNREADABLE
 * @throws AccessError RLS_NOT_READY where the login would see no row
 * @throws ConnectionError POOLER_UNDECLARED
 */
export function checkServer(database: OpenDatabase, expected: readonly ExpectedMigration[]): Promise<string[]> {
  return database.withConnection(async (connection) => {
    const applied = await readApplied(database, connection);
    const missing = missingOf(expected, applied);
    if (missing.length > 0) throw schemaBehind(database.engine.target, missing);
    if (applied.blindLogin !== undefined) throw loginIsBlind(database.engine.target, applied.blindLogin);
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
  /** The login, where row-level security hides every row from it. */
  blindLogin?: string;
}

function loginIsBlind(target: string, login: string): AccessError {
  const statement = `grant ${serviceRole}, ${userRole} to "${login.replaceAll('"', '""')}"`;
  return new AccessError(
    'RLS_NOT_READY',
    `row-level security of ${target} would hide every row: ${login} is no member of ${serviceRole}`,
    `An administrator, or the tables' owner, runs: ${statement};`,
    { missing: [`${login} is no member of ${serviceRole}`], statements: [`${statement};`] },
  );
}

async function readApplied(database: OpenDatabase, connection: Connection): Promise<Applied> {
  try {
    const { rows } = await database.runIn(connection, historyQuery, [], false, 'read');
    return {
      times: new Set(rows.map(([createdAt]) => createdAt)),
      hashes: new Set(rows.map(([, , hash]) => hash)),
      pid: rows[0]?.[1],
      ...(rows[0]?.[4] === true ? { blindLogin: rows[0][3] as string } : {}),
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

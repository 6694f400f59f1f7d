// Every table of people's data, with every operation, as somebody: how many rows of whom does row-level security let
// through? Plain SQL as the role of asUser, so that no `where` of ours helps.

import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { expect } from 'vitest';
import { protocols, protocolVersions } from '../../db/protocols-schema.ts';
import { db } from '../../db/queries.ts';
import * as schema from '../../db/schema.ts';
import { idOf, resetToTwoUsers, timeOf } from './two-users.ts';

/** What is in `app.user_id`: a user, never set, set to nothing, or no id. */
export const tenants = ['ada', 'nobody', 'unset', 'empty', 'malformed'] as const;
export type Tenant = (typeof tenants)[number];

export interface OwnedTable {
  name: string;
  userColumn: string;
}

/** All tables of the schema that have a user's id. One without would be missed here and found by checkRowSecurity. */
export const ownedTables: readonly OwnedTable[] = Object.values<unknown>({ ...schema, protocols, protocolVersions })
  .filter((value): value is PgTable => is(value, PgTable))
  .flatMap((table) => {
    const columns = getTableColumns(table) as Record<string, { name: string }>;
    const name = getTableName(table);
    const column = columns.userId ?? (name === 'User' ? columns.id : undefined);
    return column ? [{ name, userColumn: column.name }] : [];
  });

const settings: Record<Tenant, string | undefined> = {
  ada: idOf('user', 'ada'),
  nobody: '00000000-0000-4000-8000-000000000000',
  unset: undefined,
  empty: '',
  malformed: "x' or true",
};

/** Ada and bob with rows in every table. */
export async function resetWithSearchRows(): Promise<void> {
  await resetToTwoUsers();
  for (const owner of ['ada', 'bob'] as const) {
    const userId = idOf('user', owner);
    const segment = {
      userId,
      id: idOf('none', owner),
      documents: 1,
      gramBits: 0,
      oldestAt: timeOf(0),
      newestAt: timeOf(0),
    };
    await db.insert(schema.searchSegment).values({ ...segment, kind: 'message' });
    await db.insert(schema.searchBlock).values({ userId, segmentId: segment.id, number: 0, bytes: Buffer.from('x') });
  }
}

/** Ends a transaction with what it found, and without what it did. */
class Found extends Error {
  constructor(readonly what: string) {
    super(what);
  }
}

/** Runs statements as the role of asUser, and takes them back. @returns the count of rows of the last, or a SQLSTATE */
async function attempt(tenant: Tenant, statement: string, params: readonly unknown[] = []): Promise<string> {
  const setting = settings[tenant];
  try {
    await db.transaction(async () => {
      await db.execute('set local role mytx_user');
      if (setting !== undefined) await db.execute(`set local app.user_id = '${setting.replaceAll("'", "''")}'`);
      const parts = statement.split('$1');
      const query =
        params.length === 0
          ? sql.raw(statement)
          : sql`${sql.raw(parts[0] ?? '')}${params[0]}${sql.raw(parts[1] ?? '')}`;
      const { count } = await db.execute(query);
      throw new Found(`${count} rows`);
    });
  } catch (error) {
    if (error instanceof Found) return error.what;
    const { sqlState } = (error as { details?: { sqlState?: string } }).details ?? {};
    if (sqlState === undefined) throw error;
    return sqlState;
  }
  throw new Error('not reached');
}

/** What each operation on a table gives a tenant. The database holds rows of ada and bob in the table. */
export async function operationsOn({ name, userColumn }: OwnedTable, tenant: Tenant): Promise<Record<string, string>> {
  const table = `"${name}"`;
  const column = `"${userColumn}"`;
  const bob = idOf('user', 'bob');
  const [row] = await db.execute<{ json: string }>(
    sql.raw(`select row_to_json(t)::text as json from ${table} t where ${column} = '${bob}' limit 1`),
  );
  const [key] = await db.execute<{ columns: string }>(
    sql`select string_agg(quote_ident(attname), ', ') as columns from pg_constraint, unnest(conkey) number
      join pg_attribute on attnum = number
      where conrelid = ${table}::regclass and attrelid = conrelid and contype = 'p'`,
  );
  const json = row?.json ?? '{}';
  const from = `select * from json_populate_record(null::${table}, ($1)::json)`;
  const mine = settings[tenant] ?? '';
  const stolen = JSON.stringify({ ...(JSON.parse(json) as object), [userColumn]: tenant === 'ada' ? mine : bob });
  const foreign = `${column} = '${bob}'`;
  return {
    select: await attempt(tenant, `select 1 from ${table}`),
    'select of another': await attempt(tenant, `select 1 from ${table} where ${foreign}`),
    update: await attempt(tenant, `update ${table} set ${column} = ${column}`),
    'update of another': await attempt(tenant, `update ${table} set ${column} = ${column} where ${foreign}`),
    delete: await attempt(tenant, `delete from ${table}`),
    'delete of another': await attempt(tenant, `delete from ${table} where ${foreign}`),
    'insert for another': await attempt(tenant, `insert into ${table} ${from}`, [json]),
    'upsert over another': await attempt(
      tenant,
      `insert into ${table} ${from} on conflict (${key?.columns}) do update set ${column} = excluded.${column}`,
      [tenant === 'ada' && !key?.columns.includes(userColumn) && name !== 'User' ? stolen : json],
    ),
    'give away': await attempt(tenant, `update ${table} set ${column} = '${bob}'`),
    truncate: await attempt(tenant, `truncate ${table} cascade`),
  };
}

/** What is right: one's own rows, else nothing; an error where a row would be another's. */
export function expectedOf(tenant: Tenant, own: number): Record<string, unknown> {
  const rows = tenant === 'ada' ? own : 0;
  // A setting that is no id fails at the cast, if that is come to.
  const counted = (count: number): unknown =>
    tenant === 'malformed' ? expect.stringMatching(/^(22P02|0 rows)$/) : `${count} rows`;
  const refused = tenant === 'malformed' ? '22P02' : '42501';
  return {
    select: counted(rows),
    'select of another': counted(0),
    update: counted(rows),
    'update of another': counted(0),
    delete: counted(rows),
    'delete of another': counted(0),
    'insert for another': refused,
    'upsert over another': refused,
    'give away': tenant === 'ada' ? '42501' : counted(0),
    truncate: '42501',
  };
}

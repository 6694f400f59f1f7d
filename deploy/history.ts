// What a database says of the migrations it has: Drizzle's own table, read and written as Drizzle does, 0.45 and 1.0.
// "Can't read the history" is an error, never "the history is empty".

import { DeployError } from './errors.ts';
import type { Layout, Migration } from './migrations.ts';
import { quoteName, quoteText } from './quoting.ts';
import { type DeploySession, orUnreadable, type PostgresFailure } from './session.ts';

/** Where Drizzle keeps the history: `migrations: { schema, table }` of its config. */
export interface HistoryTable {
  schema: string;
  table: string;
}

export const drizzleHistory: HistoryTable = { schema: 'drizzle', table: '__drizzle_migrations' };

export interface AppliedMigration {
  createdAt: number;
  hash: string;
  /** Drizzle 1.0 keeps the folder's name; undefined in a table of 0.45. */
  name: string | undefined;
}

const qualifiedName = ({ schema, table }: HistoryTable): string => `${quoteName(schema)}.${quoteName(table)}`;

/** Creates the schema and table of the history where they are missing, as Drizzle of that layout does. Call it under the lock. */
export function createHistory(
  session: DeploySession,
  at: HistoryTable = drizzleHistory,
  layout: Layout = 'journal',
): Promise<void> {
  const names = layout === 'folders' ? ', name text, applied_at timestamptz default now()' : '';
  return orUnreadable(
    (cause) => historyUnreadable(at, cause),
    async () => {
      if (await isThere(session, at)) return;
      await session.script(`
      create schema if not exists ${quoteName(at.schema)};
      create table if not exists ${qualifiedName(at)} (id serial primary key, hash text not null, created_at bigint${names});
    `);
    },
  );
}

async function isThere(session: DeploySession, at: HistoryTable): Promise<boolean> {
  const [found] = await session.query(`select to_regclass(${quoteText(qualifiedName(at))})::text as found`);
  return found?.found !== null;
}

/** In the order in which they were generated; none where the table is not there. */
export function readHistory(session: DeploySession, at: HistoryTable = drizzleHistory): Promise<AppliedMigration[]> {
  return orUnreadable(
    (cause) => historyUnreadable(at, cause),
    async () => {
      if (!(await isThere(session, at))) return [];
      return (await session.query(historyStatement(at))).map(toApplied);
    },
  );
}

/** Of both of Drizzle's tables: that of 0.45 has no names. */
export const historyStatement = (at: HistoryTable): string =>
  `select hash, created_at::text, to_jsonb(h) ->> 'name' as name from ${qualifiedName(at)} h order by h.created_at, h.id`;

export function toApplied({ hash, created_at: createdAt, name }: Record<string, unknown>): AppliedMigration {
  return { hash: String(hash ?? ''), createdAt: Number(createdAt), name: (name ?? undefined) as string | undefined };
}

export function historyUnreadable(at: HistoryTable, cause: PostgresFailure): DeployError {
  const table = `${at.schema}.${at.table}`;
  return new DeployError({
    code: 'HISTORY_UNREADABLE',
    message: `the migrations that were applied can't be read from ${table} (SQLSTATE ${cause.code}: ${cause.message})`,
    hint: `Run as the owner of the schema ${at.schema}, or grant this role usage on it and select and insert on ${table}.`,
    cause,
  });
}

/** What is to be known before a row is written. */
export interface HistoryFacts {
  /** The history has exactly this migration. */
  isThere: boolean;
  /** It is Drizzle 1.0's table, with names. */
  hasNames: boolean;
}

/** In the transaction that is to write the row. */
export async function lookFor(
  session: DeploySession,
  { hash, createdAt, name }: Migration,
  at: HistoryTable = drizzleHistory,
): Promise<HistoryFacts> {
  const [row] = await session.query(
    `select exists (
       select from ${qualifiedName(at)} h
       where hash = $1::text and created_at = $2::bigint and coalesce(to_jsonb(h) ->> 'name', $3::text) = $3::text
     )::text as is_there, (
       select count(*) = 2 from pg_attribute
       where attrelid = to_regclass(${quoteText(qualifiedName(at))}) and attname in ('name', 'applied_at') and not attisdropped
     )::text as has_names`,
    [hash, String(createdAt), name],
  );
  return { isThere: row?.is_there === 'true', hasNames: row?.has_names === 'true' };
}

/** A history row, to be written in the transaction of the migration itself. */
export async function recordMigration(
  session: DeploySession,
  { hash, createdAt, name }: Migration,
  { hasNames }: HistoryFacts,
  at: HistoryTable = drizzleHistory,
): Promise<void> {
  const values = [hash, String(createdAt)];
  await (hasNames
    ? session.query(
        `insert into ${qualifiedName(at)} (hash, created_at, name, applied_at) values ($1::text, $2::bigint, $3::text, now())`,
        [...values, name],
      )
    : session.query(`insert into ${qualifiedName(at)} (hash, created_at) values ($1::text, $2::bigint)`, values));
}

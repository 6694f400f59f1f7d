// What a database says of the migrations it has: Drizzle's own table, read and written as Drizzle 0.45 does.
// "Can't read the history" is an error, never "the history is empty".

import { DeployError } from './errors.ts';
import type { Migration } from './migrations.ts';
import type { DeploySession, PostgresFailure } from './session.ts';

export interface AppliedMigration {
  createdAt: number;
  hash: string;
}

export interface Comparison {
  /** In the files and not in the database, in the order of the files. */
  pending: Migration[];
  /** Pending, though a newer one is applied already (Drizzle's own migrator passes these over in silence). */
  late: Migration[];
  /** Applied, and changed in the files since. */
  edited: Migration[];
}

const table = 'drizzle.__drizzle_migrations';

/** Creates the schema and table of the history where they are missing. Call it under the lock. */
export function createHistory(session: DeploySession): Promise<void> {
  return orUnreadable(async () => {
    const [found] = await session.query(`select to_regclass('${table}')::text as found`);
    if (found?.found) return;
    await session.script(`
      create schema if not exists drizzle;
      create table if not exists ${table} (id serial primary key, hash text not null, created_at bigint);
    `);
  });
}

export function readHistory(session: DeploySession): Promise<AppliedMigration[]> {
  return orUnreadable(async () => {
    const rows = await session.query(`select hash, created_at from ${table} order by created_at, id`);
    return rows.map((row) => ({ hash: row.hash ?? '', createdAt: Number(row.created_at) }));
  });
}

/** @throws DeployError HISTORY_UNREADABLE for what PostgreSQL refuses; a broken connection stays what it is */
async function orUnreadable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, message } = cause as PostgresFailure;
    if (!/^(3F|42)/.test(code ?? '')) throw cause;
    throw new DeployError({
      code: 'HISTORY_UNREADABLE',
      message: `the migrations that were applied can't be read from ${table} (SQLSTATE ${code}: ${message})`,
      hint: `Run as the owner of the schema drizzle, or grant this role usage on it and select and insert on ${table}.`,
      cause,
    });
  }
}

/** A history row, to be written in the transaction of the migration itself. */
export async function recordMigration(session: DeploySession, { hash, createdAt }: Migration): Promise<void> {
  await session.query(`insert into ${table} (hash, created_at) values ($1::text, $2::bigint)`, [
    hash,
    String(createdAt),
  ]);
}

/**
 * Compares files and history: a migration is recognised by its time, as Drizzle does, and checked by its hash. Where no
 * file has the time of a history row, a file with that row's hash is the same migration under another time: so a file
 * that was copied or generated again is not applied a second time.
 */
export function compare(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Comparison {
  const hashes = new Map(applied.map(({ createdAt, hash }) => [createdAt, hash]));
  const newest = Math.max(...hashes.keys(), Number.NEGATIVE_INFINITY);
  const times = new Set(migrations.map(({ createdAt }) => createdAt));
  const strays = applied.filter(({ createdAt }) => !times.has(createdAt)).map(({ hash }) => hash);
  const pending = migrations.filter(({ createdAt, hash }) => !hashes.has(createdAt) && !takeOne(strays, hash));
  return {
    pending,
    late: pending.filter(({ createdAt }) => createdAt < newest),
    edited: migrations.filter(({ createdAt, hash }) => hashes.has(createdAt) && hashes.get(createdAt) !== hash),
  };
}

/** Each row of the history stands for one file. */
function takeOne(hashes: string[], hash: string): boolean {
  const index = hashes.indexOf(hash);
  if (index !== -1) hashes.splice(index, 1);
  return index !== -1;
}

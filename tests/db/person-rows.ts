// Everything the database has of a person, table by table, as text: what an export must hold, and what an erasure must not
// leave. Reads the catalogue, so that a table added later is here too.

import { sql } from 'drizzle-orm';
import { db } from '../../db/database.ts';
import { readCatalogue } from './catalogue.ts';

/** Columns that are made again from others: an import leaves them empty. */
export const derivedColumns: Readonly<Record<string, string[]>> = {
  Chat: ['indexedCount'],
  Memory: ['content_index', 'search_digest'],
};

const userColumns = ['userId', 'user_id'];

/** The column with the id of a user, of each table that has one. */
export async function tablesOfPeople(): Promise<Record<string, string>> {
  const tables: Record<string, string> = {};
  for (const [table, { columns }] of Object.entries(await readCatalogue())) {
    const column = table === 'User' ? 'id' : columns.find(({ name }) => userColumns.includes(name))?.name;
    if (column) tables[table] = column;
  }
  return tables;
}

interface TableOfPeople {
  userColumn: string;
  /** The columns that are not made again. */
  kept: string[];
}

/** Read once: the catalogue takes longer than the rows. */
let known: Promise<Record<string, TableOfPeople>> | undefined;

async function readTables(): Promise<Record<string, TableOfPeople>> {
  const catalogue = await readCatalogue();
  const entries = Object.entries(await tablesOfPeople()).map(([table, userColumn]): [string, TableOfPeople] => {
    const columns = (catalogue[table]?.columns ?? []).map(({ name }) => name);
    return [table, { userColumn, kept: columns.filter((name) => !derivedColumns[table]?.includes(name)) }];
  });
  return Object.fromEntries(entries);
}

/** The rows of a person, each as one text, but for the columns that are made again. */
export async function rowsOfPerson(userId: string): Promise<Record<string, string[]>> {
  const rows: Record<string, string[]> = {};
  known ??= readTables();
  for (const [table, { userColumn, kept }] of Object.entries(await known)) {
    const row = sql.join(
      kept.map((name) => sql`${sql.identifier(name)}`),
      sql`, `,
    );
    const found = await db.execute<{ line: string }>(
      sql`select row(${row})::text as line from ${sql.identifier(table)} where ${sql.identifier(userColumn)} = ${userId} order by 1`,
    );
    rows[table] = found.map(({ line }) => line);
  }
  return rows;
}

/** The tables in which any column of any row has this text. */
export async function tablesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.keys(await readCatalogue())) {
    const [row] = await db.execute<{ found: boolean }>(
      sql`select exists (select from ${sql.identifier(table)} t where t::text like ${`%${text}%`}) as found`,
    );
    if (row?.found) found.push(table);
  }
  return found;
}

/** How many rows each table has, of everybody. */
export async function countAllRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of Object.keys(await readCatalogue())) {
    const [row] = await db.execute<{ rows: number }>(sql`select count(*)::int as rows from ${sql.identifier(table)}`);
    counts[table] = row?.rows ?? -1;
  }
  return counts;
}

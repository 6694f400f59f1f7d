// How many rows each table has. Exact, so it reads every table: for development and demonstrations,
// never on the way of a request.

import { getTableName, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { db } from './database.ts';
import { protocols, protocolVersions } from './protocols-schema.ts';
import { apiKey, chat, memories, message, reservation, tasks, user } from './schema.ts';

export interface TableCount {
  table: string;
  rows: number;
}

const tables: readonly PgTable[] = [
  user,
  chat,
  message,
  memories,
  tasks,
  reservation,
  apiKey,
  protocols,
  protocolVersions,
];

/** Every table with its number of rows, as one statement sees them. */
export async function countRows(): Promise<TableCount[]> {
  const names = tables.map(getTableName);
  const columns = tables.map((table, i) => sql`${db.$count(table)} as ${sql.identifier(names[i] as string)}`);
  const [row] = await db.execute<Record<string, string>>(sql`select ${sql.join(columns, sql`, `)}`);
  return names.map((table) => ({ table, rows: Number(row?.[table]) }));
}

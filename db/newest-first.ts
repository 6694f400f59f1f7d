// The order of most lists: created last first, then by id; and its pages. One index of each table has
// (user, created, id), so that a page at any depth is one range of it.

import { desc, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { optionalLimit, optionalOffset, requireId } from './arguments.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import { readFor } from './database.ts';

interface OrderedTable {
  createdAt: AnyPgColumn;
  id: AnyPgColumn;
}

/** What every list takes. */
export interface ListArguments {
  userId: string;
  /** Rows of a page: 1 to 1,000; 20 unless given. */
  limit?: number;
  /** `nextCursor` of the page before. */
  cursor?: string | null;
}

export function newestFirst({ createdAt, id }: OrderedTable): SQL[] {
  return [desc(createdAt), desc(id)];
}

/** Rows behind the cursor's row: placeholders `createdAt` and `id`. */
export function afterCursor({ createdAt, id }: OrderedTable): SQL {
  return sql`(${createdAt}, ${id}) < (${sql.placeholder('createdAt')}::timestamptz, ${sql.placeholder('id')}::uuid)`;
}

interface PreparedList<Row> {
  execute(values: Record<string, unknown>): Promise<Row[]>;
}

/** Runs the statement for the first page or the one for a page behind a cursor. */
export async function readPage<Row extends { createdAt: Date; id: string }>(
  list: string,
  { userId, limit, cursor }: ListArguments,
  first: PreparedList<Row>,
  next: PreparedList<Row>,
): Promise<Page<Row>> {
  const rows = optionalLimit(limit, { fallback: 20, max: 1000 });
  const values = { userId: requireId('userId', userId), limit: rows + 1 };
  const keys = decodeCursor(list, cursor, isTimeAndId);
  const found = await readFor(values.userId, () =>
    keys
      ? next.execute({ ...values, createdAt: new Date(keys[0] as number).toISOString(), id: keys[1] })
      : first.execute(values),
  );
  return toPage(found, rows, (last) => encodeCursor(list, [last.createdAt.getTime(), last.id]));
}

/** What ISO text with a year of four digits can say. */
const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

function isTimeAndId(keys: unknown[]): boolean {
  const [time, id] = keys;
  return (
    keys.length === 2 &&
    Number.isInteger(time) &&
    (time as number) >= earliest &&
    (time as number) <= latest &&
    typeof id === 'string' &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
  );
}

/** Reads of a whole list in one array: 1,000 rows unless `limit` says otherwise. */
export interface ArrayArguments {
  userId: string;
  /** 1 to 10,000; 1,000 unless given. */
  limit?: number;
  /** Rows to pass over; for pages of a large list use the `list*` function and its cursor. */
  offset?: number;
}

/** Rows of a whole list in one array. */
export const arrayLimit = { fallback: 1000, max: 10_000 } as const;

/** Runs the statement of a whole list. @param more values of placeholders of its own */
export async function readArray<Row>(
  list: PreparedList<Row>,
  { userId, limit, offset }: ArrayArguments,
  more: Record<string, unknown> = {},
): Promise<Row[]> {
  const values = {
    userId: requireId('userId', userId),
    limit: optionalLimit(limit, arrayLimit),
    offset: optionalOffset(offset),
    ...more,
  };
  return readFor(values.userId, () => list.execute(values));
}

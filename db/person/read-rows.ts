// The rows of a person in one table, as the lines of an export, a few at a time: in the order of the table's key, as the
// running transaction sees them. Holds a few megabytes, or one message that is larger than that.

import type { PgColumn } from 'drizzle-orm/pg-core';
import { execute } from '../database.ts';
import { uuidv7 } from '../uuid.ts';
import { toFileValue } from './field-values.ts';
import { rowLine } from './format.ts';
import { fieldsOf, type PersonTable, quoted } from './person-tables.ts';

/** Rows in a batch, and how many bytes of what is kept verbatim, unless one row has more. */
const batch = { rows: 250, bytes: 1024 * 1024 };

/** So many sizes are read ahead. */
const sizesAhead = 5_000;

/** Lines of rows, in batches. */
export async function* readRows(
  table: PersonTable,
  userId: string,
  includesSecrets: boolean,
): AsyncGenerator<string[], void, void> {
  const fields = fieldsOf(table, includesSecrets);
  const rows = await openCursor(rowsOf(table, fields), userId);
  for await (const count of countsOfBatches(table, userId)) {
    const found = await rows.fetch(count);
    yield found.map((row) => toLine(table, fields, row));
  }
  await rows.close();
}

function toLine(table: PersonTable, fields: readonly [string, PgColumn][], row: readonly unknown[]): string {
  const values: Record<string, unknown> = {};
  let text: string | undefined;
  for (const [i, [name, column]] of fields.entries()) {
    if (name === table.verbatim) text = row[i] as string;
    else values[name] = toFileValue(column, row[i]);
  }
  return rowLine(table, values, text);
}

/** How many rows make a batch, one batch after another: a row's size is known before it is read. */
async function* countsOfBatches(table: PersonTable, userId: string): AsyncGenerator<number, void, void> {
  const sizes = await openCursor(sizesOf(table), userId);
  let count = 0;
  let bytes = 0;
  for (let found = await sizes.fetch(sizesAhead); found.length > 0; found = await sizes.fetch(sizesAhead)) {
    for (const [size] of found) {
      if (count === batch.rows || (count > 0 && bytes + (size as number) > batch.bytes)) {
        yield count;
        count = 0;
        bytes = 0;
      }
      count += 1;
      bytes += size as number;
    }
  }
  if (count > 0) yield count;
  await sizes.close();
}

interface Cursor {
  fetch(rows: number): Promise<unknown[][]>;
  close(): Promise<void>;
}

/** A cursor stands still while its rows are used: no index has the order that messages are in, and they are sorted once. */
async function openCursor(query: string, userId: string): Promise<Cursor> {
  const name = quoted(`mytx_${uuidv7()}`);
  const owner = { userId };
  await execute(`declare ${name} no scroll cursor for ${query}`, [userId], false, owner);
  return {
    fetch: async (rows) => (await execute(`fetch forward ${rows} from ${name}`, [], false, owner)).rows,
    close: async () => void (await execute(`close ${name}`, [], false, owner)),
  };
}

function sizesOf(table: PersonTable): string {
  const { fields, verbatim } = table;
  const size = verbatim === undefined ? '0' : `octet_length(${nameOf(fields[verbatim])}::text)`;
  return `select ${size}
from ${quoted(table.name)}
where ${quoted(table.userColumn)} = $1::uuid
order by ${orderOf(table)}`;
}

/** What is kept verbatim becomes text behind the sort: that moves short rows. */
function rowsOf(table: PersonTable, fields: readonly [string, PgColumn][]): string {
  const columns = fields.map(([name, column]) => nameOf(column) + (name === table.verbatim ? '::text' : ''));
  return `select ${columns.join(', ')}
from (
  select *
  from ${quoted(table.name)}
  where ${quoted(table.userColumn)} = $1::uuid
  order by ${orderOf(table)}
) ordered
order by ${orderOf(table)}`;
}

function orderOf({ key, fields }: PersonTable): string {
  return key.map((name) => nameOf(fields[name])).join(', ');
}

function nameOf(column: PgColumn | undefined): string {
  return quoted((column as PgColumn).name);
}

/** How many rows of a person each table has. */
export async function countRowsOf(tables: readonly PersonTable[], userId: string): Promise<Record<string, number>> {
  const counts = tables.map(
    ({ name, userColumn }) => `(select count(*)::int from ${quoted(name)} where ${quoted(userColumn)} = $1::uuid)`,
  );
  const { rows } = await execute(`select ${counts.join(',\n  ')}`, [userId], false);
  return Object.fromEntries(tables.map(({ name }, i) => [name, rows[0]?.[i] as number]));
}

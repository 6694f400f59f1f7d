// Kinds of columns and checks that both schema files use.

import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, customType, type PgTimestampBuilderInitial, timestamp } from 'drizzle-orm/pg-core';

/** A moment, to the millisecond: a JavaScript Date holds no more, and a cursor must be exact. */
export function moment<Name extends string>(name: Name): PgTimestampBuilderInitial<Name> {
  return timestamp(name, { withTimezone: true, precision: 3 });
}

/** Bytes, as a Buffer. */
export const bytea = customType<{ data: Buffer; driverData: Buffer | Uint8Array | string }>({
  dataType: () => 'bytea',
  fromDriver: (value) =>
    typeof value === 'string' ? Buffer.from(value.replace(/^\\x/, ''), 'hex') : Buffer.from(value),
});

/** A check that a text has at most `limit` characters. */
export function atMost(column: AnyPgColumn, limit: number): SQL {
  return sql`char_length(${column}) <= ${sql.raw(String(limit))}`;
}

/** A check that a text is not empty and has at most `limit` characters. */
export function between1And(column: AnyPgColumn, limit: number): SQL {
  return sql`char_length(${column}) between 1 and ${sql.raw(String(limit))}`;
}

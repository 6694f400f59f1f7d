// A value of a column between its row and a line of an export. Rows are read and written through the mapping of their
// Drizzle columns, so that a column that is encrypted is in the clear in the file, and encrypted anew when it is imported.

import type { PgColumn } from 'drizzle-orm/pg-core';
import { describe } from '../arguments.ts';
import { encode, type WireValue } from '../connection/connection.ts';

/** A value as it came from the database, as JSON has it: a time as ISO text, bytes as base64. */
export function toFileValue(column: PgColumn, fromDatabase: unknown): unknown {
  if (fromDatabase === null) return null;
  const value = column.mapFromDriverValue(fromDatabase);
  if (value instanceof Date) return value.toISOString();
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

/** What reads a field's values from lines as the database takes them. It throws a ValueProblem, without the value. */
export function fileValueReader(column: PgColumn): (value: unknown) => WireValue {
  const read = readers[kindOf(column)];
  return (value) => {
    if (value !== null) return encode(column.mapToDriverValue(read(value)));
    if (column.notNull) throw new ValueProblem('is null, which this field never is');
    return null;
  };
}

/** What is wrong with a value; the text goes on behind the name of its field. */
export class ValueProblem extends Error {}

type Kind = 'uuid' | 'text' | 'texts' | 'integer' | 'boolean' | 'time' | 'bytes' | 'json';

/** The type of a column without its limits: a cast to `varchar(64)` would cut, where assignment refuses. */
export function bareType(column: PgColumn): string {
  const type = column
    .getSQLType()
    .replaceAll(/\s*\(\d+\)/g, '')
    .replace('varchar', 'text');
  return type === 'timestamp with time zone' ? 'timestamptz' : type;
}

function kindOf(column: PgColumn): Kind {
  const kinds: Readonly<Record<string, Kind>> = {
    ...{ uuid: 'uuid', text: 'text', 'text[]': 'texts', integer: 'integer', bigint: 'integer', boolean: 'boolean' },
    ...{ timestamptz: 'time', bytea: 'bytes', json: 'json', jsonb: 'json' },
  };
  const type = bareType(column);
  const kind = kinds[type];
  if (!kind) throw new Error(`there is no form for ${type} in an export: add one here, and to docs/personal-data.md`);
  return kind;
}

const readers: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  uuid: (value) => must(typeof value === 'string' && uuid.test(value), value, 'a UUID in lower case'),
  text: readText,
  texts: (value) => {
    must(Array.isArray(value), value, 'an array of texts');
    return (value as unknown[]).map(readText);
  },
  integer: (value) => must(Number.isSafeInteger(value), value, 'a whole number'),
  boolean: (value) => must(typeof value === 'boolean', value, 'true or false'),
  time: (value) => {
    const time = typeof value === 'string' && isoTime.test(value) ? new Date(value) : undefined;
    must(time && !Number.isNaN(time.getTime()), value, 'a time such as 2027-03-01T09:00:00.000Z');
    return time;
  },
  bytes: (value) => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
    must(bytes?.toString('base64') === value, value, 'bytes in base64');
    return bytes;
  },
  json: (value) => value,
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function readText(value: unknown): unknown {
  must(typeof value === 'string', value, 'a text');
  return must((value as string).isWellFormed() && !(value as string).includes('\0'), value, 'a text without U+0000');
}

function must(isRight: unknown, value: unknown, allowed: string): unknown {
  if (isRight) return value;
  throw new ValueProblem(`is ${describe(value)}; it must be ${allowed}`);
}

// The lines of an export: what they look like, how they are read, and what is refused. docs/personal-data.md describes the
// form for whoever gets the file. Each line ends with a line feed; the hash of the last one is over all before it.

import { describe, quote } from '../arguments.ts';
import { PersonDataError } from '../errors.ts';
import { type LimitName, limits, raising } from '../limit-settings.ts';
import { isDeeperThan } from './json-depth.ts';
import { fieldsOf, type PersonTable, personTables } from './person-tables.ts';

export const formatName = 'mytx-person';
export const formatVersion = 1;

/** The first line. */
export interface Header {
  format: typeof formatName;
  version: typeof formatVersion;
  /** When the rows were what the file says. */
  exportedAt: string;
  userId: string;
  /** Whether the hash of the password and the digests of API keys are in it. */
  includesSecrets: boolean;
  /** The tables, in the order of their rows. */
  tables: readonly string[];
  /** Tables of the application's own that may hold something of this person: they are not in the file. */
  otherTables: readonly string[];
}

/** How many rows there are of each table. */
export type RowCounts = Record<string, number>;

/** The last line: without it, or with another sum, the file was cut or changed. */
export interface End {
  rows: RowCounts;
  /** SHA-256 over every byte before this line, in hexadecimal digits. */
  sha256: string;
}

export const tableNames: readonly string[] = personTables.map(({ name }) => name);

export function headerLine(header: Omit<Header, 'format' | 'version' | 'tables'>): string {
  const { exportedAt, userId, includesSecrets, otherTables } = header;
  const first: Header = {
    ...{ format: formatName, version: formatVersion },
    ...{ exportedAt, userId, includesSecrets, tables: tableNames, otherTables },
  };
  return `${JSON.stringify(first)}\n`;
}

/**
 * The line of a row.
 * @param values of its fields, but the one that is kept verbatim
 * @param text of that one. JSON may have line breaks between its parts, which a line can't hold: then it is a JSON string
 */
export function rowLine({ name, verbatim }: PersonTable, values: Record<string, unknown>, text?: string): string {
  if (verbatim === undefined || text === undefined) return `${JSON.stringify({ table: name, row: values })}\n`;
  const held = /[\n\r]/.test(text) ? JSON.stringify(text) : text;
  return `${beforeVerbatim(name, verbatim, values)}${held}${behindVerbatim}`;
}

const behindVerbatim = '}}\n';

function beforeVerbatim(table: string, field: string, values: Record<string, unknown>): string {
  return `${JSON.stringify({ table, row: values }).slice(0, -2)},${JSON.stringify(field)}:`;
}

export function endLine(end: End): string {
  return `${JSON.stringify({ end })}\n`;
}

/** @param problem goes on behind `line 7 ` */
export function refuseLine(line: number, problem: string, hint: string = hints.line, cause?: unknown): PersonDataError {
  return new PersonDataError('IMPORT_REFUSED', `line ${line} ${problem}`, hint, { line }, cause);
}

/** Of what is more than may be written here, also where it was exported under a higher limit. */
export function refuseLarge(line: number, problem: string, limit: LimitName, size: number): PersonDataError {
  const max = limits()[limit];
  return new PersonDataError(
    'IMPORT_REFUSED',
    `line ${line} ${problem}; at most ${max} are allowed`,
    `Nothing was written. Make it smaller in the file it comes from.${raising(limit)}`,
    { line, limit, size, max },
  );
}

const hints = {
  line: 'Nothing was written. Import the file as exportUser wrote it, or export the person again.',
  version: `Nothing was written. Import it with the release that knows this version; this one knows version ${formatVersion}.`,
};

/** A line that was read, and where. */
export interface ReadLine {
  number: number;
  /** Without the line feed. */
  text: string;
}

/** What a line behind the first one is. */
export type Parsed =
  | { kind: 'row'; table: PersonTable; values: Record<string, unknown>; text?: string }
  | { kind: 'end'; end: End };

export function parseHeader({ number, text }: ReadLine): Header {
  const header = parseObject(number, text) as Partial<Header>;
  if (header.format !== formatName) throw refuseLine(number, `is not the first line of an export ("${formatName}")`);
  if (header.version !== formatVersion) {
    throw refuseLine(number, `has version ${safeQuote(header.version)}`, hints.version);
  }
  const { userId, includesSecrets, tables } = header;
  if (typeof userId !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(userId)) {
    throw refuseLine(number, 'has a userId that is no UUID in lower case');
  }
  if (typeof includesSecrets !== 'boolean')
    throw refuseLine(number, 'has an includesSecrets that is not true or false');
  if (JSON.stringify(tables) !== JSON.stringify(tableNames)) {
    throw refuseLine(number, `has other tables than version ${formatVersion}: ${tableNames.join(', ')}`);
  }
  return header as Header;
}

export function parseLine({ number, text }: ReadLine, { includesSecrets }: Header): Parsed {
  const parsed = parseObject(number, text);
  if ('end' in parsed) return { kind: 'end', end: parseEnd(number, parsed) };
  requireKeys(number, parsed, ['table', 'row'], 'a line');
  const table = personTables.find(({ name }) => name === parsed.table);
  if (!table) throw refuseLine(number, `has the table ${safeQuote(parsed.table)}; there are ${tableNames.join(', ')}`);
  const { row } = parsed;
  if (!isObject(row)) throw refuseLine(number, `has a row that is ${describe(row)}; it must be an object`);
  const names = fieldsOf(table, includesSecrets).map(([name]) => name);
  requireKeys(number, row, names, `a row of ${table.name}`);
  if (table.verbatim === undefined) {
    requireSmall(number, table, row);
    return { kind: 'row', table, values: row };
  }
  const { [table.verbatim]: value, ...values } = row;
  const kept = findVerbatim(number, text, table, values, value);
  requireSmall(number, table, row, kept);
  return { kind: 'row', table, values, text: kept };
}

/** The characters of the last field, which JSON.parse would not give back as they are. */
function findVerbatim(
  number: number,
  line: string,
  { name, verbatim = '' }: PersonTable,
  values: Record<string, unknown>,
  value: unknown,
): string {
  if (typeof value === 'string') {
    requireFlat(number, value, 0);
    return value;
  }
  const before = beforeVerbatim(name, verbatim, values);
  const end = behindVerbatim.length - 1;
  const held = line.slice(before.length, -end);
  if (line.startsWith(before) && isJson(held)) return held;
  throw refuseLine(number, `is not written as exportUser writes it: ${verbatim} is the last field, no field is twice`);
}

/** Before the text is parsed: neither that nor the database has to go so deep. */
function requireFlat(number: number, json: string, levelsAround: number): void {
  const { jsonDepth } = limits();
  if (!isDeeperThan(jsonDepth + levelsAround, json)) return;
  throw refuseLarge(
    number,
    `has a value of at least ${jsonDepth + 1} levels of arrays and objects`,
    'jsonDepth',
    jsonDepth + 1,
  );
}

/** `jsonb` is counted as it was handed over, which is without the spaces that the database puts in. */
function requireSmall(number: number, { fields, sizes }: PersonTable, row: Record<string, unknown>, text = ''): void {
  for (const [name, limit] of Object.entries(sizes)) {
    const bytes = Buffer.byteLength(fields[name]?.getSQLType() === 'json' ? text : JSON.stringify(row[name]));
    if (bytes > limits()[limit]) throw refuseLarge(number, `has a ${name} of ${bytes} bytes of JSON`, limit, bytes);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseEnd(number: number, parsed: Record<string, unknown>): End {
  requireKeys(number, parsed, ['end'], 'the last line');
  const end = parsed.end as Partial<End>;
  if (!isObject(end)) throw refuseLine(number, `has an end that is ${describe(end)}; it must be an object`);
  requireKeys(number, end, ['rows', 'sha256'], 'the end');
  const { rows, sha256 } = end;
  if (!isObject(rows) || !Object.values(rows).every(Number.isSafeInteger)) {
    throw refuseLine(number, 'has rows that are not a number for each table');
  }
  requireKeys(number, rows, tableNames, 'the counts');
  if (typeof sha256 !== 'string') throw refuseLine(number, 'has a sha256 that is no text');
  return end as End;
}

function parseObject(number: number, text: string): Record<string, unknown> {
  requireFlat(number, text, 2); // {"table":…,"row":{…}}
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuseLine(number, 'is not JSON'); // what JSON.parse says quotes the line
  }
  if (isObject(parsed)) return parsed;
  throw refuseLine(number, `is ${describe(parsed)}; it must be an object`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requireKeys(number: number, object: object, names: readonly string[], what: string): void {
  const unknown = Object.keys(object).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw refuseLine(number, `has the field ${safeQuote(unknown)}; ${what} has ${names.join(', ')}`);
  }
  const missing = names.find((name) => !Object.hasOwn(object, name));
  if (missing !== undefined) throw refuseLine(number, `lacks the field ${missing}; ${what} has ${names.join(', ')}`);
}

/** A name, or what it is: a file that was damaged may have somebody's words in the place of one. */
export function safeQuote(value: unknown): string {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w-]{1,24}$/.test(value))
    ? quote(value)
    : describe(value);
}

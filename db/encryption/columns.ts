// Columns that hold their values encrypted, for Drizzle: they take and give plain values wherever Drizzle reads and writes,
// also in relational queries. Where no key is configured they hold plaintext.

import { type ColumnBaseConfig, type ColumnBuilderBaseConfig, entityKind, getTableName, is, Table } from 'drizzle-orm';
import { type AnyPgTable, PgColumn, PgColumnBuilder } from 'drizzle-orm/pg-core';
import { describe } from '../arguments.ts';
import { InvalidArgumentError } from '../errors.ts';
import { toJsonText } from '../json-value.ts';
import { ColumnCipher } from './column-cipher.ts';
import { isEnvelope, nameOf } from './envelope.ts';

export interface EncryptedColumnOptions {
  /**
   * The table, and the name of the column, that its values are bound to, where these are not its own any more: after one
   * was renamed in the database.
   */
  boundTo?: { schema?: string; table?: string; column?: string };
  /** For a column that is encrypted only where this says so, and then needs a key. Unless given: where there is a key. */
  isOn?(): boolean;
}

interface OwnConfig {
  options: EncryptedColumnOptions;
}

type TextConfig<Name extends string> = {
  name: Name;
  dataType: 'string';
  columnType: 'EncryptedText';
  data: string;
  driverParam: string;
  enumValues: undefined;
};

type JsonConfig<Name extends string, Value> = {
  name: Name;
  dataType: 'json';
  columnType: 'EncryptedJson';
  data: Value;
  driverParam: unknown;
  enumValues: undefined;
};

/**
 * A `text` column whose values are encrypted. It can't be compared or searched in SQL: see `blindIndex`.
 * @param name in the database; unless given, the key in the table
 * @example phone: encryptedText('phone').notNull()
 */
export function encryptedText<Name extends string = ''>(
  name: Name = '' as Name,
  options: EncryptedColumnOptions = {},
): EncryptedTextBuilder<TextConfig<Name>> {
  return new EncryptedTextBuilder(name, options);
}

/**
 * A `jsonb` column whose values are encrypted: in the database, a JSON string.
 * @example details: encryptedJson<FlightReservation>('details').notNull()
 */
export function encryptedJson<Value = unknown, Name extends string = string>(
  name: Name = '' as Name,
  options: EncryptedColumnOptions = {},
): EncryptedJsonBuilder<JsonConfig<Name, Value>> {
  return new EncryptedJsonBuilder(name, options);
}

/** What encrypts the values of a column; undefined for one that is not made here. */
export function cipherOf(column: unknown): ColumnCipher | undefined {
  return is(column, EncryptedText) || is(column, EncryptedJson) ? column.cipher : undefined;
}

export class EncryptedTextBuilder<T extends ColumnBuilderBaseConfig<'string', 'EncryptedText'>> extends PgColumnBuilder<
  T,
  OwnConfig
> {
  static override readonly [entityKind]: string = 'EncryptedTextBuilder';

  constructor(name: T['name'], options: EncryptedColumnOptions) {
    super(name, 'string', 'EncryptedText');
    this.config.options = options;
  }

  /** Called by Drizzle when the table is made. */
  build(table: AnyPgTable): EncryptedText<ColumnBaseConfig<'string', 'EncryptedText'>> {
    return new EncryptedText(table, this.config as never);
  }
}

export class EncryptedText<T extends ColumnBaseConfig<'string', 'EncryptedText'>> extends PgColumn<T> {
  static override readonly [entityKind]: string = 'EncryptedText';
  /** Made with the table: an alias of it has another name. */
  readonly cipher: ColumnCipher;

  constructor(table: AnyPgTable, config: EncryptedTextBuilder<T>['config']) {
    super(table as never, config);
    this.cipher = newCipher(table, config);
  }

  getSQLType(): string {
    return 'text';
  }

  override mapToDriverValue(value: unknown): unknown {
    if (value === null) return null;
    if (typeof value !== 'string') throw noText(this.cipher, value);
    const envelope = this.cipher.seal(value);
    if (envelope !== undefined) return envelope;
    this.cipher.refuseLookalike(isEnvelope(value));
    return value;
  }

  override mapFromDriverValue(stored: unknown): string {
    return this.cipher.unseal(stored as string) ?? (stored as string);
  }
}

export class EncryptedJsonBuilder<T extends ColumnBuilderBaseConfig<'json', 'EncryptedJson'>> extends PgColumnBuilder<
  T,
  OwnConfig
> {
  static override readonly [entityKind]: string = 'EncryptedJsonBuilder';

  constructor(name: T['name'], options: EncryptedColumnOptions) {
    super(name, 'json', 'EncryptedJson');
    this.config.options = options;
  }

  /** Called by Drizzle when the table is made. */
  build(table: AnyPgTable): EncryptedJson<ColumnBaseConfig<'json', 'EncryptedJson'>> {
    return new EncryptedJson(table, this.config as never);
  }
}

export class EncryptedJson<T extends ColumnBaseConfig<'json', 'EncryptedJson'>> extends PgColumn<T> {
  static override readonly [entityKind]: string = 'EncryptedJson';
  readonly cipher: ColumnCipher;

  constructor(table: AnyPgTable, config: EncryptedJsonBuilder<T>['config']) {
    super(table as never, config);
    this.cipher = newCipher(table, config);
  }

  getSQLType(): string {
    return 'jsonb';
  }

  override mapToDriverValue(value: unknown): unknown {
    if (value === null) return null;
    const argument = nameOf(this.cipher.place);
    const text = toJsonText(value, { argument, code: 'INVALID_ARGUMENT', limit: 'saveBytes' });
    const envelope = this.cipher.seal(text);
    if (envelope !== undefined) return JSON.stringify(envelope);
    // Also a text that has the JSON form of an envelope in it: a relational query gives it without its quotes.
    this.cipher.refuseLookalike(/^"(\\")?mytx\d{1,3}\./.test(text));
    return text;
  }

  /** JSON text from a plain query; from a relational one the value, of which a text has no quotes any more. */
  override mapFromDriverValue(stored: unknown): T['data'] {
    const text = typeof stored === 'string' && /^"?mytx\d{1,3}\./.test(stored) ? withoutQuotes(stored) : '';
    const opened = this.cipher.unseal(text);
    if (opened !== undefined) return JSON.parse(opened);
    return typeof stored === 'string' ? parsed(stored) : stored;
  }
}

function newCipher(
  table: AnyPgTable,
  {
    name,
    hasDefault,
    default: fixed,
    options: { boundTo, isOn },
  }: OwnConfig & { name: string; hasDefault: boolean; default: unknown },
): ColumnCipher {
  const place = { schema: schemaOf(table), table: getTableName(table), column: name, ...boundTo };
  if (hasDefault && fixed !== undefined) throw plainDefault(nameOf(place));
  return new ColumnCipher(place, isOn);
}

function schemaOf(table: AnyPgTable): string {
  const { Schema } = (Table as unknown as { Symbol: { Schema: symbol } }).Symbol;
  return (table as unknown as Record<symbol, string | undefined>)[Schema] ?? 'public';
}

function withoutQuotes(stored: string): string {
  const value = stored.startsWith('"') ? parsed(stored) : stored;
  return typeof value === 'string' ? value : stored.slice(1);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // a JSON text of a relational query
  }
}

function noText({ place }: ColumnCipher, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_TEXT',
    nameOf(place),
    `is ${describe(value)}; it must be a text`,
    'Pass a text.',
  );
}

function plainDefault(column: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_ARGUMENT',
    column,
    'has a default, which the database would write as plaintext',
    'Use $defaultFn(() => …), whose value is encrypted like any other.',
  );
}

// Blind indexes: what stands beside an encrypted column so that a row is found by a value, and a unique rule holds.
// HMAC-SHA-256 of the value, under a key that is derived of the encryption key for this column. All of its 32 bytes: of a
// part, two values could have the same one, and a unique index would refuse the second. Whoever reads the database sees
// which rows have equal values, so never for what has few values; for people's own data it is each person's (`perUser`).

import { createHmac } from 'node:crypto';
import {
  type ColumnBaseConfig,
  type ColumnBuilderBaseConfig,
  entityKind,
  getTableColumns,
  inArray,
  is,
  type SQL,
} from 'drizzle-orm';
import { type AnyPgTable, PgColumn, PgColumnBuilder } from 'drizzle-orm/pg-core';
import { requireId, requireText } from '../arguments.ts';
import { InvalidArgumentError } from '../errors.ts';
import { secrets } from '../secrets.ts';
import { EncryptedText } from './columns.ts';
import { deriveKey, encodeFields } from './derived-keys.ts';

export interface BlindIndexOptions {
  /** The key, in the same table, of the encrypted text. */
  of: string;
  /** The key of the column with the user's id, for what belongs to a user: equal values of two users look different. */
  perUser?: string;
  /** What makes two values equal, such as `(text) => text.toLowerCase()`. Unless given, they are taken as they are. */
  normalize?(value: string): string;
}

type BlindIndexConfig<Name extends string> = {
  name: Name;
  dataType: 'buffer';
  columnType: 'BlindIndex';
  data: Buffer;
  driverParam: Buffer | Uint8Array | string;
  enumValues: undefined;
};

/**
 * A `bytea` column that an encrypted text is found by. It is written with `blindIndexOf`, and asked with `blindlyEquals`.
 * @example
 * phone: encryptedText('phone').notNull(),
 * phoneIndex: blindIndex('phoneIndex', { of: 'phone', perUser: 'userId' }).notNull(),
 */
export function blindIndex<Name extends string>(
  name: Name,
  options: BlindIndexOptions,
): BlindIndexBuilder<BlindIndexConfig<Name>> {
  return new BlindIndexBuilder(name, options);
}

export class BlindIndexBuilder<T extends ColumnBuilderBaseConfig<'buffer', 'BlindIndex'>> extends PgColumnBuilder<
  T,
  { options: BlindIndexOptions }
> {
  static override readonly [entityKind]: string = 'BlindIndexBuilder';

  constructor(name: T['name'], options: BlindIndexOptions) {
    super(name, 'buffer', 'BlindIndex');
    this.config.options = options;
  }

  /** Called by Drizzle when the table is made. */
  build(table: AnyPgTable): BlindIndex<ColumnBaseConfig<'buffer', 'BlindIndex'>> {
    return new BlindIndex(table, this.config as never);
  }
}

export class BlindIndex<T extends ColumnBaseConfig<'buffer', 'BlindIndex'>> extends PgColumn<T> {
  static override readonly [entityKind]: string = 'BlindIndex';
  readonly options: BlindIndexOptions;
  private readonly ownTable: AnyPgTable;

  constructor(table: AnyPgTable, config: BlindIndexBuilder<T>['config']) {
    super(table as never, config);
    this.options = config.options;
    this.ownTable = table;
  }

  getSQLType(): string {
    return 'bytea';
  }

  override mapFromDriverValue(value: unknown): Buffer {
    return typeof value === 'string' ? Buffer.from(value.replace(/^\\x/, ''), 'hex') : Buffer.from(value as Uint8Array);
  }

  /** The encrypted column. */
  get source(): EncryptedText<ColumnBaseConfig<'string', 'EncryptedText'>> {
    const column = getTableColumns(this.ownTable)[this.options.of];
    if (is(column, EncryptedText)) return column;
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      `the blind index ${this.name}`,
      `is of ${JSON.stringify(this.options.of)}, which is no encrypted text of its table`,
      'Name the key of the encryptedText column in the same table.',
    );
  }
}

type AnyBlindIndex = BlindIndex<ColumnBaseConfig<'buffer', 'BlindIndex'>>;

/** Drizzle's types say of a table's columns only that they are some. @throws InvalidArgumentError INVALID_ARGUMENT */
function requireBlindIndex(column: PgColumn): AnyBlindIndex {
  if (is(column, BlindIndex)) return column as AnyBlindIndex;
  throw new InvalidArgumentError(
    'INVALID_ARGUMENT',
    'the first argument',
    'is no blind index',
    'Pass a column that was made with blindIndex(…), such as contacts.phoneIndex.',
  );
}

interface Whose {
  /** For an index that is each user's own. */
  userId?: string;
}

/**
 * What is stored in a blind index for a value: under the current key.
 * @throws InvalidArgumentError MISSING_ARGUMENT, INVALID_ID for `userId` of an index that is each user's own
 * @example await db.insert(contacts).values({ userId, phone, phoneIndex: blindIndexOf(contacts.phoneIndex, phone, { userId }) });
 */
export function blindIndexOf(index: PgColumn, value: string, whose: Whose = {}): Buffer {
  return blindIndexesOf(index, value, whose)[0] as Buffer;
}

/** What may be stored for a value: under each key there is, the current one first, and behind them without one. */
export function blindIndexesOf(index: PgColumn, value: string, { userId }: Whose = {}): Buffer[] {
  const { options, source } = requireBlindIndex(index);
  const { place } = source.cipher;
  const owner = options.perUser === undefined ? '' : requireId('userId', userId);
  const text = requireText('value', value, { min: 0, max: Number.MAX_SAFE_INTEGER });
  const input = encodeFields(owner, options.normalize ? options.normalize(text) : text);
  const keys = [...secrets().encryptionKeys.map(({ key }) => key), noKey];
  return keys.map((key) =>
    createHmac('sha256', deriveKey(key, 'blind index', place))
      .update(input)
      .digest(),
  );
}

/** Anybody knows it: an index without a key finds as well as one with, and hides as little as the plaintext beside it. */
const noKey = Buffer.from('mytx-ai blind index');

/**
 * Rows whose encrypted value is this one. Also finds those that a rotation has not come to yet.
 * @example await db.select().from(contacts).where(and(eq(contacts.userId, userId), blindlyEquals(contacts.phoneIndex, phone, { userId })));
 */
export function blindlyEquals(index: PgColumn, value: string, whose: Whose = {}): SQL {
  return inArray(index, blindIndexesOf(index, value, whose));
}

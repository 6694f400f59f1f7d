// The rows of a table with an encrypted column, as they are stored: read in the order of the primary key, a window at a
// time, and replaced only where nobody has changed them since. Knows nothing of what the values say.

import { getTableColumns, is, type SQL, sql } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { db } from '../database.ts';
import { InvalidArgumentError } from '../errors.ts';
import { BlindIndex, blindIndexOf } from './blind-index.ts';
import type { ColumnCipher } from './column-cipher.ts';
import { cipherOf, EncryptedJson } from './columns.ts';

/** Of the primary key, as texts. */
export type RowKey = readonly string[];

export interface StoredRow {
  key: RowKey;
  /** The user's id, where the table has one. */
  owner: string | null;
  /** As it is stored; null where there is nothing to do. */
  stored: string | null;
}

export interface Replacement extends StoredRow {
  stored: string;
  /** What is to be stored. */
  envelope: string;
  /** What that says: for the blind indexes. */
  text: string;
}

export class ColumnRows {
  readonly cipher: ColumnCipher;
  /** Whether its values are JSON, of which a text is stored with quotes. */
  readonly isJson: boolean;
  private readonly table: PgTable;
  private readonly key: readonly PgColumn[];
  private readonly owner: PgColumn | undefined;
  private readonly indexes: readonly PgColumn[];

  /** @throws InvalidArgumentError INVALID_ARGUMENT for a column that is not encrypted, or whose table has no primary key */
  constructor(private readonly column: PgColumn) {
    const cipher = cipherOf(column);
    if (!cipher)
      throw refused('has what is no encrypted column', 'columns of tables, made with encryptedText or encryptedJson');
    this.cipher = cipher;
    this.table = column.table as PgTable;
    this.isJson = is(column, EncryptedJson);
    this.key = primaryKeyOf(this.table);
    const columns: Record<string, PgColumn> = getTableColumns(this.table);
    const indexes = Object.values(columns).filter((one) => is(one, BlindIndex));
    this.indexes = indexes.filter(({ source }) => source.name === column.name);
    this.owner = columns[indexes[0]?.options.perUser ?? 'userId'];
  }

  async count(): Promise<number> {
    const [{ rows } = { rows: 0 }] = await db.select({ rows: sql<number>`count(*)` }).from(this.table);
    return Number(rows);
  }

  /** The next rows; what begins with `done` there is nothing to do with. */
  async readWindow(behind: RowKey | undefined, limit: number, done: string): Promise<StoredRow[]> {
    const { column, key, owner } = this;
    const stored = sql`${column}::text`;
    const rows = await db
      .select({
        key: sql<string[]>`json_build_array(${sql.join(key.map(asText), sql`, `)})`.mapWith(parseJson),
        owner: owner ? sql<string | null>`${owner}::text` : sql<null>`null`,
        stored: sql<string | null>`case when starts_with(${stored}, ${this.quoted(done)}) then null else ${stored} end`,
      })
      .from(this.table)
      .where(behind && sql`(${sql.join([...key], sql`, `)}) > (${sql.join(this.valuesOf(behind), sql`, `)})`)
      .orderBy(...key)
      .limit(limit);
    return rows;
  }

  /** Replaces what is still stored as it was read, in one statement. @returns how many that were */
  async replace(rows: readonly Replacement[]): Promise<number> {
    const { column, indexes, key, table } = this;
    const given: Given[] = [
      ...key.map((one, i) => ({ column: one, values: rows.map((row) => row.key[i] as string) })),
      { column, values: rows.map(({ stored }) => stored) },
      { column, values: rows.map(({ envelope }) => (this.isJson ? JSON.stringify(envelope) : envelope)) },
      ...indexes.map((index) => ({ column: index, values: rows.map((row) => this.digestOf(index, row)) })),
    ];
    const value = (i: number): SQL => sql`given.${sql.raw(`c${i}`)}::${typeOf((given[i] as Given).column)}`;
    const isSame = [...key, column].map((one, i) => sql`${one} = ${value(i)}`);
    const changes = [column, ...indexes].map(
      (one, i) => sql`${sql.identifier(one.name)} = ${value(key.length + 1 + i)}`,
    );
    const arrays = given.map(({ values }) => sql`json_array_elements_text(${JSON.stringify(values)}::json)`);
    const { count } = await db.execute(
      sql`update ${table} set ${sql.join(changes, sql`, `)} from rows from (${sql.join(arrays, sql`, `)}) as given (${sql.raw(given.map((_, i) => `c${i}`).join())}) where ${sql.join(isSame, sql` and `)}`,
    );
    return count;
  }

  private digestOf(index: PgColumn, { owner, text }: Replacement): string {
    return `\\x${blindIndexOf(index, text, owner === null ? {} : { userId: owner }).toString('hex')}`;
  }

  private valuesOf(key: RowKey): SQL[] {
    return this.key.map((column, i) => sql`${key[i]}::${typeOf(column)}`);
  }

  /** The beginning of an envelope as the column's text has it. */
  private quoted(beginning: string): string {
    return this.isJson ? `"${beginning}` : beginning;
  }
}

interface Given {
  column: PgColumn;
  values: readonly string[];
}

function primaryKeyOf(table: PgTable): readonly PgColumn[] {
  const { columns, primaryKeys, name } = getTableConfig(table);
  const own = columns.filter(({ primary }) => primary);
  const key = own.length > 0 ? own : (primaryKeys[0]?.columns ?? []);
  if (key.length === 0)
    throw refused(`has one of the table ${name}, which has no primary key`, 'columns of tables that have one');
  return key;
}

function asText(column: PgColumn): SQL {
  return sql`${column}::text`;
}

function parseJson(value: unknown): string[] {
  return typeof value === 'string' ? JSON.parse(value) : (value as string[]);
}

/** Of a serial column: the integer that it is. */
function typeOf(column: PgColumn): SQL {
  return sql.raw(column.getSQLType().replace(/^(small|big)?serial$/, (_, size) => `${size ?? ''}int`));
}

function refused(problem: string, allowed: string): InvalidArgumentError {
  return new InvalidArgumentError('INVALID_ARGUMENT', 'columns', problem, `Pass ${allowed}.`);
}

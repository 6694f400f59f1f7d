// What a project's tables are before a migration, as Drizzle's snapshot of the one before it says: so that a column that is
// NOT NULL already is not made so again, and a change of type that PostgreSQL makes without rewriting is left as it is.

import type { Named } from '../sql-statements.ts';

export interface KnownColumn {
  /** As Drizzle writes it: `varchar(50)`, `timestamp (3) with time zone`. */
  type: string;
  isNullable: boolean;
  /** SQL, as Drizzle keeps it. */
  default: string | undefined;
  isIdentity?: boolean;
}

export interface KnownIndex {
  name: string;
  /** Undefined for an expression. */
  columns: (string | undefined)[];
  isUnique: boolean;
  /** A btree of columns in their usual order, of every row: columns and name are all of it. */
  isPlain: boolean;
}

export interface KnownKey {
  name: string;
  columns: string[];
}

export interface KnownForeignKey extends KnownKey {
  to: Named;
  columnsTo: string[];
  onDelete: string | undefined;
  onUpdate: string | undefined;
}

export interface KnownTable {
  columns: ReadonlyMap<string, KnownColumn>;
  primaryKey: readonly string[];
  /** Undefined where PostgreSQL names it: `users_pkey`. */
  primaryKeyName?: string | undefined;
  indexes: readonly KnownIndex[];
  uniques: readonly KnownKey[];
  foreignKeys: readonly KnownForeignKey[];
}

/** By `schema.table`. */
export type KnownSchema = ReadonlyMap<string, KnownTable>;

/** A table's key; without a schema it is one of `public`, as in Drizzle's files. */
export const tableKey = ({ schema, name }: Named): string => `${schema || 'public'}.${name}`;

/**
 * Reads a snapshot of Drizzle 0.45 (`meta/0001_snapshot.json`) or 1.0 (`snapshot.json` beside `migration.sql`).
 * @returns undefined for what is neither: then nothing is known
 */
export function readSnapshot(snapshot: unknown): KnownSchema | undefined {
  const { tables, ddl } = (snapshot ?? {}) as { tables?: Record<string, OldTable>; ddl?: Entity[] };
  if (Array.isArray(ddl)) return fromEntities(ddl);
  if (typeof tables !== 'object' || tables === null) return undefined;
  return new Map(Object.values(tables).map((table) => [tableKey(table), fromTable(table)]));
}

interface OldTable {
  schema: string;
  name: string;
  columns: Record<
    string,
    {
      name: string;
      type: string;
      typeSchema?: string;
      primaryKey: boolean;
      notNull: boolean;
      default?: unknown;
      identity?: unknown;
    }
  >;
  indexes?: Record<
    string,
    {
      name: string;
      columns: (IndexPart & { expression: string })[];
      isUnique: boolean;
      where?: string;
      method?: string;
      with?: object;
    }
  >;
  compositePrimaryKeys?: Record<string, KnownKey>;
  uniqueConstraints?: Record<string, KnownKey>;
  foreignKeys?: Record<
    string,
    {
      name: string;
      schemaTo?: string;
      tableTo: string;
      columnsFrom: string[];
      columnsTo: string[];
      onDelete?: string;
      onUpdate?: string;
    }
  >;
}

function fromTable(table: OldTable): KnownTable {
  const columns = Object.values(table.columns);
  const [composite] = Object.values(table.compositePrimaryKeys ?? {});
  const primaryKey = composite?.columns ?? columns.filter(({ primaryKey: isKey }) => isKey).map(({ name }) => name);
  return {
    primaryKey,
    primaryKeyName: composite?.name,
    columns: new Map(
      columns.map(({ name, type, notNull, default: value, identity }) => [
        name,
        {
          type,
          isNullable: !notNull && !primaryKey.includes(name),
          default: asSql(value),
          isIdentity: Boolean(identity),
        },
      ]),
    ),
    indexes: Object.values(table.indexes ?? {}).map(({ name, columns: parts, isUnique, ...others }) => ({
      name,
      columns: parts.map(({ expression, isExpression }) => (isExpression ? undefined : expression)),
      isUnique,
      isPlain: isPlain(parts, others),
    })),
    uniques: Object.values(table.uniqueConstraints ?? {}).map(({ name, columns: parts }) => ({ name, columns: parts })),
    foreignKeys: Object.values(table.foreignKeys ?? {}).map((key) => ({
      name: key.name,
      columns: key.columnsFrom,
      to: { schema: key.schemaTo || undefined, name: key.tableTo },
      columnsTo: key.columnsTo,
      onDelete: key.onDelete,
      onUpdate: key.onUpdate,
    })),
  };
}

/** A column or expression of an index, as both layouts have it. */
interface IndexPart {
  isExpression: boolean;
  asc?: boolean;
  /** 0.45: `first` or `last`. */
  nulls?: string;
  /** 1.0. */
  nullsFirst?: boolean;
  /** 0.45: its name; 1.0: an object, or null. */
  opclass?: unknown;
}

function isPlain(
  parts: readonly IndexPart[],
  { where, method = 'btree', with: options }: { where?: unknown; method?: unknown; with?: unknown },
): boolean {
  const hasOptions = typeof options === 'string' ? options !== '' : Object.keys(options ?? {}).length > 0;
  const isUsual = ({ isExpression, asc = true, nulls = 'last', nullsFirst = false, opclass }: IndexPart): boolean =>
    !isExpression && asc && nulls === 'last' && !nullsFirst && !opclass;
  return !where && method === 'btree' && !hasOptions && parts.every(isUsual);
}

/** One line of a snapshot of Drizzle 1.0. */
interface Entity {
  entityType: string;
  schema?: string;
  table?: string;
  name: string;
  [property: string]: unknown;
}

function fromEntities(entities: readonly Entity[]): KnownSchema {
  const tables = entities.filter(({ entityType }) => entityType === 'tables');
  return new Map(
    tables.map(({ schema, name }) => {
      const of = (type: string): Entity[] =>
        entities.filter(
          (one) => one.entityType === type && one.table === name && (one.schema || 'public') === (schema || 'public'),
        );
      return [tableKey({ schema, name }), fromParts(of)];
    }),
  );
}

function fromParts(of: (type: string) => Entity[]): KnownTable {
  const [key] = of('pks');
  const primaryKey = (key?.columns ?? []) as string[];
  return {
    primaryKey,
    primaryKeyName: key?.name,
    columns: new Map(
      of('columns').map(({ name, type, notNull, default: value, identity }) => [
        name,
        {
          type: String(type),
          isNullable: !notNull && !primaryKey.includes(name),
          default: asSql(value),
          isIdentity: Boolean(identity),
        },
      ]),
    ),
    indexes: of('indexes').map(({ name, columns, isUnique, where, method, with: options }) => {
      const parts = columns as (IndexPart & { value: string })[];
      return {
        name,
        columns: parts.map(({ value, isExpression }) => (isExpression ? undefined : value)),
        isUnique: Boolean(isUnique),
        isPlain: isPlain(parts, { where, method, with: options }),
      };
    }),
    uniques: of('uniques').map(({ name, columns }) => ({ name, columns: columns as string[] })),
    foreignKeys: of('fks').map(({ name, columns, schemaTo, tableTo, columnsTo, onDelete, onUpdate }) => ({
      name,
      columns: columns as string[],
      to: { schema: (schemaTo as string | undefined) || undefined, name: tableTo as string },
      columnsTo: columnsTo as string[],
      onDelete: onDelete as string | undefined,
      onUpdate: onUpdate as string | undefined,
    })),
  };
}

/** Drizzle 0.45 keeps a number or truth as itself, all else as SQL. */
function asSql(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? undefined : String(value);
}

// Schemas made at random, as a model: what drizzle-kit reads of them, rows for them, and changes from one to the next.

import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  type PgColumn,
  type PgEnum,
  pgEnum,
  pgTable,
  primaryKey,
  serial,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import fc from 'fast-check';

export const columnTypes = [
  'integer',
  'bigint',
  'text',
  'varchar20',
  'varchar50',
  'numeric10',
  'numeric12',
  'boolean',
  'timestamp',
  'timestamptz',
  'uuid',
  'jsonb',
  'mood',
] as const;

export type ColumnType = (typeof columnTypes)[number] | 'serial';
export type DefaultKind = 'none' | 'constant' | 'stable' | 'volatile';

export interface ModelColumn {
  type: ColumnType;
  notNull: boolean;
  default: DefaultKind;
  /** Every fourth row has none. */
  hasNulls: boolean;
}

export interface ModelTable {
  columns: Record<string, ModelColumn>;
  /** Beside `id`. */
  keyColumn: string | undefined;
  indexes: Record<string, { columns: string[]; isUnique: boolean; isPartial: boolean }>;
  uniques: Record<string, string[]>;
  checks: Record<string, string>;
  /** By the column, the table whose id it is. */
  foreignKeys: Record<string, string>;
}

export interface Model {
  tables: Record<string, ModelTable>;
  moods: string[];
}

/** What drizzle-kit takes: the exports of a schema file. */
export function toDrizzle({ tables, moods }: Model): Record<string, unknown> {
  const mood = pgEnum('mood', moods as [string, ...string[]]);
  const made: Record<string, Record<string, PgColumn>> = {};
  const exported: Record<string, unknown> = { mood };
  for (const [name, table] of Object.entries(tables)) {
    const columns = Object.fromEntries(
      Object.entries(table.columns).map(([column, facts]) => [column, columnOf(column, facts, mood)]),
    );
    const id = integer('id').notNull();
    const own = pgTable(
      name,
      { id: table.keyColumn === undefined ? id.primaryKey() : id, ...(columns as object) },
      (self) => constraintsOf(name, table, self as never, made),
    );
    made[name] = own as never;
    exported[name] = own;
  }
  return exported;
}

function columnOf(
  name: string,
  { type, notNull, default: kind }: ModelColumn,
  mood: PgEnum<[string, ...string[]]>,
  // biome-ignore lint/suspicious/noExplicitAny: the builders of Drizzle's columns have no common type with these methods
): any {
  const builders = {
    integer: () => integer(name),
    bigint: () => bigint(name, { mode: 'number' }),
    text: () => text(name),
    varchar20: () => varchar(name, { length: 20 }),
    varchar50: () => varchar(name, { length: 50 }),
    numeric10: () => numeric(name, { precision: 10, scale: 2 }),
    numeric12: () => numeric(name, { precision: 12, scale: 2 }),
    boolean: () => boolean(name),
    timestamp: () => timestamp(name),
    timestamptz: () => timestamp(name, { withTimezone: true }),
    uuid: () => uuid(name),
    jsonb: () => jsonb(name),
    mood: () => mood(name),
    serial: () => serial(name),
  };
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const column = builders[type]() as any;
  const value = defaultOf(type, kind);
  const withDefault = value === undefined ? column : column.default(sql.raw(value));
  return notNull ? withDefault.notNull() : withDefault;
}

/** SQL; undefined where a type has none of the kind. */
export function defaultOf(type: ColumnType, kind: DefaultKind): string | undefined {
  if (kind === 'none' || type === 'serial') return undefined;
  const constants: Partial<Record<ColumnType, string>> = {
    integer: '7',
    bigint: '8',
    text: `'it''s'`,
    varchar20: `'v'`,
    varchar50: `'w'`,
    boolean: 'false',
    jsonb: `'{}'::jsonb`,
    timestamptz: `'2024-01-01 00:00:00+00'`,
  };
  if (kind === 'constant') return constants[type];
  if (kind === 'stable') return type === 'timestamptz' || type === 'timestamp' ? 'now()' : constants[type];
  const volatile: Partial<Record<ColumnType, string>> = {
    uuid: 'gen_random_uuid()',
    timestamptz: 'clock_timestamp()',
    text: 'gen_random_uuid()::text',
    integer: '(random() * 1000)::integer',
  };
  return volatile[type];
}

function constraintsOf(
  name: string,
  table: ModelTable,
  self: Record<string, PgColumn>,
  made: Readonly<Record<string, Record<string, PgColumn>>>,
): never[] {
  const at = (column: string): PgColumn => self[column] as PgColumn;
  return [
    ...(table.keyColumn === undefined
      ? []
      : [primaryKey({ name: `${name}_key`, columns: [at('id'), at(table.keyColumn)] })]),
    ...Object.entries(table.indexes).map(([key, { columns, isUnique, isPartial }]) => {
      const builder = isUnique ? uniqueIndex(key) : index(key);
      const on = builder.on(...(columns.map(at) as [PgColumn]));
      return isPartial ? on.where(sql.raw('id > 3')) : on;
    }),
    ...Object.entries(table.uniques).map(([key, columns]) => unique(key).on(...(columns.map(at) as [PgColumn]))),
    ...Object.entries(table.checks).map(([key, expression]) => check(key, sql.raw(expression))),
    ...Object.entries(table.foreignKeys).flatMap(([column, parent]) => {
      const id = parent === name ? self.id : made[parent]?.id;
      return id ? [foreignKey({ name: `${name}_${column}_fk`, columns: [at(column)], foreignColumns: [id] })] : [];
    }),
  ] as never[];
}

export const filledRows = 40;

/** Rows that a schema's own constraints take. */
export function fillStatements({ tables, moods }: Model): string[] {
  return Object.entries(tables).map(([name, { columns }]) => {
    const named = Object.entries(columns).filter(([, { type }]) => type !== 'serial');
    const values = named.map(([, column]) => valueFor(column, moods));
    const list = ['id', ...named.map(([column]) => column)].map((column) => `"${column}"`).join(', ');
    return `insert into "${name}" (${list}) select ${['n', ...values].join(', ')} from generate_series(1, ${filledRows}) n`;
  });
}

function valueFor({ type, notNull, hasNulls }: ModelColumn, moods: readonly string[]): string {
  const values: Record<ColumnType, string> = {
    integer: 'n',
    bigint: 'n',
    text: `'v' || n`,
    varchar20: `'v' || n`,
    varchar50: `'v' || n`,
    numeric10: 'n + 0.25',
    numeric12: 'n + 0.25',
    boolean: 'n % 2 = 0',
    timestamp: `timestamp '2024-01-01' + n * interval '1 hour'`,
    timestamptz: `timestamptz '2024-01-01 00:00:00+00' + n * interval '1 hour'`,
    uuid: 'md5(n::text)::uuid',
    jsonb: `jsonb_build_object('n', n)`,
    mood: `'${moods[0]}'::mood`,
    serial: 'n',
  };
  return hasNulls && !notNull ? `case when n % 4 <> 0 then ${values[type]} end` : values[type];
}

// --- at random ---

const columnNames = ['alpha', 'beta', 'gamma', 'delta', 'Über mich'];
const tableNames = ['person', 'team', 'Log Entry'];

const kinds: fc.Arbitrary<DefaultKind> = fc.constantFrom('none', 'none', 'constant', 'stable', 'volatile');

const arbitraryColumn: fc.Arbitrary<ModelColumn> = fc.record({
  type: fc.constantFrom(...columnTypes),
  notNull: fc.boolean(),
  default: kinds,
  hasNulls: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

const arbitraryTable: fc.Arbitrary<ModelTable> = fc
  .dictionary(fc.constantFrom(...columnNames.slice(0, 4)), arbitraryColumn, {
    minKeys: 1,
    maxKeys: 4,
    noNullPrototype: true,
  })
  .map((columns) => ({ columns, keyColumn: undefined, indexes: {}, uniques: {}, checks: {}, foreignKeys: {} }));

/** One change of a schema, applied to a copy of it; some do nothing where what they change is not there. */
type Change = (model: Model) => void;

const someTable = fc.constantFrom(...tableNames);
const someColumn = fc.constantFrom(...columnNames);

const onTable =
  (name: string, change: (table: ModelTable, model: Model) => void): Change =>
  (model) => {
    const table = model.tables[name];
    if (table) change(table, model);
  };

const onColumn = (name: string, column: string, change: (facts: ModelColumn, table: ModelTable) => void): Change =>
  onTable(name, (table) => {
    const facts = table.columns[column];
    if (facts) change(facts, table);
  });

const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(someTable, arbitraryTable).map(
    ([name, table]): Change =>
      (model) => {
        model.tables[name] ??= table;
      },
  ),
  {
    weight: 4,
    arbitrary: fc.tuple(someTable, someColumn, arbitraryColumn).map(([name, column, facts]) =>
      onTable(name, (table) => {
        table.columns[column] ??= facts;
      }),
    ),
  },
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      table.columns[column] ??= { type: 'serial', notNull: true, default: 'none', hasNulls: false };
    }),
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(someTable, someColumn, fc.boolean()).map(([name, column, notNull]) =>
      onColumn(name, column, (facts) => {
        facts.notNull = notNull;
      }),
    ),
  },
  fc.tuple(someTable, someColumn, kinds).map(([name, column, kind]) =>
    onColumn(name, column, (facts) => {
      facts.default = kind;
    }),
  ),
  fc.tuple(someTable, someColumn, fc.constantFrom(...columnTypes)).map(([name, column, type]) =>
    onColumn(name, column, (facts) => {
      if (facts.type === 'serial') return;
      facts.type = type;
      facts.default = 'none';
    }),
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(someTable, someColumn, fc.boolean(), fc.boolean()).map(([name, column, isUnique, isPartial]) =>
      onColumn(name, column, ({ type }, table) => {
        if (type !== 'jsonb') table.indexes[`${name}_${column}_idx`] = { columns: [column], isUnique, isPartial };
      }),
    ),
  },
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      delete table.indexes[`${name}_${column}_idx`];
    }),
  ),
  {
    weight: 2,
    arbitrary: fc.tuple(someTable, someColumn).map(([name, column]) =>
      onColumn(name, column, ({ type }, table) => {
        if (!/boolean|jsonb|mood/.test(type)) table.uniques[`${name}_${column}_unique`] = [column];
      }),
    ),
  },
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      delete table.uniques[`${name}_${column}_unique`];
    }),
  ),
  {
    weight: 2,
    arbitrary: fc.tuple(someTable, someColumn).map(([name, column]) =>
      onColumn(name, column, (_facts, table) => {
        table.checks[`${name}_${column}_check`] = `"${column}" is not null or id > 0`;
      }),
    ),
  },
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      delete table.checks[`${name}_${column}_check`];
    }),
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(someTable, someColumn, someTable).map(([name, column, parent]) =>
      onTable(name, (table, model) => {
        if (!model.tables[parent] || tableNames.indexOf(parent) > tableNames.indexOf(name)) return;
        table.columns[column] ??= { type: 'integer', notNull: false, default: 'none', hasNulls: true };
        if (table.columns[column].type === 'integer') table.foreignKeys[column] = parent;
      }),
    ),
  },
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      delete table.foreignKeys[column];
    }),
  ),
  fc.tuple(someTable, someColumn).map(([name, column]) =>
    onTable(name, (table) => {
      table.keyColumn = table.keyColumn === undefined && table.columns[column]?.type === 'integer' ? column : undefined;
      const own = table.keyColumn === undefined ? undefined : table.columns[table.keyColumn];
      if (own) Object.assign(own, { hasNulls: false });
    }),
  ),
  fc.tuple(someTable, someColumn).map(([name, column]) => onTable(name, (table) => dropColumn(table, column))),
  fc.constant<Change>((model) => {
    model.moods.push(`mood${model.moods.length}`);
  }),
);

function dropColumn(table: ModelTable, column: string): void {
  delete table.columns[column];
  delete table.foreignKeys[column];
  delete table.indexes[Object.keys(table.indexes).find((key) => table.indexes[key]?.columns.includes(column)) ?? ''];
  delete table.uniques[Object.keys(table.uniques).find((key) => table.uniques[key]?.includes(column)) ?? ''];
  delete table.checks[Object.keys(table.checks).find((key) => table.checks[key]?.includes(`"${column}"`)) ?? ''];
  if (table.keyColumn === column) table.keyColumn = undefined;
}

export interface SchemaChange {
  before: Model;
  after: Model;
}

/** A schema with some of everything, and what becomes of it by some changes. */
export const arbitrarySchemaChange: fc.Arbitrary<SchemaChange> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...tableNames.slice(0, 2)), arbitraryTable, {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    }),
    fc.array(arbitraryChange, { maxLength: 5 }),
    fc.array(arbitraryChange, { minLength: 3, maxLength: 10 }),
  )
  .map(([tables, first, then]) => {
    const before: Model = ordered({ tables: structuredClone(tables), moods: ['calm', 'wild'] }, first);
    const after = ordered(structuredClone(before), then);
    return { before, after: withoutRenames(before, after) };
  });

/** Parents come before children, as the model of Drizzle needs them. */
function ordered(model: Model, changes: readonly Change[]): Model {
  for (const change of changes) change(model);
  const tables = Object.fromEntries(
    tableNames.flatMap((name) => (model.tables[name] ? [[name, model.tables[name]]] : [])),
  ) as Model['tables'];
  return { ...model, tables };
}

/** Where something goes and something comes, drizzle-kit asks whether it is a rename: then nothing goes. */
function withoutRenames(before: Model, after: Model): Model {
  for (const [name, table] of Object.entries(after.tables)) {
    const old = before.tables[name]?.columns;
    if (!old) continue;
    const isNew = Object.keys(table.columns).some((column) => !old[column]);
    if (!isNew) continue;
    for (const [column, facts] of Object.entries(old)) table.columns[column] ??= structuredClone(facts);
  }
  return after;
}

/** Columns, as `table.column`, whose values differ from run to run. */
export function madeByChance({ tables }: Model): string[] {
  return Object.entries(tables).flatMap(([table, { columns }]) =>
    Object.entries(columns).flatMap(([column, { default: kind }]) =>
      kind === 'stable' || kind === 'volatile' ? [`${table}.${column}`] : [],
    ),
  );
}

// The twelve changes of bench/zero-downtime.ts, each as a Drizzle schema before and after it: what is measured is the SQL that
// drizzle-kit itself makes of them.

import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  type PgColumn,
  type PgColumnBuilderBase,
  pgEnum,
  pgTable,
  text,
  unique,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { type KnownSchema, readSnapshot } from '../deploy/rewrite/known-schema.ts';

export interface SchemaChanges {
  /** The migration that makes the tables. */
  first: string;
  /** The tables, as the rewriting knows them from Drizzle's snapshot. */
  schema: KnownSchema | undefined;
  changes: SchemaChange[];
}

export interface SchemaChange {
  name: string;
  /** As drizzle-kit writes it; a backfill as a person does. */
  plain: string;
  /** What takes its place, where that is written by a person too; else it is rewritten. */
  ours?: string;
}

type Columns = Record<string, PgColumnBuilderBase>;
type Table = Record<string, PgColumn>;
type Rule = (table: Table) => unknown;

interface Parts {
  /** Columns of the table beside the usual ones, or in their place; null for one that it has no more. */
  columns?: Record<string, PgColumnBuilderBase | null>;
  rules?: Rule[];
  states?: [string, ...string[]];
}

const customer = pgTable('customer', { id: integer().primaryKey(), name: text().notNull() });

const remarkIndex: Rule = (table) => index('purchase_remark_idx').on(table.remark as PgColumn);

function schemaOf({ columns = {}, rules = [remarkIndex], states = ['open', 'paid'] }: Parts = {}): object {
  const state = pgEnum('state', states);
  const all = {
    id: integer().primaryKey(),
    customerId: integer('customer_id').notNull(),
    code: varchar({ length: 20 }).notNull(),
    amount: integer().notNull(),
    state: state().notNull(),
    note: text(),
    label: text(),
    remark: text(),
    ...columns,
  };
  const there = Object.fromEntries(Object.entries(all).filter(([, column]) => column !== null)) as Columns;
  const purchase = pgTable('purchase', there, (table) => rules.map((rule) => rule(table)) as never[]);
  return { customer, state, purchase };
}

const withRule = (rule: Rule): Parts => ({ rules: [remarkIndex, rule] });

const after: Readonly<Record<string, Parts>> = {
  index: withRule((table) => index('purchase_customer_idx').on(table.customerId as PgColumn)),
  unique: withRule((table) => unique('purchase_code_key').on(table.code as PgColumn)),
  'foreign key': {
    columns: {
      customerId: integer('customer_id')
        .notNull()
        .references(() => customer.id),
    },
  },
  check: withRule(() => check('purchase_amount_check', sql.raw('amount >= 0'))),
  'NOT NULL': { columns: { note: text().notNull() } },
  'column with a default': { columns: { currency: text().notNull().default('EUR') } },
  'column with a volatile default': { columns: { token: uuid().notNull().defaultRandom() } },
  'drop a column': { columns: { remark: null }, rules: [] },
  'drop an index': { rules: [] },
  'value of an enum': { states: ['open', 'paid', 'lost'] },
  'larger varchar': { columns: { code: varchar({ length: 40 }).notNull() } },
};

const fill = `UPDATE "purchase" SET "label" = "code" || ' ' || "note" WHERE "label" IS NULL;`;

/** The tables of the bench and its changes, as drizzle-kit makes them. */
export async function makeSchemaChanges(): Promise<SchemaChanges> {
  const empty = generateDrizzleJson({});
  const before = generateDrizzleJson(schemaOf() as Record<string, unknown>, empty.id);
  const changes: SchemaChange[] = [];
  for (const [name, parts] of Object.entries(after)) {
    const snapshot = generateDrizzleJson(schemaOf(parts) as Record<string, unknown>, before.id);
    changes.push({ name, plain: asFile(await generateMigration(before, snapshot)) });
  }
  changes.push({ name: 'backfill', plain: fill, ours: `-- mytx:backfill\n${fill}` });
  return { first: asFile(await generateMigration(empty, before)), schema: readSnapshot(before), changes };
}

const asFile = (statements: readonly string[]): string => statements.join('\n--> statement-breakpoint\n');

/** Rows of the table that all the changes can be made to. */
export function fillStatements(rows: number): string[] {
  return [
    `insert into customer select n, 'customer ' || n from generate_series(0, 999) n`,
    `insert into purchase (id, customer_id, code, amount, state, note, remark)
     select n, n % 1000, 'C-' || n, n % 500, 'open', 'note ' || md5(n::text), 'remark ' || n % 5000
     from generate_series(1, ${rows}) n`,
  ];
}

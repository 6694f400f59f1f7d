// Each usual change, rewritten and deployed while four writers and four readers use the tables: the catalogue is that of
// drizzle-kit's own SQL applied at rest, and no request fails.

import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { deploy } from '../../../db/deployment.ts';
import type { KnownSchema } from '../../../deploy/rewrite/known-schema.ts';
import { rewriteMigration } from '../../../deploy/rewrite/rewrite-migration.ts';
import { journalFolder, type MigrationFile, onNewDatabase, removeFolders, statements } from '../own-database.ts';
import { everything } from './everything.ts';

afterAll(removeFolders);

const rows = 2000;

/** Of each the table is `t`, and `p` its parent; each gets tables of its own. */
const changes: Readonly<Record<string, string[]>> = {
  'add a column': ['ALTER TABLE "t" ADD COLUMN "z" text;'],
  'add a column with a constant default': [`ALTER TABLE "t" ADD COLUMN "z" text DEFAULT 'x' NOT NULL;`],
  'add a column with now()': ['ALTER TABLE "t" ADD COLUMN "z" timestamp with time zone DEFAULT now() NOT NULL;'],
  'add a column with a volatile default': ['ALTER TABLE "t" ADD COLUMN "z" uuid DEFAULT gen_random_uuid() NOT NULL;'],
  'add a nullable column with a volatile default': [
    'ALTER TABLE "t" ADD COLUMN "z" timestamp DEFAULT clock_timestamp();',
  ],
  'add a serial column': ['ALTER TABLE "t" ADD COLUMN "z" bigserial NOT NULL;'],
  'add an identity column': ['ALTER TABLE "t" ADD COLUMN "z" integer GENERATED ALWAYS AS IDENTITY;'],
  'add a generated column': ['ALTER TABLE "t" ADD COLUMN "z" integer GENERATED ALWAYS AS (v + 1) STORED;'],
  'add a column with a check': ['ALTER TABLE "t" ADD COLUMN "z" integer CHECK (z > 0);'],
  'add a column with a foreign key': ['ALTER TABLE "t" ADD COLUMN "z" integer REFERENCES "p"("id") ON DELETE cascade;'],
  'add a unique column': ['ALTER TABLE "t" ADD COLUMN "z" integer UNIQUE;'],
  'set a default': [`ALTER TABLE "t" ALTER COLUMN "a" SET DEFAULT 7;`],
  'set not null': ['ALTER TABLE "t" ALTER COLUMN "a" SET NOT NULL;'],
  'drop not null': ['ALTER TABLE "t" ALTER COLUMN "v" DROP NOT NULL;'],
  'add a check': ['ALTER TABLE "t" ADD CONSTRAINT "t_a_positive" CHECK ("t"."a" > 0);'],
  'add a check without a name': ['ALTER TABLE "t" ADD CHECK (a > 0);'],
  'add a foreign key': [
    'ALTER TABLE "t" ADD CONSTRAINT "t_a_p_fk" FOREIGN KEY ("a") REFERENCES "public"."p"("id") ON DELETE no action ON UPDATE no action;',
  ],
  'drop a foreign key': ['ALTER TABLE "t" DROP CONSTRAINT "t_b_fk";'],
  'add a unique constraint': ['ALTER TABLE "t" ADD CONSTRAINT "t_a_unique" UNIQUE("a");'],
  'add a unique constraint that may wait': [
    'ALTER TABLE "t" ADD CONSTRAINT "t_a_later" UNIQUE("a") DEFERRABLE INITIALLY DEFERRED;',
  ],
  'another primary key': ['ALTER TABLE "t" DROP CONSTRAINT "t_pkey";', 'ALTER TABLE "t" ADD PRIMARY KEY ("a");'],
  'another primary key of two columns': [
    'ALTER TABLE "t" DROP CONSTRAINT "t_pkey";',
    'ALTER TABLE "t" ADD CONSTRAINT "t_id_a_pk" PRIMARY KEY("id","a");',
  ],
  'create an index': ['CREATE INDEX "t_v_idx" ON "t" USING btree ("v");'],
  'create a unique index of a part': ['CREATE UNIQUE INDEX "t_a_part" ON "t" USING btree ("a") WHERE "t"."id" > 10;'],
  'create an index of an expression': ['CREATE INDEX "t_lower" ON "t" USING btree (lower("s"));'],
  'drop an index': ['DROP INDEX "t_a_idx";'],
  'replace an index': ['DROP INDEX "t_a_idx";', 'CREATE INDEX "t_a_idx" ON "t" USING btree ("a","v");'],
  'add an exclusion constraint': ['ALTER TABLE "t" ADD CONSTRAINT "t_ex" EXCLUDE USING btree (id WITH =);'],
  'a longer varchar': ['ALTER TABLE "t" ALTER COLUMN "s" SET DATA TYPE varchar(100);'],
  'varchar to text': ['ALTER TABLE "t" ALTER COLUMN "s" SET DATA TYPE text;'],
  'a roomier numeric': ['ALTER TABLE "t" ALTER COLUMN "num" SET DATA TYPE numeric(12, 2);'],
  'timestamp to timestamptz': ['ALTER TABLE "t" ALTER COLUMN "at" SET DATA TYPE timestamp with time zone;'],
  'integer to bigint': ['ALTER TABLE "t" ALTER COLUMN "a" SET DATA TYPE bigint;'],
  'text to jsonb': ['ALTER TABLE "t" ALTER COLUMN "j" SET DATA TYPE jsonb USING "j"::jsonb;'],
  'rename a column': ['ALTER TABLE "t" RENAME COLUMN "a" TO "renamed";'],
  'drop a column': ['ALTER TABLE "t" DROP COLUMN "a";'],
  'add a value to an enum': [`ALTER TYPE "public"."t_mood" ADD VALUE 'wild' BEFORE 'sad';`],
  'create a trigger': [
    'CREATE TRIGGER "t_trigger" BEFORE UPDATE ON "t" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();',
  ],
  'row level security': [
    'ALTER TABLE "t" ENABLE ROW LEVEL SECURITY;',
    'CREATE POLICY "t_policy" ON "t" AS PERMISSIVE FOR ALL TO public USING (true);',
  ],
  'create a table with a foreign key': [
    'CREATE TABLE "t_child" ("id" integer PRIMARY KEY NOT NULL, "t" integer NOT NULL);',
    'ALTER TABLE "t_child" ADD CONSTRAINT "t_child_fk" FOREIGN KEY ("t") REFERENCES "public"."t"("id");',
    'CREATE INDEX "t_child_idx" ON "t_child" USING btree ("t");',
  ],
  'update all rows': ['-- mytx:backfill\nUPDATE "t" SET "filled" = "v";'],
  'several in one statement': [
    'ALTER TABLE "t" ADD COLUMN "z" text, ALTER COLUMN "a" SET NOT NULL, ADD CONSTRAINT "t_z_check" CHECK (z <> \'\') -- all of it',
  ],
};

const titles = Object.keys(changes);

/** The change on tables of its own. */
const own = (index: number, sql: string): string =>
  sql.replaceAll(/\bt(?=["_.])/g, `t${index}`).replaceAll(/"p"/g, `"p${index}"`);

function beginning(): MigrationFile {
  const sql = titles.flatMap((_, i) => [
    `create type "t${i}_mood" as enum ('calm', 'sad')`,
    `create table "p${i}" (id integer primary key)`,
    `insert into "p${i}" select generate_series(1, ${rows})`,
    `create table "t${i}" (id integer primary key, v integer not null default 0, a integer, b integer, s varchar(50),
       num numeric(10,2), at timestamp, j text, filled integer, mood "t${i}_mood")`,
    `insert into "t${i}" select n, 0, n, n, 's' || n, n, '2024-01-01', '{}', null, 'calm' from generate_series(1, ${rows}) n`,
    `create index "t${i}_a_idx" on "t${i}" (a)`,
    `alter table "t${i}" add constraint "t${i}_b_fk" foreign key (b) references "p${i}" (id)`,
  ]);
  return { tag: '0000_tables', when: 1000, sql: statements(...sql) };
}

/** What Drizzle's snapshot would say. */
const schema: KnownSchema = new Map(
  titles.map((_, i) => {
    const types = {
      id: 'integer',
      v: 'integer',
      a: 'integer',
      b: 'integer',
      s: 'varchar(50)',
      num: 'numeric(10, 2)',
      at: 'timestamp',
      j: 'text',
    };
    const columns = Object.entries(types).map(
      ([name, type]) => [name, { type, isNullable: name !== 'id' && name !== 'v', default: undefined }] as const,
    );
    return [
      `public.t${i}`,
      { columns: new Map(columns), primaryKey: ['id'], indexes: [], uniques: [], foreignKeys: [] },
    ];
  }),
);

const migrationOf = (i: number, sql: string): MigrationFile => ({
  tag: `${String(i + 1).padStart(4, '0')}_change`,
  when: 2000 + i,
  sql,
});

interface Traffic {
  requests: number;
  failures: string[];
  stop(): Promise<void>;
}

/** Each on a connection of its own: writers update a row, readers read one, by turns on each table. */
function startTraffic(url: string): Traffic {
  const sql = postgres(url, { max: 8, onnotice: () => {} });
  const traffic = { requests: 0, failures: [] as string[] };
  let isOver = false;
  const go = async (isWriter: boolean, first: number): Promise<void> => {
    for (let n = first; !isOver; n += 1) {
      const table = sql(`t${n % titles.length}`);
      const id = 1 + (n % rows);
      const request = isWriter
        ? sql`update ${table} set v = v + 1 where id = ${id}`
        : sql`select v from ${table} where id = ${id}`;
      await request.catch((error: Error) => traffic.failures.push(`${titles[n % titles.length]}: ${error.message}`));
      traffic.requests += 1;
      await sleep(2);
    }
  };
  const all = Promise.all([0, 1, 2, 3].flatMap((n) => [go(true, n * 7), go(false, n * 11)]));
  return Object.assign(traffic, {
    async stop(): Promise<void> {
      isOver = true;
      await all;
      await sql.end();
    },
  });
}

const catalogueOf = (lines: readonly string[]): string[] => lines.filter((line) => !/^[tp]\d+\w*: /.test(line));
const ofTable = (lines: readonly string[], i: number): string[] =>
  lines.filter((line) => new RegExp(`\\bt${i}(_\\w+)?\\b`).test(line));

describe.each(inject('servers'))('on PostgreSQL $version', ({ url, version }) => {
  let expected: string[] = [];
  let found: string[] = [];
  let traffic: Pick<Traffic, 'requests' | 'failures'> = { requests: 0, failures: [] };

  beforeAll(async () => {
    const plain = titles.map((title, i) =>
      migrationOf(i, statements(...(changes[title] as string[]).map((sql) => own(i, sql)))),
    );
    await onNewDatabase(url, async ({ sql }) => {
      await migrate(drizzle(sql), { migrationsFolder: journalFolder([beginning(), ...plain]) });
      expected = catalogueOf(await everything(sql));
    });
    const ours: MigrationFile[] = [];
    for (const [i, { sql }] of plain.entries())
      ours.push(migrationOf(i, (await rewriteMigration(sql, { schema, version })).text));
    await onNewDatabase(url, async ({ url: database, sql }) => {
      await deploy({ url: database, migrationsFolder: journalFolder([beginning()]) });
      const running = startTraffic(database);
      await deploy({ url: database, migrationsFolder: journalFolder([beginning(), ...ours]) }).finally(() =>
        running.stop(),
      );
      traffic = running;
      found = catalogueOf(await everything(sql));
    });
  });

  test.each(titles.map((title, i) => [title, i] as const))('%s', (_title, i) => {
    expect(ofTable(expected, i).length).toBeGreaterThan(5);
    expect(ofTable(found, i)).toEqual(ofTable(expected, i));
  });

  test('nothing else is left, and no request failed', () => {
    expect(found).toEqual(expected);
    expect(traffic.requests).toBeGreaterThan(200);
    expect(traffic.failures).toEqual([]);
  });
});

// The recipes of docs/zero-downtime.md for what breaks running code: each plan in two deploys on a filled table, with the old
// code and the new code at it the whole time, until the catalogue is that of drizzle-kit's own statement.

import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateDrizzleJson } from 'drizzle-kit/api';
import { sql as text } from 'drizzle-orm';
import { index, integer, pgTable, uniqueIndex } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { deploy } from '../../db/deployment.ts';
import { planContract } from '../../deploy/generate/contract-plan.ts';
import {
  type KnownColumn,
  type KnownSchema,
  type KnownTable,
  readSnapshot,
} from '../../deploy/rewrite/known-schema.ts';
import { rewriteMigration } from '../../deploy/rewrite/rewrite-migration.ts';
import { journalFolder, onNewDatabase, removeFolders } from './own-database.ts';
import { everything } from './rewrite/everything.ts';

afterAll(removeFolders);

const breakpoint = '--> statement-breakpoint\n';

const first = [
  `create table "teams" ("id" integer primary key, "title" text not null)`,
  `create table "users" ("id" integer primary key, "name" text not null, "points" integer default 0 not null, "note" text not null,
     "team_id" integer)`,
  `alter table "users" add constraint "users_team_id_teams_id_fk" foreign key ("team_id") references "teams"("id")`,
  `create index "users_name_idx" on "users" ("name")`,
  `insert into "teams" select n, 'team ' || n from generate_series(1, 5) n`,
  `insert into "users" select n, 'name ' || n, n, 'note', 1 + n % 5 from generate_series(1, 3000) n`,
  `create table "accounts" ("id" serial primary key, "email" text not null, "invited_by" integer,
     constraint "accounts_email_unique" unique ("email"))`,
  `create table "orders" ("id" integer primary key generated always as identity, "account_id" integer not null, "email" text,
     "note" text)`,
  `create table "members" ("account_id" integer, "team_id" integer, "role" text not null,
     constraint "members_account_id_team_id_pk" primary key ("account_id", "team_id"))`,
  `alter table "accounts" add constraint "accounts_invited_by_accounts_id_fk" foreign key ("invited_by") references "accounts"("id")`,
  `alter table "orders" add constraint "orders_account_id_accounts_id_fk" foreign key ("account_id") references "accounts"("id")
     on delete cascade`,
  `alter table "orders" add constraint "orders_email_accounts_email_fk" foreign key ("email") references "accounts"("email")`,
  `alter table "members" add constraint "members_account_id_accounts_id_fk" foreign key ("account_id") references "accounts"("id")`,
  `create index "orders_account_idx" on "orders" ("account_id")`,
  `insert into "accounts" ("email", "invited_by") select 'mail ' || n, nullif(n - 1, 0) from generate_series(1, 3000) n`,
  `insert into "orders" ("account_id", "email") select n, 'mail ' || n from generate_series(1, 3000) n`,
  `insert into "members" select n, n % 5, 'guest' from generate_series(1, 3000) n`,
].join(`;${breakpoint}`);

const column = (type: string, isNullable = false, value?: string): KnownColumn => ({
  type,
  isNullable,
  default: value,
});

const foreignKey = (name: string, from: string, to: string, toColumn: string, onDelete?: string) => ({
  name,
  columns: [from],
  to: { schema: undefined, name: to },
  columnsTo: [toColumn],
  onDelete,
  onUpdate: undefined,
});

const schema: KnownSchema = new Map<string, KnownTable>([
  [
    'public.accounts',
    {
      columns: new Map([
        ['id', column('serial')],
        ['email', column('text')],
        ['invited_by', column('integer', true)],
      ]),
      primaryKey: ['id'],
      indexes: [],
      uniques: [{ name: 'accounts_email_unique', columns: ['email'] }],
      foreignKeys: [foreignKey('accounts_invited_by_accounts_id_fk', 'invited_by', 'accounts', 'id')],
    },
  ],
  [
    'public.orders',
    {
      columns: new Map([
        ['id', { ...column('integer'), isIdentity: true }],
        ['account_id', column('integer')],
        ['email', column('text', true)],
        ['note', column('text', true)],
      ]),
      primaryKey: ['id'],
      indexes: [{ name: 'orders_account_idx', columns: ['account_id'], isUnique: false, isPlain: true }],
      uniques: [],
      foreignKeys: [
        foreignKey('orders_account_id_accounts_id_fk', 'account_id', 'accounts', 'id', 'cascade'),
        foreignKey('orders_email_accounts_email_fk', 'email', 'accounts', 'email'),
      ],
    },
  ],
  [
    'public.members',
    {
      columns: new Map([
        ['account_id', column('integer')],
        ['team_id', column('integer')],
        ['role', column('text')],
      ]),
      primaryKey: ['account_id', 'team_id'],
      primaryKeyName: 'members_account_id_team_id_pk',
      indexes: [],
      uniques: [],
      foreignKeys: [foreignKey('members_account_id_accounts_id_fk', 'account_id', 'accounts', 'id')],
    },
  ],
  [
    'public.teams',
    {
      columns: new Map([
        ['id', column('integer')],
        ['title', column('text')],
      ]),
      primaryKey: ['id'],
      indexes: [],
      uniques: [],
      foreignKeys: [],
    },
  ],
  [
    'public.users',
    {
      columns: new Map([
        ['id', column('integer')],
        ['name', column('text')],
        ['points', column('integer', false, '0')],
        ['note', column('text')],
        ['team_id', column('integer', true)],
      ]),
      primaryKey: ['id'],
      indexes: [{ name: 'users_name_idx', columns: ['name'], isUnique: false, isPlain: true }],
      uniques: [],
      foreignKeys: [foreignKey('users_team_id_teams_id_fk', 'team_id', 'teams', 'id')],
    },
  ],
]);

/** One turn of code that reads and writes: what it wrote it must find. */
type Code = (sql: postgres.Sql, id: number) => Promise<void>;

interface Recipe {
  name: string;
  /** In the document; the name where it is the same. */
  heading?: string;
  /** As drizzle-kit writes it. */
  change: string;
  /** What PostgreSQL needs in its place, or behind it: where the reason is. */
  inOne?: string;
  old: Code;
  new: Code;
}

const recipes: Recipe[] = [
  {
    name: 'Rename a column',
    change: 'ALTER TABLE "users" RENAME COLUMN "name" TO "full_name";',
    async old(sql, id) {
      await sql`insert into users (id, name, note) values (${id}, 'old', 'n')`;
      await sql`update users set name = 'older' where id = ${id}`;
      expect(await sql`select name from users where id = ${id}`).toEqual([{ name: 'older' }]);
    },
    async new(sql, id) {
      await sql`insert into users (id, full_name, note) values (${id}, 'new', 'n')`;
      await sql`update users set full_name = 'newer' where id = ${id}`;
      expect(await sql`select full_name from users where id = ${id}`).toEqual([{ full_name: 'newer' }]);
    },
  },
  {
    name: 'Rename a column that foreign keys reference, the primary key',
    heading: 'Rename a column',
    change: [
      'ALTER TABLE "accounts" RENAME COLUMN "id" TO "number";',
      'ALTER TABLE "accounts" DROP CONSTRAINT "accounts_invited_by_accounts_id_fk";\n',
      'ALTER TABLE "orders" DROP CONSTRAINT "orders_account_id_accounts_id_fk";\n',
      'ALTER TABLE "members" DROP CONSTRAINT "members_account_id_accounts_id_fk";\n',
      'ALTER TABLE "accounts" ADD CONSTRAINT "accounts_invited_by_accounts_number_fk" FOREIGN KEY ("invited_by") REFERENCES "public"."accounts"("number") ON DELETE no action ON UPDATE no action;',
      'ALTER TABLE "orders" ADD CONSTRAINT "orders_account_id_accounts_number_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("number") ON DELETE cascade ON UPDATE no action;',
      'ALTER TABLE "members" ADD CONSTRAINT "members_account_id_accounts_number_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("number") ON DELETE no action ON UPDATE no action;',
    ].join(breakpoint),
    async old(sql, id) {
      await sql`insert into accounts (id, email) values (${id}, ${`old ${id}`})`;
      await sql`insert into accounts (id, email) values (${id}, 'none') on conflict (id) do update set invited_by = 1`;
      const [made] =
        await sql`insert into accounts (email, invited_by) values (${`default ${id}`}, ${id}) returning id`;
      await sql`insert into orders (account_id) values (${made?.id})`;
      await sql`delete from accounts where id = ${made?.id}`;
      expect(await sql`select id from orders where account_id = ${made?.id}`).toEqual([]);
      expect(await sql`select invited_by from accounts where id = ${id}`).toEqual([{ invited_by: 1 }]);
    },
    async new(sql, id) {
      await sql`insert into accounts (number, email) values (${id}, ${`new ${id}`})`;
      await sql`insert into accounts (number, email) values (${id}, 'none') on conflict (number) do update set invited_by = 1`;
      const [made] =
        await sql`insert into accounts (email, invited_by) values (${`default ${id}`}, ${id}) returning number`;
      await sql`insert into orders (account_id) values (${made?.number})`;
      await sql`delete from accounts where number = ${made?.number}`;
      expect(await sql`select id from orders where account_id = ${made?.number}`).toEqual([]);
      expect(await sql`select invited_by from accounts where number = ${id}`).toEqual([{ invited_by: 1 }]);
    },
  },
  {
    name: 'Rename a column that foreign keys reference, a unique one',
    heading: 'Rename a column',
    change: [
      'ALTER TABLE "accounts" RENAME COLUMN "email" TO "address";',
      'ALTER TABLE "accounts" DROP CONSTRAINT "accounts_email_unique";',
      'ALTER TABLE "orders" DROP CONSTRAINT "orders_email_accounts_email_fk";\n',
      'ALTER TABLE "orders" ADD CONSTRAINT "orders_email_accounts_address_fk" FOREIGN KEY ("email") REFERENCES "public"."accounts"("address") ON DELETE no action ON UPDATE no action;',
      'ALTER TABLE "accounts" ADD CONSTRAINT "accounts_address_unique" UNIQUE("address");',
    ].join(breakpoint),
    // drizzle-kit drops the unique rule while the foreign key stands on it, which PostgreSQL refuses.
    inOne: `alter table accounts rename column email to address; alter table accounts rename constraint accounts_email_unique to
      accounts_address_unique; alter table orders rename constraint orders_email_accounts_email_fk to orders_email_accounts_address_fk`,
    async old(sql, id) {
      await sql`insert into accounts (email) values (${`mail ${id}`})`;
      await sql`insert into accounts (email) values (${`mail ${id}`}) on conflict (email) do update set invited_by = 1`;
      await sql`insert into orders (account_id, email) values (1, ${`mail ${id}`})`;
      expect(await sql`select invited_by from accounts where email = ${`mail ${id}`}`).toEqual([{ invited_by: 1 }]);
    },
    async new(sql, id) {
      await sql`insert into accounts (address) values (${`mail ${id}`})`;
      await sql`insert into accounts (address) values (${`mail ${id}`}) on conflict (address) do update set invited_by = 1`;
      await sql`insert into orders (account_id, email) values (1, ${`mail ${id}`})`;
      expect(await sql`select invited_by from accounts where address = ${`mail ${id}`}`).toEqual([{ invited_by: 1 }]);
    },
  },
  {
    name: 'Rename a column of a key of two, and of a foreign key',
    heading: 'Rename a column',
    change: [
      'ALTER TABLE "members" RENAME COLUMN "account_id" TO "member_id";',
      'ALTER TABLE "members" DROP CONSTRAINT "members_account_id_accounts_id_fk";\n',
      'ALTER TABLE "members" DROP CONSTRAINT "members_account_id_team_id_pk";',
      'ALTER TABLE "members" ADD CONSTRAINT "members_member_id_team_id_pk" PRIMARY KEY("member_id","team_id");',
      'ALTER TABLE "members" ADD CONSTRAINT "members_member_id_accounts_id_fk" FOREIGN KEY ("member_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;',
    ].join(breakpoint),
    async old(sql, id) {
      await sql`insert into members values (1, ${id}, 'guest')`;
      await sql`insert into members values (1, ${id}, 'host') on conflict (account_id, team_id) do update set role = excluded.role`;
      expect(await sql`select role from members where account_id = 1 and team_id = ${id}`).toEqual([{ role: 'host' }]);
    },
    async new(sql, id) {
      await sql`insert into members (member_id, team_id, role) values (1, ${id}, 'guest')`;
      await sql`insert into members (member_id, team_id, role) values (1, ${id}, 'host')
        on conflict (member_id, team_id) do update set role = excluded.role`;
      expect(await sql`select role from members where member_id = 1 and team_id = ${id}`).toEqual([{ role: 'host' }]);
    },
  },
  {
    name: 'Rename an identity',
    heading: 'Rename a column',
    change: 'ALTER TABLE "orders" RENAME COLUMN "id" TO "number";',
    async old(sql) {
      const [made] = await sql`insert into orders (account_id) values (1) returning id`;
      expect(await sql`update orders set note = 'n' where id = ${made?.id} returning note`).toEqual([{ note: 'n' }]);
    },
    async new(sql) {
      const [made] = await sql`insert into orders (account_id) values (1) returning number`;
      expect(await sql`update orders set note = 'n' where number = ${made?.number} returning note`).toEqual([
        { note: 'n' },
      ]);
    },
  },
  {
    name: 'Rename a table',
    change: 'ALTER TABLE "teams" RENAME TO "groups";',
    async old(sql, id) {
      await sql`insert into teams (id, title) values (${id}, 'old')`;
      await sql`insert into teams (id, title) values (${id}, 'older') on conflict (id) do update set title = excluded.title`;
      expect(await sql`select title from teams where id = ${id}`).toEqual([{ title: 'older' }]);
    },
    async new(sql, id) {
      await sql`insert into groups (id, title) values (${id}, 'new')`;
      expect(await sql`update groups set title = 'newer' where id = ${id} returning title`).toEqual([
        { title: 'newer' },
      ]);
    },
  },
  {
    name: 'Drop a column',
    change: 'ALTER TABLE "users" DROP COLUMN "note";',
    async old(sql, id) {
      await sql`insert into users (id, name, note) values (${id}, 'old', 'n')`;
      expect(await sql`select note from users where id = ${id}`).toEqual([{ note: 'n' }]);
    },
    async new(sql, id) {
      await sql`insert into users (id, name) values (${id}, 'new')`;
      expect(await sql`select name from users where id = ${id}`).toEqual([{ name: 'new' }]);
    },
  },
  {
    name: 'Drop a column that a foreign key references',
    heading: 'Drop a column',
    change: [
      'ALTER TABLE "accounts" DROP CONSTRAINT "accounts_email_unique";',
      'ALTER TABLE "orders" DROP CONSTRAINT "orders_email_accounts_email_fk";\n',
      'ALTER TABLE "accounts" DROP COLUMN "email";',
    ].join(breakpoint),
    // As above: the unique rule can't go while the foreign key stands on it.
    inOne: 'alter table orders drop constraint orders_email_accounts_email_fk; alter table accounts drop column email',
    async old(sql, id) {
      await sql`insert into accounts (email) values (${`mail ${id}`}) on conflict (email) do nothing`;
      await sql`insert into orders (account_id, email) values (1, ${`mail ${id}`})`;
    },
    async new(sql, id) {
      const [made] = await sql`insert into accounts (invited_by) values (1) returning id`;
      await sql`insert into orders (account_id, note) values (${made?.id}, ${`note ${id}`})`;
    },
  },
  {
    name: 'Drop a table',
    change: 'DROP TABLE "users" CASCADE;',
    async old(sql, id) {
      await sql`insert into users (id, name, note, team_id) values (${id}, 'old', 'n', 1)`;
      expect(await sql`select name from users where id = ${id}`).toEqual([{ name: 'old' }]);
    },
    async new(sql, id) {
      await sql`insert into teams (id, title) values (${id}, 'new')`;
      expect(await sql`select title from teams where id = ${id}`).toEqual([{ title: 'new' }]);
    },
  },
  {
    name: 'Change a type',
    change: 'ALTER TABLE "users" ALTER COLUMN "points" SET DATA TYPE bigint;',
    async old(sql, id) {
      await sql`insert into users (id, name, note, points) values (${id}, 'old', 'n', 7)`;
      await sql`update users set points = points + 1 where id = ${id}`;
      expect(await sql`select points::int from users where id = ${id}`).toEqual([{ points: 8 }]);
    },
    async new(sql, id) {
      await sql`insert into users (id, name, note, points) values (${id}, 'new', 'n', ${2 ** 40})`;
      expect(await sql`select points::text from users where id = ${id}`).toEqual([{ points: `${2 ** 40}` }]);
    },
  },
  {
    name: 'Change the type of a primary key that foreign keys reference',
    heading: 'Change a type',
    change: 'ALTER TABLE "accounts" ALTER COLUMN "id" SET DATA TYPE bigint;',
    // drizzle-kit leaves the sequence an integer, at whose end no row can be added any more.
    inOne: 'alter table accounts alter column id set data type bigint; alter sequence accounts_id_seq as bigint',
    async old(sql, id) {
      await sql`insert into accounts (id, email) values (${id}, ${`old ${id}`})`;
      await sql`insert into accounts (id, email) values (${id}, 'none') on conflict (id) do update set invited_by = 1`;
      const [made] = await sql`insert into accounts (email) values (${`default ${id}`}) returning id::int`;
      await sql`insert into orders (account_id) values (${made?.id})`;
      await sql`delete from accounts where id = ${made?.id}`;
      expect(await sql`select id from orders where account_id = ${made?.id}`).toEqual([]);
    },
    async new(sql, id) {
      const large = `${2 ** 40 + id}`;
      await sql`insert into accounts (id, email) values (${large}, ${`new ${id}`})`;
      await sql`insert into accounts (id, email) values (${large}, 'none') on conflict (id) do update set invited_by = 1`;
      expect(await sql`select invited_by from accounts where id = ${large}`).toEqual([{ invited_by: 1 }]);
      await sql`insert into accounts (email) values (${`default ${id}`})`;
    },
  },
  {
    name: 'Change the type of a key of two, and of the foreign keys with what they reference',
    heading: 'Change a type',
    change: [
      'ALTER TABLE "members" ALTER COLUMN "account_id" SET DATA TYPE bigint;',
      'ALTER TABLE "accounts" ALTER COLUMN "id" SET DATA TYPE bigint;',
      'ALTER TABLE "accounts" ALTER COLUMN "invited_by" SET DATA TYPE bigint;',
      'ALTER TABLE "orders" ALTER COLUMN "account_id" SET DATA TYPE bigint;',
      'ALTER TABLE "orders" ALTER COLUMN "id" SET DATA TYPE bigint;',
      'ALTER TABLE "orders" ALTER COLUMN "id" SET MAXVALUE 9223372036854775807;',
    ].join(breakpoint),
    inOne: `alter table members alter column account_id type bigint; alter table accounts alter column id type bigint;
      alter table accounts alter column invited_by type bigint; alter table orders alter column account_id type bigint;
      alter table orders alter column id type bigint; alter sequence accounts_id_seq as bigint`,
    async old(sql, id) {
      const [made] = await sql`insert into accounts (email) values (${`old ${id}`}) returning id::int`;
      await sql`insert into orders (account_id) values (${made?.id})`;
      await sql`insert into members (account_id, team_id, role) values (${made?.id}, 1, 'guest')`;
      await sql`insert into members (account_id, team_id, role) values (${made?.id}, 1, 'host')
        on conflict (account_id, team_id) do update set role = excluded.role`;
      expect(await sql`select role from members where account_id = ${made?.id}`).toEqual([{ role: 'host' }]);
    },
    async new(sql, id) {
      const large = `${2 ** 40 + id}`;
      await sql`insert into accounts (id, email) values (${large}, ${`new ${id}`})`;
      await sql`insert into orders (account_id) values (${large})`;
      await sql`insert into members (account_id, team_id, role) values (${large}, 1, 'guest')`;
      await sql`delete from members where account_id = ${large}`;
      await sql`delete from accounts where id = ${large}`;
      expect(await sql`select id from orders where account_id = ${large}`).toEqual([]);
    },
  },
];

test('the document has each recipe', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/zero-downtime.md', import.meta.url)), 'utf8');
  expect(
    recipes.filter(({ name, heading = name }) => !page.includes(`### ${heading}\n`)).map(({ name }) => name),
  ).toEqual([]);
});

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  test.each(recipes)('$name, in two deploys', async ({ change, inOne = change, old, new: newer }) => {
    const { files } = await planContract('0001_change', change, { schema });
    const expand = files?.['1_expand.sql'] ?? '';
    const contract = files?.['2_contract.sql'] ?? '';
    const folder = journalFolder([
      { tag: '0000_first', when: 1000, sql: first },
      { tag: '0001_change', when: 2000, sql: expand },
    ]);
    await onNewDatabase(serverUrl, async ({ url, sql }) => {
      const run = startCode(url);
      const watched: Code = async (session) => {
        // By its key a replica knows a row.
        const [{ without } = {}] = await session`select count(*)::int as without from pg_class c
          where relkind = 'r' and relnamespace = 'public'::regnamespace
            and not exists (select from pg_index where indrelid = c.oid and indisprimary)`;
        expect(without).toBe(0);
        await sleep(1);
      };
      await deploy({ url, migrationsFolder: journalFolder([{ tag: '0000_first', when: 1000, sql: first }]) });
      await run.beside(deploy({ url, migrationsFolder: folder }), [old, watched]);
      await run.beside(sleep(100), [old, newer]);
      add(folder, { tag: '0002_contract', when: 3000, sql: contract });
      await run.beside(deploy({ url, migrationsFolder: folder }), [newer, watched]);
      await run.end();
      expect(await shape(sql)).toEqual(await shapeInOne(serverUrl, inOne));
    });
  });
});

test.each([
  ['ALTER TABLE "accounts" ALTER COLUMN "id" SET DATA TYPE uuid;', 'accounts_invited_by_accounts_id_fk'],
  ['ALTER TABLE "members" DROP COLUMN "team_id";', 'the primary key'],
  [
    'ALTER TABLE "members" RENAME COLUMN "team_id" TO "group_id";--> statement-breakpoint\nALTER TABLE "members" DROP CONSTRAINT "members_account_id_team_id_pk";',
    'members_account_id_team_id_pk',
  ],
])('%s has no plan, and the reason names the key', async (change, named) => {
  const { files, whyNoPlan } = await planContract('0001_change', change, { schema });
  expect(files).toBeUndefined();
  const { explanations } = await rewriteMigration(change, { schema, whyNoPlan });
  expect(explanations[0]?.why).toMatch(new RegExp(`it has no plan in two deploys: .*${named}`));
});

test('an index that columns and name do not say all of is left to be made by hand', async () => {
  const notes = pgTable('notes', { id: integer().primaryKey(), size: integer() }, ({ size }) => [
    index('notes_plain').on(size),
    index('notes_of_a_part').on(size).where(text`size > 0`),
    index('notes_hashed').using('hash', size),
    index('notes_from_the_end').on(size.desc()),
    index('notes_with_nulls_first').on(size.nullsFirst()),
    index('notes_with_room').on(size).with({ fillfactor: 70 }),
    uniqueIndex('notes_by_class').on(size.op('int4_ops')),
    index('notes_of_an_expression').on(text`(size + 1)`),
  ]);
  const { files } = await planContract('0001_change', 'ALTER TABLE "notes" RENAME COLUMN "size" TO "length";', {
    schema: readSnapshot(generateDrizzleJson({ notes })),
  });
  expect(files?.['1_expand.sql']?.match(/INDEX CONCURRENTLY "\w+"/g)).toEqual(['INDEX CONCURRENTLY "notes_plain_new"']);
  expect(/By hand, .*?: (.*), which/.exec(files?.['README.md'] ?? '')?.[1]?.split(', ')).toEqual([
    'notes_of_a_part',
    'notes_hashed',
    'notes_from_the_end',
    'notes_with_nulls_first',
    'notes_with_room',
    'notes_by_class',
    'notes_of_an_expression',
  ]);
});

test('of two renames of one key the second is left, and the plan says why', async () => {
  const change = [
    'ALTER TABLE "members" RENAME COLUMN "account_id" TO "member_id";',
    'ALTER TABLE "members" RENAME COLUMN "team_id" TO "group_id";',
  ].join(breakpoint);
  const { files } = await planContract('0001_change', change, { schema });
  expect(files?.['README.md']).toMatch(
    /Not made in two[\s\S]*"group_id": "members_account_id_team_id_pk" is made anew/,
  );
  expect(files?.['1_expand.sql']).toContain('RENAME COLUMN "team_id" TO "group_id"');
});

test('the view of a renamed table gives a role its rights, and no row that a policy withholds', async () => {
  const { files } = await planContract('0001_change', 'ALTER TABLE "teams" RENAME TO "groups";', { schema });
  await onNewDatabase(inject('servers').at(-1)?.url ?? '', async ({ url, sql }) => {
    const role = `reader_${randomUUID().slice(0, 8)}`;
    const before = [
      first,
      `create role ${role};`,
      `grant select on "teams" to ${role};`,
      'alter table "teams" enable row level security;',
      'create policy "few" on "teams" using (id < 3);',
    ].join(breakpoint);
    const folder = journalFolder([
      { tag: '0000_first', when: 1000, sql: before },
      { tag: '0001_change', when: 2000, sql: files?.['1_expand.sql'] ?? '' },
    ]);
    await deploy({ url, migrationsFolder: folder });
    const seen = await sql.begin(async (tx) => {
      await tx.unsafe(`set local role ${role}`);
      return tx`select id from teams order by id`;
    });
    expect(seen).toEqual([{ id: 1 }, { id: 2 }]);
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });
});

/** Code that goes on by itself, one connection for each kind, until what it runs beside is over. Its first failure is thrown. */
function startCode(url: string): {
  beside(work: Promise<unknown>, codes: Code[]): Promise<void>;
  end(): Promise<void>;
} {
  const sessions = new Map<Code, postgres.Sql>();
  let lastId = 10_000;
  return {
    async beside(work, codes): Promise<void> {
      let isOver = false;
      const turns = codes.map(async (code) => {
        const sql = sessions.get(code) ?? postgres(url, { max: 1, onnotice: () => {} });
        sessions.set(code, sql);
        do {
          lastId += 1;
          await code(sql, lastId);
        } while (!isOver);
      });
      const over = work.finally(() => {
        isOver = true;
      });
      await Promise.all([over, ...turns]);
    },
    async end(): Promise<void> {
      for (const sql of sessions.values()) await sql.end();
    },
  };
}

/** The catalogue without what differs by design: the order of columns, and the name that 18 gives a NOT NULL. */
async function shape(sql: postgres.Sql): Promise<string[]> {
  return (await everything(sql))
    .filter((line) => !/^\w+: \{| NOT NULL \w+ t$/.test(line))
    .map((line) => line.replace(/^(column \w+\.)\d+/, '$1'))
    .sort();
}

async function shapeInOne(serverUrl: string, change: string): Promise<string[]> {
  let found: string[] = [];
  await onNewDatabase(serverUrl, async ({ sql }) => {
    for (const statement of [...first.split(breakpoint), change]) await sql.unsafe(statement);
    found = await shape(sql);
  });
  return found;
}

function add(folder: string, { tag, when, sql }: { tag: string; when: number; sql: string }): void {
  const file = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as { entries: unknown[] };
  journal.entries.push({ idx: journal.entries.length, version: '7', when, tag, breakpoints: true });
  writeFileSync(file, JSON.stringify(journal));
  writeFileSync(join(folder, `${tag}.sql`), sql);
}

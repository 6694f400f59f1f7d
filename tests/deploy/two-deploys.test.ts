// The recipes of docs/zero-downtime.md for what breaks running code: each plan in two deploys on a filled table, with the old
// code and the new code at it the whole time, until the catalogue is that of drizzle-kit's own statement.

import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { deploy } from '../../db/deployment.ts';
import { planContract } from '../../deploy/generate/contract-plan.ts';
import type { KnownSchema } from '../../deploy/rewrite/known-schema.ts';
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
].join(`;${breakpoint}`);

const column = (type: string, isNullable = false, value?: string) => ({ type, isNullable, default: value });

const schema: KnownSchema = new Map([
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
      indexes: [{ name: 'users_name_idx', columns: ['name'], isUnique: false, isPartial: false }],
      uniques: [],
      foreignKeys: [
        {
          name: 'users_team_id_teams_id_fk',
          columns: ['team_id'],
          to: { schema: undefined, name: 'teams' },
          columnsTo: ['id'],
          onDelete: undefined,
          onUpdate: undefined,
        },
      ],
    },
  ],
]);

/** One turn of code that reads and writes: what it wrote it must find. */
type Code = (sql: postgres.Sql, id: number) => Promise<void>;

interface Recipe {
  /** The heading in the document. */
  name: string;
  /** As drizzle-kit writes it. */
  change: string;
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
];

test('the document has each recipe', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/zero-downtime.md', import.meta.url)), 'utf8');
  expect(recipes.filter(({ name }) => !page.includes(`### ${name}\n`)).map(({ name }) => name)).toEqual([]);
});

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  test.each(recipes)('$name, in two deploys', async ({ change, old, new: newer }) => {
    const files = await planContract('0001_change', change, { schema });
    const expand = files?.['1_expand.sql'] ?? '';
    const contract = files?.['2_contract.sql'] ?? '';
    const folder = journalFolder([
      { tag: '0000_first', when: 1000, sql: first },
      { tag: '0001_change', when: 2000, sql: expand },
    ]);
    await onNewDatabase(serverUrl, async ({ url, sql }) => {
      const run = startCode(url);
      await deploy({ url, migrationsFolder: journalFolder([{ tag: '0000_first', when: 1000, sql: first }]) });
      await run.beside(deploy({ url, migrationsFolder: folder }), [old]);
      await run.beside(sleep(100), [old, newer]);
      add(folder, { tag: '0002_contract', when: 3000, sql: contract });
      await run.beside(deploy({ url, migrationsFolder: folder }), [newer]);
      await run.end();
      expect(await shape(sql)).toEqual(await shapeInOne(serverUrl, change));
    });
  });
});

test('the view of a renamed table gives a role its rights, and no row that a policy withholds', async () => {
  const files = await planContract('0001_change', 'ALTER TABLE "teams" RENAME TO "groups";', { schema });
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

// A migration that can't be one transaction: in which steps it runs, what is known of each, and how it goes on.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type DeployEvent, type DeployOptions, deploy, status } from '../../db/deployment.ts';
import { type Migration, readMigrations } from '../../deploy/migrations.ts';
import { planMigration } from '../../deploy/steps/steps.ts';
import { deployUntil } from './crash-points.ts';
import {
  journalFolder,
  type MigrationFile,
  type OwnDatabase,
  onNewDatabase,
  removeFolders,
  statements,
} from './own-database.ts';

afterAll(removeFolders);

const table: MigrationFile = {
  tag: '0000_table',
  when: 1000,
  sql: statements(
    'create table person (id integer primary key, first text, last text, mood text, full_name text)',
    `insert into person select n, 'f' || n, 'l' || n from generate_series(1, 5000) n`,
    `create type mood as enum ('calm')`,
  ),
};

const mixed: MigrationFile = {
  tag: '0001_mixed',
  when: 2000,
  sql: statements(
    'alter table person add column nick text',
    'create index concurrently person_last_idx on person (last)',
    `alter type mood add value 'wild'`,
    `update person set mood = 'wild'::mood::text where id = 1`,
    `-- mytx:backfill batch=700\nupdate person as p set full_name = p.first || ' ' || p.last where (p.full_name is null)`,
    'alter table person add constraint person_last_check check (last is not null) not valid',
    'alter table person validate constraint person_last_check',
    'vacuum person',
    'drop index concurrently person_last_idx',
  ),
};

test('in a migration of several steps each transaction locks one table; in any other all is one', async () => {
  const stepsOf = async (...list: string[]): Promise<string[][]> => {
    const [migration] = readMigrations(journalFolder([{ tag: '0000_steps', when: 1, sql: statements(...list) }]));
    const { steps } = await planMigration(migration as Migration);
    return steps.map((step) => step.statements.map(({ sql }) => sql));
  };
  const a = 'alter table a add column x int';
  const other = 'alter table other.a add column y int';
  const [view, index] = ['create view v as select 1', 'create index concurrently a_x on a (x)'];
  expect(await stepsOf(a, a, view, a, other, a, index)).toEqual([[a, a, view, a], [other], [a], [index]]);
  expect(await stepsOf(`${a}; ${other}; -- validate`, a)).toHaveLength(1);
});

const kindsOf = (events: readonly DeployEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'step' ? [event.kind] : []));

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onDatabase = (work: (database: OwnDatabase) => Promise<void>): Promise<void> => onNewDatabase(serverUrl, work);

  test('runs what can’t be in a transaction outside of one, each once, and the history has it behind the last', () =>
    onDatabase(async ({ url, sql }) => {
      const events: DeployEvent[] = [];
      const migrationsFolder = journalFolder([table, mixed]);
      const report = await deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
      expect(report).toMatchObject({ applied: ['0000_table', '0001_mixed'], late: [], edited: [], total: 2 });
      expect(kindsOf(events)).toEqual([
        'transaction',
        'alone',
        'transaction',
        'transaction',
        'backfill',
        'transaction',
        'transaction',
        'alone',
        'alone',
      ]);
      expect(await sql`select count(*)::int from person where full_name = first || ' ' || last`).toEqual([
        { count: 5000 },
      ]);
      expect(await sql`select mood from person where id = 1`).toEqual([{ mood: 'wild' }]);
      expect(await sql`select to_regclass('person_last_idx')::text as index`).toEqual([{ index: null }]);
      expect(await sql`select convalidated from pg_constraint where conname = 'person_last_check'`).toEqual([
        { convalidated: true },
      ]);
      expect(await sql`select state, count(*)::int from mytx_deploy.step group by 1`).toEqual([
        { state: 'done', count: 9 },
      ]);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true, planHash: null });
      expect(await deploy({ url, migrationsFolder })).toMatchObject({ applied: [] });
    }));

  test('a step that fails leaves those before it, says so, and the next run goes on with the corrected one', () =>
    onDatabase(async ({ url, sql }) => {
      const broken = { ...mixed, sql: mixed.sql.replace(`'wild'::mood::text`, `'angry'::mood::text`) };
      const migrationsFolder = journalFolder([table, broken]);
      const failure = await deploy({ url, migrationsFolder }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'MIGRATION_FAILED',
        details: {
          migration: '0001_mixed',
          sqlState: '22P02',
          stepsDone: 3,
          undo: [
            'step 3: it is committed: what takes it back is a migration of its own',
            'step 2: drop index concurrently if exists public.person_last_idx',
            'step 1: it is committed: what takes it back is a migration of its own',
          ],
          applied: ['0000_table'],
        },
      });
      expect((failure as Error).message).toContain('invalid input value for enum');
      expect((await status({ url, migrationsFolder })).migrations[1]).toMatchObject({ state: 'pending', stepsDone: 3 });
      const file = join(migrationsFolder, '0001_mixed.sql');
      writeFileSync(file, mixed.sql.replace('add column nick', 'add column nickname'));
      await expect(deploy({ url, migrationsFolder })).rejects.toMatchObject({
        code: 'MIGRATION_CHANGED',
        details: { step: 1 },
      });
      writeFileSync(file, mixed.sql);
      expect(await deploy({ url, migrationsFolder })).toMatchObject({ applied: ['0001_mixed'] });
      expect(await sql`select count(*)::int from drizzle.__drizzle_migrations`).toEqual([{ count: 2 }]);
    }));

  test('an index that was left invalid is built anew; a unique one that can’t be leaves none behind', () =>
    onDatabase(async ({ url, sql }) => {
      const unique = (columns: string): MigrationFile => ({
        tag: '0001_unique',
        when: 2000,
        sql: `create unique index concurrently if not exists person_u on person (${columns})`,
      });
      const migrationsFolder = journalFolder([table, unique('mood')]);
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      await sql`update person set mood = 'same'`;
      await expect(deploy({ url, migrationsFolder, lint: false })).rejects.toMatchObject({
        details: { sqlState: '23505' },
      });
      expect(await sql`select 1 from pg_index where not indisvalid`).toHaveLength(0);
      await sql.unsafe('create unique index concurrently person_u on person (mood)').catch(() => {});
      expect(await sql`select 1 from pg_index where not indisvalid`).toHaveLength(1);
      writeFileSync(join(migrationsFolder, '0001_unique.sql'), unique('id, mood').sql);
      const events: DeployEvent[] = [];
      await deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
      expect(events).toContainEqual(expect.objectContaining({ type: 'repair' }));
      expect(await sql`select indisvalid from pg_index where indexrelid = 'person_u'::regclass`).toEqual([
        { indisvalid: true },
      ]);
    }));

  test('an index of somebody else that has the name is in the way, in the next run too, and is left as it is', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      await sql`create index person_last_idx on person (mood)`;
      const build = 'create index concurrently person_last_idx on person (last)';
      const migrationsFolder = journalFolder([table, { tag: '0001_index', when: 2000, sql: build }]);
      for (let run = 1; run <= 2; run += 1) {
        const failure = deploy({ url, migrationsFolder });
        await expect(failure).rejects.toMatchObject({ code: 'MIGRATION_FAILED', details: { sqlState: '42P07' } });
      }
      expect(await sql`select pg_get_indexdef('person_last_idx'::regclass) as text`).toEqual([
        { text: expect.stringContaining('(mood)') },
      ]);
    }));

  test('an interrupted DETACH is finished, since it can’t be taken back, and not begun again', () =>
    onDatabase(async ({ url, sql }) => {
      const parts: MigrationFile = {
        tag: '0000_parts',
        when: 1000,
        sql: statements(
          'create table event (id int) partition by range (id)',
          'create table event_1 partition of event for values from (1) to (10)',
        ),
      };
      const detach = 'alter table event detach partition event_1 concurrently';
      const migrationsFolder = journalFolder([parts, { tag: '0001_detach', when: 2000, sql: detach }]);
      await deploy({ url, migrationsFolder: journalFolder([parts]) });
      const reader = await sql.reserve();
      await reader`begin`;
      await reader`select * from event`; // CONCURRENTLY waits for its end, behind its first transaction
      const killed = deployUntil(0, { url, migrationsFolder });
      const isPending = async (): Promise<boolean> =>
        (await sql`select 1 from pg_inherits where inhdetachpending`).length > 0;
      while (!(await isPending())) await sleep(50);
      killed.child.kill('SIGKILL');
      await killed.ended;
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like ${'alter table event detach%'}`;
      await reader`commit`;
      reader.release();
      expect(await isPending()).toBe(true);
      const events: DeployEvent[] = [];
      await deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'repair', what: 'finished the interrupted DETACH of "event_1"' }),
      );
      expect(await sql`select 1 from pg_inherits`).toHaveLength(0);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true });
    }));

  test('says how far an index build is, and what it waits for', { timeout: 60_000 }, () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      const index = {
        tag: '0001_index',
        when: 2000,
        sql: 'create index concurrently person_last_idx on person (last)',
      };
      const writer = await sql.reserve();
      await writer`begin`;
      await writer`update person set mood = 'x' where id = 1`;
      const progress: string[] = [];
      const deployed = deploy({
        url,
        migrationsFolder: journalFolder([table, index]),
        onEvent: (event) => {
          if (event.type === 'progress') progress.push(event.what);
        },
      });
      while (progress.length === 0) await sleep(50);
      await writer`commit`;
      writer.release();
      await deployed;
      expect(progress[0]).toMatch(/^sessions \(waiting for/);
    }),
  );

  test.each(['goes on', 'ends too'] as const)(
    'killed while an index is built, and the server process %s: the next run waits for it, and has a valid index',
    { timeout: 60_000 },
    (fate) =>
      onDatabase(async ({ url, sql }) => {
        await deploy({ url, migrationsFolder: journalFolder([table]) });
        const index = {
          tag: '0001_index',
          when: 2000,
          sql: 'create index concurrently person_last_idx on person (last)',
        };
        const migrationsFolder = journalFolder([table, index]);
        const writer = await sql.reserve();
        await writer`begin`;
        await writer`update person set mood = 'x' where id = 1`; // CONCURRENTLY waits for its end
        const first = deployUntil(0, { url, migrationsFolder });
        const builder = async (): Promise<number | undefined> =>
          (
            await sql`select pid from pg_stat_activity where query like 'create index concurrently%' and state = 'active' and pid <> pg_backend_pid()`
          )[0]?.pid;
        while ((await builder()) === undefined) await sleep(50);
        first.child.kill('SIGKILL');
        await first.ended;
        expect(await builder()).toEqual(expect.any(Number)); // the server does not know yet
        if (fate === 'ends too') await sql`select pg_terminate_backend(${(await builder()) as number})`;
        const events: DeployEvent[] = [];
        const second = deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
        await sleep(1500);
        await writer`commit`;
        writer.release();
        expect(await second).toMatchObject({ applied: ['0001_index'] });
        expect(events).toContainEqual(expect.objectContaining({ type: fate === 'goes on' ? 'throttle' : 'repair' }));
        expect(await sql`select indisvalid from pg_index where indexrelid = 'person_last_idx'::regclass`).toEqual([
          { indisvalid: true },
        ]);
        expect(await sql`select 1 from pg_index where not indisvalid`).toHaveLength(0);
      }),
  );

  test('what holds a lock is not waited for in the line: readers get through, and the deploy succeeds behind it', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      const alter = { tag: '0001_alter', when: 2000, sql: 'alter table person add column nick text' };
      const waits: number[] = [];
      const events: DeployEvent[] = [];
      let isOver = false;
      const holder = sql.begin(async (within) => {
        await within`select count(*) from person`;
        await sleep(5000);
      });
      await sleep(100);
      const reading = (async () => {
        while (!isOver) {
          const startMs = performance.now();
          await sql`select id from person where id = 1`;
          waits.push(performance.now() - startMs);
          await sleep(5);
        }
      })();
      const report = await deploy({
        url,
        migrationsFolder: journalFolder([table, alter]),
        onEvent: (one) => events.push(one),
      });
      isOver = true;
      await Promise.all([holder, reading]);
      expect(report.applied).toEqual(['0001_alter']);
      expect(events.filter(({ type }) => type === 'lock-retry').length).toBeGreaterThan(1);
      expect(Math.max(...waits)).toBeLessThan(500 + 50 + 200); // the machine's own hiccups beside the 50 ms
    }));

  test.each([
    ['a COMMIT in a file', 'create table one (); commit; create table two ();', 'ends a transaction'],
    ['an index without a name', 'create index concurrently on person (last)', 'without a name'],
    ['a backfill of something else', '-- mytx:backfill\ndelete from person', 'no UPDATE'],
    ['a backfill with RETURNING', '-- mytx:backfill\nupdate person set mood = null returning id', 'RETURNING'],
    ['a backfill with an unknown word', '-- mytx:backfill rows=10\nupdate person set mood = null', 'rows=10'],
  ])('%s is refused by file and line, and nothing is applied', (_name, text, why) =>
    onDatabase(async ({ url, sql }) => {
      const migrationsFolder = journalFolder([table, { tag: '0001_bad', when: 2000, sql: `\n${text}` }]);
      const failure = await deploy({
        url,
        migrationsFolder,
        environment: 'staging',
        isProtected: false,
        name: 'staging',
      } as DeployOptions).catch((error: unknown) => error as Error);
      expect(failure).toMatchObject({ code: 'MIGRATION_REFUSED', details: { migration: '0001_bad' } });
      expect((failure as Error).message).toContain(why);
      expect((failure as Error).message).toMatch(/0001_bad\.sql:\d/);
      expect(await sql`select to_regclass('person')::text as person`).toEqual([{ person: null }]);
      expect(await sql`select to_regnamespace('mytx_deploy')::text as ledger`).toEqual([{ ledger: null }]);
    }),
  );

  test('a backfill of a table without a primary key is refused, by file and line', () =>
    onDatabase(async ({ url }) => {
      const bare = statements('create table bare (a int)', 'insert into bare values (1)');
      const fill = '-- mytx:backfill\nupdate bare set a = 2';
      const migrationsFolder = journalFolder([
        { tag: '0000_bare', when: 1000, sql: bare },
        { tag: '0001_fill', when: 2000, sql: fill },
      ]);
      await expect(deploy({ url, migrationsFolder })).rejects.toThrow(/0001_fill\.sql:2: "bare" has no primary key/);
    }));

  test('a backfill goes through a key of several columns, whatever its types, and stops and goes on', () =>
    onDatabase(async ({ url, sql }) => {
      const migrationsFolder = journalFolder([
        {
          tag: '0000_wide',
          when: 1000,
          sql: statements(
            `create table "Wide" ("A" uuid, b timestamptz, c text, n int not null default 0, primary key (c, "A", b))`,
            `insert into "Wide" select gen_random_uuid(), now() + n * interval '1 s', 'k' || n % 7, 0 from generate_series(1, 20000) n`,
          ),
        },
        { tag: '0001_fill', when: 2000, sql: '-- mytx:backfill batch=100\nupdate "Wide" set n = n + 1 -- to the end' },
      ]);
      const controller = new AbortController();
      const stopped = deploy({
        url,
        migrationsFolder,
        signal: controller.signal,
        onEvent: ({ type }) => {
          if (type === 'step') setTimeout(() => controller.abort(), 30);
        },
      });
      await expect(stopped).rejects.toMatchObject({ code: 'DEPLOY_STOPPED' });
      const [half] =
        await sql`select count(*) filter (where n = 1)::int as done, count(*) filter (where n > 1)::int as twice from "Wide"`;
      expect(half?.twice).toBe(0);
      expect(half?.done).toBeLessThan(20_000);
      await deploy({ url, migrationsFolder });
      expect(await sql`select n, count(*)::int from "Wide" group by n`).toEqual([{ n: 1, count: 20_000 }]);
    }));
});

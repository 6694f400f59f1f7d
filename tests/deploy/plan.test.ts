// mytx-ai/deploy plan: what is said of each pending statement, what moves the hash, and who may ask.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { deploy, type PlannedStatement, type PlanReport, plan, status } from '../../db/deployment.ts';
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
  tag: '0000_tables',
  when: 1_700_000_000_000,
  sql: statements(
    'create table parent (id int primary key)',
    'create table child (id int primary key, parent_id int, note text)',
  ),
};
const change = (...list: string[]): MigrationFile => ({
  tag: '0001_change',
  when: table.when + 1000,
  sql: statements(...list),
});
const statementsOf = ({ migrations }: PlanReport): PlannedStatement[] =>
  migrations.flatMap(({ steps }) => steps.flatMap((step) => step.statements));

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onTables = (work: (database: OwnDatabase) => Promise<void>): Promise<void> =>
    onNewDatabase(serverUrl, async (database) => {
      await deploy({ url: database.url, migrationsFolder: journalFolder([table]) });
      await work(database);
    });

  test('each statement with its place, step, locks, work, time and risk', () =>
    onTables(async ({ url, sql }) => {
      await sql.unsafe(`insert into parent select generate_series(1, 100);
        insert into child select n, 1 + n % 100, md5(n::text) from generate_series(1, 200000) n`);
      await sql.unsafe('vacuum analyze child, parent');
      const migrationsFolder = journalFolder([
        table,
        change(
          'alter table child add constraint child_parent\n  foreign key (parent_id) references parent (id) not valid',
          'alter table child validate constraint child_parent',
          'create index concurrently child_note on child (note)',
          'alter table child alter column note type varchar(9)',
          'alter table child drop column note',
        ),
      ]);
      const report = await plan({ url, migrationsFolder });
      expect(report).toMatchObject({
        risk: 'high',
        seesEveryTransaction: true,
        hash: expect.stringMatching(/^[0-9a-f]{12}$/),
      });
      const [{ steps, isWhole, file } = { steps: [], isWhole: undefined, file: '' }] = report.migrations;
      expect(isWhole).toBe(false);
      expect(file).toBe(join(migrationsFolder, '0001_change.sql'));
      expect(steps.map(({ kind }) => kind)).toEqual(['transaction', 'transaction', 'alone', 'transaction']);
      const [added, validated, built, changed, dropped] = statementsOf(report);
      expect(added).toMatchObject({
        line: 1,
        operations: [{ id: 'add-foreign-key-not-valid' }],
        locks: [
          { relation: 'public.child', mode: 'SHARE ROW EXCLUSIVE', isNew: false },
          { relation: 'public.parent', mode: 'SHARE ROW EXCLUSIVE', isNew: false },
        ],
        isInstant: true,
        risk: 'low',
      });
      expect(validated).toMatchObject({
        line: 4,
        operations: [{ id: 'validate-foreign-key' }], // known of the statement before it
        locks: [{ relation: 'public.child', mode: 'SHARE UPDATE EXCLUSIVE' }, { mode: 'ROW SHARE' }],
        scans: ['public.parent', 'public.child'],
        risk: 'low',
      });
      expect(built).toMatchObject({ line: 6, builds: ['public.child'], risk: 'low' });
      expect(changed).toMatchObject({ rewrites: ['public.child'], risk: expect.stringMatching(/medium|high/) });
      expect(changed?.reasons.join()).toMatch(
        /reads or writes child waits for up to .* s \(200,000 rows, \d+\.\d MB\)/,
      );
      expect(changed?.estimate?.seconds).toBeGreaterThan(0.1);
      expect(dropped).toMatchObject({ isInstant: true, risk: 'high' });
      expect(dropped?.reasons).toContain('it loses the column’s values');
    }));

  test('on a table that a pending migration makes nobody waits', () =>
    onTables(async ({ url }) => {
      const made = change('create table made (id int)', 'create index on made (id)', 'alter table made drop column id');
      const report = await plan({ url, migrationsFolder: journalFolder([table, made]) });
      expect(report.risk).toBe('none');
      expect(statementsOf(report).map(({ isInstant }) => isInstant)).toEqual([true, true, true]);
    }));

  const isNewest = serverUrl === inject('servers').at(-1)?.url;
  (isNewest ? test : test.skip)(
    `who is long in a transaction now and would be waited for is named${isNewest ? '' : ': waits for 6 s, on the newest server alone'}`,
    () =>
      onTables(async ({ url, sql }) => {
        const [holder, other] = [await sql.reserve(), await sql.reserve()];
        await holder.unsafe('begin; select * from child');
        await other.unsafe('begin; set transaction isolation level repeatable read; select 1');
        await new Promise((resolve) => setTimeout(resolve, 5_600));
        const both = change(
          'alter table child add column more int',
          'alter table parent add column more int',
          'create index concurrently parent_more on parent (more)',
        );
        const report = await plan({ url, migrationsFolder: journalFolder([table, both]) });
        const [waiting, free, concurrent] = statementsOf(report);
        expect(waiting).toMatchObject({ risk: 'medium' });
        expect(waiting?.reasons.join()).toMatch(
          /process \d+, whose transaction is open for \d s \(idle in transaction\) and holds child/,
        );
        expect(free?.reasons).toEqual([]);
        expect(concurrent?.reasons).toHaveLength(2);
        for (const session of [holder, other]) {
          await session.unsafe('rollback');
          session.release();
        }
      }),
  );

  test('the hash is that of status and of deploy; it moves with what the statements meet, and with nothing else', () =>
    onTables(async ({ url, sql }) => {
      const migrationsFolder = journalFolder([table, change('alter table child alter column note set not null')]);
      const hashNow = async () => (await plan({ url, migrationsFolder })).hash as string;
      const first = await hashNow();
      expect((await status({ url, migrationsFolder })).planHash).toBe(first);
      await sql`insert into child select n, n, 'x' from generate_series(1, 1000) n`;
      await sql`analyze child`;
      await sql`create table unrelated (id int)`;
      expect(await hashNow()).toBe(first);
      await sql`create index by_hand on child (note)`;
      const second = await hashNow();
      expect(second).not.toBe(first);
      await expect(deploy({ url, migrationsFolder, confirm: first })).rejects.toMatchObject({
        code: 'DEPLOY_UNCONFIRMED',
      });
      await sql`alter table child add constraint by_hand_too check (note is not null)`;
      const third = await hashNow();
      expect(third).not.toBe(second);
      writeFileSync(join(migrationsFolder, '0001_change.sql'), 'alter table child alter column note drop not null');
      expect(await hashNow()).not.toBe(third);
      writeFileSync(join(migrationsFolder, '0001_change.sql'), 'alter table child alter column note set not null');
      expect(await deploy({ url, migrationsFolder, confirm: third })).toMatchObject({ applied: ['0001_change'] });
      expect(await plan({ url, migrationsFolder })).toMatchObject({ migrations: [], hash: null, risk: 'none' });
    }));

  test('a step that is done is not planned again; a file that can’t be run is refused as deploy does', () =>
    onTables(async ({ url }) => {
      const half = change(
        'create index concurrently child_note on child (note)',
        'alter table child add column note int',
      );
      const migrationsFolder = journalFolder([table, half]);
      await expect(deploy({ url, migrationsFolder })).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
      const { migrations } = await plan({ url, migrationsFolder });
      expect(migrations[0]?.steps).toMatchObject([
        { isDone: true, statements: [] },
        { isDone: false, statements: [{ line: 3 }] },
      ]);
      const refused = plan({ url, migrationsFolder: journalFolder([table, change('commit')]) });
      await expect(refused).rejects.toMatchObject({ code: 'MIGRATION_REFUSED' });
    }));

  test('a role that may only read the history plans the same; it changes nothing', () =>
    onTables(async ({ url, sql }) => {
      const name = `reader_${Math.random().toString(36).slice(2, 10)}`;
      await sql.unsafe(`create role ${name} login password 'secret'; grant usage on schema drizzle to ${name};
        grant select on drizzle.__drizzle_migrations to ${name}`);
      const asReader = Object.assign(new URL(url), { username: name, password: 'secret' }).href;
      const migrationsFolder = journalFolder([table, change('create index on child (note)')]);
      const own = await plan({ url, migrationsFolder });
      const theirs = await plan({ url: asReader, migrationsFolder });
      expect(theirs).toMatchObject({ seesEveryTransaction: false, hash: own.hash });
      expect(statementsOf(theirs)[0]?.locks).toEqual(statementsOf(own)[0]?.locks);
      await sql.unsafe(`drop owned by ${name}; drop role ${name}`);
    }));
});

test('an embedded database is planned as a server is; one that is not there yet is not made by that', async () => {
  const folder = join(journalFolder([]), 'embedded');
  const none = await plan({ folder, migrationsFolder: journalFolder([table]) });
  expect(none).toMatchObject({ target: expect.stringContaining('not there yet'), risk: 'none', hash: null });
  expect(statementsOf(none)).toHaveLength(2);
  expect(existsSync(folder)).toBe(false);
  await deploy({ folder, migrationsFolder: journalFolder([table]) });
  const migrationsFolder = journalFolder([table, change('create index on child (note)')]);
  const found = await plan({ folder, migrationsFolder });
  expect(statementsOf(found)).toMatchObject([
    { locks: [{ relation: 'public.child', mode: 'SHARE' }], isInstant: true },
  ]);
  expect((await status({ folder, migrationsFolder })).planHash).toBe(found.hash);
});

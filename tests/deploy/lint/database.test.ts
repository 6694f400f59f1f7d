// The lint on a database: what is pending, how large its tables are, who is in a transaction; and a deploy that it refuses.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type DeployEvent, deploy, status } from '../../../db/deployment.ts';
import { lint } from '../../../db/linting.ts';
import { withReadingSession } from '../../../db/opening.ts';
import { lintDefaults } from '../../../deploy/lint/settings.ts';
import { journalFolder, newFolder, type OwnDatabase, onNewDatabase, removeFolders } from '../own-database.ts';
import { lintTexts } from './linted.ts';

afterAll(removeFolders);

const first = { tag: '0000_first', when: 1000, sql: 'create table person (id bigint primary key, name text)' };
const index = { tag: '0002_index', when: 2000, sql: 'create index person_name on person (name)' };
const fill = `insert into person select n, 'x' from generate_series(1, 10000) n; analyze person`;
const found = (findings: readonly { rule: string }[]) => findings.find(({ rule }) => !rule.startsWith('squawk/'));

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onDatabase = (work: (database: OwnDatabase) => Promise<void>) => onNewDatabase(serverUrl, work);

  test('a deploy that would block a large table is refused before anything is applied', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([first]) });
      await sql.unsafe(fill);
      const migrationsFolder = journalFolder([
        first,
        { tag: '0001_age', when: 1500, sql: 'alter table person add column age bigint' },
        index,
      ]);
      const events: DeployEvent[] = [];
      const refused = deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
      await expect(refused).rejects.toMatchObject({
        code: 'LINT_REFUSED',
        message: expect.stringMatching(
          /0002_index\.sql:1: blocking-statement: create an index: it builds an index of person \(10,000 rows, \d+ kB\), and as long as that takes nobody can write to person \(SHARE\)/,
        ),
        details: { findings: [expect.objectContaining({ rule: 'blocking-statement', severity: 'error' })] },
      });
      expect(events).toMatchObject([{ type: 'lint', errors: 1, warnings: 1 }]);
      expect((await status({ url, migrationsFolder })).counts).toEqual({ applied: 1, pending: 2 });
      expect(await sql`select 1 from pg_attribute where attname = 'age'`).toHaveLength(0);

      writeFileSync(
        join(migrationsFolder, '0002_index.sql'),
        `-- mytx:ignore blocking-statement: nobody writes at night\n${index.sql}`,
      );
      expect(await deploy({ url, migrationsFolder })).toMatchObject({ applied: ['0001_age', '0002_index'] });
    }));

  test('on a new, an empty and a small table the same is applied, and told of as a warning', () =>
    onDatabase(async ({ url, sql }) => {
      await sql`create table small (id bigint)`;
      await sql`insert into small select generate_series(1, 9999)`;
      await sql`create table bare (id bigint)`;
      const migrationsFolder = journalFolder([
        { ...first, sql: `${first.sql}; ${index.sql}` },
        { tag: '0001_small', when: 1500, sql: 'create index small_id on small (id)' },
        { tag: '0002_bare', when: 1600, sql: 'create index bare_id on bare (id)' },
      ]);
      const events: DeployEvent[] = [];
      await deploy({ url, migrationsFolder, onEvent: (event) => events.push(event) });
      const [told] = events;
      expect(told).toMatchObject({ type: 'lint', errors: 0, warnings: 2 });
      expect(events.filter(({ type }) => type === 'migration-done')).toHaveLength(3);
    }));

  test('lint: false lints nothing', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([first]) });
      await sql.unsafe(fill);
      const events: DeployEvent[] = [];
      const migrationsFolder = journalFolder([first, index]);
      await deploy({ url, migrationsFolder, lint: false, onEvent: (event) => events.push(event) });
      expect(events[0]).toMatchObject({ type: 'migration' });
    }));

  test('a table is large by its bytes, too', () =>
    onDatabase(async ({ url, sql }) => {
      await sql.unsafe(
        `create table person (id bigint, name text); insert into person values (1, 'x'); analyze person`,
      );
      const lintIndex = (largeBytes: number) =>
        withReadingSession({ url }, async (session) =>
          found((await lintTexts([index.sql], { session, settings: { ...lintDefaults, largeBytes } })).findings),
        );
      expect(await lintIndex(8192)).toMatchObject({
        rule: 'blocking-statement',
        message: expect.stringMatching(/person \(1 rows?, \d+ kB\)/),
      });
      expect(await lintIndex(1_000_000)).toBeUndefined();
    }));

  test('who is long in a transaction with a table that is locked, or that a concurrent index waits for, is named', () =>
    onDatabase(async ({ url, sql }) => {
      await sql.unsafe(first.sql);
      const other = postgres(url, { max: 1 });
      await other.begin(async (transaction) => {
        const [row] = await transaction`select count(*), pg_backend_pid() as pid from person`;
        await sql`select pg_sleep(1.1)`;
        const lintOne = (text: string) =>
          withReadingSession({ url }, async (session) => {
            const settings = { ...lintDefaults, longTransactionSeconds: 1 };
            return found((await lintTexts([text], { session, settings })).findings);
          });
        const process = `server process ${row?.pid} has been in a transaction for \\d+ s \\(idle in transaction\\)`;
        expect(await lintOne('alter table person add column age bigint')).toMatchObject({
          rule: 'long-transaction',
          severity: 'warning',
          message: expect.stringMatching(new RegExp(`^${process}: it has person, which this locks$`)),
        });
        expect(await lintOne('create index concurrently person_name on person (name)')).toMatchObject({
          rule: 'long-transaction',
          message: expect.stringContaining('this waits until every older transaction has ended'),
        });
        expect(await lintOne('create index person_name on person (name)')).toBeUndefined(); // a reader is not in its way
        expect(await lintOne('create table other (id bigint)')).toBeUndefined();
      });
      await other.end();
    }));

  test('a role that may only look is enough: rows that it may not read are not looked into', () =>
    onDatabase(async ({ url, sql }) => {
      await sql.unsafe(`${first.sql}; insert into person values (1, 'x'), (2, 'x')`);
      const [{ name: database } = {}] = await sql`select current_database() as name`;
      const role = `looker_${database}`;
      await sql.unsafe(`create role "${role}" login password 'looks'`);
      try {
        const asRole = Object.assign(new URL(url), { username: role, password: 'looks' }).href;
        const texts = ['alter table person add constraint person_name unique (name)'];
        const rulesOf = (as: string) =>
          withReadingSession({ url: as }, async (session) => {
            const { findings } = await lintTexts(texts, { session });
            return findings.map(({ rule }) => rule);
          });
        expect(await rulesOf(url)).toContain('violating-rows');
        expect(await rulesOf(asRole)).not.toContain('violating-rows');
      } finally {
        await sql.unsafe(`drop role "${role}"`);
      }
    }));

  test('mytx lint looks at what the database lacks', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([first]) });
      await sql.unsafe(fill);
      const project = newFolder();
      writeFileSync(
        join(project, 'drizzle.config.json'),
        JSON.stringify({ dialect: 'postgresql', out: journalFolder([first, index]) }),
      );
      writeFileSync(join(project, 'mytx.config.json'), JSON.stringify({ lint: { largeRows: 20_000 } }));
      const report = await lint({ from: project, url });
      expect(report).toMatchObject({
        what: '1 migration, pending',
        errors: 0,
        target: expect.stringContaining(new URL(url).host),
      });
      writeFileSync(join(project, 'mytx.config.json'), '{}');
      expect(await lint({ from: project, url })).toMatchObject({
        errors: 1,
        files: [expect.stringContaining('0002_index')],
      });
    }));
});

test('an embedded database is linted and deployed as before', async () => {
  const migrationsFolder = journalFolder([first, { ...index, sql: `${fill}; ${index.sql}` }]);
  const folder = join(newFolder(), 'embedded');
  expect(await lint({ folder, migrationsFolder })).toMatchObject({
    what: '2 migrations, pending',
    target: null,
    errors: 0,
  });
  expect(await deploy({ folder, migrationsFolder })).toMatchObject({ applied: ['0000_first', '0002_index'] });
  const more = journalFolder([
    first,
    { ...index, sql: `${fill}; ${index.sql}` },
    { tag: '0003_more', when: 3000, sql: 'create index person_more on person (name, id)' },
  ]);
  expect(await lint({ folder, migrationsFolder: more })).toMatchObject({
    errors: 1,
    target: expect.stringContaining('embedded'),
  });
});

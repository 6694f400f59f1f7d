// Deploying a project: files and history that don't fit together, protected environments, and Drizzle's own
// migrator before, between and after.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as drizzleMigrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { type DeployOptions, deploy, requireSchema, status } from '../../db/deployment.ts';
import {
  foldersFolder,
  journalFolder,
  type MigrationFile,
  newFolder,
  type OwnDatabase,
  onNewDatabase,
  removeFolders,
  statements,
} from './own-database.ts';

afterAll(removeFolders);

const table: MigrationFile = {
  tag: '0000_table',
  when: 1_700_000_000_000,
  sql: statements('create table counter (n integer not null)', 'insert into counter values (0)'),
};
/** Applied twice, it counts to two. */
const count: MigrationFile = { tag: '0001_count', when: table.when + 2000, sql: 'update counter set n = n + 1' };
const third: MigrationFile = { tag: '0002_third', when: table.when + 3000, sql: 'create table third ()' };
const late: MigrationFile = { tag: '0001_late', when: table.when + 1000, sql: 'create table late_one ()' };

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onDatabase = (work: (database: OwnDatabase) => Promise<void>): Promise<void> => onNewDatabase(serverUrl, work);

  /** What is in the database, to compare before and after. */
  const everything = async (sql: postgres.Sql): Promise<unknown[]> => [
    await sql`select relname, relkind from pg_class where relnamespace not in (select oid from pg_namespace where nspname like 'pg_%' or nspname = 'information_schema') order by 1`,
    await sql`select hash, created_at::text from drizzle.__drizzle_migrations order by id`,
  ];

  const states: [string, MigrationFile[], string, Partial<DeployOptions>, MigrationFile[]?][] = [
    ['late', [table, late, count, third], 'MIGRATION_LATE', { includeLate: true }],
    ['edited', [table, { ...count, sql: `${count.sql} -- again` }, third], 'MIGRATION_EDITED', { accept: ['edited'] }],
    ['renamed', [table, { ...count, when: count.when + 1 }, third], 'MIGRATION_RENAMED', { accept: ['renamed'] }],
    ['deleted', [table, third], 'MIGRATION_DELETED', { accept: ['deleted'] }],
    ['ahead', [table], 'DATABASE_AHEAD', { accept: ['ahead'] }],
  ];

  test.each(states)(
    'a migration that is %s is refused with its own error, writes nothing, and is gone on with when told',
    (state, files, code, accepted) =>
      onDatabase(async ({ url, sql }) => {
        await deploy({ url, migrationsFolder: journalFolder([table, count]) });
        const migrationsFolder = journalFolder(files);
        const before = await everything(sql);
        const found = await status({ url, migrationsFolder });
        expect(found).toMatchObject({ isUpToDate: false, isDiverged: true, counts: { [state]: 1 } });
        expect(found.migrations.find((one) => one.state === state)?.remedy).toEqual(expect.any(String));
        await expect(deploy({ url, migrationsFolder })).rejects.toMatchObject({ code, details: { state } });
        expect(await everything(sql)).toEqual(before);
        await deploy({ url, migrationsFolder, ...accepted });
        expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      }),
  );

  test.each([
    ['two entries of one time', [table, { ...count, when: table.when }]],
    ['two entries of one name', [table, { ...table, when: table.when + 5 }]],
  ])('%s are refused, and nothing is applied', (_name, files) =>
    onDatabase(async ({ url, sql }) => {
      const migrationsFolder = journalFolder(files);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isDiverged: true });
      const refused = deploy({
        url,
        migrationsFolder,
        includeLate: true,
        accept: ['edited', 'renamed', 'deleted', 'ahead'],
      });
      await expect(refused).rejects.toMatchObject({ code: 'MIGRATION_DUPLICATED' });
      expect(await sql`select to_regclass('counter')::text as counter`).toEqual([{ counter: null }]);
    }),
  );

  test('a journal with a merge conflict is refused, before anything is asked', async () => {
    const migrationsFolder = journalFolder([table]);
    writeFileSync(
      join(migrationsFolder, 'meta', '_journal.json'),
      '{\n<<<<<<< HEAD\n"entries": []\n=======\n}\n>>>>>>> branch\n',
    );
    const refused = status({ url: 'postgres://localhost:1/none', migrationsFolder });
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/UNREACHABLE|MIGRATIONS_UNREADABLE/) });
    await expect(deploy({ url: serverUrl, migrationsFolder })).rejects.toMatchObject({
      code: 'MIGRATIONS_UNREADABLE',
      hint: expect.stringContaining('both sides'),
    });
  });

  test('Drizzle’s own migrator passes a late one over; this engine says which, applies it, and Drizzle finds nothing to do', () =>
    onDatabase(async ({ url, sql }) => {
      await drizzleMigrate(drizzle(sql), { migrationsFolder: journalFolder([table, count]) });
      const migrationsFolder = journalFolder([table, late, count]);
      await drizzleMigrate(drizzle(sql), { migrationsFolder });
      expect(await sql`select to_regclass('late_one')::text as late`).toEqual([{ late: null }]); // the control
      expect((await status({ url, migrationsFolder })).counts).toEqual({ applied: 2, late: 1 });
      expect(await deploy({ url, migrationsFolder, includeLate: true })).toMatchObject({ applied: ['0001_late'] });
      await drizzleMigrate(drizzle(sql), { migrationsFolder });
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true });
    }));

  test('the 1.0 layout: folders by their names, and a history with names as Drizzle 1.0 keeps it', () =>
    onDatabase(async ({ url, sql }) => {
      const files = {
        '20260101120000_table': 'create table one (n int)',
        '20260101120000_twin': 'create table twin ()',
        '20260102120000_index': 'create index concurrently one_n on one (n)',
      };
      await sql.unsafe(`create schema drizzle; create table drizzle.__drizzle_migrations
        (id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz default now())`);
      const migrationsFolder = foldersFolder(files);
      expect((await deploy({ url, migrationsFolder })).applied).toEqual(Object.keys(files));
      expect(await sql`select name, created_at::text from drizzle.__drizzle_migrations order by id`).toEqual([
        { name: '20260101120000_table', created_at: String(Date.UTC(2026, 0, 1, 12)) },
        { name: '20260101120000_twin', created_at: String(Date.UTC(2026, 0, 1, 12)) },
        { name: '20260102120000_index', created_at: String(Date.UTC(2026, 0, 2, 12)) },
      ]);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true });
      const renamed = foldersFolder({ ...files, '20260101120000_tables': files['20260101120000_table'] });
      rmSync(join(renamed, '20260101120000_table'), { recursive: true });
      expect((await status({ url, migrationsFolder: renamed })).counts).toEqual({ renamed: 1, applied: 2 });
    }));

  test('a history in another schema and table is the one that is read and written', () =>
    onDatabase(async ({ url, sql }) => {
      const history = { schema: 'my "own"', table: 'applied' };
      const migrationsFolder = journalFolder([table, count]);
      await deploy({ url, migrationsFolder, history });
      expect(await sql`select to_regclass('drizzle.__drizzle_migrations')::text as there`).toEqual([{ there: null }]);
      expect(await sql`select count(*)::int from "my ""own""".applied`).toEqual([{ count: 2 }]);
      expect(await status({ url, migrationsFolder, history })).toMatchObject({ isUpToDate: true });
    }));

  test('a plan that was confirmed is applied; not one behind which anything changed', () =>
    onDatabase(async ({ url, sql }) => {
      const migrationsFolder = journalFolder([table, count]);
      const target = { url, migrationsFolder, isProtected: true, name: 'production' };
      const unconfirmed = { code: 'DEPLOY_UNCONFIRMED' };
      await expect(deploy(target)).rejects.toMatchObject(unconfirmed);
      const { planHash } = await status(target);
      const confirm = planHash as string;
      writeFileSync(join(migrationsFolder, '0001_count.sql'), 'update counter set n = n + 2');
      await expect(deploy({ ...target, confirm })).rejects.toMatchObject(unconfirmed);
      writeFileSync(join(migrationsFolder, '0001_count.sql'), count.sql);
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      await expect(deploy({ ...target, confirm })).rejects.toMatchObject(unconfirmed);
      const again = (await status(target)).planHash as string;
      expect(await deploy({ ...target, confirm: again })).toMatchObject({ applied: ['0001_count'] });
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
    }));

  test('a role that may only read sees the status; one without rights is told, and a ledger that can’t be made is said', () =>
    onDatabase(async ({ url, sql }) => {
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      const name = `reader_${Math.random().toString(36).slice(2, 10)}`;
      await sql.unsafe(`create role ${name} login password 'secret'`);
      const asReader = Object.assign(new URL(url), { username: name, password: 'secret' }).href;
      const migrationsFolder = journalFolder([table, count]);
      await expect(status({ url: asReader, migrationsFolder })).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
      await sql.unsafe(
        `grant usage on schema drizzle to ${name}; grant select on drizzle.__drizzle_migrations to ${name}`,
      );
      expect((await status({ url: asReader, migrationsFolder })).counts).toEqual({ applied: 1, pending: 1 });
      await sql.unsafe(`grant insert on drizzle.__drizzle_migrations to ${name};
        grant usage on sequence drizzle.__drizzle_migrations_id_seq to ${name}; grant create on schema public to ${name}`);
      const steps = {
        ...count,
        sql: statements('create table own (n int)', 'create index concurrently own_n on own (n)'),
      };
      const refused = deploy({ url: asReader, migrationsFolder: journalFolder([table, steps]) });
      await expect(refused).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE' });
      expect(await sql`select to_regclass('own')::text as own`).toEqual([{ own: null }]);
      await sql.unsafe(`drop owned by ${name}; drop role ${name}`);
    }));

  test('a wrong password, and no server, are errors of their own', async () => {
    const migrationsFolder = journalFolder([table]);
    const nobody = Object.assign(new URL(serverUrl), { username: 'nobody_here', password: 'x' }).href;
    await expect(status({ url: nobody, migrationsFolder })).rejects.toMatchObject({ code: 'ACCESS_REFUSED' });
    await expect(deploy({ url: 'postgres://127.0.0.1:1/none', migrationsFolder })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  test('requireSchema refuses a database that is behind, or ahead, in one query', () =>
    onDatabase(async ({ url, sql }) => {
      const queries: string[] = [];
      const own = postgres(url, { max: 1, debug: (_connection, query) => queries.push(query) });
      const db = drizzle(own);
      const both = journalFolder([table, count]);
      await expect(requireSchema(db, { migrationsFolder: both })).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        details: { behind: ['0000_table', '0001_count'], ahead: [] },
      });
      await deploy({ url, migrationsFolder: both });
      queries.length = 0;
      await requireSchema(db, { migrationsFolder: both });
      expect(queries).toHaveLength(1);
      const older = { migrationsFolder: journalFolder([table]) };
      await expect(requireSchema(db, older)).rejects.toMatchObject({
        details: { behind: [], ahead: [expect.any(String)] },
      });
      await requireSchema(db, { ...older, allowAhead: true });
      await expect(requireSchema(db, { migrationsFolder: newFolder() })).rejects.toMatchObject({
        code: 'MIGRATIONS_UNREADABLE',
      });
      await own.end();
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
    }));
});

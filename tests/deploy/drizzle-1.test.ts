// Drizzle 1.0's own migrator before this engine, behind it and between: the table that it makes is the one that is read and
// written, and neither does again what the other one did.

import { drizzle } from 'drizzle-orm-1/postgres-js';
import { migrate } from 'drizzle-orm-1/postgres-js/migrator';
import type { Sql } from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { deploy, status } from '../../db/deployment.ts';
import { foldersFolder, journalFolder, type OwnDatabase, onNewDatabase, removeFolders } from './own-database.ts';

afterAll(removeFolders);

const files = {
  '20260101120000_table': 'create table counter (n int not null); insert into counter values (0)',
  '20260101120000_twin': 'create table twin ()',
  '20260102120000_count': 'update counter set n = n + 1',
  '20260103120000_last': 'update counter set n = n + 10',
};
const names = Object.keys(files);
const firstOf = (count: number): string => foldersFolder(Object.fromEntries(Object.entries(files).slice(0, count)));

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onDatabase = (work: (database: OwnDatabase) => Promise<void>): Promise<void> => onNewDatabase(serverUrl, work);
  const migrateAsDrizzle = async (client: Sql, migrationsFolder: string): Promise<void> => {
    await migrate(drizzle({ client }), { migrationsFolder });
  };
  const columnsOfHistory = (sql: Sql): Promise<unknown> =>
    sql`select attname, format_type(atttypid, atttypmod) as type, attnotnull, pg_get_expr(adbin, adrelid) as value
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = 'drizzle.__drizzle_migrations'::regclass and attnum > 0 order by attnum`;
  const namesInHistory = async (sql: Sql): Promise<string[]> =>
    (await sql`select name from drizzle.__drizzle_migrations order by id`).map(({ name }) => name);

  test('its migrator first, then this one, then its again: each does what is new', () =>
    onDatabase(async ({ url, sql }) => {
      await migrateAsDrizzle(sql, firstOf(2));
      expect(await status({ url, migrationsFolder: firstOf(2) })).toMatchObject({ isUpToDate: true });
      expect(await deploy({ url, migrationsFolder: firstOf(3) })).toMatchObject({ applied: [names[2]] });
      await migrateAsDrizzle(sql, firstOf(3));
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      await migrateAsDrizzle(sql, firstOf(4));
      expect(await deploy({ url, migrationsFolder: firstOf(4) })).toMatchObject({ applied: [], edited: [] });
      expect(await sql`select n from counter`).toEqual([{ n: 11 }]);
      expect(await namesInHistory(sql)).toEqual(names);
    }));

  test('this one first: it makes the same table, and Drizzle finds nothing to do', () =>
    onDatabase(async ({ url, sql }) => {
      const migrationsFolder = firstOf(4);
      await deploy({ url, migrationsFolder });
      await migrateAsDrizzle(sql, migrationsFolder);
      expect(await sql`select n from counter`).toEqual([{ n: 11 }]);
      expect(await namesInHistory(sql)).toEqual(names);
      const columns = await columnsOfHistory(sql);
      await onDatabase(async ({ sql: other }) => {
        await migrateAsDrizzle(other, firstOf(1));
        expect(columns).toEqual(await columnsOfHistory(other));
      });
    }));

  test('a project of 0.45 whose folder was carried over by drizzle-kit up is up to date, before and behind its migrator', () =>
    onDatabase(async ({ url, sql }) => {
      const time = Date.UTC(2026, 0, 1, 12);
      const text = files['20260101120000_table'];
      const journal = journalFolder([
        { tag: '0000_table', when: time + 123, sql: text },
        { tag: '0001_count', when: time + 86_400_456, sql: files['20260102120000_count'] },
      ]);
      await deploy({ url, migrationsFolder: journal });
      const migrationsFolder = foldersFolder({
        '20260101120000_table': text,
        '20260102120000_count': files['20260102120000_count'],
      });
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true });
      expect(await deploy({ url, migrationsFolder })).toMatchObject({ applied: [] });
      await migrateAsDrizzle(sql, migrationsFolder);
      expect(await namesInHistory(sql)).toEqual(['20260101120000_table', '20260102120000_count']);
      expect(await status({ url, migrationsFolder })).toMatchObject({ isUpToDate: true });
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
    }));
});

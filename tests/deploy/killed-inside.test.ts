// A deploy that is killed inside of a transaction, before or in its COMMIT, or that lost its lock: no row is updated twice,
// by an UPDATE whose second time would show.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { deploy } from '../../db/deployment.ts';
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

/** Four batches of 500 and the last one, of 100. */
const rows = 2100;
const fill: MigrationFile = {
  tag: '0001_fill',
  when: 2000,
  sql: '-- mytx:backfill batch=500\nupdate counted set n = n + 1',
};

/** One row that takes its time while the table `slow` has a row: 500 ms in its UPDATE, or in the COMMIT of that. */
const slowAt = (id: number, moment: 'its UPDATE' | 'its COMMIT'): MigrationFile => ({
  tag: '0000_counted',
  when: 1000,
  sql: `create table counted (id int primary key, n int not null default 0);
    insert into counted select n from generate_series(1, ${rows}) n;
    create table slow as select true as is_slow;
    create function wait() returns trigger language plpgsql as $$
      begin if new.id = ${id} and exists (select from slow) then perform pg_sleep(0.8); end if; return new; end $$;
    create ${moment === 'its COMMIT' ? 'constraint trigger wait after' : 'trigger wait before'} update on counted
      ${moment === 'its COMMIT' ? 'deferrable initially deferred' : ''} for each row execute function wait();`,
});

/** The same update as a whole migration, and as a step of one that has others. */
const whole: MigrationFile = { ...fill, sql: 'update counted set n = n + 1' };
const step: MigrationFile = { ...fill, sql: statements('vacuum counted', whole.sql, 'vacuum counted') };

const eachOnce = [{ n: 1, count: rows }];
const counts = (sql: Sql): Promise<unknown> => sql`select n, count(*)::int from counted group by n order by n`;
const untilSlow = async (sql: Sql): Promise<void> => {
  while ((await sql`select 1 from pg_stat_activity where wait_event = 'PgSleep'`).length === 0) await sleep(20);
};

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onDatabase = (work: (database: OwnDatabase) => Promise<void>): Promise<void> => onNewDatabase(serverUrl, work);

  test.each([
    ['a batch', 'its UPDATE', fill, 750],
    ['a batch', 'its COMMIT', fill, 750],
    ['the last batch', 'its UPDATE', fill, 2050],
    ['the last batch', 'its COMMIT', fill, 2050],
    ['a migration', 'its COMMIT', whole, 750],
    ['a step', 'its COMMIT', step, 750],
  ] as const)('killed with -9 in %s, during %s: the next run, at once, goes on behind it', (_where, moment, file, id) =>
    onDatabase(async ({ url, sql }) => {
      const table = slowAt(id, moment);
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      const migrationsFolder = journalFolder([table, file]);
      const killed = deployUntil(0, { url, migrationsFolder });
      await untilSlow(sql);
      killed.child.kill('SIGKILL');
      await killed.ended;
      await sql`delete from slow`; // not seen by the one that waits
      await deploy({ url, migrationsFolder });
      expect(await counts(sql)).toEqual(eachOnce);
      expect(await sql`select count(*)::int from drizzle.__drizzle_migrations`).toEqual([{ count: 2 }]);
    }),
  );

  test('whose lock is lost while it goes on: of two runs at once one does each batch', () =>
    onDatabase(async ({ url, sql }) => {
      const table = slowAt(750, 'its UPDATE');
      await deploy({ url, migrationsFolder: journalFolder([table]) });
      const migrationsFolder = journalFolder([table, fill]);
      const first = deploy({ url, migrationsFolder }).catch((error: unknown) => error);
      await untilSlow(sql);
      await sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database =
        (select oid from pg_database where datname = current_database())`;
      const second = deploy({ url, migrationsFolder }).catch((error: unknown) => error);
      const ends = await Promise.all([first, second]);
      expect(ends).toContainEqual(expect.objectContaining({ applied: ['0001_fill'] }));
      expect(await counts(sql)).toEqual(eachOnce);
    }));
});

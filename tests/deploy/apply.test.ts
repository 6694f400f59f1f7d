import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as drizzleMigrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { defaultDeadlines } from '../../db/connection/deadlines.ts';
import { deploySession } from '../../db/connection/deploy-session.ts';
import { serverEngine } from '../../db/connection/server.ts';
import { parseServerUrl } from '../../db/connection/url.ts';
import { type ApplyOptions, type ApplyReport, applyMigrations } from '../../deploy/apply.ts';
import { migrationNames } from '../own-migrations.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface MigrationFile {
  tag: string;
  when: number;
  sql: string;
}

/** A folder of migrations as drizzle-kit lays it out. */
function migrationsFolder(files: readonly MigrationFile[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-migrations-'));
  mkdirSync(join(folder, 'meta'));
  for (const { tag, sql } of files) writeFileSync(join(folder, `${tag}.sql`), sql);
  const entries = files.map(({ tag, when }, idx) => ({ idx, version: '7', when, tag, breakpoints: true }));
  writeFileSync(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const table: MigrationFile = {
  tag: '0000_table',
  when: 1000,
  sql: 'create table counter (n integer not null);\n--> statement-breakpoint\ninsert into counter values (0);',
};
/** Applied twice, it counts to two. */
const data: MigrationFile = {
  tag: '0001_data',
  when: 2000,
  sql: 'update counter set n = n + 1 where pg_sleep(0.2) is not null;',
};

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  let admin: postgres.Sql;
  let sql: postgres.Sql;
  let url: string;

  beforeAll(() => {
    admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(() => admin.end());

  async function onNewDatabase(work: () => Promise<void>): Promise<void> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await admin.unsafe(`create database ${name}`);
    url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
    sql = postgres(url, { max: 2, onnotice: () => {} });
    try {
      await work();
    } finally {
      await sql.end();
    }
  }

  async function apply(folder: string, options: Partial<ApplyOptions> = {}): Promise<ApplyReport> {
    const connection = serverEngine(parseServerUrl(url), defaultDeadlines).connect();
    try {
      return await applyMigrations(deploySession(connection), { folder, ...options });
    } finally {
      await connection.close();
    }
  }

  const history = (): Promise<{ created_at: string; hash: string }[]> =>
    sql`select created_at::text, hash from drizzle.__drizzle_migrations order by id`;

  test('applies what is pending, once, and Drizzle’s own migrator finds nothing to do afterwards', () =>
    onNewDatabase(async () => {
      const folder = migrationsFolder([table, data]);
      expect(await apply(folder)).toEqual({
        applied: ['0000_table', '0001_data'],
        late: [],
        edited: [],
        notes: [],
        total: 2,
      });
      expect(await apply(folder)).toMatchObject({ applied: [], total: 2 });
      await drizzleMigrate(drizzle(sql), { migrationsFolder: folder });
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      expect(await history()).toHaveLength(2);
    }));

  test('takes over where Drizzle’s own migrator has been', () =>
    onNewDatabase(async () => {
      const folder = migrationsFolder([table]);
      await drizzleMigrate(drizzle(sql), { migrationsFolder: folder });
      expect(await apply(folder)).toMatchObject({ applied: [], edited: [] });
      const [row] = await history();
      expect(row?.created_at).toBe('1000');
    }));

  test('a file that was copied under another time is not applied again, and one that is there twice is applied twice', () =>
    onNewDatabase(async () => {
      await apply(migrationsFolder([table, data]));
      const copied = { ...data, tag: '0003_copy', when: 4000 };
      const folder = migrationsFolder([table, { ...data, tag: '0001_own', sql: 'select 1;', when: 3000 }, copied]);
      expect(await apply(folder)).toMatchObject({ applied: ['0001_own'], late: [], edited: [] });
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      const twice = migrationsFolder([table, data, { ...data, tag: '0002_again', when: 5000 }]);
      expect(await apply(twice)).toMatchObject({ applied: ['0002_again'] });
      expect(await sql`select n from counter`).toEqual([{ n: 2 }]);
    }));

  test('ten sessions at once apply a data migration once (drizzle-orm#874)', () =>
    onNewDatabase(async () => {
      const folder = migrationsFolder([table, data]);
      const reports = await Promise.all(Array.from({ length: 10 }, () => apply(folder)));
      expect(reports.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
      expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
      expect(await history()).toHaveLength(2);
    }));

  test('twenty processes run db/migrate.ts at once: one applies, all exit 0', { timeout: 180_000 }, () =>
    onNewDatabase(async () => {
      const runs = await Promise.all(Array.from({ length: 20 }, () => runMigrate(url)));
      expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 0));
      const count = migrationNames.length;
      expect(runs.filter(({ output }) => output.includes(`applied ${count} of ${count}`))).toHaveLength(1);
      expect(runs.filter(({ output }) => output.includes('nothing to do'))).toHaveLength(19);
      expect(await history()).toHaveLength(count);
    }),
  );

  test('a failure says file, line, SQLSTATE, what was applied and what was not; the file is undone whole', () =>
    onNewDatabase(async () => {
      const broken = {
        tag: '0001_broken',
        when: 2000,
        sql: 'create table half (id integer);\n--> statement-breakpoint\n\nselect 1,\n  nothing_here;\n',
      };
      const folder = migrationsFolder([table, broken, { ...data, tag: '0002_data', when: 3000 }]);
      const failure = apply(folder);
      await expect(failure).rejects.toMatchObject({
        code: 'MIGRATION_FAILED',
        details: {
          migration: '0001_broken',
          line: 5,
          sqlState: '42703',
          applied: ['0000_table'],
          notApplied: ['0001_broken', '0002_data'],
        },
      });
      await expect(failure).rejects.toThrow(/0001_broken\.sql:5 \(SQLSTATE 42703\)/);
      expect(await sql`select to_regclass('half')::text as half`).toEqual([{ half: null }]);
      expect(await history()).toHaveLength(1);
    }));

  test('a migration older than the newest applied one is applied and named (drizzle-orm#5769)', () =>
    onNewDatabase(async () => {
      await apply(migrationsFolder([table, { ...data, when: 3000 }]));
      const late = { tag: '0001_late', when: 2000, sql: 'create table late_one ();' };
      expect(await apply(migrationsFolder([table, late, { ...data, when: 3000 }]))).toMatchObject({
        applied: ['0001_late'],
        late: ['0001_late'],
      });
    }));

  test('a file that was edited after it was applied is named and not run again', () =>
    onNewDatabase(async () => {
      await apply(migrationsFolder([table]));
      const report = await apply(migrationsFolder([{ ...table, sql: `${table.sql} -- edited` }]));
      expect(report).toMatchObject({ applied: [], edited: ['0000_table'] });
    }));

  test('waits for another deploy, names its process, and gives up at the bound', () =>
    onNewDatabase(async () => {
      const other = postgres(url, { max: 1 });
      const [holder] = await other`select pg_backend_pid() as pid, pg_advisory_lock(1836676216, 1684369516)`;
      const waits: (number | undefined)[] = [];
      const failure = apply(migrationsFolder([table]), {
        lockWaitMs: 2500,
        onLockWait: ({ pid }) => waits.push(pid),
      });
      await expect(failure).rejects.toMatchObject({ code: 'MIGRATION_LOCK_HELD', details: { pid: holder?.pid } });
      expect(waits).toContain(holder?.pid);
      await other.end();
    }));

  test('a session that dies in the middle leaves nothing half done, and the next run goes on', () =>
    onNewDatabase(async () => {
      const slow = {
        tag: '0001_slow',
        when: 2000,
        sql: 'create table one ();\n--> statement-breakpoint\nselect pg_sleep(5);',
      };
      const folder = migrationsFolder([table, slow]);
      const failure = apply(folder);
      failure.catch(() => {});
      await waitFor(async () => {
        const [row] =
          await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'`;
        return row !== undefined;
      });
      await expect(failure).rejects.toMatchObject({ code: 'MIGRATION_INTERRUPTED' });
      expect(await sql`select to_regclass('one')::text as one`).toEqual([{ one: null }]);
      writeFileSync(join(folder, '0001_slow.sql'), 'create table one ();');
      expect(await apply(folder)).toMatchObject({ applied: ['0001_slow'] });
    }));

  test('a history that can’t be read is an error, never an empty history', () =>
    onNewDatabase(async () => {
      await apply(migrationsFolder([table]));
      await sql`create role stranger login password 'stranger'`.catch(() => {});
      const asStranger = Object.assign(new URL(url), { username: 'stranger', password: 'stranger' }).href;
      const connection = serverEngine(parseServerUrl(asStranger), defaultDeadlines).connect();
      const failure = applyMigrations(deploySession(connection), { folder: migrationsFolder([table]) });
      await expect(failure).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
      await connection.close();
    }));
});

test('a folder without a journal is refused by name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-migrations-'));
  folders.push(folder);
  const session = { query: async () => [], script: async () => {} };
  await expect(applyMigrations(session, { folder })).rejects.toMatchObject({ code: 'MIGRATIONS_UNREADABLE' });
});

function runMigrate(url: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'db/migrate.ts')], {
      cwd: root,
      env: { ...process.env, POSTGRES_URL: url },
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not happen within 5 s');
}

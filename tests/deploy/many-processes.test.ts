// Ten processes that deploy one project at once: each migration is applied exactly once. Drizzle's own migrator is the
// control, which does not keep to that.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as drizzleMigrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { journalFolder, type MigrationFile, onNewDatabase, removeFolders, statements } from './own-database.ts';

afterAll(removeFolders);

const table: MigrationFile = {
  tag: '0000_table',
  when: 1_700_000_000_000,
  sql: statements('create table counter (n integer not null)', 'insert into counter values (0)'),
};
/** Applied twice, it counts to two. */
const count: MigrationFile = { tag: '0001_count', when: table.when + 2000, sql: 'update counter set n = n + 1' };

// One version: what decides is the lock, which they all have.
describe.each(inject('servers').slice(-1))('ten processes at once, on PostgreSQL $version', ({ url: serverUrl }) => {
  const rounds = process.env.MYTX_LONG ? 20 : 4;

  test(`apply a schema migration and one of data exactly once, in each of ${rounds} rounds`, {
    timeout: 600_000,
  }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      await onNewDatabase(serverUrl, async ({ url, sql }) => {
        const migrationsFolder = journalFolder([
          table,
          { ...count, sql: `${count.sql} where pg_sleep(0.05) is not null` },
        ]);
        const ends = await Promise.all(Array.from({ length: 10 }, () => deployInProcess(url, migrationsFolder)));
        expect(
          ends.map(({ exitCode }) => exitCode),
          ends.map(({ output }) => output).join('\n'),
        ).toEqual(Array(10).fill(0));
        expect(ends.filter(({ output }) => output.includes('applied 2'))).toHaveLength(1);
        expect(await sql`select n from counter`).toEqual([{ n: 1 }]);
        expect(await sql`select count(*)::int from drizzle.__drizzle_migrations`).toEqual([{ count: 2 }]);
      });
    }
  });

  const control = 'Drizzle’s own migrator applies it more than once (drizzle-orm#874): the control';
  test(`${control}, in each of ${rounds} rounds`, { timeout: 600_000 }, async () => {
    for (let round = 0; round < rounds; round += 1) await applyByDrizzle();
  });

  const applyByDrizzle = (): Promise<void> =>
    onNewDatabase(serverUrl, async ({ url, sql }) => {
      await drizzleMigrate(drizzle(sql), { migrationsFolder: journalFolder([table]) });
      const migrationsFolder = journalFolder([
        table,
        { ...count, sql: `${count.sql} where pg_sleep(0.2) is not null` },
      ]);
      const clients = Array.from({ length: 5 }, () => postgres(url, { max: 1, onnotice: () => {} }));
      await Promise.all(clients.map((client) => drizzleMigrate(drizzle(client), { migrationsFolder })));
      await Promise.all(clients.map((client) => client.end()));
      const [row] = await sql`select n from counter`;
      expect(row?.n).toBeGreaterThan(1);
    });
});

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the library in a process of its own. */
function deployInProcess(url: string, migrationsFolder: string): Promise<{ exitCode: number | null; output: string }> {
  const code = `
    import { deploy } from ${JSON.stringify(join(root, 'db/deployment.ts'))};
    const { applied } = await deploy(${JSON.stringify({ url, migrationsFolder })});
    console.log('applied ' + applied.length);`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], { cwd: root });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (exitCode) => resolve({ exitCode, output }));
  });
}

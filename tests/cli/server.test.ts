// mytx start and reset on a PostgreSQL server: as on the embedded database, and beside other processes.

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { templateName } from '../db/global-setup.ts';
import { allMigrations, lacksAllMigrations, migrationNames } from '../own-migrations.ts';
import { cleanUpCommands, mytx, newFolder, ownerOf, printedRows, rowsOfSample, startMytx } from './command.ts';

cleanUpCommands();

// One version will do: what differs between them is below db/, whose tests run on all.
describe.each(inject('servers').slice(-1))('PostgreSQL $version', ({ url }) => {
  const folder = newFolder();
  let maintenance: Sql;
  let place: { folder: string; env: { POSTGRES_URL: string } };
  let target: string;

  beforeAll(async () => {
    maintenance = postgres(url, { max: 1, onnotice: () => {} });
    place = { folder, env: { POSTGRES_URL: await newServerDatabase() } };
    target = new URL(place.env.POSTGRES_URL).host + new URL(place.env.POSTGRES_URL).pathname;
  });
  afterAll(() => maintenance.end());

  /** An empty database, or a copy of `template`. @returns its URL */
  async function newServerDatabase(template = 'template0'): Promise<string> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await maintenance.unsafe(`create database ${name} template ${template}`);
    return Object.assign(new URL(url), { pathname: `/${name}` }).href;
  }

  test('of two first runs at once both are ready, and one loads the sample', async () => {
    const runs = await Promise.all([mytx(['start', '--once'], place), mytx(['start', '--once'], place)]);
    for (const { exitCode, stdout } of runs) {
      expect(stdout).toMatch(new RegExp(`^target: ${target}\nmigrations: `));
      expect(printedRows(stdout)).toEqual(rowsOfSample);
      expect(exitCode).toBe(0);
    }
    expect(runs.filter(({ stdout }) => stdout.includes(`migrations: applied ${allMigrations}\n`))).toHaveLength(1);
    expect(runs.filter(({ stdout }) => stdout.includes('sample: loaded 3 users'))).toHaveLength(1);
    expect(ownerOf(folder)).toBeUndefined();
  });

  test('.env.local names the server too; a run stays up beside others until SIGTERM', async () => {
    const withFile = newFolder();
    writeFileSync(join(withFile, '.env.local'), `POSTGRES_URL="${place.env.POSTGRES_URL}"\n`);
    const up = startMytx(['start'], { folder: withFile });
    await up.until('ready;');
    const beside = await mytx(['start', '--once', '--json'], place);
    expect(JSON.parse(beside.stdout)).toMatchObject({ ok: true, target, data: { engine: 'server', sample: null } });
    const { exitCode, stdout } = await up.end('SIGTERM');
    expect(stdout).toContain(`target: ${target}\n`);
    expect(stdout).toMatch(/\nclosed\n$/);
    expect(exitCode).toBe(0);
  });

  test('reset drops the rows; a table of somebody else’s stays', async () => {
    const sql = postgres(place.env.POSTGRES_URL, { max: 1 });
    await sql`create table somebody_elses (id int)`;
    const { exitCode, stdout } = await mytx(['reset', '--json'], place);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      command: 'reset',
      target,
      data: { applied: migrationNames },
    });
    expect(exitCode).toBe(0);
    expect(
      await sql`select (select count(*)::int from "User") + (select count(*)::int from somebody_elses) as rows`,
    ).toEqual([{ rows: 0 }]);
    await sql.end();
  });

  test('in production nothing is migrated', async () => {
    const empty = await newServerDatabase();
    const env = { NODE_ENV: 'production', POSTGRES_URL: empty };
    const { exitCode, stdout, stderr } = await mytx(['start', '--once'], { folder, env });
    expect(stdout).toContain(
      'note: NODE_ENV is production: migrations are not applied and the sample assistant is not loaded\n',
    );
    expect(stderr).toMatch(
      new RegExp(
        `^error SCHEMA_BEHIND: .* ${lacksAllMigrations}\nnext: .*npx tsx db/migrate\\.ts, or npx mytx migrate$`,
        'm',
      ),
    );
    expect(exitCode).toBe(1);
    const sql = postgres(empty, { max: 1 });
    expect(await sql`select nspname from pg_namespace where nspname = 'drizzle'`).toEqual([]);
    await sql.end();
  });

  test('in production nothing is loaded, and reset is refused', async () => {
    const env = { NODE_ENV: 'production', POSTGRES_URL: await newServerDatabase(templateName) };
    const started = await mytx(['start', '--once'], { folder, env });
    expect(Object.values(printedRows(started.stdout))).toEqual(Array(9).fill(0));
    expect(started.exitCode).toBe(0);
    const reset = await mytx(['reset'], { folder, env });
    expect(reset.stderr).toContain('error RESET_REFUSED: NODE_ENV is production');
    expect(reset.exitCode).toBe(3);
  });

  test('Ctrl-C while it waits for another deploy exits 130', async () => {
    const sql = postgres(place.env.POSTGRES_URL, { max: 1 });
    await sql`select pg_advisory_lock(1836676216, 1684369516)`; // the deploy lock of deploy/lock.ts
    const waiting = startMytx(['start'], place);
    await waiting.until('waiting for another deploy (server process ');
    const { exitCode, stderr } = await waiting.end('SIGINT');
    expect(stderr).toContain('error INTERRUPTED: ');
    expect(exitCode).toBe(130);
    await sql.end();
  });
});

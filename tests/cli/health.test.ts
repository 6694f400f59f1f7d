// mytx health: what it says of a database, what it exits with, and that it changes nothing.

import { randomUUID } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { templateName } from '../db/global-setup.ts';
import { lacksAllMigrations, migrationNames, nameBehindOurs } from '../own-migrations.ts';
import { startProxy } from '../proxy.ts';
import { cleanUpCommands, mytx, newFolder, ownerOf, startMytx } from './command.ts';

cleanUpCommands();
const patient = { timeout: 180_000 };
const target = 'embedded, .mytx/database';

describe('of an embedded database', patient, () => {
  const folder = newFolder();

  test('that is not there: exit 1 with what to do, and none is made', async () => {
    const { exitCode, stdout, stderr } = await mytx(['health', '--json'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, target, data: null, error: { code: 'DATABASE_MISSING' } });
    expect(stderr).toContain('next: Make one with npx mytx start, ');
    expect(exitCode).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that nobody has open: it is asked, and left as it was', async () => {
    expect((await mytx(['start', '--once'], { folder, env: { NODE_ENV: 'production' } })).exitCode).toBe(0);
    const snapshots = readdirSync(join(folder, '.mytx/snapshots'));
    const { exitCode, stdout } = await mytx(['health'], { folder });
    expect(stdout).toMatch(
      /^target: embedded, .mytx\/database\nengine: embedded\nlatency: \d+ ms\nconnections: 1 open of 1, 0 callers wait\nschema: up to date\nhealthy\n$/,
    );
    expect(exitCode).toBe(0);
    expect(ownerOf(folder)).toBeUndefined();
    expect(readdirSync(join(folder, '.mytx/snapshots'))).toEqual(snapshots);
  });

  test('that another process has open: exit 4 with the way in, which works', async () => {
    const owner = startMytx(['start'], { folder, env: { NODE_ENV: 'production' } });
    await owner.until('ready;');
    const { exitCode, stderr } = await mytx(['health'], { folder });
    expect(stderr).toContain(
      `error EMBEDDED_IN_USE: the embedded database in .mytx is in use by process ${owner.pid} since `,
    );
    expect(exitCode).toBe(4);
    const [, way = ''] = /POSTGRES_URL='(.*)'/.exec(stderr) ?? [];
    const guest = await mytx(['health', '--json'], { folder, env: { POSTGRES_URL: way } });
    expect(JSON.parse(guest.stdout)).toMatchObject({ ok: true, data: { engine: 'server', pending: [] } });
    expect(guest.exitCode).toBe(0);
    await owner.end('SIGINT');
  });

  test('that lacks a migration says which, and does not apply it', async () => {
    const migrations = join(folder, 'lib/drizzle');
    cpSync(fileURLToPath(new URL('../../lib/drizzle', import.meta.url)), migrations, { recursive: true });
    const journalFile = join(migrations, 'meta/_journal.json');
    const journal = JSON.parse(readFileSync(journalFile, 'utf8'));
    const tag = nameBehindOurs('notes');
    const idx = migrationNames.length;
    journal.entries.push({ idx, version: '7', when: 1_900_000_000_000, tag, breakpoints: true });
    writeFileSync(journalFile, JSON.stringify(journal));
    writeFileSync(join(migrations, `${tag}.sql`), 'create table notes (id integer);\n');
    for (const _ of ['first', 'second']) {
      const { exitCode, stdout } = await mytx(['health'], { folder });
      expect(stdout).toContain(`\nschema: lacks ${tag}; applied when the database is opened\nhealthy\n`);
      expect(exitCode).toBe(0);
    }
  });
});

// One version will do: what differs between them is below db/, whose tests run on all.
describe.each(inject('servers').slice(-1))('of PostgreSQL $version', patient, ({ url }) => {
  const folder = newFolder();
  let maintenance: Sql;
  beforeAll(() => {
    maintenance = postgres(url, { max: 1, onnotice: () => {} });
  });
  afterAll(() => maintenance.end());

  async function newServerDatabase(template: string): Promise<string> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await maintenance.unsafe(`create database ${name} template ${template}`);
    return Object.assign(new URL(url), { pathname: `/${name}` }).href;
  }

  test('that is up to date', async () => {
    const POSTGRES_URL = await newServerDatabase(templateName);
    const { exitCode, stdout } = await mytx(['health', '--json'], { folder, env: { POSTGRES_URL } });
    const { ok, command, target: named, data, error } = JSON.parse(stdout);
    expect({ ok, command, error }).toEqual({ ok: true, command: 'health', error: null });
    expect(named).toBe(new URL(POSTGRES_URL).host + new URL(POSTGRES_URL).pathname);
    expect(data).toEqual({
      engine: 'server',
      latencyMs: expect.any(Number),
      pool: { size: 10, open: 1, busy: 0, waiting: 0, oldestWaitMs: 0, refused: 0 },
      pending: [],
      rowSecurity: { isReady: true, missing: [] },
    });
    expect(exitCode).toBe(0);
  });

  test('whose row-level security lacks something: exit 1 with the statements, which put it right', async () => {
    const POSTGRES_URL = await newServerDatabase(templateName);
    const sql = postgres(POSTGRES_URL, { max: 1, onnotice: () => {} });
    await sql.unsafe('alter table "Task" disable row level security; drop policy "Memory_user_policy" on "Memory"');
    const people = await mytx(['health'], { folder, env: { POSTGRES_URL } });
    expect(people.stdout).toContain(
      '\n-- "Task" has no row-level security\nalter table "Task" enable row level security;\n',
    );
    expect(people.stdout).toMatch(/\nhealthy, but for row-level security\n$/);
    const { exitCode, stdout } = await mytx(['health', '--json'], { folder, env: { POSTGRES_URL } });
    const { ok, data } = JSON.parse(stdout);
    expect({ ok, isReady: data.rowSecurity.isReady, exitCode }).toEqual({ ok: true, isReady: false, exitCode: 1 });
    expect(data.rowSecurity.missing).toContainEqual({
      what: 'no policy of "Memory" is for mytx_user and select',
      statement: expect.stringContaining('create policy'),
      isRefused: true,
    });
    const [, statements = ''] = /runs:\n\n(.*)\n\nhealthy/s.exec(people.stdout) ?? [];
    await sql.unsafe(statements);
    await sql.end();
    const { exitCode: atLast, stdout: said } = await mytx(['health'], { folder, env: { POSTGRES_URL } });
    expect(said).toContain('\nrow-level security: ready\nhealthy\n');
    expect(atLast).toBe(0);
  });

  test('with a replica that is away: healthy, and said', async () => {
    const POSTGRES_URL = await newServerDatabase(templateName);
    const env = { POSTGRES_URL, POSTGRES_REPLICA_URLS: 'postgres://u@127.0.0.1:1/x' };
    const { exitCode, stdout } = await mytx(['health'], { folder, env });
    expect(stdout).toMatch(
      /\n\nreplica +reads +behind at most\n127\.0\.0\.1:1\/x +not used: UNREACHABLE\n\nhealthy\n$/,
    );
    expect(exitCode).toBe(0);
  });

  test('that lacks a migration is an error: exit 1', async () => {
    const env = { POSTGRES_URL: await newServerDatabase('template0') };
    const { exitCode, stderr } = await mytx(['health'], { folder, env });
    expect(stderr).toMatch(new RegExp(`^error SCHEMA_BEHIND: .* ${lacksAllMigrations}\nnext: Apply them: `));
    expect(exitCode).toBe(1);
  });

  test('whose connection breaks at the question: exit 5, with the code of what broke it', async () => {
    const proxy = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(url).port) } });
    const server = new URL(await newServerDatabase(templateName));
    server.port = String(proxy.port);
    const cut = proxy.cutOnReplyTo('select 1');
    const { exitCode, stdout, stderr } = await mytx(['health', '--json'], {
      folder,
      env: { POSTGRES_URL: server.href },
    });
    expect(cut.count).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, data: null, error: { code: 'CONNECTION_LOST' } });
    expect(stderr).toContain('next: Look at the server and its log, and ask again: npx mytx health\n');
    expect(exitCode).toBe(5);
    await proxy.stop();
  });
});

test('of a server that does not answer: exit 5', async () => {
  const env = { POSTGRES_URL: 'postgres://u:hush@127.0.0.1:1/x' };
  const { exitCode, stdout, stderr } = await mytx(['health'], { folder: newFolder(), env });
  expect(stdout).toBe('target: 127.0.0.1:1/x\n');
  expect(stderr).toContain('error UNREACHABLE: ');
  expect(stdout + stderr).not.toContain('hush');
  expect(exitCode).toBe(5);
});

test('--help has examples', async () => {
  const { exitCode, stdout } = await mytx(['health', '--help'], { folder: newFolder() });
  expect(stdout).toMatch(/^Examples:\n {2}npx mytx health\n/);
  expect(exitCode).toBe(0);
});

// mytx seed: on the embedded database and on a server, to its end, refused, interrupted and killed.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { templateName } from '../db/global-setup.ts';
import { migrationNames } from '../own-migrations.ts';
import { cleanUpCommands, mytx, newFolder, ownerOf, printedRows, rowsOfSample, startMytx } from './command.ts';

cleanUpCommands();
const patient = { timeout: 180_000 };
const target = 'embedded, .mytx/database';
const noRows = Object.fromEntries(Object.keys(rowsOfSample).map((table) => [table, 0]));

describe('on the embedded database', patient, () => {
  const folder = newFolder();
  /** Counts the rows, and loads nothing. */
  const rows = async (): Promise<Record<string, number>> => {
    const { stdout } = await mytx(['start', '--once'], { folder, env: { NODE_ENV: 'production' } });
    return printedRows(stdout);
  };

  test('it makes the database, loads so many messages and says how fast', async () => {
    const { exitCode, stdout, stderr } = await mytx(['seed', '--messages', '3001'], { folder });
    const [first, ...lines] = stdout.trimEnd().split('\n');
    expect(first).toBe(`target: ${target}`);
    expect(lines).toEqual([
      'migrations: up to date',
      'sample: loaded 5 users, 44 chats, 3,001 messages, 30 memories, 24 tasks, 6 reservations, 5 protocols',
      'sign in: maya.levi@example.com, password sample-password-1',
      expect.stringMatching(/^time: \d+\.\d s, [\d,]+ messages a second$/),
    ]);
    expect(stdout + stderr).not.toContain('\x1b');
    expect(exitCode).toBe(0);
    expect(ownerOf(folder)).toBeUndefined();
    expect(await rows()).toEqual({ ...rowsOfSample, User: 5, Chat: 44, Message: 3_001 });
  });

  test('where there are users it has nothing to do, and with --messages is refused', async () => {
    const again = await mytx(['seed'], { folder });
    expect(again.stdout).toBe(`target: ${target}\nnothing to do: there are users already\n`);
    expect(again.exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await mytx(['seed', '--messages', '10', '--json'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      command: 'seed',
      target,
      data: null,
      error: { code: 'SEED_REFUSED', message: `${target} has users already: nothing was loaded` },
    });
    expect(stderr).toContain('next: Empty it with npx mytx reset, which deletes every row, ');
    expect(exitCode).toBe(3);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('%s in the middle leaves no row', async (signal, code) => {
    expect((await mytx(['reset'], { folder })).exitCode).toBe(0);
    const running = startMytx(['seed', '--messages', '500000'], { folder });
    await running.until(' of 500,000 messages');
    const { exitCode, stdout, stderr } = await running.end(signal);
    expect(exitCode).toBe(code);
    expect(stdout).toBe(`target: ${target}\n`);
    if (signal === 'SIGINT') {
      expect(stderr).toContain('\nstopping: what was loaded is rolled back\n');
      expect(stderr).toContain('\nerror INTERRUPTED: ');
      expect(ownerOf(folder)).toBeUndefined();
    }
    expect(await rows()).toEqual(noRows);
  });

  test('of another process it takes the sample, but no COPY: that is refused with the way out', async () => {
    const owner = startMytx(['start'], { folder, env: { NODE_ENV: 'production' } });
    await owner.until('ready;');
    const [, url = ''] = /psql '(.*)'\n/.exec(owner.printed()) ?? [];
    const guest = { folder: newFolder(), env: { POSTGRES_URL: url } };
    const refused = await mytx(['seed', '--messages', '10'], guest);
    expect(refused.stderr).toMatch(
      /^error SEED_REFUSED: .* is the embedded database of another process, which takes no COPY from this one: nothing was loaded\nnext: Stop that process, unset POSTGRES_URL, /m,
    );
    expect(refused.exitCode).toBe(3);
    const loaded = await mytx(['seed', '--json'], guest);
    expect(JSON.parse(loaded.stdout)).toMatchObject({ ok: true, data: { sample: { users: 3, messages: 2_500 } } });
    await owner.end('SIGINT');
    expect(await rows()).toEqual(rowsOfSample);
  });
});

// One version will do: what differs between them is below db/, whose tests run on all.
describe.each(inject('servers').slice(-1))('on PostgreSQL $version', patient, ({ url }) => {
  const folder = newFolder();
  let maintenance: Sql;
  beforeAll(() => {
    maintenance = postgres(url, { max: 1, onnotice: () => {} });
  });
  afterAll(() => maintenance.end());

  /** A database of its own; empty, unless it is a copy of `template`. */
  async function newServerDatabase(template = 'template0'): Promise<{ place: Parameters<typeof mytx>[1]; sql: Sql }> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await maintenance.unsafe(`create database ${name} template ${template}`);
    const POSTGRES_URL = Object.assign(new URL(url), { pathname: `/${name}` }).href;
    return { place: { folder, env: { POSTGRES_URL } }, sql: postgres(POSTGRES_URL, { max: 1, onnotice: () => {} }) };
  }

  /** The server has seen that the others are gone. */
  async function untilAlone(sql: Sql): Promise<void> {
    for (let others = 1; others > 0; ) {
      const rows = await sql`select pid from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
      others = rows.length;
    }
  }

  async function countRows(sql: Sql): Promise<number[]> {
    const [row] =
      await sql`select (select count(*)::int from "User") as users, (select count(*)::int from "Chat") as chats,
      (select count(*)::int from "Message") as messages`;
    return Object.values(row ?? {});
  }

  test('it migrates an empty one first, loads, and prints one envelope', async () => {
    const { place, sql } = await newServerDatabase();
    const { exitCode, stdout } = await mytx(['seed', '--messages', '20000', '--json'], place);
    const { ok, command, data, warnings, error } = JSON.parse(stdout);
    expect({ ok, command, error }).toEqual({ ok: true, command: 'seed', error: null });
    expect(warnings).toEqual([expect.stringMatching(/^MYTX_ENCRYPTION_KEYS is not set: /)]);
    const { applied, sample, signIn, seconds, messagesPerSecond, ...rest } = data;
    expect(rest).toEqual({ engine: 'server' });
    expect(applied).toEqual(migrationNames);
    expect(sample).toMatchObject({ users: 24, chats: 320, messages: 20_000 });
    expect(signIn.email).toBe('maya.levi@example.com');
    expect(messagesPerSecond).toBe(Math.round(20_000 / seconds));
    expect(exitCode).toBe(0);
    expect(await countRows(sql)).toEqual([24, 320, 20_000]);
    await sql.end();
  });

  test('without --messages it is the sample assistant, once', async () => {
    const { place, sql } = await newServerDatabase();
    const first = await mytx(['seed'], place);
    expect(first.stdout).toContain('\nsample: loaded 3 users, 40 chats, 2,500 messages, ');
    expect(first.exitCode).toBe(0);
    const second = await mytx(['seed'], place);
    expect(second.stdout).toMatch(/^target: 127\.0\.0\.1:\d+\/\w+\nnothing to do: there are users already\n$/);
    expect(second.exitCode).toBe(0);
    expect(await countRows(sql)).toEqual([3, 40, 2_500]);
    await sql.end();
  });

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('%s in the middle leaves no row', async (signal, code) => {
    const { place, sql } = await newServerDatabase();
    const running = startMytx(['seed', '--messages', '2000000'], place);
    await running.until(' left\n');
    expect(running.printed()).toMatch(/^\d+ %, [\d,]+ of 2,000,000 messages, [\d,]+ a second, (\d+ min )?\d+ s left$/m);
    const { exitCode } = await running.end(signal);
    expect(exitCode).toBe(code);
    await untilAlone(sql);
    expect(await countRows(sql)).toEqual([0, 0, 0]);
    await sql.end();
  });

  test('in production it is refused', async () => {
    const { place, sql } = await newServerDatabase(templateName);
    const env = { ...place.env, NODE_ENV: 'production' };
    for (const args of [['seed'], ['seed', '--messages', '10']]) {
      const { exitCode, stderr } = await mytx(args, { folder, env });
      expect(stderr).toMatch(/^error SEED_REFUSED: NODE_ENV is production: .*\nnext: The passwords of the sample /);
      expect(exitCode).toBe(3);
    }
    expect(await countRows(sql)).toEqual([0, 0, 0]);
    await sql.end();
  });
});

describe('what is no database for it', () => {
  test('another machine: refused before anything is connected to', async () => {
    // Its name cannot be looked up: a connection would have failed with UNREACHABLE.
    const env = { POSTGRES_URL: 'postgres://u@db.example.invalid/x' };
    const { exitCode, stderr } = await mytx(['seed', '--messages', '10'], { folder: newFolder(), env });
    expect(stderr).toContain('error SEED_REFUSED: db.example.invalid:5432/x is not on this machine: ');
    expect(exitCode).toBe(3);
  });

  test('the embedded one in production: refused, and none is made', async () => {
    const folder = newFolder();
    const { exitCode, stderr } = await mytx(['seed'], { folder, env: { NODE_ENV: 'production' } });
    expect(stderr).toContain('error SEED_REFUSED: NODE_ENV is production: the sample assistant is not loaded\n');
    expect(exitCode).toBe(3);
    expect(existsSync(join(folder, '.mytx'))).toBe(false);
  });
});

describe('--messages', () => {
  test.each(['0', '-5', '1.5', '1e3', 'many', '10000001', ''])(
    '%j is refused, with what is allowed: exit 2',
    async (text) => {
      const folder = newFolder();
      const { exitCode, stdout, stderr } = await mytx(['seed', `--messages=${text}`, '--json'], { folder });
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'USAGE' } });
      expect(stderr).toContain(`argument '${text}' is invalid. It must be a whole number from 1 to 10,000,000.\n`);
      expect(exitCode).toBe(2);
      expect(existsSync(join(folder, '.mytx'))).toBe(false);
    },
  );

  test('is explained by --help, with examples', async () => {
    const { exitCode, stdout } = await mytx(['seed', '--help'], { folder: newFolder() });
    expect(stdout).toMatch(/^Examples:\n {2}npx mytx seed\n {2}npx mytx seed --messages 1000000\n/);
    expect(stdout).toMatch(/^ {2}--messages <count> +how many messages in all; 2,500 unless given$/m);
    expect(exitCode).toBe(0);
  });
});

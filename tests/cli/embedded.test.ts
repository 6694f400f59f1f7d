// mytx start and reset on the embedded database, as a newcomer runs them. The tests follow one another in two folders,
// because each first start of an embedded database takes seconds.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase, db } from '../../db/index.ts';
import { chat, message } from '../../db/schema.ts';
import { allMigrations } from '../own-migrations.ts';
import {
  cleanUpCommands,
  mytx,
  newFolder,
  ownerOf,
  printedRows,
  type Running,
  rowsOfSample,
  startMytx,
} from './command.ts';

cleanUpCommands();
const here = newFolder();
const there = newFolder();
const target = 'embedded, .mytx/database';
const noRows = Object.fromEntries(Object.keys(rowsOfSample).map((table) => [table, 0]));

let first: Running;
// Two databases are created at once, while other tests' servers want the processor too: 42 s were seen.
const patient = { timeout: 180_000 };

test('the first run creates the database, loads the sample, says so and exits 0', patient, async () => {
  first = startMytx(['start'], { folder: there, isSource: true });
  const { exitCode, stdout, stderr } = await mytx(['start', '--once'], { folder: here });
  expect(stderr).not.toContain('initdb'); // it begins as the database that comes with the package
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    `target: ${target}`,
    'migrations: up to date',
    'sample: loaded 3 users, 40 chats, 2,500 messages, 30 memories, 24 tasks, 6 reservations, 5 protocols',
    'sign in: maya.levi@example.com, password sample-password-1',
  ]);
  expect(printedRows(stdout)).toEqual(rowsOfSample);
  for (const step of ['db/queries.ts', 'npx drizzle-kit generate', 'npx tsx db/migrate.ts', 'npm run db:reset']) {
    expect(stdout).toContain(`  ${step}`);
  }
  expect(stdout + stderr).not.toContain('\x1b'); // no colour and no rewriting where nobody looks
  expect(exitCode).toBe(0);
  expect(ownerOf(here)).toBeUndefined();
});

test('a run without --once stays up, and a second process on its folder is refused', patient, async () => {
  await first.until('ready; Ctrl-C closes the database');
  const isCreating = 'creating the embedded database in .mytx/database (initdb, 4 to 8 seconds, once)\n';
  expect(first.printed()).toContain(isCreating); // a checkout has none to begin as
  expect(ownerOf(there)).toBe(first.pid);
  const { exitCode, stdout, stderr, durationMs } = await mytx(['start', '--once', '--json'], { folder: there });
  expect(exitCode).toBe(4);
  expect(stderr).toContain(
    `error EMBEDDED_IN_USE: the embedded database in .mytx is in use by process ${first.pid} since `,
  );
  const [, way] = /psql '(.*)'\n/.exec(first.printed()) ?? [];
  expect(stderr).toContain(`\nnext: Come in through its owner: POSTGRES_URL='${way}'. Or stop that process.\n`);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, target, data: null, error: { code: 'EMBEDDED_IN_USE' } });
  expect(durationMs).toBeLessThan(5_000);
  expect(ownerOf(there)).toBe(first.pid);
});

test('Ctrl-C closes it and exits 0', async () => {
  const { exitCode, stdout } = await first.end('SIGINT');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/\nclosed\n$/);
  expect(ownerOf(there)).toBeUndefined();
});

test('two first runs make the same chats and messages', async () => {
  expect(await digestOf(here)).toBe(await digestOf(there));
});

test('the next run loads nothing; --json prints one envelope and nothing else on stdout', async () => {
  const { exitCode, stdout, stderr } = await mytx(['start', '--once', '--json'], { folder: here });
  expect(JSON.parse(stdout)).toEqual({
    ok: true,
    command: 'start',
    target,
    data: {
      engine: 'embedded',
      applied: [],
      sample: null,
      signIn: null,
      tables: Object.entries(rowsOfSample).map(([table, rows]) => ({ table, rows })),
    },
    warnings: ['MYTX_ENCRYPTION_KEYS is not set: the details of reservations are stored as plaintext'],
    error: null,
  });
  expect(stderr).toContain(`target: ${target}\n`);
  expect(stderr).toContain('sample: not loaded, there are users already\n');
  expect(exitCode).toBe(0);
});

test('a process that was killed does not keep the next one out', async () => {
  const killed = startMytx(['start'], { folder: there });
  await killed.until('ready;');
  await killed.end('SIGKILL');
  expect(ownerOf(there)).toBe(killed.pid);
  const { exitCode, stdout } = await mytx(['start', '--once'], { folder: there });
  expect(exitCode).toBe(0);
  expect(printedRows(stdout)).toEqual(rowsOfSample);
});

test('reset is refused in production', async () => {
  const { exitCode, stdout, stderr } = await mytx(['reset'], { folder: here, env: { NODE_ENV: 'production' } });
  expect(stdout).toBe(`target: ${target}\n`);
  expect(stderr).toContain(`error RESET_REFUSED: NODE_ENV is production: ${target} is not reset\nnext: `);
  expect(exitCode).toBe(3);
});

test('reset drops every table and applies the migrations anew', async () => {
  const { exitCode, stdout } = await mytx(['reset'], { folder: here });
  expect(stdout).toMatch(
    new RegExp(
      `^target: embedded, .*\ndropped: .*\\bChat, .*\\bUser, .*\napplied: ${allMigrations}\nnext: npm start .*\n$`,
    ),
  );
  expect(exitCode).toBe(0);
});

test('in production the sample is not loaded', async () => {
  const { exitCode, stdout } = await mytx(['start', '--once'], { folder: here, env: { NODE_ENV: 'production' } });
  expect(stdout).toContain('note: NODE_ENV is production: the sample assistant is not loaded\n');
  expect(printedRows(stdout)).toEqual(noRows);
  expect(exitCode).toBe(0);
});

test('Ctrl-C before it is ready exits 130, closed', async () => {
  const early = startMytx(['start', '--json'], { folder: here });
  await early.until('opening the database');
  const { exitCode, stdout, stderr } = await early.end('SIGINT');
  expect(exitCode).toBe(130);
  expect(stderr).toContain('stopping after the step under way; Ctrl-C again stops at once\n');
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, data: null, error: { code: 'INTERRUPTED' } });
  expect(ownerOf(here)).toBeUndefined();
});

test('a first run that is killed leaves nothing half-loaded', async () => {
  const killed = startMytx(['start'], { folder: here });
  await killed.until('loading the sample assistant');
  await killed.end('SIGKILL');
  const { exitCode, stdout } = await mytx(['start', '--once', '--json'], { folder: here });
  expect(exitCode).toBe(0);
  const { data } = JSON.parse(stdout);
  expect(data.sample).toMatchObject({ users: 3, messages: 2_500 });
  expect(data.signIn.email).toBe('maya.levi@example.com');
  expect(data.tables).toContainEqual({ table: 'Message', rows: 2_500 });
});

async function digestOf(folder: string): Promise<string> {
  const opened = await createDatabase({ folder: join(folder, '.mytx') });
  try {
    return await opened.run(async () => {
      const chats = await db
        .select({ id: chat.id, title: chat.title, createdAt: chat.createdAt })
        .from(chat)
        .orderBy(chat.id);
      const { chatId, position, role, body, createdAt } = message;
      const messages = await db
        .select({ chatId, position, role, body, createdAt })
        .from(message)
        .orderBy(chatId, position);
      expect([chats.length, messages.length]).toEqual([40, 2_500]);
      return createHash('sha256')
        .update(JSON.stringify([chats, messages]))
        .digest('hex');
    });
  } finally {
    await opened.close();
  }
}

// What the command line prints when it fails holds nothing secret and nothing that somebody wrote: canaries stand in its
// environment, in the database, in files, and 0 of them are found on stdout and stderr, --json or not.

import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, db, useSecrets } from '../../db/index.ts';
import { configurePasswords } from '../../db/passwords.ts';
import { Detector } from '../canaries.ts';
import { addressWithCanary, canaries, plantRows, secretTexts, texts, usePasswordsOfTests } from '../db/canary-calls.ts';
import { placeOfCode } from '../db/canary-codes.ts';
import { exportedLines } from '../db/export-file.ts';
import { idOf } from '../db/two-users.ts';
import { recordFigures } from '../security/figures.ts';
import { cleanUpCommands, type Ended, mytx, newFolder } from './command.ts';

cleanUpCommands();
const detector = new Detector(canaries);
const folder = newFolder();
const codes = new Set<string>();
let outputs: string[] = [];
let commands = 0;
let found = 0;

const secretEnvironment = {
  MYTX_API_KEY_PEPPERS: secretTexts.apiKeyPeppers,
  MYTX_ENCRYPTION_KEYS: secretTexts.encryptionKeys,
  MYTX_AUDIT_KEYS: secretTexts.auditKeys,
};
const { urlPassword } = texts;

beforeAll(async () => {
  usePasswordsOfTests();
  // Plaintext, which the commands then find where their key makes them want ciphertext.
  useSecrets({ ...secretTexts, encryptionKeys: '' });
  const database = await createDatabase({
    folder: join(folder, '.mytx'),
    snapshot: new Blob([readFileSync(inject('snapshotFile'))]),
  });
  await database.run(async () => {
    await plantRows();
    const lines = await exportedLines(idOf('user', 'ada'));
    writeFileSync(join(folder, 'whole.jsonl'), lines.join(''));
    const header = lines[0]?.replace(idOf('user', 'ada'), randomUUID()); // of somebody who is not there
    writeFileSync(join(folder, 'cut.jsonl'), `${header}{"table":"User","row":{"email":"${addressWithCanary}`);
    writeFileSync(join(folder, 'wrong.jsonl'), `${header}{"${texts.exportedText}": ${texts.exportedText}}\n`);
  });
  await database.close();
}, 120_000);

afterEach(() => {
  const said = outputs.join('\n');
  outputs = [];
  found += detector.find(said).length;
  expect(detector.find(said)).toEqual([]);
});

afterAll(() => {
  useSecrets();
  configurePasswords();
  recordFigures('command-canaries', { marks: canaries.length, commands, codes: codes.size, found });
  console.info(`canaries: ${canaries.length} planted; ${commands} commands that fail, ${codes.size} error codes`);
});

/** Runs a command that fails, as people see it or as one envelope. @returns its code */
async function failing(args: readonly string[], env: Record<string, string> = {}, where = folder): Promise<string> {
  const ended = await mytx(args, { folder: where, env: { ...secretEnvironment, ...env } });
  commands += 1;
  outputs.push(ended.stdout, ended.stderr);
  expect(ended.exitCode).toBeGreaterThan(0);
  const code = codeOf(args, ended);
  codes.add(code);
  return code;
}

function codeOf(args: readonly string[], { stdout, stderr }: Ended): string {
  if (args.includes('--json')) return JSON.parse(stdout).error.code;
  return /^error (\w+): /m.exec(stderr)?.[1] ?? 'USAGE';
}

/** Several at once: those that open no database, or one each. */
async function expectCodes(
  wanted: readonly (readonly [code: string, args: readonly string[], env?: Record<string, string>, where?: string])[],
): Promise<void> {
  const found: string[] = [];
  for (let i = 0; i < wanted.length; i += 2) {
    const two = wanted.slice(i, i + 2).map(([, args, env, where]) => failing(args, env, where));
    found.push(...(await Promise.all(two)));
  }
  expect(found).toEqual(wanted.map(([code]) => code));
}

test('a URL that is none, unreachable, refused', async () => {
  const at = (POSTGRES_URL: string): Record<string, string> => ({ POSTGRES_URL });
  const [server] = inject('servers').slice(-1);
  const wrongPassword = server && Object.assign(new URL(server.url), { password: urlPassword }).href;
  await expectCodes([
    ['INVALID_URL', ['health', '--json'], at(`postgres://u:12?${urlPassword}@localhost/app`)],
    ['INVALID_URL', ['migrate'], at(`postgres://u:${urlPassword}/x@localhost/app`)],
    ['INVALID_URL', ['start'], at(`${urlPassword}@localhost/app`)],
    ['UNREACHABLE', ['start', '--json'], at(`postgres://u:${urlPassword}@127.0.0.1:1/app`)],
    ['PLAINTEXT_REFUSED', ['health'], at(`postgres://u:${urlPassword}@db.example.com/app?sslmode=disable`)],
    ['RESET_REFUSED', ['reset', '--json'], at(`postgres://u:${urlPassword}@db.example.com/app`)],
    ['SEED_REFUSED', ['seed', '--json'], at(`postgres://u:${urlPassword}@db.example.com/app`)],
    ['POOLER_REFUSED', ['migrate'], at(`postgres://u:${urlPassword}@127.0.0.1:1/app?pgbouncer=true`)],
    ...(wrongPassword ? ([['ACCESS_REFUSED', ['migrate', '--json'], at(wrongPassword)]] as const) : []),
  ]);
}, 120_000);

test('keys that are none, and arguments that hold a secret', async () => {
  const elsewhere = newFolder();
  const key = texts.encryptionKey;
  await expectCodes([
    ['INVALID_SECRET', ['start', '--once', '--json'], { MYTX_ENCRYPTION_KEYS: `k1:${key.slice(0, 40)}` }, elsewhere],
    ['INVALID_SECRET', ['start', '--once'], { MYTX_ENCRYPTION_KEYS: `${key},k1` }, newFolder()],
    ['USAGE', ['start', `--url=postgres://u:${urlPassword}@localhost/app`], {}, elsewhere],
    ['USAGE', ['start', `--url=postgres://u:${urlPassword}@localhost/app`, '--json'], {}, elsewhere],
    ['USAGE', [`postgres://u:${urlPassword}@localhost/app`, '--json'], {}, elsewhere],
    ['USAGE', ['migrate', `postgres://u:${urlPassword}@localhost/app`], {}, elsewhere],
  ]);
}, 120_000);

test('a project that init can’t work with', async () => {
  const [broken, taken] = [newFolder(), newFolder()];
  writeFileSync(join(broken, 'package.json'), `{"name": "x", "token": ${texts.argument}`);
  writeFileSync(join(taken, 'package.json'), `{"config": "${texts.argument}"}`);
  mkdirSync(join(taken, 'db'));
  writeFileSync(join(taken, 'tsconfig.json'), '');
  writeFileSync(join(taken, 'db', 'schema.ts'), `// ${texts.argument}`);
  await expectCodes([
    ['PROJECT_NOT_FOUND', ['init', '--yes', '--json'], {}, newFolder()],
    ['PROJECT_UNREADABLE', ['init', '--yes', '--json'], {}, broken],
    ['PROJECT_UNREADABLE', ['init', '--yes'], {}, broken],
    ['INIT_REFUSED', ['init', '--yes', '--json'], {}, taken],
  ]);
}, 120_000);

describe('the embedded database', () => {
  test('a person who is not there, is there already, or whose file is damaged', async () => {
    expect(await failing(['export', `x${addressWithCanary}`, '--json'])).toBe('USER_NOT_FOUND');
    expect(await failing(['export', addressWithCanary, '--output', 'none/x.jsonl'])).toBe('PLAINTEXT_FOUND');
    expect(await failing(['erase', addressWithCanary])).toBe('CONFIRMATION_NEEDED');
    expect(await failing(['import', 'whole.jsonl', '--json'])).toBe('USER_EXISTS');
    expect(await failing(['import', 'cut.jsonl'])).toBe('IMPORT_REFUSED');
    expect(await failing(['import', 'wrong.jsonl', '--json'])).toBe('IMPORT_REFUSED');
  }, 120_000);

  test('plaintext that is to be encrypted', async () => {
    expect(await failing(['encrypt'], { MYTX_ENCRYPT_MEMORIES: '1' })).toBe('ENCRYPTION_INCOMPLETE');
  }, 120_000);

  test('a migration that fails at a row', async () => {
    const drizzle = join(folder, 'lib', 'drizzle');
    cpSync(fileURLToPath(new URL('../../lib/drizzle', import.meta.url)), drizzle, { recursive: true });
    const journalFile = join(drizzle, 'meta', '_journal.json');
    const journal = JSON.parse(readFileSync(journalFile, 'utf8'));
    const last = { ...journal.entries.at(-1), idx: journal.entries.length, tag: '0100_wrong', when: 4e12 };
    writeFileSync(journalFile, JSON.stringify({ ...journal, entries: [...journal.entries, last] }));
    const statements = [
      'do $$ begin raise warning \'%\', (select min(email) from "User"); end $$',
      'alter table "User" alter column email type uuid using email::uuid',
    ];
    writeFileSync(join(drizzle, '0100_wrong.sql'), statements.join(';\n--> statement-breakpoint\n'));
    expect(await failing(['migrate', '--json'])).toBe('MIGRATION_FAILED');
  }, 120_000);

  test('that another process has open', async () => {
    const database = await createDatabase({ folder: join(folder, '.mytx'), migrationsFolder: ours });
    try {
      expect(await failing(['encrypt', '--json'])).toBe('EMBEDDED_IN_USE');
      expect(await failing(['erase', addressWithCanary, '--yes'])).toBe('EMBEDDED_IN_USE');
      await database.run(() => db.query.user.findFirst());
    } finally {
      await database.close();
    }
  }, 120_000);

  test('snapshots that are not there, or damaged', async () => {
    expect(await failing(['restore', 'none', '--yes', '--json'])).toBe('SNAPSHOT_NOT_FOUND');
    const snapshots = join(folder, '.mytx', 'snapshots');
    const dump = readdirSync(snapshots).find((name) => name.endsWith('.sql')) ?? '';
    writeFileSync(join(snapshots, dump), readFileSync(join(snapshots, dump)).subarray(0, -20));
    expect(await failing(['restore', dump.replace('.sql', ''), '--yes'])).toBe('SNAPSHOT_DAMAGED');
  }, 120_000);
});

const ours = fileURLToPath(new URL('../../lib/drizzle', import.meta.url));

test('every error code that is the command line’s was provoked here', () => {
  const expected = Object.entries(placeOfCode).flatMap(([code, place]) => (place === 'cli' ? [code] : []));
  expect(expected.filter((code) => !codes.has(code))).toEqual([]);
});

// Every code that db/, deploy/ and init/ throw has a page, and the example on it is what is really thrown.

import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { deploySession } from '../../db/connection/deploy-session.ts';
import { parseServerUrl } from '../../db/connection/url.ts';
import { currentDatabase } from '../../db/database.ts';
import { deploy, requireSchema } from '../../db/deployment.ts';
import { findTarget, seedDevelopment } from '../../db/development.ts';
import { incomplete } from '../../db/encryption/encrypt-database.ts';
import { generate } from '../../db/generation.ts';
import { inspectDatabase } from '../../db/health.ts';
import {
  addTask,
  appendMessages,
  asUser,
  closeDatabase,
  configureEncryption,
  configureLimits,
  configurePasswords,
  createApiKeyRecord,
  createDatabase,
  createReservation,
  createUser,
  db,
  eraseUser,
  exportUser,
  getUser,
  importUser,
  listMemories,
  listTasks,
  type MytxError,
  openDatabase,
  reencrypt,
  rotateApiKey,
  saveChat,
  saveMemory,
  saveProtocol,
  selectBranch,
  transaction,
  updateMemory,
  updateReservation,
  updateTaskStatus,
  useSecrets,
  verifyPassword,
  withDeadline,
} from '../../db/index.ts';
import { migrate } from '../../db/opening.ts';
import { memories, tasks } from '../../db/schema.ts';
import { restoreSnapshot } from '../../db/snapshots.ts';
import { createTestDatabase } from '../../db/testing/index.ts';
import { applyMigrations } from '../../deploy/apply.ts';
import { compare } from '../../deploy/comparison.ts';
import { answerNeeded } from '../../deploy/generate/answers.ts';
import type { AppliedMigration } from '../../deploy/history.ts';
import { changedSince } from '../../deploy/lint/git.ts';
import type { Migration } from '../../deploy/migrations.ts';
import { requireMark, writeMark } from '../../deploy/project/environment-mark.ts';
import { findProject } from '../../deploy/project/project.ts';
import { chooseTarget } from '../../deploy/project/target.ts';
import { refuseDiverged } from '../../deploy/refusals.ts';
import { resetDatabase } from '../../deploy/reset.ts';
import type { DeploySession } from '../../deploy/session.ts';
import { planInit, refuseObstacles } from '../../init/plan.ts';
import { writeFiles } from '../../init/write-files.ts';
import { errorCatalogue } from '../../scripts/error-catalogue.ts';
import { keysOf } from '../db/encryption/keys.ts';
import { projectFiles, projectFolder } from './project-copy.ts';

type Code = keyof typeof errorCatalogue;

let userId = '';
const folder = mkdtempSync(join(tmpdir(), 'mytx-errors-'));
const memory = () => ({ folder: 'memory', snapshot: new Blob([readFileSync(inject('snapshotFile'))]) });

beforeAll(async () => {
  await openDatabase(memory());
  const [user] = await createUser('dana@example.com', 'correct horse');
  userId = user?.id ?? '';
});
afterAll(async () => {
  await closeDatabase();
  rmSync(folder, { recursive: true, force: true });
});

describe('the page of each code that is thrown', () => {
  const sources = projectFiles().filter((path) => /^(db|deploy|init)\/.*\.ts$/.test(path));

  /** Codes as they stand in sources: `new SomeError('CODE'`, `code: 'CODE'`, and members of the unions in errors.ts. */
  const thrown = sources.flatMap((path) => {
    const text = readFileSync(join(projectFolder, path), 'utf8');
    const patterns = [/new \w+Error\(\s*'([A-Z_]+)'/g, /\bcode: '([A-Z_]+)'/g];
    if (path.endsWith('/errors.ts')) patterns.push(/\| '([A-Z_]+)'/g);
    return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code as string));
  });

  test.each([...new Set(thrown)].sort())('%s', (code) => {
    expect(Object.keys(errorCatalogue)).toContain(code);
    expect(projectFiles()).toContain(`docs/errors/${code}.md`);
  });
});

const drizzleConfig = '{ "dialect": "postgresql", "schema": "./schema.ts" }';
const id = () => randomUUID();
const reservation = { seats: ['12A'], flightNumber: 'TP 1', passengerName: 'Dana' };
const stop = { cityName: 'Lisbon', airportCode: 'LIS', timestamp: '2027-03-01T09:00:00Z' };

/** Calls that throw the example of a code's page, or why there is none here. */
const provocations: Record<Code, (() => unknown) | string> = {
  INVALID_ARGUMENT: () => updateReservation({ id: id(), hasCompletedPayment: 'yes' as never }),
  INVALID_CURSOR: () => listTasks({ userId, cursor: 'page 2' }),
  INVALID_DATE: () => addTask({ userId, description: 'x', dueAt: new Date('soon') }),
  INVALID_DETAILS: () =>
    createReservation({
      id: id(),
      userId,
      details: { ...reservation, departure: stop, arrival: stop, totalPriceInUSD: '120' as never },
    }),
  INVALID_EMAIL: () => createUser('dana.example', 'x'),
  INVALID_ID: () => listTasks({ userId: '42' }),
  INVALID_LIMIT: () => listTasks({ userId, limit: 0 }),
  INVALID_MESSAGE: () => saveChat({ id: id(), messages: [{}, { usage: { tokens: 1n } }], userId }),
  INVALID_PARTS: () => saveProtocol({ userId, name: 'x', parts: [{ content: 'x' }, {} as never] }),
  INVALID_PASSWORD: () => createUser('noa@example.com', 'x'.repeat(80)),
  INVALID_STATUS: () => updateTaskStatus({ id: id(), userId, status: 'done' }),
  INVALID_TEXT: () => saveMemory({ userId, content: '' }),
  MISSING_ARGUMENT: () => listTasks({ userId: undefined as never }),
  CHAT_NOT_FOUND: () => appendMessages({ chatId: id(), userId, messages: [{}] }),
  MESSAGE_NOT_FOUND: async () => {
    const chatId = id();
    await saveChat({ id: chatId, messages: [], userId });
    await selectBranch({ chatId, userId, messageId: id() });
  },
  USER_NOT_FOUND: () => addTask({ userId: id(), description: 'x' }),
  EMAIL_TAKEN: () => createUser('Dana@example.com', 'x'),
  ID_TAKEN: async () => {
    const [task] = await addTask({ userId, description: 'one' });
    await addTask({ userId, description: 'another', id: task?.id as string });
  },
  USER_EXISTS: async () => {
    const lines: string[] = [];
    for await (const line of exportUser({ userId })) lines.push(line);
    await importUser(lines);
  },
  ERASE_REFUSED: async () => {
    await db.execute(sql`create table "Invoice" (user_id uuid)`);
    await db.execute(sql`insert into "Invoice" values (${userId})`);
    try {
      await eraseUser({ userId });
    } finally {
      await db.execute(sql`drop table "Invoice"`);
    }
  },
  EXPORT_REFUSED: () =>
    transaction(async () => {
      for await (const _ of exportUser({ userId }));
    }),
  IMPORT_REFUSED: async () => {
    const lines: string[] = [];
    for await (const line of exportUser({ userId })) lines.push(line);
    await importUser(lines.slice(0, 1));
  },
  KEY_NOT_FOUND: () => rotateApiKey({ id: id(), userId }),
  KEY_TAKEN: async () => {
    await createApiKeyRecord({ userId, hashedKey: 'h', name: 'x' });
    await createApiKeyRecord({ userId, hashedKey: 'h', name: 'x' });
  },
  MEMORY_EXISTS: async () => {
    const [first] = await saveMemory({ userId, content: 'one' });
    await saveMemory({ userId, content: 'two' });
    await updateMemory({ id: first?.id ?? '', userId, content: 'two' });
  },
  TRANSACTION_ABORTED: () => transaction(() => db.execute(sql`select 1 / 0`).catch(() => {})),
  TRANSACTION_CLOSED: async () => {
    let late: Promise<unknown> = Promise.resolve();
    await transaction(async () => {
      late = new Promise((resolve) => setTimeout(resolve, 20)).then(() => getUser('dana@example.com'));
    });
    await late;
  },
  TRANSACTION_CONFLICT: 'needs two sessions: tests/db/transaction.test.ts',
  ACCESS_REFUSED: 'needs a server with passwords',
  CONNECTION_LOST: 'needs a server: tests/db/outcome.test.ts',
  DATABASE_CLOSED: async () => {
    const other = await createDatabase(memory());
    await other.close();
    await other.run(() => getUser('dana@example.com'));
  },
  DEADLINE_EXCEEDED: async () => {
    const other = await createDatabase(memory());
    await other.run(() => withDeadline({ signal: AbortSignal.abort() }, () => getUser('dana@example.com')));
  },
  DATABASE_MISSING: () =>
    inspectDatabase({
      engine: 'embedded',
      target: 'embedded',
      restriction: null,
      options: { folder: join(folder, 'none', '.mytx') },
    }),
  DATABASE_OPEN: () => openDatabase({ folder: 'memory' }),
  EMBEDDED_IN_USE: () => refusedByNeighbour(join(folder, '.mytx')),
  EMBEDDED_LOST: async () => {
    const lost = join(folder, 'lost');
    const other = await createDatabase({ ...memory(), folder: lost });
    rmSync(join(lost, 'owner.pid'));
    await sleep(300);
    await other.run(() => getUser('dana@example.com')).finally(() => other.close());
  },
  TEST_DATABASE_REFUSED: () => createTestDatabase({ url: 'postgres://app:secret@db.example.com:5432/app' }),
  EMBEDDED_MISSING: 'needs a bundle without node_modules: tests/package/package.test.ts',
  EMBEDDED_VERSION: async () => {
    const old = join(folder, 'version', '.mytx');
    mkdirSync(join(old, 'database'), { recursive: true });
    writeFileSync(join(old, 'database', 'PG_VERSION'), '17\n');
    await createDatabase({ folder: old });
  },
  SNAPSHOT_DAMAGED: 'needs a snapshot of a database: tests/cli/restore.test.ts',
  SNAPSHOT_FAILED: async () => {
    const full = join(folder, 'full', '.mytx');
    const other = await createDatabase({ ...memory(), folder: full });
    writeFileSync(join(full, 'snapshots'), 'in the way');
    await other.close();
  },
  SNAPSHOT_NOT_FOUND: () => restoreSnapshot({ folder: join(folder, 'none', '.mytx'), name: 'latest' }),
  SEED_REFUSED: () => {
    const url = 'postgres://app@db.example.com/assistant';
    const target = findTarget({ url, allowPlaintext: false, isProduction: false });
    return seedDevelopment(target, { onProgress: () => {}, onCount: () => {} });
  },
  CONFIRMATION_NEEDED: 'a command line: tests/cli/init.test.ts',
  INVALID_URL: () => parseServerUrl('mysql://localhost/assistant'),
  OUTCOME_UNKNOWN: 'needs a server: tests/db/outcome.test.ts',
  PLAINTEXT_REFUSED: () => parseServerUrl('postgres://db.example.com/assistant?sslmode=disable'),
  POOLER_UNDECLARED: 'needs a pooler: tests/db/connection/pgbouncer.test.ts',
  POOL_EXHAUSTED: async () => {
    const other = await createDatabase({ ...memory(), maxWaiting: 0 });
    await other.run(() => Promise.all([getUser('dana@example.com'), getUser('dana@example.com')]));
  },
  HASHING_BUSY: async () => {
    configurePasswords({ cost: 4, maxConcurrent: 1, maxWaiting: 0 });
    const one = (): Promise<unknown> => verifyPassword({ email: 'dana@example.com', password: 'x' });
    await Promise.all([one(), one()]).finally(() => configurePasswords());
  },
  CHAT_FULL: async () => {
    configureLimits({ chatMessages: 2 });
    const chatId = id();
    await saveChat({ id: chatId, messages: [{}, {}], userId });
    await appendMessages({ chatId, userId, messages: [{}] }).finally(() => configureLimits());
  },
  OTHER_USER: () => asUser(userId, () => asUser('01981a5e-9f00-7000-8000-0000000000f2', async () => {})),
  RLS_NOT_READY: async () => {
    const other = await createDatabase(memory());
    await other.run(() => db.execute(sql`alter table "Task" no force row level security`));
    await other.run(() => asUser(userId, async () => {}));
  },
  ROW_REFUSED: () => asUser(userId, () => addTask({ userId: id(), description: 'x' })),
  INVALID_SECRET: () => useSecrets({ auditKeys: 'k1:c2hvcnQ=' }),
  CIPHERTEXT_DAMAGED: async () => {
    await encrypted('k1', 'damaged');
    await db.execute(sql`update "Memory" set content = left(content, -1) where content_index is not null`);
    await listMemories({ userId });
  },
  ENCRYPTION_INCOMPLETE: async () => {
    await encrypted('k1', 'kept');
    configureEncryption({ memories: false });
    await saveMemory({ userId, content: 'plaintext', id: '019dd05e-95ed-7cc8-be29-7c3ba1a0fd02' });
    configureEncryption({ memories: true });
    const { keyId, columns } = await reencrypt();
    throw incomplete({ keyId, columns });
  },
  ENCRYPTION_KEY_MISSING: () => {
    useSecrets({ encryptionKeys: '' });
    return reencrypt();
  },
  PLAINTEXT_FOUND: async () => {
    useSecrets(keysOf('k1'));
    configureEncryption({ memories: false });
    await saveMemory({ userId, content: 'plaintext' });
    configureEncryption({ memories: true });
    await listMemories({ userId });
  },
  TOO_MANY_ENCRYPTED: 'needs 10,001 memories: tests/db/encryption.test.ts',
  UNKNOWN_ENCRYPTION_KEY: async () => {
    await encrypted('k1', 'of k1');
    useSecrets(keysOf('k2'));
    await listMemories({ userId });
  },
  SERVER_BUSY: 'needs a server that is full',
  UNREACHABLE: async () => {
    const other = await createDatabase({ url: 'postgres://localhost:1/assistant' });
    await other.close();
  },
  SCHEMA_BEHIND: 'needs a server: an embedded database migrates itself',
  SCHEMA_UNREADABLE: 'needs a server with roles',
  CONSTRAINT_VIOLATED: () => db.insert(tasks).values({ userId, description: '' }),
  INVALID_VALUE: () => db.execute(sql`select 'x'::uuid`),
  PERMISSION_DENIED: 'needs a server with roles',
  STATEMENT_CANCELED: 'needs a server: an embedded one has no second session to cancel from',
  STATEMENT_FAILED: () => db.execute(sql`selct 1`),
  MIGRATION_FAILED: () => applyFolder({ '0007_comments': '\n\nalter table "Chats" add column "note" text' }),
  MIGRATION_INTERRUPTED: 'needs a server: tests/deploy/apply.test.ts',
  DATABASE_AHEAD: () => refuseDiverged(compare([], [historyRow]), {}),
  DEPLOY_STOPPED: 'an abort in the middle: tests/deploy/steps.test.ts',
  DEPLOY_UNCONFIRMED: 'a database of its own: tests/deploy/deploy.test.ts',
  LEDGER_UNREADABLE: 'needs a server with roles: tests/deploy/deploy.test.ts',
  MIGRATION_CHANGED: 'needs a failure before: tests/deploy/steps.test.ts',
  MIGRATION_DELETED: () => refuseDiverged(compare([pendingFile], [historyRow]), {}),
  MIGRATION_DUPLICATED: () => refuseDiverged(compare([pendingFile, { ...pendingFile, name: '0007_likes' }], []), {}),
  MIGRATION_EDITED: () => refuseDiverged(compare([appliedFile], [{ ...historyRow, hash: '0' }]), {}),
  MIGRATION_LATE: () =>
    refuseDiverged(
      compare(
        [
          { ...pendingFile, createdAt: 1 },
          { ...appliedFile, name: '0008_likes' },
        ],
        [historyRow],
      ),
      {},
    ),
  MIGRATION_REFUSED: () =>
    applyFolder({ '0007_comments': 'create table one ();\n\ncreate index concurrently on "Chat" (title)' }),
  MIGRATION_RENAMED: () => refuseDiverged(compare([{ ...appliedFile, createdAt: 1 }], [historyRow]), {}),
  SCHEMA_MISMATCH: () =>
    requireSchema({ execute: async () => [] }, { migrationsFolder: migrationsOf({ '0007_comments': 'select 1' }) }),
  INIT_REFUSED: () =>
    refuseObstacles(planInit({ folder: projectOf({ 'package.json': '{}', 'tsconfig.json': '', 'db/schema.ts': '' }) })),
  INIT_UNFINISHED: () =>
    writeFiles(projectOf({ '.gitignore': 'dist/' }), [
      { action: 'create', path: 'db/schema.ts', text: '' },
      { action: 'change', path: '.gitignore', before: 'out/', text: '' },
    ]),
  PROJECT_NOT_FOUND: () => planInit({ folder: projectOf({}) }),
  PROJECT_UNREADABLE: () => planInit({ folder: projectOf({ 'package.json': '{,' }) }),
  INTERRUPTED: 'a signal: tests/cli',
  UNEXPECTED: 'a bug, by its nature',
  USAGE: 'a command line: tests/cli',
  MIGRATION_LOCK_HELD: 'waits for a minute: tests/deploy has it with a shorter one',
  MIGRATIONS_UNREADABLE: () => applyFolder({ '0007_comments': undefined }),
  HISTORY_UNREADABLE: 'needs a server with roles',
  POOLER_REFUSED: () => migrate({ url: 'postgres://localhost:6432/assistant?pgbouncer=true' }),
  ANSWER_NEEDED: () => {
    throw answerNeeded({ entity: 'column', name: 'users.full_name', candidates: ['users.name'] });
  },
  ANSWER_INVALID: () => generate({ from: projectOf({ 'drizzle.config.json': drizzleConfig }), rename: ['users.name'] }),
  GENERATE_FAILED: () => generate({ from: projectOf({ 'drizzle.config.json': drizzleConfig }) }),
  REWRITE_REFUSED: 'needs a migration that is applied: tests/deploy/generate.test.ts',
  LINT_REFUSED: () =>
    deploy({ folder: 'memory', migrationsFolder: migrationsOf({ '0007_comments': '\n\nalter tabel x' }) }),
  GIT_UNREADABLE: () => {
    const project = projectOf({});
    execFileSync('git', ['init', '--quiet'], { cwd: project });
    return changedSince('v1.2', project);
  },
  CONFIG_NOT_FOUND: () => findProject({ from: projectOf({}) }),
  CONFIG_UNREADABLE: () =>
    findProject({ from: projectOf({ 'drizzle.config.json': '{ "dialect": "sqlite", "schema": "./schema.ts" }' }) }),
  ENVIRONMENT_UNKNOWN: async () => {
    const environments =
      '{ "production": { "url": "PRODUCTION_URL", "protected": true }, "staging": { "url": "STAGING_URL" } }';
    const project = projectOf({
      'drizzle.config.json': '{ "dialect": "postgresql" }',
      'mytx.config.json': `{ "environments": ${environments} }`,
    });
    chooseTarget(await findProject({ from: project }), { env: {} });
  },
  ENVIRONMENT_MISMATCH: async () => {
    const other = await createDatabase(memory());
    await other.run(async () => {
      const database = await currentDatabase();
      await database.withConnection(async (connection) => {
        const session = deploySession(connection);
        await writeMark(session, 'staging');
        await requireMark(session, 'production');
      });
    });
  },
  ENVIRONMENT_UNREADABLE: 'needs a server with roles: tests/deploy/project/environment-mark.test.ts',
  RESET_REFUSED: () =>
    resetDatabase({} as DeploySession, {
      folder,
      target: 'db.example.com:5432/assistant',
      isLocal: false,
      isProduction: false,
    }),
};

/** The one memory there is, encrypted. */
async function encrypted(key: string, content: string): Promise<void> {
  await db.delete(memories);
  useSecrets(keysOf(key));
  configureEncryption({ memories: true });
  await saveMemory({ userId, content });
}

describe('the example of', () => {
  afterEach(async () => {
    useSecrets();
    configureEncryption();
    await db.delete(memories); // some can't be read any more
  });

  test.for(Object.keys(errorCatalogue) as Code[])('%s', async (code, context) => {
    const provoke = provocations[code];
    if (typeof provoke === 'string') return context.skip(provoke);
    const error = await Promise.resolve()
      .then(provoke)
      .then(() => expect.unreachable('no error was thrown'))
      .catch((thrown: unknown) => thrown);
    const { message, hint } = errorCatalogue[code].example;
    expect(error).toMatchObject({ code, name: errorCatalogue[code].class });
    expect(withoutPlaces((error as MytxError).message)).toBe(withoutPlaces(message));
    expect(withoutPlaces((error as MytxError).hint)).toBe(withoutPlaces(hint));
  });
});

/** What is thrown while another process owns the database, which it gives up again behind it. */
async function refusedByNeighbour(inUse: string): Promise<void> {
  const script = `
    const { createDatabase } = await import(${JSON.stringify(join(projectFolder, 'db/index.ts'))});
    const { readFileSync } = await import('node:fs');
    const snapshot = new Blob([readFileSync(${JSON.stringify(inject('snapshotFile'))})]);
    const database = await createDatabase({ folder: ${JSON.stringify(inUse)}, snapshot });
    console.log('open');
    process.stdin.on('end', () => database.close()).resume();`;
  const neighbour = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await Promise.race([once(neighbour.stdout, 'data'), once(neighbour, 'exit')]);
  const ended = once(neighbour, 'exit');
  try {
    await createDatabase({ folder: inUse });
  } finally {
    neighbour.stdin.end();
    await ended;
  }
}

/** What differs from run to run: process ids, ports, times and temporary folders. */
function withoutPlaces(message: string): string {
  return message
    .replaceAll(`${folder}/lost`, '.mytx')
    .replaceAll(/\S+\/project-\w+/g, '/home/dana/travel')
    .replaceAll(`${folder}/`, '')
    .replaceAll(/\b(version|full|none)\/\.mytx/g, '.mytx')
    .replaceAll(folder, 'lib/drizzle')
    .replaceAll(/the user [0-9a-f-]{36}/g, 'the user U')
    .replaceAll(/process \d+/g, 'process N')
    .replaceAll(/localhost:\d+/g, 'localhost:N')
    .replaceAll(/since [\d:.TZ-]+, last heard from \d+ s ago/g, 'since T')
    .replaceAll(/host=[\w./-]+?socket[\w-]*/g, 'host=F');
}

/** A new folder with these files. */
function projectOf(files: Record<string, string>): string {
  const project = mkdtempSync(join(folder, 'project-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  return project;
}

const historyRow: AppliedMigration = {
  createdAt: Date.UTC(2026, 10, 28, 10),
  hash: '1f2e3d4c5b6a79881f2e3d4c5b6a7988',
  name: undefined,
};
const appliedFile: Migration = {
  name: '0007_comments',
  file: 'lib/drizzle/0007_comments.sql',
  createdAt: historyRow.createdAt,
  hash: historyRow.hash,
  layout: 'journal',
  statements: [],
};
const pendingFile: Migration = { ...appliedFile, createdAt: historyRow.createdAt + 1, hash: 'f' };

/** Applies migrations on the default database; a file without text is named by the journal and not there. */
async function applyFolder(files: Record<string, string | undefined>): Promise<void> {
  const migrations = migrationsOf(files);
  const database = await currentDatabase();
  await database.withConnection((connection) => applyMigrations(deploySession(connection), { folder: migrations }));
}

function migrationsOf(files: Record<string, string | undefined>): string {
  const migrations = join(folder, 'lib', 'drizzle');
  rmSync(migrations, { recursive: true, force: true });
  mkdirSync(join(migrations, 'meta'), { recursive: true });
  const entries = Object.keys(files).map((tag, index) => ({ idx: index, tag, when: 1_900_000_000_000 + index }));
  writeFileSync(join(migrations, 'meta', '_journal.json'), JSON.stringify({ entries }));
  for (const [tag, text] of Object.entries(files)) if (text) writeFileSync(join(migrations, `${tag}.sql`), text);
  return migrations;
}

// The testing kit, on every engine that is here: private databases, emptied, cleaned up behind killed processes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, db, execute } from '../../../db/database.ts';
import {
  createUser,
  findValidApiKey,
  getApiKeysByUserId,
  getChatById,
  getUser,
  verifyApiKey,
} from '../../../db/queries.ts';
import { countRows } from '../../../db/table-counts.ts';
import * as kit from '../../../db/testing/index.ts';
import { readBlocks } from '../../docs/markdown.ts';
import { run } from '../../package/installed.ts';

const { createTestDatabase } = kit;
const root = join(import.meta.dirname, '../../..');

/** Calls every factory once. */
async function fillTables(): Promise<void> {
  const factories = Object.entries(kit).filter(([name]) => /^createTest(?!Database)/.test(name));
  for (const [, create] of factories) await (create as () => Promise<unknown>)();
}

const engines: (string | undefined)[] = [undefined, ...inject('servers').map(({ url }) => url)];
const named = engines.map((url) => [url ? `PostgreSQL on ${new URL(url).port}` : 'embedded', url] as const);

describe.each(named)('%s', (_name, url) => {
  const options = url === undefined ? {} : { url };

  test('two databases know nothing of each other, and the process’s default is neither', async () => {
    const [one, other] = await Promise.all([createTestDatabase(options), createTestDatabase(options)]);
    const { email } = await one.run(() => kit.createTestUser());
    expect(await one.run(() => getUser(email))).toHaveLength(1);
    expect(await other.run(() => getUser(email))).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });

  test('as the default it is the database of every query', async () => {
    const database = await createTestDatabase({ ...options, isDefault: true });
    const { id } = await kit.createTestChat();
    expect(await getChatById({ id })).toMatchObject({ messageCount: 2 });
    await expect(createTestDatabase({ ...options, isDefault: true })).rejects.toMatchObject({ code: 'DATABASE_OPEN' });
    await database.reset();
    expect(await getChatById({ id })).toBeUndefined();
    await database.close();
  });

  test('every table has a factory, whose row is as it says; reset empties all of them', async () => {
    const database = await createTestDatabase(options);
    await database.run(async () => {
      await fillTables();
      const empty = (await countRows()).filter(({ rows }) => rows === 0).map(({ table }) => table);
      expect(empty).toEqual([]);
      await database.reset();
      expect((await countRows()).filter(({ rows }) => rows > 0)).toEqual([]);
    });
    await database.close();
  });

  test('reset reaches tables of one’s own, their sequences and schemas, and leaves the history', async () => {
    const database = await createTestDatabase(options);
    await database.run(async () => {
      const { id } = await kit.createTestUser();
      await db.execute('create schema shop');
      await db.execute('create table shop."Order line" (id serial primary key, "userId" uuid references "User" (id))');
      await db.execute(`insert into shop."Order line" ("userId") values ('${id}'), (null)`);
      await database.reset();
      expect((await execute('select count(*)::int from shop."Order line"', [], false)).rows).toEqual([[0]]);
      await db.execute('insert into shop."Order line" default values');
      expect((await execute('select id from shop."Order line"', [], false)).rows).toEqual([[1]]);
      const history = await execute('select count(*)::int from drizzle.__drizzle_migrations', [], false);
      expect(history.rows[0]?.[0]).toBeGreaterThan(0);
    });
    await database.close();
  });

  test('reset empties what a deletion could not: tables that are large, have triggers, or refer to one another', async () => {
    const database = await createTestDatabase(options);
    await database.run(async () => {
      await db.execute('create table log (at timestamptz)');
      await db.execute('create table a (id int primary key)');
      await db.execute('create table b (id int primary key, a int not null references a on delete restrict)');
      await db.execute('alter table a add column b int references b on delete restrict');
      const fill = async (): Promise<void> => {
        await db.execute('insert into a values (1)');
        await db.execute('insert into b values (1, 1)');
        await db.execute('update a set b = 1');
      };
      const left = async (): Promise<unknown> =>
        (
          await execute(
            'select (select count(*) from a) + (select count(*) from b) + (select count(*) from log)',
            [],
            false,
          )
        ).rows;
      await fill();
      await database.reset();
      expect(await left()).toEqual([['0']]);
      await db.execute(
        'create function note() returns trigger language plpgsql as $$ begin insert into log values (now()); return null; end $$',
      );
      await db.execute('create trigger note after delete on a for each row execute function note()');
      await fill();
      await database.reset();
      expect(await left()).toEqual([['0']]);
      await db.execute('insert into log select now() from generate_series(1, 50000)');
      await database.reset();
      expect(await left()).toEqual([['0']]);
    });
    await database.close();
  });

  test('values that are given are those of the row, and users sign in', async () => {
    const database = await createTestDatabase(options);
    await database.run(async () => {
      const dana = await kit.createTestUser({ email: 'dana@example.com', displayName: 'Dana' });
      expect(dana).toMatchObject({ email: 'dana@example.com', displayName: 'Dana' });
      const userId = dana.id;
      expect(await kit.createTestMemory({ userId, content: 'Likes tea' })).toMatchObject({
        userId,
        content: 'Likes tea',
      });
      expect(await kit.createTestTask({ userId, description: 'x' })).toMatchObject({ userId, description: 'x' });
      const { rawKey, record } = await kit.createTestApiKey({ userId, name: 'laptop' });
      expect(record).toMatchObject({ userId, name: 'laptop' });
      expect(await findValidApiKey(rawKey)).toMatchObject({ id: record.id });
      expect(await verifyApiKey(rawKey)).toMatchObject({ ok: true, record: { id: record.id, scopes: [] } });
      expect((await getApiKeysByUserId(userId))[0]).toMatchObject({ id: record.id, hashedKey: record.hashedKey });
      const old = await kit.createTestApiKey({ userId, rawKey: 'an old key of mine' });
      expect(await findValidApiKey('an old key of mine')).toMatchObject({ id: old.record.id });
      const { id: chatId } = await kit.createTestChat({ userId, messages: [] });
      expect(await kit.createTestMessages({ chatId, userId, messages: [{ role: 'user' }] })).toMatchObject([
        { position: 0 },
      ]);
      const [stored] = await getUser('dana@example.com');
      const { verify } = await import('@node-rs/bcrypt');
      expect(await verify(kit.testPassword, stored?.password ?? '')).toBe(true);
    });
    await database.close();
  });
});

test('the environment’s POSTGRES_URL is not taken', async () => {
  process.env.POSTGRES_URL = 'postgres://localhost:1/people_work_here';
  try {
    const database = await createTestDatabase();
    expect(database.url).toBeNull();
    await database.close();
  } finally {
    delete process.env.POSTGRES_URL;
  }
});

test('the example of docs/testing.md passes in vitest', async () => {
  const place = mkdtempSync(join(tmpdir(), 'mytx-kit-'));
  try {
    const page = readFileSync(join(root, 'docs/testing.md'), 'utf8');
    const block = readBlocks(page).find(({ options }) => 'vitest' in options);
    writeFileSync(join(place, 'tasks.test.mjs'), block?.text ?? '');
    writeFileSync(
      join(place, 'create-task.js'),
      "import { addTask } from 'mytx-ai';\nexport const createTask = (userId, description) => addTask({ userId, description });\n",
    );
    const alias = `{ find: /^mytx-ai$/, replacement: '${root}/db/index.ts' }, { find: /^mytx-ai\\/testing$/, replacement: '${root}/db/testing/index.ts' }`;
    writeFileSync(
      join(place, 'vitest.config.mjs'),
      `export default { resolve: { alias: [${alias}] }, test: { include: ['*.test.mjs'] } };\n`,
    );
    symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
    const { exitCode, stdout, stderr } = await run(join(root, 'node_modules/.bin/vitest'), ['run'], { cwd: place });
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout).toContain('1 passed');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

describe.runIf(inject('servers').length > 0)('on a server', () => {
  const url = inject('servers').at(-1)?.url ?? '';
  let sql: postgres.Sql;
  beforeAll(() => {
    sql = postgres(url, { max: 1, onnotice: () => {} });
  });
  afterAll(() => sql.end());

  const names = async (pattern: string): Promise<string[]> =>
    (await sql`select datname from pg_database where datname ~ ${pattern} order by 1`).map(({ datname }) => datname);

  /** A process that makes a test database and says so. */
  function startOther(migrationsFolder: string): ReturnType<typeof spawn> {
    const code = `
      import { createTestDatabase } from '${root}/db/testing/index.ts';
      const database = await createTestDatabase({ url: '${url}', migrationsFolder: '${migrationsFolder}' });
      console.log(database.url);
      process.stdin.once('data', () => database.close());
    `;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code];
    return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: root });
  }

  /** A copy of the migrations that no other test has made a template of. */
  function newMigrations(): string {
    const folder = mkdtempSync(join(tmpdir(), 'mytx-kit-'));
    mkdirSync(join(folder, 'meta'));
    for (const path of readdirSync(join(root, 'lib/drizzle'), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(sql|json)$/.test(path)) continue;
      const text = readFileSync(join(root, 'lib/drizzle', path), 'utf8');
      writeFileSync(join(folder, path), path.endsWith('.sql') ? `${text}-- ${folder}\n` : text);
    }
    return folder;
  }

  test('processes at once make one template; what killed ones leave behind, the next one drops', async () => {
    const folder = newMigrations();
    const templates = await names('^mytx_template_');
    const others = Array.from({ length: 4 }, () => startOther(folder));
    const urls = await Promise.all(
      others.map(async ({ stdout }) => String((await once(stdout as never, 'data'))[0]).trim()),
    );
    const databases = urls.map((text) => new URL(text).pathname.slice(1)).sort();
    expect(new Set(databases).size).toBe(4);
    expect((await names('^mytx_template_')).length).toBe(templates.length + 1);

    const [kept, ...killed] = others;
    for (const child of killed) child.kill('SIGKILL');
    await Promise.all(killed.map((child) => once(child, 'exit')));
    const keptName = new URL(urls[0] ?? '').pathname.slice(1);
    // The server ends their sessions when it next listens to them.
    await expect
      .poll(
        async () => {
          const code = `const { createTestDatabase } = await import('${root}/db/testing/index.ts');
            await (await createTestDatabase({ url: '${url}', migrationsFolder: '${folder}' })).close();`;
          const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code];
          await once(spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
          const left = await names('^mytx_test_');
          return databases.filter((name) => left.includes(name));
        },
        { timeout: 30_000 },
      )
      .toEqual([keptName]);
    kept?.stdin?.end('end\n');
    await once(kept as never, 'exit');
    expect(await names(keptName)).toEqual([]);
  });

  test('a template that somebody dropped is made anew', async () => {
    const migrationsFolder = newMigrations();
    const before = await names('^mytx_template_');
    await (await createTestDatabase({ url, migrationsFolder })).close();
    const [made = ''] = (await names('^mytx_template_')).filter((name) => !before.includes(name));
    await sql.unsafe(`alter database ${made} with is_template false`);
    await sql.unsafe(`drop database ${made}`);
    await (await createTestDatabase({ url, migrationsFolder })).close();
    expect(await names('^mytx_template_')).toContain(made);
  });

  test('a role that may not create databases is told so', async () => {
    await sql.unsafe("create role kit_nobody login password 'secret'");
    const nobody = Object.assign(new URL(url), { username: 'kit_nobody', password: 'secret' }).href;
    await expect(createTestDatabase({ url: nobody, migrationsFolder: newMigrations() })).rejects.toMatchObject({
      code: 'TEST_DATABASE_REFUSED',
      message: expect.stringContaining('may not create databases'),
    });
    await sql.unsafe('drop role kit_nobody');
  });

  test('tools reach it by its URL', async () => {
    const database = await createTestDatabase({ url });
    const tool = await createDatabase({ url: database.url ?? '' });
    await tool.run(() => createUser('dana@example.com', 'correct horse battery staple'));
    expect(await database.run(() => getUser('dana@example.com'))).toHaveLength(1);
    await tool.close();
    await database.close();
    expect(await names(new URL(database.url ?? '').pathname.slice(1))).toEqual([]);
  });
});

// Nothing secret and nothing that somebody wrote is said when something fails: canaries stand in every row, argument, key
// and URL, statements are logged, each query is made to fail in each way, and 0 of the canaries are found in what was heard.

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { deploySession } from '../../db/connection/deploy-session.ts';
import { createDatabase, currentDatabase, type DatabaseOptions } from '../../db/database.ts';
import { incomplete } from '../../db/encryption/encrypt-database.ts';
import { inspectDatabase } from '../../db/health.ts';
import { configureEncryption, reencrypt, useSecrets } from '../../db/index.ts';
import { migrate } from '../../db/opening.ts';
import { configurePasswords } from '../../db/passwords.ts';
import {
  addTask,
  asUser,
  changePassword,
  closeDatabase,
  createApiKeyRecord,
  createUser,
  db,
  eraseUser,
  getUser,
  importUser,
  openDatabase,
  saveMemory,
  transaction,
  updateMemory,
  verifyPassword,
  withDeadline,
} from '../../db/queries.ts';
import { memories, reservation, tasks, user } from '../../db/schema.ts';
import { createTestDatabase } from '../../db/testing/index.ts';
import { applyMigrations } from '../../deploy/apply.ts';
import { Detector } from '../canaries.ts';
import { startProxy } from '../proxy.ts';
import { recordFigures } from '../security/figures.ts';
import {
  addressWithCanary,
  callsInOrder,
  canaries,
  plantedValues,
  plantRows,
  run,
  secretTexts,
  texts,
  usePasswordsOfTests,
  withIdsOfNothing,
  withTakenIds,
  withWrongValues,
} from './canary-calls.ts';
import { placeOfCode } from './canary-codes.ts';
import { Listener } from './canary-listener.ts';
import { everythingSaid } from './everything-said.ts';
import { exportedLines, firstOf, parse, sealed, withFields } from './export-file.ts';
import { newOwnedDatabase } from './owned-database.ts';
import { runQuery } from './query-calls.ts';
import { isEmbedded, newDatabase, serverUrl } from './test-database.ts';
import { idOf } from './two-users.ts';

type Database = Awaited<ReturnType<typeof createDatabase>>;

const detector = new Detector(canaries);
const listener = new Listener();
const folder = mkdtempSync(join(tmpdir(), 'mytx-canaries-'));
const ada = idOf('user', 'ada');
const bob = idOf('user', 'bob');
/** A login of the server whose password is a canary. */
const login = `canary_${randomUUID().slice(0, 8)}`;

const withLogin = (url: string, password = texts.urlPassword): string =>
  Object.assign(new URL(url), { username: login, password }).href;

/** A new database: on a server by way of the URL with the canary. */
async function newOptions(): Promise<DatabaseOptions> {
  const options = await newDatabase();
  return options.url === undefined ? options : { ...options, url: withLogin(options.url) };
}

/** Runs `work` in a database of its own, whose statements a function is told of. */
async function inDatabase(work: (database: Database, url: string) => Promise<void>, more: DatabaseOptions = {}) {
  const options = { ...(await newOptions()), ...more };
  const database = await createDatabase({ logger: listener.onStatement, ...options });
  try {
    await database.run(async () => {
      await plantRows();
      await work(database, options.url ?? '');
    });
  } finally {
    await database.close();
  }
}

/** What fails in another way than this package has foreseen: a TypeError, a driver's own error. */
function expectOurs(error: unknown): void {
  if (error !== undefined) expect(error).toMatchObject({ code: expect.any(String), hint: expect.any(String) });
}

async function fails(call: () => unknown): Promise<void> {
  const error = await listener.failureOf(call);
  expect(error).toBeDefined();
  expectOurs(error);
}

/** Runs every query in some way, one after another. Not each of them fails: what is logged counts, too. */
async function everyCall(way: (call: (typeof callsInOrder)[number]) => Promise<unknown>): Promise<void> {
  const before = listener.failures;
  for (const call of callsInOrder) expectOurs(await listener.failureOf(() => way(call)));
  expect(listener.failures).toBeGreaterThan(before);
}

beforeAll(async () => {
  listener.start();
  usePasswordsOfTests();
  useSecrets({ ...secretTexts, encryptionKeys: '' });
  if (!isEmbedded) {
    const admin = postgres(serverUrl(), { max: 1, onnotice: () => {} });
    await admin.unsafe(`create role ${login} superuser login password '${texts.urlPassword}'`);
    await admin.end();
  }
  await openDatabase({ ...(await newOptions()), logger: true });
});

beforeEach(async () => {
  useSecrets({ ...secretTexts, encryptionKeys: '' });
  configureEncryption({ memories: false });
  await plantRows();
});

let found = 0;

afterEach(() => {
  found += listener.find(detector).length;
  expect(listener.find(detector)).toEqual([]);
});

afterAll(async () => {
  await closeDatabase();
  listener.stop();
  useSecrets();
  configureEncryption();
  configurePasswords();
  rmSync(folder, { recursive: true, force: true });
  const { failures: calls, outputs } = listener;
  if (!isEmbedded) {
    recordFigures('canaries', { marks: canaries.length, calls, codes: listener.codes.size, outputs, found });
  }
  console.info(
    `canaries: ${canaries.length} planted; ${listener.failures} failing calls with ${listener.codes.size} error codes, ${listener.outputs} outputs looked at`,
  );
});

test('the negative control: what the driver itself says of a failed statement has the canary in it', async () => {
  listener.hear(everythingSaid(await rawFailureOf(texts.argument)));
  expect(listener.find(detector).map(({ canary }) => canary)).toContain('argument');
});

/** A value that does not fit, as the engine's own client says it. */
async function rawFailureOf(value: string): Promise<unknown> {
  const database = await currentDatabase();
  return database.withConnection((connection) =>
    connection.run('select $1::text::int', [value], false).catch((error: unknown) => error),
  );
}

describe('every query', () => {
  test('with what does not belong there in each of its arguments', async () => {
    for (const call of callsInOrder) {
      for (const values of withWrongValues(call)) expectOurs(await listener.failureOf(() => run(call, values)));
    }
    for (const call of callsInOrder.filter(({ isPositional }) => !isPositional)) {
      for (const wrong of [texts.argument, [texts.argument], Symbol(texts.argument), undefined]) {
        expectOurs(await listener.failureOf(() => runQuery(call.name, [wrong])));
      }
    }
    await fails(() => run(named('listTasks'), { userId: '42' }));
    await fails(() => run(named('listTasks'), { userId: ada, limit: 0 }));
    await fails(() => run(named('updateTaskStatus'), { id: idOf('task', 'ada'), userId: ada, status: 'done' }));
  }, 60_000);

  test('for rows that are not there, and for rows of another', async () => {
    for (const call of callsInOrder) {
      for (const values of withIdsOfNothing(call)) expectOurs(await listener.failureOf(() => run(call, values)));
    }
    await everyCall((call) => run(call, { ...plantedValues(call), ...('userId' in call.fields && { userId: bob }) }));
  });

  test('twice, and with ids of rows that there are', async () => {
    await everyCall((call) => run(call, withTakenIds(call)));
    await plantRows();
    await everyCall(async (call) => {
      await run(call);
      await run(call);
    });
    await fails(async () => {
      await createUser(`new${addressWithCanary}`, texts.password);
      await createUser(`new${addressWithCanary}`, texts.otherPassword);
    });
    await fails(async () => {
      await saveMemory({ userId: bob, content: texts.memory });
      await updateMemory({ userId: bob, id: idOf('memory', 'bob'), content: texts.memory });
    });
    await fails(async () => {
      await createApiKeyRecord({ userId: bob, hashedKey: texts.argument, name: texts.apiKeyName });
      await createApiKeyRecord({ userId: bob, hashedKey: texts.argument, name: texts.apiKeyName });
    });
    await fails(() => changePassword({ userId: bob, password: texts.otherPassword.repeat(2) }));
  });

  test('as another user', async () => {
    await everyCall((call) => asUser(bob, () => run(call)));
    await plantRows();
    await everyCall((call) => asUser(ada, () => run(call)));
    await fails(() => asUser(bob, () => asUser(ada, () => getUser(addressWithCanary))));
    await fails(() => asUser(bob, () => addTask({ userId: ada, description: texts.taskDescription })));
  });

  test('in a transaction that reads only, that has failed, that is over', async () => {
    await everyCall((call) => transaction(() => run(call), { readOnly: true }));
    await everyCall((call) =>
      transaction(async () => {
        await db.execute(sql`select 1 / 0`).catch(() => {});
        await listener.failureOf(() => run(call));
      }),
    );
    await everyCall(async (call) => {
      let late: Promise<unknown> = Promise.resolve();
      await transaction(async () => {
        late = sleep(1).then(() => run(call));
      });
      await late;
    });
  });

  test('when its time is over, nobody may wait, or the database is closed', async () => {
    await everyCall((call) => withDeadline({ signal: AbortSignal.abort(texts.argument) }, () => run(call)));
    await everyCall((call) => withDeadline({ timeoutMs: 1 }, () => sleep(3).then(() => run(call))));
    await inDatabase(
      async (database) => {
        await transaction(async () => {
          await everyCall((call) => database.run(() => run(call)));
        });
        await database.close();
        await everyCall((call) => run(call));
      },
      { poolSize: 1, maxWaiting: 0 },
    );
    configurePasswords({ cost: 4, maxConcurrent: 1, maxWaiting: 0 });
    const logins = Array.from({ length: 3 }, () =>
      listener.failureOf(() => verifyPassword({ email: addressWithCanary, password: texts.otherPassword })),
    );
    expect(await Promise.all(logins)).toContainEqual(expect.objectContaining({ code: 'HASHING_BUSY' }));
    usePasswordsOfTests();
  });

  test('where row-level security is not ready, a constraint, a trigger that quotes the row, a conflict or the lack of tables is in its way', async () => {
    await inDatabase(
      async () => {
        await db.execute(sql`alter table "Task" no force row level security`);
        await fails(() => asUser(ada, () => getUser(addressWithCanary)));
        await onEachTable((name) => `alter table ${name} add constraint canary check (false) not valid`);
        await everyCall((call) => run(call));
        await onEachTable((name) => `alter table ${name} drop constraint canary`);
        await db.execute(sql.raw(quotingFunction));
        await onEachTable(quotingTrigger);
        await everyCall((call) => run(call));
        // Of a conflict alone the caller hears at once, not behind pauses.
        const some = callsInOrder.filter(({ name }) => /^(add|update)/.test(name));
        for (const sqlState of ['40001', '42501', '42601', '22023', '55P03', '57014']) {
          await db.execute(sql`select set_config('canary.state', ${sqlState}, false)`);
          for (const call of some) await listener.failureOf(() => transaction(() => run(call), { maxAttempts: 1 }));
        }
        await db.execute(sql.raw('drop schema public cascade'));
        await everyCall((call) => run(call));
      },
      { poolSize: 1 },
    );
  }, 60_000);
});

const named = (name: string) => callsInOrder.find((call) => call.name === name) as (typeof callsInOrder)[number];

async function onEachTable(statementOf: (name: string) => string): Promise<void> {
  const found = await db.execute<{ name: string }>(
    sql`select format('%I', relname) as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  );
  for (const { name } of found) await db.execute(sql.raw(statementOf(name)));
}

/** What an application's own trigger may say, with the SQLSTATE that is in a setting. */
const quotingFunction = `create function canary() returns trigger language plpgsql as $$ begin
    raise notice 'a row: %', new;
    raise warning 'a row: %', old;
    raise exception 'refused: % %', old, new
      using errcode = coalesce(current_setting('canary.state', true), 'P0001'), detail = new::text, hint = new::text;
  end $$`;

function quotingTrigger(table: string): string {
  return `create trigger canary before insert or update or delete on ${table} for each row execute function canary()`;
}

describe('statements of an application', () => {
  const { argument } = texts;

  test('whose values do not fit, or break a constraint', async () => {
    const statements = [
      sql`select ${argument}::text::int`,
      sql`select ${argument}::text::uuid`,
      sql`select ${argument}::text::timestamptz`,
      sql`select ${argument}::text::json`,
      sql`select ${`{"a": ${argument}}`}::text::jsonb`,
      sql`select ${argument}::text::inet`,
      sql`select ${`{${argument}`}::text::text[]`,
      sql`select to_tsquery(${`${argument} & | !`}::text)`,
      sql`select 'x' ~ ${`${argument}(`}::text`,
      sql`select set_config('work_mem', ${argument}::text, true)`,
      sql`select set_config(${argument}::text, 'x', true)`,
      sql`select ${argument}::text::regclass`,
      sql`select ${argument}::text::regrole`,
      sql`select convert_from(decode('ff', 'hex'), ${argument}::text)`,
      sql`select '2020-01-01'::timestamptz at time zone ${argument}::text`,
      sql`select jsonb_path_query('{}', ${`$.${argument} ==`}::text::jsonpath)`,
      sql`select pg_input_is_valid(${argument}::text, ${argument}::text)`,
      sql`select ${Buffer.from(argument)}::int`,
      sql`insert into "Task" (user_id, description, status) values (${ada}, ${argument}, ${argument})`,
      sql`insert into "User" (id, email) values (${randomUUID()}, ${addressWithCanary})`,
      sql`insert into "User" (id, email, password) values (${randomUUID()}, 'x@y.example', ${argument.repeat(9)})`,
      sql`insert into "Chat" (id, "userId", title) values (${randomUUID()}, ${randomUUID()}, ${argument})`,
      sql`update "Chat" set title = ${argument}, "userId" = null`,
      sql`update "User" set email = ${addressWithCanary}`,
    ];
    for (const statement of statements) await fails(() => db.execute(statement));
    await fails(() => db.insert(tasks).values({ userId: ada, description: '', dueAt: null }));
    await fails(() => db.insert(tasks).values({ userId: argument, description: argument }));
    await fails(() => db.update(user).set({ email: addressWithCanary }).where(eq(user.id, bob)));
    await fails(() => db.execute(sql`selct ${argument}`));
    await fails(() => db.transaction((tx) => tx.insert(tasks).values({ userId: argument, description: argument })));
    await fails(() => transaction(() => db.execute(sql`select 1 / 0`).catch(() => {})));
  });

  test('that say notices and warnings', async () => {
    for (const level of ['notice', 'warning', 'info', 'log']) {
      await db.execute(sql.raw(`do $$ begin raise ${level} 'an address: %', (select min(email) from "User"); end $$`));
    }
  });
});

describe('keys and ciphertext', () => {
  test('a text that is no list of keys', async () => {
    const { encryptionKey, apiKeyPepper, auditKey, argument } = texts;
    const wrong = [
      encryptionKey,
      `:${encryptionKey}`,
      `k1:${encryptionKey}x`,
      `k1:${encryptionKey.slice(0, 40)}`,
      `k1:${encryptionKey},k1:${encryptionKey}`,
      `k 1:${encryptionKey}`,
      `k1=${encryptionKey}`,
      `k1:${encryptionKey}:${encryptionKey}`,
      `k1:${argument}`,
      `${argument}:${argument}`,
      `${argument.repeat(2)}:${encryptionKey}`,
      `k1:${encryptionKey},${apiKeyPepper}`,
    ];
    for (const text of wrong) {
      await fails(() => useSecrets({ encryptionKeys: text }));
      await listener.failureOf(() => useSecrets({ apiKeyPeppers: text.replaceAll(encryptionKey, apiKeyPepper) }));
      await listener.failureOf(() => useSecrets({ auditKeys: text.replaceAll(encryptionKey, auditKey) }));
    }
  });

  test('every query with the wrong key, none, another text in its place, and with plaintext', async () => {
    const other = Buffer.alloc(32, 7).toString('base64');
    await everyCall((call) => withKeys(secretTexts.encryptionKeys, () => run(call))); // plaintext is found
    await encryptRows();
    await everyCall((call) => withKeys(`e2:${other}`, () => run(call)));
    await encryptRows();
    await everyCall((call) => withKeys(`e1:${other}`, () => run(call)));
    await encryptRows();
    await everyCall((call) => withKeys('', () => run(call)));
    await encryptRows();
    for (const change of ['left(content, -1)', "overlay(content placing 'xx' from 40)", 'content || content']) {
      await db.execute(sql.raw(`update "Memory" set content = ${change} where content_index is not null`));
      await db.execute(sql.raw(`update "Reservation" set details = to_jsonb(left(details #>> '{}', -4))`));
      await everyCall((call) => withKeys(secretTexts.encryptionKeys, () => run(call)));
      await encryptRows();
    }
    await withKeys(secretTexts.encryptionKeys, async () => {
      await db.execute(sql.raw(`update "Memory" set content = left(content, -1) where user_id = '${bob}'`));
      await fails(async () => {
        const { keyId, columns } = await reencrypt();
        throw incomplete({ keyId, columns });
      });
    });
    await withKeys('', () => fails(() => reencrypt()));
  }, 60_000);
});

async function withKeys(encryptionKeys: string, work: () => Promise<unknown>): Promise<unknown> {
  useSecrets({ ...secretTexts, encryptionKeys });
  configureEncryption({ memories: true });
  try {
    return await work();
  } finally {
    useSecrets({ ...secretTexts, encryptionKeys: '' });
    configureEncryption({ memories: false });
  }
}

/** The two people anew, with memories and reservations that are encrypted. */
async function encryptRows(): Promise<void> {
  await plantRows();
  await withKeys(secretTexts.encryptionKeys, async () => {
    await db.delete(memories);
    await db.update(reservation).set({ details: { passengerName: texts.passenger } as never });
    for (const userId of [ada, bob]) {
      for (const n of [0, 1]) await saveMemory({ userId, content: `${texts.encryptedMemory} ${n}` });
    }
  });
}

describe('a person’s data', () => {
  test('a file that was cut, changed, or says what can’t be', async () => {
    await db.update(user).set({ displayName: texts.exportedText }).where(eq(user.id, ada));
    const lines = await exportedLines(ada);
    await fails(() => importUser(lines));
    await eraseUser({ userId: ada });
    const refuse = (file: Iterable<string | Uint8Array>): Promise<void> => fails(() => importUser(file));
    for (const [i, line] of lines.entries()) {
      await refuse(lines.slice(0, i));
      await refuse(lines.with(i, `${line.slice(0, -9)}\n`));
      await refuse(
        lines.with(
          i,
          line.replace(/"[^"]*Zq[^"]*"/, (text) => `[${text}]`).replace('{"', `{"${texts.exportedText}":1,"`),
        ),
      );
    }
    const first = firstOf(lines, 'User');
    const wrong = [texts.exportedText, [texts.exportedText], { [texts.exportedText]: 1 }];
    for (const table of ['User', 'Message', 'Reservation', 'ApiKey']) {
      const index = firstOf(lines, table);
      for (const field of Object.keys(parse(lines[index]).row)) {
        for (const value of wrong) {
          const changed = sealed(lines.with(index, withFields(lines[index], { [field]: value })));
          const error = await listener.failureOf(() => importUser(changed));
          expectOurs(error);
          if (error === undefined) await eraseUser({ userId: ada });
        }
      }
    }
    await refuse([texts.exportedText]);
    await refuse([Buffer.concat([Buffer.from(texts.exportedText), Buffer.from([0xff, 0xfe, 10])])]);
    await refuse(lines.with(first, `{"table":"${texts.exportedText}","row":{}}\n`));
    await refuse(lines.with(0, `{"format":"${texts.exportedText}"}\n`));
    await refuse(lines.with(0, withHeader(lines[0], { version: texts.exportedText.slice(0, 30) })));
    await fails(() => importUser(texts.argument as never, { userId: texts.argument.repeat(2) }));
  }, 60_000);

  test('an erasure and an export that are refused', async () => {
    await db.execute(sql.raw('create table "Invoice" (user_id uuid, address text)'));
    await db.execute(sql`insert into "Invoice" values (${ada}, ${texts.rowOfOwnTable})`);
    await fails(() => eraseUser({ userId: ada }));
    await db.execute(sql.raw('drop table "Invoice"'));
    await db.execute(sql.raw('create table "Invoice" (task uuid references "Task" (id), address text)'));
    await db.execute(sql`insert into "Invoice" values (${idOf('task', 'ada')}, ${texts.rowOfOwnTable})`);
    await fails(() => eraseUser({ userId: ada }));
    await db.execute(sql.raw('drop table "Invoice"'));
    await fails(() => transaction(() => exportedLines(ada)));
    await fails(() => exportedLines(randomUUID()));
    for (const wrong of [texts.argument.repeat(2), [texts.argument], { [texts.argument]: 1 }]) {
      await fails(() => exportedLines(wrong as never));
    }
  });
});

const withHeader = (line: string | undefined, fields: object): string =>
  `${JSON.stringify({ ...parse(line), ...fields })}\n`;

describe('a URL', () => {
  const secret = texts.urlPassword;

  test('that is none, or weaker than is allowed', async () => {
    const urls = [
      ...[
        '',
        secret,
        `${secret}@db.example.com/app`,
        `//u:${secret}@localhost:1/app`,
        `mysql://u:${secret}@localhost:1/app`,
      ],
      ...[`postgres://u:${secret}@localhost:1`, `postgres://u:${secret}@localhost:99999/app`, `postgres://u:${secret}`],
      ...['%zz', '%', '#', '/', '?', '\\', '[', ' ', '@x/', '@x?', '@x#', '@x:'].map(
        (between) => `postgres://u:${secret}${between}${secret}@localhost:1/app`,
      ),
      // What comes of a port of digits, or of a host, when the rest of the password is taken for something else.
      ...['/', '?', '#', '?a=', '?a&', '/app?'].map((between) => `postgres://u:12${between}${secret}@localhost:1/app`),
      ...['/', '?', '#', '?a=', '?a&', '/app?'].map((between) => `postgres://u:x@y${between}${secret}@localhost:1/app`),
      ...['/', '?', '?a='].map((between) => `postgres://u:x@y${between}${secret}@localhost:1`),
      ...['?password=', '?sslrootcert=/', '?options=a?', '?application_name=a?', '#'].map(
        (query) => `postgres://u:${secret}@localhost:1/app${query}${secret}`,
      ),
      `postgres://u:${secret}@a.example,b.example/app`,
      `postgres://u:${secret}@localhost:1/app?password=${secret}`,
      `postgres://u:${secret}@db.example.com/app?sslmode=disable`,
      `postgres://u:${secret}@db.example.com/app?sslmode=prefer`,
    ];
    for (const url of urls) {
      await fails(() =>
        createDatabase({ url: url || secret, deadlines: { connectTimeoutMs: 100 }, replicaUrls: [url] }),
      );
      await fails(() => createDatabase({ url: 'postgres://u@localhost:1/app', replicaUrls: [url || secret, url] }));
    }
  });

  test('of a server that is not there, or closes at once, and what is refused on any other machine', async () => {
    const gone = `postgres://u:${secret}@localhost:1/app`;
    await fails(() => createDatabase({ url: gone, logger: true }));
    await fails(() =>
      createDatabase({ url: `postgres://u:${secret}@db.invalid/app`, deadlines: { connectTimeoutMs: 300 } }),
    );
    await fails(() => migrate({ url: gone }));
    await fails(() => migrate({ url: `${gone}?pgbouncer=true` }));
    await fails(() => createTestDatabase({ url: `postgres://u:${secret}@db.example.com:5432/app` }));
    await fails(() => openDatabase({ url: gone }));
  });
});

describe('migrations', () => {
  test('that fail at a row, in their text, or can’t be read', async () => {
    const failing = [
      'alter table "Task" alter column description type integer using description::integer',
      'alter table "User" alter column email type uuid using email::uuid',
      'alter table "Chat" alter column title type varchar(3)',
      'create unique index on "Chat" (title)',
      'alter table "Task" add check (char_length(description) < 3)',
      'alter table "User" add foreign key (email) references "User" (email) on delete cascade',
      'alter table "Memory" alter column content type jsonb using content::jsonb',
      'insert into "User" (id, email) select gen_random_uuid(), email from "User"',
      'update "User" set password = null, email = null',
      'select lower(\'x\')::int, email::timestamptz from "User"',
      'selct 1',
    ];
    for (const [i, text] of failing.entries()) await fails(() => apply(migrationsFolder(`0100_wrong_${i}`, text)));
    const gone = migrationsFolder('0100_gone', 'select 1');
    rmSync(join(gone, '0100_gone.sql'));
    await fails(() => apply(gone));
  });
});

/** Applies migrations to the database of the running code, as `migrate` does to one that it opens. */
async function apply(where: string, lockWaitMs = 0): Promise<unknown> {
  const database = await currentDatabase();
  return database.withConnection((connection) =>
    applyMigrations(deploySession(connection), { folder: where, lockWaitMs }),
  );
}

/** A folder with one migration, behind all of ours. */
function migrationsFolder(tag: string, text: string): string {
  const where = mkdtempSync(join(folder, 'migrations-'));
  mkdirSync(join(where, 'meta'));
  writeFileSync(join(where, 'meta', '_journal.json'), JSON.stringify({ entries: [{ idx: 0, tag, when: 4e12 }] }));
  writeFileSync(join(where, `${tag}.sql`), text);
  return where;
}

describe.skipIf(isEmbedded)(
  'a server (the embedded database has no sessions to break, and no roles that log in)',
  () => {
    let admin: postgres.Sql;
    beforeAll(() => {
      admin = postgres(serverUrl(), { max: 4, onnotice: () => {} });
    });
    afterAll(() => admin.end());

    test('that ends a statement at its deadline, by a cancel, or with its session', async () => {
      const tables = '"User", "Chat", "Message", "Memory", "Task", "Reservation", "ApiKey", "Protocol", "AuditEvent"';
      const ways = {
        deadline: undefined,
        cancel: 'pg_cancel_backend',
        termination: 'pg_terminate_backend',
      };
      const options = await newOptions();
      const name = new URL(options.url ?? '').pathname.slice(1);
      const holder = postgres(Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href, {
        max: 1,
        onnotice: () => {},
      });
      const filled = await createDatabase(options);
      await filled.run(plantRows);
      await filled.close();
      for (const end of Object.values(ways)) {
        await holder.unsafe(`begin; lock table ${tables} in access exclusive mode`);
        const ending = end === undefined ? undefined : new AbortController();
        const ended = ending && endWaiting(name, `${end}(pid)`, ending.signal);
        for (let from = 0; from < callsInOrder.length; from += 20) {
          const database = await createDatabase({ ...options, logger: listener.onStatement, poolSize: 20 });
          const timeoutMs = end === undefined ? 500 : 1_500;
          await Promise.all(
            callsInOrder
              .slice(from, from + 20)
              .map(async (call) =>
                expectOurs(
                  await listener.failureOf(() => database.run(() => withDeadline({ timeoutMs }, () => run(call)))),
                ),
              ),
          );
          await database.close();
        }
        ending?.abort();
        await ended;
        await holder.unsafe('rollback');
      }
      await holder.end();
    }, 60_000);

    async function endWaiting(name: string, how: string, signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await admin.unsafe(
          `select ${how} from pg_stat_activity where datname = '${name}' and application_name = 'mytx-ai' and wait_event_type = 'Lock'`,
        );
        await sleep(20);
      }
    }

    test('whose answers are lost on their way', async () => {
      const options = await newOptions();
      const url = new URL(options.url ?? '');
      const proxy = await startProxy({ target: { host: url.hostname, port: Number(url.port) } });
      url.port = String(proxy.port);
      const database = await createDatabase({ url: url.href, logger: listener.onStatement, poolSize: 1 });
      await database.run(async () => {
        await plantRows();
        const cut = proxy.cutOnReplyTo('insert into "Task"');
        await fails(() => addTask({ userId: ada, description: texts.taskDescription }));
        expect(cut.count).toBe(1);
      });
      await proxy.refuseNew(true);
      await database.close();
      await fails(() => createDatabase({ url: url.href, deadlines: { connectTimeoutMs: 300 } }));
      await proxy.stop();
    });

    test('that refuses the password, the role, the database, or TLS', async () => {
      const { url = '' } = await newOptions();
      const wrong = texts.otherPassword;
      const changed = (change: Partial<URL>): string => Object.assign(new URL(url), change).href;
      await fails(() => createDatabase({ url: withLogin(url, wrong) }));
      await fails(() => createDatabase({ url: withLogin(url, `${wrong}%20"'`) }));
      await fails(() => createDatabase({ url: changed({ username: `none_${login}` }) }));
      await fails(() => createDatabase({ url: changed({ pathname: '/none' }) }));
      await fails(() => createDatabase({ url: changed({ search: '?sslmode=require' }) }));
      await fails(() => createDatabase({ url: changed({ search: '?sslmode=verify-full' }) }));
      await fails(() => createDatabase({ url: changed({ search: `?options=-c%20${wrong}%3D1` }) }));
      await fails(() => createDatabase({ url: changed({ search: `?options=-c%20work_mem%3D${wrong}` }) }));
      await fails(() => migrate({ url: withLogin(url, wrong) }));
      await fails(() =>
        inspectDatabase({ engine: 'server', target: 't', restriction: null, options: { url: withLogin(url, wrong) } }),
      );
    });

    test('whose role may do little', async () => {
      const owned = await newOwnedDatabase(serverUrl());
      const role = `canary_${randomUUID().slice(0, 8)}`;
      await admin.unsafe(`create role ${role} login password '${texts.otherPassword}'`);
      const url = Object.assign(new URL(owned.url), { username: role, password: texts.otherPassword }).href;
      await fails(() => createDatabase({ url }));
      await fails(() => migrate({ url }));
      const inside = postgres(owned.superuserUrl, { max: 1, onnotice: () => {} });
      await inside.unsafe(
        `grant usage on schema drizzle to ${role}; grant select on drizzle.__drizzle_migrations to ${role}`,
      );
      await fails(() => createDatabase({ url }));
      await admin.unsafe(`alter role ${role} connection limit 0`);
      await fails(() => createDatabase({ url, deadlines: { connectTimeoutMs: 500 } }));
      await inside.unsafe(`drop owned by ${role}`);
      await inside.end();
      await owned.drop();
      await admin.unsafe(`drop role ${role}`);
    });

    test('that lacks migrations, is being migrated, or goes away meanwhile', async () => {
      const name = `mytx_${randomUUID().replaceAll('-', '')}`;
      await admin.unsafe(`create database ${name}`);
      const url = withLogin(Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href);
      await fails(() => createDatabase({ url }));
      const gone = migrationsFolder('0100_gone', 'select pg_terminate_backend(pg_backend_pid())');
      await fails(() => migrate({ url, migrationsFolder: gone }));
      await inDatabase(async (_, other) => {
        const holder = postgres(other, { max: 1 });
        await holder`select pg_advisory_lock(1836676216, 1684369516)`;
        await fails(() => apply(migrationsFolder('0100_held', 'select 1')));
        await holder.end();
      });
    });
  },
);

describe.runIf(isEmbedded)('the embedded database', () => {
  test('whose folder was lost, is of another version, is not there, or has no room for a snapshot', async () => {
    const place = (name: string): string => join(folder, name, '.mytx');
    const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
    const lost = await createDatabase({ folder: place('lost'), snapshot, logger: listener.onStatement });
    await lost.run(plantRows);
    rmSync(join(place('lost'), 'owner.pid'));
    await sleep(300);
    await lost.run(() => everyCall((call) => run(call)));
    await lost.close();
    mkdirSync(join(place('old'), 'database'), { recursive: true });
    writeFileSync(join(place('old'), 'database', 'PG_VERSION'), '17\n');
    await fails(() => createDatabase({ folder: place('old') }));
    const target = { engine: 'embedded', target: 'embedded', restriction: null } as const;
    await fails(() => inspectDatabase({ ...target, options: { folder: place('none') } }));
    const full = await createDatabase({ folder: place('full'), snapshot, logger: true });
    writeFileSync(join(place('full'), 'snapshots'), texts.argument);
    await fails(() => full.close());
  });

  test('of a snapshot that is none', async () => {
    for (const content of [texts.argument, readFileSync(inject('snapshotFile')).subarray(0, 100_000)]) {
      await listener.failureOf(() => createDatabase({ folder: 'memory', snapshot: new Blob([content]) }));
    }
  });
});

test('every error code was provoked here, or has another place or a reason', async () => {
  await fails(() => openDatabase({ folder: 'memory' }));
  const here = isEmbedded ? ['all', 'embedded'] : ['all', 'server'];
  const expected = Object.entries(placeOfCode).flatMap(([code, place]) =>
    typeof place === 'string' && here.includes(place) ? [code] : [],
  );
  expect(expected.filter((code) => !listener.codes.has(code))).toEqual([]);
  expect(listener.failures).toBeGreaterThan(2_000);
});

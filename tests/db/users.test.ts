import { randomUUID } from 'node:crypto';
import { verify } from '@node-rs/bcrypt';
import { eq, getTableColumns, getTableName, is, sql, type Table } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { saveProtocol, updateProtocol } from '../../db/protocol-queries.ts';
import * as protocolsSchema from '../../db/protocols-schema.ts';
import {
  addTask,
  appendMessages,
  createApiKeyRecord,
  createReservation,
  createUser,
  db,
  getUser,
  indexForSearch,
  saveChat,
  saveMemory,
} from '../../db/queries.ts';
import * as schema from '../../db/schema.ts';
import { everythingSaid } from './everything-said.ts';
import { flight } from './flight.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const newAddress = (): string => `${randomUUID().slice(0, 18)}@example.com`;

test('a user comes back with the hash of the password, which any bcrypt can compare', async () => {
  const email = newAddress();
  await createUser(email, 'correct horse');
  const users = await getUser(email);
  expect(users).toEqual([
    { id: expect.any(String), email, password: expect.any(String), displayName: null, avatarUrl: null },
  ]);
  const hash = users[0]?.password ?? '';
  expect(hash).toMatch(/^\$2b\$10\$[./A-Za-z0-9]{53}$/);
  expect(await verify('correct horse', hash)).toBe(true);
  expect(await verify('correct horsf', hash)).toBe(false);
});

test('registering gives the row without the hash', async () => {
  const email = newAddress();
  const created = await createUser(email, 'correct horse');
  const [{ password, ...rest } = { password: '' }] = await getUser(email);
  expect(created).toEqual([rest]);
  expect(created[0]).not.toHaveProperty('password');
  expect(password).not.toBe('');
});

test('an e-mail that nobody has is an empty array', async () => {
  expect(await getUser(newAddress())).toEqual([]);
  expect(await getUser('')).toEqual([]);
  expect(await getUser(`${'a'.repeat(200)}@example.com`)).toEqual([]);
  expect(await getUser("' or true --")).toEqual([]);
  expect(await getUser('%')).toEqual([]);
});

test('a user is found, and an address is taken, in any case of its letters', async () => {
  const email = newAddress();
  await createUser(email, 'pw');
  expect((await getUser(email.toUpperCase()))[0]?.email).toBe(email);
  await expect(createUser(email.toUpperCase(), 'pw')).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
  expect(await getUser(email)).toHaveLength(1);
});

test('of ten registrations of one address at once exactly one succeeds', async () => {
  const email = newAddress();
  const inSomeCase = (i: number): string => (i % 2 === 0 ? email : email.toUpperCase());
  const attempts = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => createUser(inSomeCase(i), `pw${i}`)));
  const codes = attempts.map((attempt) => (attempt.status === 'rejected' ? attempt.reason.code : 'done'));
  expect(codes.sort()).toEqual([...Array(9).fill('EMAIL_TAKEN'), 'done']);
  expect(await getUser(email)).toHaveLength(1);
});

test('a replacement character in an address is no other character', async () => {
  const email = `\uFFFD${newAddress()}`;
  await createUser(email, 'pw');
  expect(await getUser(email)).toHaveLength(1);
  expect(await getUser(email.replace('\uFFFD', '\0'))).toEqual([]);
  expect(await getUser(email.replace('\uFFFD', '\uD83C'))).toEqual([]);
});

test('a password of 72 bytes is kept whole, and a longer one is refused, never cut', async () => {
  for (const password of ['x'.repeat(72), '🍵'.repeat(18)]) {
    const email = newAddress();
    await createUser(email, password);
    const [found] = await getUser(email);
    expect(await verify(password, found?.password ?? '')).toBe(true);
    expect(await verify(password.slice(0, -2), found?.password ?? '')).toBe(false);
  }
  for (const password of ['x'.repeat(73), `${'🍵'.repeat(18)}x`]) {
    await recorder.expectRefused(() => createUser(newAddress(), password), 'INVALID_PASSWORD', 'password');
  }
});

test('a password that bcrypt would not read to its end is refused', async () => {
  // bcrypt repeats its key with a U+0000 between: "a", "a\0a" and "a\0a\0a" have one hash.
  for (const password of ['a\0a', 'a\0', '\0', '', 'half \uD83C', 7, null]) {
    await recorder.expectRefused(() => createUser(newAddress(), password as string), 'INVALID_PASSWORD', 'password');
  }
});

test('an address of 64 characters is kept, and one of 65 or of another form is refused', async () => {
  const tail = newAddress();
  const longest = `${'é'.repeat(63 - tail.length)}🍵${tail}`;
  await createUser(longest, 'pw');
  expect((await getUser(longest))[0]?.email).toBe(longest);
  const wrong = [`x${longest}`, 'no-at-sign', 'a@', '@b', 'a b@c', 'a@b@c', 'a\0@b', 'a\uD83C@b', '', 7, null];
  for (const email of wrong) {
    await recorder.expectRefused(() => createUser(email as string, 'pw'), 'INVALID_EMAIL', 'email');
  }
});

test('an argument that is undefined is refused by name', async () => {
  const none = undefined as unknown as string;
  await recorder.expectRefused(() => getUser(none), 'MISSING_ARGUMENT', 'email');
  await recorder.expectRefused(() => createUser(none, 'pw'), 'MISSING_ARGUMENT', 'email');
  await recorder.expectRefused(() => createUser(newAddress(), none), 'MISSING_ARGUMENT', 'password');
  await recorder.expectRefused(() => getUser(7 as unknown as string), 'INVALID_EMAIL', 'email');
});

test('no error of a registration says the address or the password', async () => {
  const email = `canary-${newAddress()}`;
  await createUser(email, 'canary-password');
  const attempts = await Promise.allSettled([
    createUser(email, 'canary-password'),
    createUser(`${email} canary`, 'canary-password'),
    createUser(`x${email}`, `canary-password${'x'.repeat(72)}`),
  ]);
  for (const attempt of attempts) {
    expect(attempt.status).toBe('rejected');
    expect(everythingSaid((attempt as PromiseRejectedResult).reason)).not.toContain('canary');
  }
});

test('a hash is made off the event loop, which goes on turning', async () => {
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await createUser(newAddress(), 'pw');
  isDone = true;
  expect(turns).toBeGreaterThan(20);
});

const exported: unknown[] = Object.values({ ...schema, ...protocolsSchema });
// The record of what was done outlives a person, as a digest.
const tables = exported.filter((value): value is PgTable => is(value, PgTable) && value !== schema.auditEvent);

/** The rows of each table, as text, that belong to a user. */
async function rowsOf(userId: string): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of tables) {
    const rows = await db
      .select({ row: sql<string>`${table}::text` })
      .from(table)
      .where(eq(ownerOf(table), userId));
    all[getTableName(table)] = rows.map(({ row }) => row).sort();
  }
  return all;
}

function ownerOf(table: Table) {
  const columns = getTableColumns(table);
  const owner = columns.userId ?? (getTableName(table) === 'User' ? columns.id : undefined);
  if (!owner) throw new Error(`${getTableName(table)} has no user's id`);
  return owner;
}

/** A user with two rows or more in each table. */
async function newUserWithEverything(): Promise<string> {
  const userId = await newUser();
  const chatId = randomUUID();
  const question = { role: 'user', content: 'Hello' };
  await saveChat({ id: chatId, messages: [question, { role: 'assistant', content: 'Hi' }], userId });
  await saveChat({ id: chatId, messages: [question, { role: 'assistant', content: 'Another branch' }], userId });
  await appendMessages({ chatId, userId, messages: [{ role: 'user', content: 'Go on' }] });
  await saveChat({ id: randomUUID(), messages: [], userId });
  for (const n of [1, 2]) {
    await saveMemory({ userId, content: `memory ${n}` });
    await addTask({ userId, description: `task ${n}` });
    await createReservation({ id: randomUUID(), userId, details: flight });
    await createApiKeyRecord({ userId, hashedKey: `hash ${randomUUID()}`, name: `key ${n}` });
    const [protocol] = await saveProtocol({ userId, name: `protocol ${n}`, parts: [{ content: 'one' }] });
    await updateProtocol({ id: protocol?.id ?? '', userId, name: `protocol ${n}, changed` });
  }
  await indexForSearch({ userId });
  return userId;
}

test('one statement deletes a user and everything of theirs, and nothing of others', async () => {
  const [userId, other] = [await newUserWithEverything(), await newUserWithEverything()];
  const theirs = await rowsOf(userId);
  const others = await rowsOf(other);
  for (const [table, rows] of Object.entries(theirs)) expect(rows.length, table).toBeGreaterThan(0);
  expect(theirs.Message).toHaveLength(4);
  expect(theirs.ProtocolVersion).toHaveLength(4);

  const { count } = await db.execute(sql`delete from "User" where id = ${userId}`);

  expect(count).toBe(1);
  expect(Object.values(await rowsOf(userId)).flat()).toEqual([]);
  expect(await rowsOf(other)).toEqual(others);
});

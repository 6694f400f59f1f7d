import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { hash } from '@node-rs/bcrypt';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import {
  createApiKeyRecord,
  db,
  deleteApiKeyByIdAndUserId,
  findValidApiKey,
  getApiKeysByUserId,
  updateApiKeyLastUsed,
} from '../../db/queries.ts';
import { type ApiKey, apiKey } from '../../db/schema.ts';
import { everythingSaid } from './everything-said.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

/** A key as the original application makes it. */
const newKey = (): string => `mytx_${randomBytes(32).toString('hex')}`;
const hashOf = (key: string): Promise<string> => hash(key, { cost: 4 });

async function store(userId: string, name: string, key = newKey()): Promise<{ key: string; record: ApiKey }> {
  const [record] = await createApiKeyRecord({ userId, hashedKey: await hashOf(key), name });
  return { key, record: record as ApiKey };
}

async function lastUse(id: string): Promise<Date | null | undefined> {
  return (await db.query.apiKey.findFirst({ where: eq(apiKey.id, id) }))?.lastUsedAt;
}

test('a key’s record comes back as it was stored', async () => {
  const userId = await newUser();
  const hashedKey = await hashOf(newKey());
  const created = await createApiKeyRecord({ userId, hashedKey, name: 'Laptop' });
  expect(created).toEqual([
    { id: expect.any(String), userId, hashedKey, name: 'Laptop', createdAt: expect.any(Date), lastUsedAt: null },
  ]);
  expect(await getApiKeysByUserId(userId)).toEqual(created);
});

test('a user’s keys come newest first, and those of others not at all', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  for (const name of ['first', 'second', 'third']) await store(userId, name);
  expect((await getApiKeysByUserId(userId)).map(({ name }) => name)).toEqual(['third', 'second', 'first']);
  expect(await getApiKeysByUserId(stranger)).toEqual([]);
});

test('a deletion counts the key that was there, and only the owner’s', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const { record } = await store(userId, 'Laptop');
  expect(await deleteApiKeyByIdAndUserId(record.id, stranger)).toBe(0);
  expect(await getApiKeysByUserId(userId)).toHaveLength(1);
  expect(await deleteApiKeyByIdAndUserId(record.id, userId)).toBe(1);
  expect(await deleteApiKeyByIdAndUserId(record.id, userId)).toBe(0);
  expect(await deleteApiKeyByIdAndUserId(randomUUID(), userId)).toBe(0);
});

describe('a key that is given', () => {
  test('is found among others, in each form of bcrypt’s hash, without the hash', async () => {
    const userId = await newUser();
    const keys = await Promise.all(['one', 'two', 'three'].map((name) => store(userId, name)));
    const older = newKey();
    const hashedKey = (await hashOf(older)).replace('$2b$', '$2a$'); // as bcrypt-ts writes it
    await createApiKeyRecord({ userId, hashedKey, name: 'older' });
    for (const { key, record } of keys) {
      const { hashedKey: _hash, ...rest } = record;
      expect(await findValidApiKey(key)).toEqual(rest);
    }
    const found = await findValidApiKey(older);
    expect(found).toMatchObject({ name: 'older', userId });
    expect(JSON.stringify(found)).not.toContain('$2');
  });

  test('and is wrong, empty, cut or too long for bcrypt, is null', async () => {
    const userId = await newUser();
    const long = 'k'.repeat(72);
    await store(userId, 'long', long);
    await createApiKeyRecord({ userId, hashedKey: `no hash ${randomUUID()}`, name: 'broken' });
    const { key } = await store(userId, 'right');
    expect(await findValidApiKey(long)).not.toBeNull();
    // bcrypt by itself takes the last two: it reads 72 bytes, and repeats a key after a U+0000.
    for (const wrong of [newKey(), '', key.slice(0, -1), ` ${key}`, `${long}x`, `${key}\0${key}`, `ab\0ab`]) {
      expect(await findValidApiKey(wrong), wrong).toBeNull();
    }
  });

  test('bcrypt’s own repetition of a short key is not taken for it', async () => {
    await store(await newUser(), 'short', 'ab');
    expect(await findValidApiKey('ab')).toMatchObject({ name: 'short' });
    expect(await findValidApiKey('ab\0ab')).toBeNull();
  });

  test('is null after its deletion', async () => {
    const userId = await newUser();
    const { key, record } = await store(userId, 'Laptop');
    await deleteApiKeyByIdAndUserId(record.id, userId);
    expect(await findValidApiKey(key)).toBeNull();
  });

  test('is compared with those used last first', async () => {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 120 }, (_, i) => store(userId, `key ${i}`)));
    const last = keys[100];
    await updateApiKeyLastUsed(last?.record.id ?? '');
    const startMs = performance.now();
    expect(await findValidApiKey(last?.key ?? '')).toMatchObject({ name: 'key 100' });
    const firstMs = performance.now() - startMs;
    expect(await findValidApiKey(newKey())).toBeNull();
    expect(firstMs * 3).toBeLessThan(performance.now() - startMs);
  });

  test('is found although it is used by others while the search is under way', async () => {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 120 }, (_, i) => store(userId, `key ${i}`)));
    const ids = keys.map(({ record }) => record.id);
    let isDone = false;
    const othersUseAll = async (): Promise<void> => {
      for (let i = 0; !isDone; i += 1) {
        await updateApiKeyLastUsed(ids[i % ids.length] as string);
        await setImmediate(); // the embedded database answers without a turn of the event loop
      }
    };
    const using = othersUseAll();
    const found = await Promise.all(keys.slice(-5).map(({ key }) => findValidApiKey(key)));
    isDone = true;
    await using;
    expect(found.map((record) => record?.id)).toEqual(ids.slice(-5));
  });

  test('is null when it is deleted while the search is under way', async () => {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 60 }, (_, i) => store(userId, `key ${i}`)));
    const { key, record } = keys[59] as (typeof keys)[number];
    const searching = findValidApiKey(key);
    await setImmediate();
    await deleteApiKeyByIdAndUserId(record.id, userId);
    expect(await searching).toBeNull();
  });

  test('that is no text is refused by name', async () => {
    await recorder.expectRefused(() => findValidApiKey(undefined as never), 'MISSING_ARGUMENT', 'rawKey');
    await recorder.expectRefused(() => findValidApiKey(null as never), 'INVALID_ARGUMENT', 'rawKey');
    await recorder.expectRefused(() => findValidApiKey(7 as never), 'INVALID_ARGUMENT', 'rawKey');
  });
});

test('the last use is noted; a key that is gone is no error', async () => {
  const { record } = await store(await newUser(), 'Laptop');
  expect(await lastUse(record.id)).toBeNull();
  expect(await updateApiKeyLastUsed(record.id)).toBeUndefined();
  const used = await lastUse(record.id);
  expect(used?.getTime()).toBeGreaterThanOrEqual(record.createdAt.getTime());
  expect(await updateApiKeyLastUsed(randomUUID())).toBeUndefined();
});

test('one hash is stored once, whoever stores it', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  const hashedKey = await hashOf(newKey());
  await createApiKeyRecord({ userId, hashedKey, name: 'Laptop' });
  const again = await createApiKeyRecord({ userId: other, hashedKey, name: 'Laptop' }).catch((reason) => reason);
  expect(again).toMatchObject({ code: 'KEY_TAKEN' });
  expect(everythingSaid(again)).not.toContain(hashedKey);
  expect(await getApiKeysByUserId(other)).toEqual([]);
});

test('a name holds 100 characters and a hash 255, and one more is refused before a statement is sent', async () => {
  const userId = await newUser();
  const name = '🔑'.repeat(100);
  const hashedKey = 'h'.repeat(255);
  expect(await createApiKeyRecord({ userId, hashedKey, name })).toMatchObject([{ name, hashedKey }]);
  const args = { userId, hashedKey: 'h', name: 'n' };
  const calls: [string, Partial<typeof args>][] = [
    ['name', { name: `${name}x` }],
    ['name', { name: '' }],
    ['hashedKey', { hashedKey: `${hashedKey}x` }],
    ['hashedKey', { hashedKey: '' }],
  ];
  for (const [argument, wrong] of calls) {
    await recorder.expectRefused(() => createApiKeyRecord({ ...args, ...wrong }), 'INVALID_TEXT', argument);
  }
});

test('an argument that is undefined or no id is refused by name', async () => {
  const none = undefined as never;
  const args = { userId: randomUUID(), hashedKey: 'h', name: 'n' };
  const calls: [string, () => Promise<unknown>][] = [
    ['userId', () => createApiKeyRecord({ ...args, userId: none })],
    ['hashedKey', () => createApiKeyRecord({ ...args, hashedKey: none })],
    ['name', () => createApiKeyRecord({ ...args, name: none })],
    ['userId', () => getApiKeysByUserId(none)],
    ['keyId', () => deleteApiKeyByIdAndUserId(none, randomUUID())],
    ['userId', () => deleteApiKeyByIdAndUserId(randomUUID(), none)],
    ['keyId', () => updateApiKeyLastUsed(none)],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
  await recorder.expectRefused(() => updateApiKeyLastUsed('7'), 'INVALID_ID', 'keyId');
});

test('a key of nobody is refused', async () => {
  const lost = createApiKeyRecord({ userId: randomUUID(), hashedKey: `h ${randomUUID()}`, name: 'n' });
  await expect(lost).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
});

test('a user’s keys come newest first, with limit and offset; a stranger notes no use', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  for (const name of ['a', 'b', 'c']) await createApiKeyRecord({ userId, hashedKey: `${name} ${userId}`, name });
  const names = async (page?: { limit?: number; offset?: number }): Promise<string[]> =>
    (await getApiKeysByUserId(userId, page)).map(({ name }) => name);
  expect(await names()).toEqual(['c', 'b', 'a']);
  expect(await names({ limit: 1, offset: 1 })).toEqual(['b']);
  await expect(getApiKeysByUserId(userId, { limit: -1 })).rejects.toMatchObject({ code: 'INVALID_LIMIT' });
  const [newest] = await getApiKeysByUserId(userId);
  await updateApiKeyLastUsed(newest?.id ?? '', stranger);
  expect((await getApiKeysByUserId(userId))[0]?.lastUsedAt).toBeNull();
  await updateApiKeyLastUsed(newest?.id ?? '', userId);
  expect((await getApiKeysByUserId(userId))[0]?.lastUsedAt).toBeInstanceOf(Date);
});

// findValidApiKey: keys of the original application, which are compared with and upgraded, and new ones.

import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withDeadline } from '../../db/database.ts';
import { compareWithHash } from '../../db/passwords.ts';
import {
  configurePasswords,
  createApiKeyRecord,
  db,
  deleteApiKeyByIdAndUserId,
  findValidApiKey,
  getApiKeysByUserId,
  issueApiKey,
  listLegacyApiKeys,
  revokeApiKey,
  rotateApiKey,
  transaction,
  updateApiKeyLastUsed,
  verifyApiKey,
} from '../../db/queries.ts';
import { apiKey } from '../../db/schema.ts';
import { useSecrets } from '../../db/secrets.ts';
import { auditOf } from './audit-record.ts';
import { newRecorder } from './recorder.ts';
import { hashOf, letPass, newRawKey, rowOf, storeLegacy } from './stored-api-keys.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });
// Old keys are looked for among those of everybody.
beforeEach(async () => void (await db.delete(apiKey)));
afterEach(() => {
  useSecrets();
  configurePasswords();
});

describe('an old key', () => {
  test('is found among others, in each form of bcrypt’s hash, without the hash', async () => {
    const userId = await newUser();
    const keys = await Promise.all(['one', 'two', 'three'].map((name) => storeLegacy(userId, name)));
    const older = newRawKey();
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

  test('is upgraded at its first use: the same record, a digest in the place of the hash, one look-up from then on', async () => {
    const userId = await newUser();
    const { key, record } = await storeLegacy(userId, 'Laptop');
    const { hashedKey: _hash, ...shown } = record;
    expect(await findValidApiKey(key)).toEqual(shown);
    const row = await rowOf(record.id);
    expect(row).toMatchObject({ name: 'Laptop', createdAt: record.createdAt, prefix: key.slice(0, 9), pepperId: null });
    expect(row.hashedKey).toMatch(/^[\w-]{43}$/);
    expect(row.lastUsedAt).toBeInstanceOf(Date);
    expect(await auditOf(userId)).toEqual([
      { action: 'api_key.issued', details: { keyId: record.id } },
      { action: 'api_key.upgraded', details: { keyId: record.id } },
    ]);
    const sent = await recorder.during(async () => expect(await findValidApiKey(key)).toMatchObject({ id: record.id }));
    expect(sent).toHaveLength(1);
    expect((await auditOf(userId)).length).toBe(2);
    expect(await verifyApiKey(key)).toEqual({ ok: false, reason: 'malformed' }); // it has no checksum
  });

  test('is upgraded under the current pepper', async () => {
    useSecrets({ apiKeyPeppers: `p1:${randomBytes(32).toString('base64')}` });
    const { key, record } = await storeLegacy(await newUser(), 'Laptop');
    expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
    expect((await rowOf(record.id)).pepperId).toBe('p1');
    expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
  });

  test('that twenty callers use at once is upgraded once, and found by all', async () => {
    const userId = await newUser();
    const { key, record } = await storeLegacy(userId, 'Laptop');
    const found = await Promise.all(Array.from({ length: 20 }, () => findValidApiKey(key)));
    expect(found.map((one) => one?.id)).toEqual(Array(20).fill(record.id));
    expect((await auditOf(userId)).filter(({ action }) => action === 'api_key.upgraded')).toHaveLength(1);
  });

  test('that two records have is found, and goes on being found', async () => {
    const key = newRawKey();
    const ids = [];
    for (const userId of [await newUser(), await newUser()])
      ids.push((await storeLegacy(userId, 'same', key)).record.id);
    const found = await Promise.all([findValidApiKey(key), findValidApiKey(key)]);
    for (const one of found) expect(ids).toContain(one?.id);
    expect(ids).toContain((await findValidApiKey(key))?.id);
  });

  test('that is too short to be random stays as it is', async () => {
    const { record } = await storeLegacy(await newUser(), 'short', 'open sesame');
    expect(await findValidApiKey('open sesame')).toMatchObject({ id: record.id });
    expect(await rowOf(record.id)).toMatchObject({ hashedKey: record.hashedKey, prefix: null });
    expect((await rowOf(record.id)).lastUsedAt).toBeInstanceOf(Date);
    expect(await findValidApiKey('open sesame')).toMatchObject({ id: record.id });
  });

  test('and is wrong, empty, cut or too long for bcrypt, is null', async () => {
    const userId = await newUser();
    const long = 'k'.repeat(72);
    await storeLegacy(userId, 'long', long);
    await createApiKeyRecord({ userId, hashedKey: `no hash ${randomUUID()}`, name: 'broken' });
    const { key } = await storeLegacy(userId, 'right');
    expect(await findValidApiKey(long)).not.toBeNull();
    // bcrypt by itself takes the last two: it reads 72 bytes, and repeats a key after a U+0000.
    const wrong = [
      newRawKey(),
      '',
      key.slice(0, -1),
      ` ${key}`,
      `${long}\uD83C`,
      `${long}x`,
      `${key}\0${key}`,
      'ab\0ab',
    ];
    for (const one of wrong) expect(await findValidApiKey(one), one).toBeNull();
  });

  test('that bcrypt would repeat is not taken for the short one', async () => {
    await storeLegacy(await newUser(), 'short', 'ab');
    expect(await findValidApiKey('ab')).toMatchObject({ name: 'short' });
    expect(await findValidApiKey('ab\0ab')).toBeNull();
  });

  test('is null when it is deleted, revoked or rotated without grace, before its upgrade and behind it', async () => {
    const userId = await newUser();
    const ends = [
      (id: string) => deleteApiKeyByIdAndUserId(id, userId),
      (id: string) => revokeApiKey({ id, userId }),
      (id: string) => rotateApiKey({ id, userId, graceSeconds: 0 }),
    ];
    for (const end of ends) {
      for (const isUpgraded of [false, true]) {
        const { key, record } = await storeLegacy(userId, 'Laptop');
        if (isUpgraded) expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
        await end(record.id);
        expect(await findValidApiKey(key)).toBeNull();
      }
    }
  });

  test('is null when it is deleted while it is looked for', async () => {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 50 }, (_, i) => storeLegacy(userId, `key ${i}`)));
    const { key, record } = keys[49] as (typeof keys)[number];
    const searching = findValidApiKey(key);
    await setImmediate();
    await deleteApiKeyByIdAndUserId(record.id, userId);
    expect(await searching).toBeNull();
  });
});

describe('of many old keys', () => {
  /** The 60 of one user, those with the lower number used later; the last five never. */
  async function storeSixty(): Promise<{ userId: string; keys: Awaited<ReturnType<typeof storeLegacy>>[] }> {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 60 }, (_, i) => storeLegacy(userId, `key ${i}`)));
    for (const [i, { record }] of keys.slice(0, 55).entries()) {
      await db.execute(sql`update "ApiKey" set "lastUsedAt" = now() - make_interval(hours => ${i + 1}::int)
        where id = ${record.id}`);
    }
    return { userId, keys };
  }

  test('the 50 that were used last are compared with, and those behind them are listed', async () => {
    const { keys } = await storeSixty();
    const first = keys.map(({ record }) => record.id);
    const { items, total, beyondReach } = await listLegacyApiKeys({});
    expect({ total, beyondReach }).toEqual({ total: 60, beyondReach: 10 });
    expect(items.slice(0, 55).map(({ id }) => id)).toEqual(first.slice(0, 55));
    expect(items.map(({ isWithinReach }) => isWithinReach)).toEqual([
      ...Array(50).fill(true),
      ...Array(10).fill(false),
    ]);
    expect(JSON.stringify(items)).not.toContain('$2');
    expect(await listLegacyApiKeys({ limit: 10, offset: 50 })).toMatchObject({ total: 60, items: items.slice(50) });

    expect(await findValidApiKey(keys[49]?.key ?? '')).toMatchObject({ name: 'key 49' });
    // Which was upgraded, so that the next one is within reach.
    expect(await findValidApiKey(keys[51]?.key ?? '')).toBeNull();
    expect(await findValidApiKey(keys[50]?.key ?? '')).toMatchObject({ name: 'key 50' });
    expect(await listLegacyApiKeys({ limit: 1, offset: 60 })).toEqual({ items: [], total: 58, beyondReach: 8 });
  });

  test('one that is beyond reach gets a new key by rotation', async () => {
    const { userId, keys } = await storeSixty();
    const { key, record } = await rotateApiKey({ id: keys[59]?.record.id ?? '', userId, graceSeconds: 0 });
    expect(record).toMatchObject({ name: 'key 59', prefix: expect.stringMatching(/^mytx_live_/) });
    expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
    expect((await listLegacyApiKeys({ offset: 59 })).items).toMatchObject([{ name: 'key 59', isWithinReach: false }]);
  });

  test('what is no bcrypt hash takes no place among the 50', async () => {
    const { userId, keys } = await storeSixty();
    for (const { record } of keys.slice(1)) await deleteApiKeyByIdAndUserId(record.id, userId);
    for (let i = 0; i < 60; i += 1) await createApiKeyRecord({ userId, hashedKey: `no hash ${i}`, name: `${i}` });
    await db.execute(sql`update "ApiKey" set "lastUsedAt" = now() where "hashedKey" like 'no hash%'`);
    const { items, beyondReach } = await listLegacyApiKeys({ limit: 2 });
    expect(items.map(({ name, isWithinReach }) => [name, isWithinReach])).toEqual([
      ['key 0', true],
      [expect.any(String), false],
    ]);
    expect(beyondReach).toBe(60);
    expect(await findValidApiKey(keys[0]?.key ?? '')).toMatchObject({ name: 'key 0' });
  });

  test('is found although others are used while the search is under way', async () => {
    const userId = await newUser();
    const keys = await Promise.all(Array.from({ length: 50 }, (_, i) => storeLegacy(userId, `key ${i}`)));
    const ids = keys.map(({ record }) => record.id);
    let isDone = false;
    const othersUseAll = async (): Promise<void> => {
      for (let i = 0; !isDone; i += 1) {
        await letPass(ids[i % ids.length] as string, 60);
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
});

test('a key that was not found is not compared again, but with what is new', async () => {
  configurePasswords({ cost: 4, maxConcurrent: 1, maxWaiting: 0 });
  const userId = await newUser();
  for (let i = 0; i < 20; i += 1) await storeLegacy(userId, `key ${i}`);
  const key = newRawKey();
  expect(await findValidApiKey(key)).toBeNull();
  // While somebody else has the only place there is, every comparison is refused.
  await whileOccupied(async () => {
    expect(await findValidApiKey(key)).toBeNull();
    await expect(findValidApiKey(newRawKey())).rejects.toMatchObject({ code: 'HASHING_BUSY' });
    await storeLegacy(userId, 'new', key);
    await expect(findValidApiKey(key)).rejects.toMatchObject({ code: 'HASHING_BUSY' });
  });
  expect(await findValidApiKey(key)).toMatchObject({ name: 'new' });
});

/** Runs `work` while a comparison that takes seconds is under way. */
async function whileOccupied(work: (isOver: () => boolean) => Promise<void>): Promise<void> {
  let isOver = false;
  const running = compareWithHash('x', slowHash).then(() => {
    isOver = true;
  });
  try {
    await work(() => isOver);
  } finally {
    await running;
  }
}

/** Of cost 14, and of no text that is known. */
const slowHash = `$2b$14$${'.'.repeat(22)}${'a'.repeat(31)}`;

test('a new key is found too, with its limit counted', async () => {
  const userId = await newUser();
  const { key, record } = await issueApiKey({ userId, name: 'Laptop', rateLimit: { limit: 2, windowSeconds: 60 } });
  const { id, name, createdAt, lastUsedAt } = record;
  const sent = await recorder.during(async () =>
    expect(await findValidApiKey(key)).toEqual({ id, userId, name, createdAt, lastUsedAt }),
  );
  expect(sent).toHaveLength(1);
  expect(await findValidApiKey(key)).not.toBeNull();
  expect(await findValidApiKey(key)).toBeNull();
});

test('a mistyped new key is refused without a statement, and a made-up one without a comparison', async () => {
  const userId = await newUser();
  await storeLegacy(userId, 'old');
  const { key, record } = await issueApiKey({ userId, name: 'Laptop' });
  const mistyped = key.slice(0, -1) + (key.endsWith('x') ? 'y' : 'x');
  expect(await recorder.during(async () => expect(await findValidApiKey(mistyped)).toBeNull())).toEqual([]);
  await deleteApiKeyByIdAndUserId(record.id, userId);
  expect(await recorder.during(async () => expect(await findValidApiKey(key)).toBeNull())).toHaveLength(1);
});

test('a search inside a transaction is part of it', async () => {
  const userId = await newUser();
  const { key, record } = await storeLegacy(userId, 'Laptop');
  await transaction(async () => {
    expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
    throw new Error('undone');
  }).catch(() => {});
  expect((await getApiKeysByUserId(userId))[0]?.hashedKey).toBe(record.hashedKey);
  expect(await findValidApiKey(key)).toMatchObject({ id: record.id });
});

test('who waits for a comparison waits no longer than the deadline', async () => {
  configurePasswords({ cost: 4, maxConcurrent: 1 });
  const { key } = await storeLegacy(await newUser(), 'Laptop');
  await whileOccupied(async (isOver) => {
    const search = withDeadline({ timeoutMs: 100 }, () => findValidApiKey(key));
    await expect(search).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(isOver()).toBe(false);
  });
  expect(await findValidApiKey(key)).toMatchObject({ name: 'Laptop' });
});

test('a key that is no text is refused by name', async () => {
  await recorder.expectRefused(() => findValidApiKey(undefined as never), 'MISSING_ARGUMENT', 'rawKey');
  await recorder.expectRefused(() => findValidApiKey(null as never), 'INVALID_ARGUMENT', 'rawKey');
  await recorder.expectRefused(() => findValidApiKey(7 as never), 'INVALID_ARGUMENT', 'rawKey');
});

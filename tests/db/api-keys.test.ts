// Keys that are issued, checked, rotated, revoked and listed, and the records of the original application.

import { randomBytes, randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createApiKeyRecord,
  db,
  deleteApiKeyByIdAndUserId,
  findValidApiKey,
  getApiKeysByUserId,
  issueApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  transaction,
  updateApiKeyLastUsed,
  verifyApiKey,
} from '../../db/queries.ts';
import { apiKey } from '../../db/schema.ts';
import { useSecrets } from '../../db/secrets.ts';
import { auditOf } from './audit-record.ts';
import { everythingSaid } from './everything-said.ts';
import { readPages } from './pages.ts';
import { newRecorder } from './recorder.ts';
import { hashOf, letPass, newRawKey, rowOf, storeLegacy } from './stored-api-keys.ts';
import { isEmbedded, newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const lastUse = async (id: string): Promise<Date | null> => (await rowOf(id)).lastUsedAt;

describe('a key that is issued', () => {
  test('comes with its record, opens, and is nowhere in the database', async () => {
    const userId = await newUser();
    const { key, record } = await issueApiKey({ userId, name: 'Laptop' });
    expect(key).toMatch(/^mytx_live_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/);
    expect(record).toEqual({
      ...{ id: expect.any(String), userId, name: 'Laptop', prefix: key.slice(0, 14), scopes: [], rateLimit: null },
      ...{ createdAt: expect.any(Date), lastUsedAt: null, expiresAt: null, revokedAt: null },
    });
    expect(await verifyApiKey(key)).toEqual({ ok: true, record });
    const rows = await db.execute<{ row: string }>(sql`select key::text as row from "ApiKey" key`);
    expect(JSON.stringify(rows)).not.toContain(key.slice(20));
    expect(await auditOf(userId)).toEqual([{ action: 'api_key.issued', details: { keyId: record.id } }]);
    const [shown] = await getApiKeysByUserId(userId);
    expect(Object.keys(shown ?? {})).toEqual(['id', 'userId', 'hashedKey', 'name', 'createdAt', 'lastUsedAt']);
  });

  test('has scopes, expiry, limit and environment as they were given', async () => {
    const expiresAt = new Date('2090-01-01T00:00:00.123Z');
    const given = { scopes: ['chats:read', 'a{b},c=d;*'], expiresAt, rateLimit: { limit: 5, windowSeconds: 60 } };
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n', env: 'test', ...given });
    expect(record).toMatchObject(given);
    expect(key.startsWith('mytx_test_')).toBe(true);
    expect(await verifyApiKey(key, { scopes: given.scopes })).toEqual({ ok: true, record });
  });

  test('of nobody is refused', async () => {
    await expect(issueApiKey({ userId: randomUUID(), name: 'n' })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  });

  test('with a wrong argument is refused by name, before a statement is sent', async () => {
    const args = { userId: randomUUID(), name: 'n' };
    const calls: [code: string, argument: string, wrong: Record<string, unknown>][] = [
      ['MISSING_ARGUMENT', 'userId', { userId: undefined }],
      ['MISSING_ARGUMENT', 'name', { name: undefined }],
      ['INVALID_TEXT', 'name', { name: 'x'.repeat(101) }],
      ...['chats', ['a b'], ['"'], ['\\'], ['é'], [''], ['x'.repeat(101)], [7], Array(51).fill('s')].map(
        (scopes): (typeof calls)[number] => ['INVALID_ARGUMENT', 'scopes', { scopes }],
      ),
      ['INVALID_DATE', 'expiresAt', { expiresAt: 'soon' }],
      ['INVALID_ARGUMENT', 'rateLimit', { rateLimit: 5 }],
      ['MISSING_ARGUMENT', 'rateLimit.windowSeconds', { rateLimit: { limit: 5 } }],
      ['INVALID_LIMIT', 'rateLimit.limit', { rateLimit: { limit: 0, windowSeconds: 60 } }],
      ['INVALID_LIMIT', 'rateLimit.windowSeconds', { rateLimit: { limit: 1, windowSeconds: 0.5 } }],
      ...['', 'Live', 'a_b', 'x'.repeat(17), 7, null].map((env): (typeof calls)[number] => [
        'INVALID_ARGUMENT',
        'env',
        { env },
      ]),
    ];
    for (const [code, argument, wrong] of calls) {
      await recorder.expectRefused(() => issueApiKey({ ...args, ...wrong } as typeof args), code, argument);
    }
  });
});

describe('a check', () => {
  test('of what is no key says so without a statement', async () => {
    const { key } = await issueApiKey({ userId: await newUser(), name: 'n' });
    const wrong = [
      '',
      'mytx_',
      `${key} `,
      key.slice(0, -1),
      key.toUpperCase(),
      key.replace('_live_', '_test_'),
      newRawKey(),
    ];
    const sent = await recorder.during(async () => {
      for (const one of wrong) expect(await verifyApiKey(one), one).toEqual({ ok: false, reason: 'malformed' });
    });
    expect(sent).toEqual([]);
    for (const [rawKey, code] of [
      [undefined, 'MISSING_ARGUMENT'],
      [null, 'INVALID_ARGUMENT'],
      [7, 'INVALID_ARGUMENT'],
    ]) {
      await recorder.expectRefused(() => verifyApiKey(rawKey as never), code as string, 'rawKey');
    }
    await recorder.expectRefused(() => verifyApiKey(key, { scopes: 'x' as never }), 'INVALID_ARGUMENT', 'scopes');
  });

  test('is one statement, and refuses what is deleted, revoked or expired', async () => {
    const userId = await newUser();
    const ends: [reason: string, end: (id: string) => Promise<unknown>][] = [
      ['unknown', (id) => deleteApiKeyByIdAndUserId(id, userId)],
      ['revoked', (id) => revokeApiKey({ id, userId })],
      ['expired', (id) => letPass(id, 3600)],
    ];
    for (const [reason, end] of ends) {
      const expiresAt = new Date(Date.now() + 1_800_000);
      const { key, record } = await issueApiKey({ userId, name: 'n', expiresAt });
      const sent = await recorder.during(async () => expect((await verifyApiKey(key)).ok).toBe(true));
      expect(sent).toHaveLength(1);
      await end(record.id);
      const keyId = reason === 'unknown' ? {} : { keyId: record.id };
      expect(await verifyApiKey(key)).toEqual({ ok: false, reason, ...keyId });
    }
  });

  test('asks for every scope, and says which are missing', async () => {
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n', scopes: ['a', 'b'] });
    for (const scopes of [[], ['a'], ['b', 'a', 'a']])
      expect(await verifyApiKey(key, { scopes })).toMatchObject({ ok: true });
    expect(await verifyApiKey(key, { scopes: ['c', 'a', 'd'] })).toEqual({
      ...{ ok: false, reason: 'missing_scope', keyId: record.id, missingScopes: ['c', 'd'] },
    });
    const { key: without } = await issueApiKey({ userId: await newUser(), name: 'n' });
    expect(await verifyApiKey(without, { scopes: ['a'] })).toMatchObject({ reason: 'missing_scope' });
  });

  test('notes the use once a minute, and says the one before', async () => {
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n' });
    const useOf = async (): Promise<Date | null> => {
      const verdict = await verifyApiKey(key);
      return verdict.ok ? verdict.record.lastUsedAt : expect.unreachable();
    };
    expect(await useOf()).toBeNull();
    const first = await lastUse(record.id);
    expect(await useOf()).toEqual(first);
    expect(await lastUse(record.id)).toEqual(first);
    await letPass(record.id, 59);
    await useOf();
    expect((await lastUse(record.id))?.getTime()).toBe((first?.getTime() ?? 0) - 59_000);
    await letPass(record.id, 1);
    await useOf();
    expect((await lastUse(record.id))?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? 0);
  });

  test('that is refused notes no use', async () => {
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n' });
    await verifyApiKey(key, { scopes: ['a'] });
    expect(await lastUse(record.id)).toBeNull();
  });

  test('counts the limit of a window, and says when the next one begins', async () => {
    const rateLimit = { limit: 3, windowSeconds: 100 };
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n', rateLimit });
    const outcomes = async (calls: number): Promise<string[]> => {
      const all: string[] = [];
      for (let i = 0; i < calls; i += 1) {
        const verdict = await verifyApiKey(key);
        all.push(verdict.ok ? 'ok' : verdict.reason);
      }
      return all;
    };
    expect(await outcomes(5)).toEqual(['ok', 'ok', 'ok', 'rate_limited', 'rate_limited']);
    await letPass(record.id, 80);
    const refused = await verifyApiKey(key);
    expect(refused).toMatchObject({ reason: 'rate_limited', keyId: record.id });
    const { retryAfterSeconds } = refused as Extract<typeof refused, { reason: 'rate_limited' }>;
    expect(retryAfterSeconds).toBeGreaterThan(10);
    expect(retryAfterSeconds).toBeLessThanOrEqual(20);
    await letPass(record.id, retryAfterSeconds);
    expect(await outcomes(4)).toEqual(['ok', 'ok', 'ok', 'rate_limited']);
    expect(await rowOf(record.id)).toMatchObject({ windowCount: 3 });
  });

  test('that fails for another reason does not count', async () => {
    const rateLimit = { limit: 1, windowSeconds: 100 };
    const { key } = await issueApiKey({ userId: await newUser(), name: 'n', rateLimit });
    for (let i = 0; i < 3; i += 1) expect(await verifyApiKey(key, { scopes: ['a'] })).toMatchObject({ ok: false });
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
  });

  test('lets exactly as many through as the limit says, of 64 at once', async () => {
    for (const limit of [1, 10]) {
      const rateLimit = { limit, windowSeconds: 600 };
      const { key } = await issueApiKey({ userId: await newUser(), name: 'n', rateLimit });
      const verdicts = await Promise.all(Array.from({ length: 64 }, () => verifyApiKey(key)));
      expect(verdicts.filter(({ ok }) => ok)).toHaveLength(limit);
      expect(verdicts.filter((one) => !one.ok && one.reason === 'rate_limited')).toHaveLength(64 - limit);
    }
  });

  test('that waits for a revocation sees it, and does not undo it', async ({ skip }) => {
    if (isEmbedded) return skip('the embedded database has one session: nothing waits inside of it');
    const userId = await newUser();
    const rateLimit = { limit: 10, windowSeconds: 600 };
    const { key, record } = await issueApiKey({ userId, name: 'n', rateLimit });
    const [isRevoked, say] = newGate();
    const revoking = transaction(async () => {
      await revokeApiKey({ id: record.id, userId });
      say();
      await somebodyWaits();
    });
    await isRevoked;
    const waiting = verifyApiKey(key);
    await revoking;
    expect(await waiting).toEqual({ ok: false, reason: 'revoked', keyId: record.id });
    expect(await rowOf(record.id)).toMatchObject({ windowCount: 0, lastUsedAt: null, revokedAt: expect.any(Date) });
  });

  test('does not wait to note the use of a key without a limit', async ({ skip }) => {
    if (isEmbedded) return skip('the embedded database has one session: nothing waits inside of it');
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n' });
    const [isLocked, say] = newGate();
    const [isOver, end] = newGate();
    const holding = transaction(async () => {
      await db.update(apiKey).set({ name: 'changed' }).where(eq(apiKey.id, record.id));
      say();
      await isOver;
    });
    await isLocked;
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    end();
    await holding;
    expect(await lastUse(record.id)).toBeNull();
  });

  test('writes no index: what it writes is in none', async () => {
    const rows = await db.execute<{ definition: string }>(sql`select indexdef as definition from pg_indexes
      where tablename = 'ApiKey'`);
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const { definition } of rows) expect(definition).not.toMatch(/lastUsedAt|windowStartedAt|windowCount/);
  });

  test('inside a transaction goes by the time of the call, not of the transaction', async () => {
    const { key, record } = await issueApiKey({ userId: await newUser(), name: 'n' });
    await transaction(async () => {
      expect(await verifyApiKey(key)).toMatchObject({ ok: true });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await db.update(apiKey).set({ expiresAt: sql`now() + interval '1 millisecond'` }).where(eq(apiKey.id, record.id));
      expect(await verifyApiKey(key)).toMatchObject({ reason: 'expired' });
    });
  });
});

/** A promise, and what resolves it. */
function newGate(): [isOpen: Promise<void>, open: () => void] {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [isOpen, open];
}

/** Until a statement of another session waits for a lock. */
async function somebodyWaits(): Promise<void> {
  for (let i = 0; i < 500; i += 1) {
    const [row] = await db.execute<{ waiting: number }>(sql`select count(*)::int as waiting from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`);
    if ((row?.waiting ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nobody waits');
}

describe('a pepper', () => {
  const pepper = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
  const use = (...all: string[]): void => {
    useSecrets({ apiKeyPeppers: all.join() });
    onTestFinished(() => useSecrets());
  };

  test('is changed without a key that stops opening, and each moves to the new one when it is used', async () => {
    const userId = await newUser();
    const [one, two] = [pepper('one'), pepper('two')];
    const { key: first, record: firstRecord } = await issueApiKey({ userId, name: 'before there was one' });
    use(one);
    const { key: second, record: secondRecord } = await issueApiKey({ userId, name: 'under the first' });
    expect((await rowOf(secondRecord.id)).pepperId).toBe('one');
    use(two, one);
    const { key: third } = await issueApiKey({ userId, name: 'under the second' });
    for (const key of [first, second, third]) expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    for (const { id } of [firstRecord, secondRecord]) expect((await rowOf(id)).pepperId).toBe('two');
    use(two); // the first one is given up
    for (const key of [first, second, third]) {
      const sent = await recorder.during(async () => expect(await verifyApiKey(key)).toMatchObject({ ok: true }));
      expect(sent).toHaveLength(1);
    }
  });

  test('that is lost makes its keys unknown; a database without it opens nothing', async () => {
    const userId = await newUser();
    use(pepper('lost'));
    const { key, record } = await issueApiKey({ userId, name: 'n' });
    const digest = (await rowOf(record.id)).hashedKey;
    use(pepper('other'));
    expect(await verifyApiKey(key)).toEqual({ ok: false, reason: 'unknown' });
    expect(await findValidApiKey(digest)).toBeNull();
  });

  test('of another digest that somebody stores as a hash is not taken for a key', async () => {
    const userId = await newUser();
    const { key, record } = await issueApiKey({ userId, name: 'n' });
    const { hashedKey } = await rowOf(record.id);
    await deleteApiKeyByIdAndUserId(record.id, userId);
    await createApiKeyRecord({ userId, hashedKey, name: 'a digest that came from elsewhere' });
    expect(await verifyApiKey(key)).toEqual({ ok: false, reason: 'unknown' });
  });
});

describe('a rotation', () => {
  test('copies everything, and lets the old key live for the grace', async () => {
    const userId = await newUser();
    const given = { name: 'Laptop', scopes: ['a', 'b'], rateLimit: { limit: 7, windowSeconds: 60 }, env: 'test' };
    const expiresAt = new Date('2090-01-01T00:00:00Z');
    const old = await issueApiKey({ userId, ...given, expiresAt });
    const next = await rotateApiKey({ id: old.record.id, userId, graceSeconds: 3600 });
    expect(next.key).toMatch(/^mytx_test_/);
    expect(next.key).not.toBe(old.key);
    expect(next.record).toEqual({
      ...old.record,
      ...{ id: next.record.id, prefix: next.key.slice(0, 14), createdAt: expect.any(Date) },
    });
    for (const { key } of [old, next]) expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    await letPass(old.record.id, 3600);
    expect(await verifyApiKey(old.key)).toMatchObject({ reason: 'expired' });
    expect(await verifyApiKey(next.key)).toMatchObject({ ok: true });
    expect((await auditOf(userId)).at(-1)).toEqual({
      ...{ action: 'api_key.rotated', details: { keyId: old.record.id, newKeyId: next.record.id } },
    });
  });

  test('without grace ends the old key at once; by default it lives a day', async () => {
    const userId = await newUser();
    const { key, record } = await issueApiKey({ userId, name: 'n' });
    const next = await rotateApiKey({ id: record.id, userId });
    const left = ((await rowOf(record.id)).expiresAt?.getTime() ?? 0) - Date.now();
    expect(Math.abs(left - 86_400_000)).toBeLessThan(60_000);
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    await rotateApiKey({ id: next.record.id, userId, graceSeconds: 0 });
    expect(await verifyApiKey(next.key)).toMatchObject({ reason: 'expired' });
  });

  test('does not let a key live longer than it would have', async () => {
    const userId = await newUser();
    const expiresAt = new Date(Date.now() + 60_000);
    const { record } = await issueApiKey({ userId, name: 'n', expiresAt });
    await rotateApiKey({ id: record.id, userId, graceSeconds: 3600 });
    expect((await rowOf(record.id)).expiresAt).toEqual(expiresAt);
  });

  test('of a key that is revoked, expired, another’s or not there is refused', async () => {
    const [userId, stranger] = [await newUser(), await newUser()];
    const { record } = await issueApiKey({ userId, name: 'n', expiresAt: new Date(Date.now() + 60_000) });
    const refused = async (id: string, owner = userId): Promise<void> => {
      await expect(rotateApiKey({ id, userId: owner })).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    };
    await refused(randomUUID());
    await refused(record.id, stranger);
    await letPass(record.id, 60);
    await refused(record.id);
    const { record: second } = await issueApiKey({ userId, name: 'n' });
    await revokeApiKey({ id: second.id, userId });
    await refused(second.id);
    expect(await getApiKeysByUserId(userId)).toHaveLength(2);
    expect(await getApiKeysByUserId(stranger)).toEqual([]);
    const args = { id: record.id, userId };
    await recorder.expectRefused(() => rotateApiKey({ ...args, graceSeconds: -1 }), 'INVALID_LIMIT', 'graceSeconds');
    await recorder.expectRefused(() => rotateApiKey({ ...args, id: 'x' }), 'INVALID_ID', 'id');
  });
});

describe('a revocation', () => {
  test('ends the key, keeps its record, and may be repeated', async () => {
    const [userId, stranger] = [await newUser(), await newUser()];
    const { key, record } = await issueApiKey({ userId, name: 'n' });
    expect(await revokeApiKey({ id: record.id, userId: stranger })).toEqual([]);
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    const first = await revokeApiKey({ id: record.id, userId });
    expect(first).toEqual([{ ...record, lastUsedAt: expect.any(Date), revokedAt: expect.any(Date) }]);
    expect(await revokeApiKey({ id: record.id, userId })).toEqual(first);
    expect(await verifyApiKey(key)).toEqual({ ok: false, reason: 'revoked', keyId: record.id });
    expect((await auditOf(userId)).map(({ action }) => action)).toEqual(['api_key.issued', 'api_key.revoked']);
    expect(await auditOf(stranger)).toEqual([]);
  });

  test('that is rolled back leaves the key, and no record of it', async () => {
    const userId = await newUser();
    const { key, record } = await issueApiKey({ userId, name: 'n' });
    await transaction(async () => {
      await revokeApiKey({ id: record.id, userId });
      throw new Error('undone');
    }).catch(() => {});
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    expect((await auditOf(userId)).map(({ action }) => action)).toEqual(['api_key.issued']);
  });
});

test('a user’s keys come in pages, without digests', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  for (const name of ['a', 'b', 'c']) await issueApiKey({ userId, name });
  await storeLegacy(userId, 'old');
  await issueApiKey({ userId: stranger, name: 'theirs' });
  const all = await readPages((cursor) => listApiKeys({ userId, limit: 2, cursor }));
  expect(all.map(({ name }) => name)).toEqual(['old', 'c', 'b', 'a']);
  expect(Object.keys(all[0] ?? {})).not.toContain('hashedKey');
  expect(all[0]).toMatchObject({ prefix: null, scopes: [], rateLimit: null });
});

test('no error of a key says the key, its name or its scopes', async () => {
  const { key, record } = await issueApiKey({ userId: await newUser(), name: 'canary name', scopes: ['canary:scope'] });
  const attempts = await Promise.allSettled([
    verifyApiKey(key, { scopes: ['canary scope'] }),
    verifyApiKey([key] as never),
    issueApiKey({ userId: randomUUID(), name: 'canary name', scopes: ['canary:scope'] }),
    issueApiKey({ userId: record.userId, name: `canary${'x'.repeat(100)}`, env: 'canary_env' }),
    rotateApiKey({ id: key, userId: record.userId }),
  ]);
  expect(attempts.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
  for (const attempt of attempts) {
    const said = everythingSaid((attempt as PromiseRejectedResult).reason);
    expect(said).not.toContain('canary');
    expect(said).not.toContain(key.slice(15));
  }
});

test('a key’s record comes back as it was stored', async () => {
  const userId = await newUser();
  const hashedKey = await hashOf(newRawKey());
  const created = await createApiKeyRecord({ userId, hashedKey, name: 'Laptop' });
  expect(created).toEqual([
    { id: expect.any(String), userId, hashedKey, name: 'Laptop', createdAt: expect.any(Date), lastUsedAt: null },
  ]);
  expect(await getApiKeysByUserId(userId)).toEqual(created);
});

test('a user’s keys come newest first, and those of others not at all', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  for (const name of ['first', 'second', 'third']) await storeLegacy(userId, name);
  expect((await getApiKeysByUserId(userId)).map(({ name }) => name)).toEqual(['third', 'second', 'first']);
  expect(await getApiKeysByUserId(stranger)).toEqual([]);
});

test('a deletion counts the key that was there, and only the owner’s', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const { record } = await storeLegacy(userId, 'Laptop');
  expect(await deleteApiKeyByIdAndUserId(record.id, stranger)).toBe(0);
  expect(await getApiKeysByUserId(userId)).toHaveLength(1);
  expect(await deleteApiKeyByIdAndUserId(record.id, userId)).toBe(1);
  expect(await deleteApiKeyByIdAndUserId(record.id, userId)).toBe(0);
  expect(await deleteApiKeyByIdAndUserId(randomUUID(), userId)).toBe(0);
});

test('the last use is noted; a key that is gone is no error', async () => {
  const { record } = await storeLegacy(await newUser(), 'Laptop');
  expect(await lastUse(record.id)).toBeNull();
  expect(await updateApiKeyLastUsed(record.id)).toBeUndefined();
  const used = await lastUse(record.id);
  expect(used?.getTime()).toBeGreaterThanOrEqual(record.createdAt.getTime());
  expect(await updateApiKeyLastUsed(randomUUID())).toBeUndefined();
});

test('one hash is stored once, whoever stores it', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  const hashedKey = await hashOf(newRawKey());
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

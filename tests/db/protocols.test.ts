import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import {
  deleteProtocolById,
  getProtocolById,
  getProtocolsByUserId,
  listProtocols,
  listProtocolVersions,
  restoreProtocolVersion,
  saveProtocol,
  updateProtocol,
} from '../../db/protocol-queries.ts';
import { type Protocol, protocols, protocolVersions } from '../../db/protocols-schema.ts';
import { db, transaction } from '../../db/queries.ts';
import { everythingSaid } from './everything-said.ts';
import { readPages } from './pages.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const longAgo = new Date('2020-01-01T00:00:00Z');
const parts = [{ content: 'Breathe in.' }, { content: 'Breathe out.' }];

async function newProtocol(userId: string, name = 'Evening'): Promise<Protocol> {
  const [saved] = await saveProtocol({ userId, name, parts });
  return saved as Protocol;
}

/** The versions of a protocol, newest first, as [number, name]. */
async function versionsOf({ id, userId }: Protocol): Promise<[number, string][]> {
  const { items } = await listProtocolVersions({ id, userId, limit: 1000 });
  return items.map(({ version, name }) => [version, name]);
}

test('a protocol comes back as it was saved, as its version 1', async () => {
  const userId = await newUser();
  const saved = await saveProtocol({ userId, name: 'ערב 🌙', description: 'Before sleep', parts });
  const [{ createdAt, updatedAt, id } = {} as Protocol] = saved;
  expect(saved).toEqual([
    { id, userId, name: 'ערב 🌙', description: 'Before sleep', parts, version: 1, createdAt, updatedAt },
  ]);
  expect(createdAt).toBeInstanceOf(Date);
  expect(updatedAt).toEqual(createdAt);
  expect(await getProtocolById({ id, userId })).toEqual(saved[0]);
  expect(await getProtocolsByUserId({ userId })).toEqual(saved);
  expect((await listProtocols({ userId })).items).toEqual(saved);
  expect((await listProtocolVersions({ id, userId })).items).toEqual([
    { userId, protocolId: id, version: 1, name: 'ערב 🌙', description: 'Before sleep', parts, createdAt },
  ]);
});

test('no description, null and an empty one are null', async () => {
  const userId = await newUser();
  for (const given of [{}, { description: null }, { description: '' }]) {
    expect(await saveProtocol({ userId, name: 'x', parts, ...given })).toMatchObject([{ description: null }]);
  }
});

test('fields of a part beside its content are kept, whatever they are', async () => {
  const userId = await newUser();
  const rich = [
    { content: '', seconds: 30, nested: { list: [1, null, 'two'], deep: { er: true } } },
    { content: '"5"', text: '5', nothing: null, number: 1e21, tiny: 5e-324 },
    { seconds: 0, content: 'order of keys', a: 1 },
  ];
  const [saved] = await saveProtocol({ userId, name: 'x', parts: rich });
  expect(saved?.parts).toEqual(rich);
  expect((await getProtocolById({ id: saved?.id ?? '', userId }))?.parts).toEqual(rich);
});

test('what text and jsonb cannot hold becomes U+FFFD, and nothing else', async () => {
  const userId = await newUser();
  const [saved] = await saveProtocol({
    userId,
    name: 'a\0b',
    description: '\uD83C',
    parts: [{ content: 'c\0d🍵\uDF75', 'key\0': ['\0', '\\u0000'] } as { content: string }],
  });
  expect(saved).toMatchObject({
    name: 'a\uFFFDb',
    description: '\uFFFD',
    parts: [{ content: 'c\uFFFDd🍵\uFFFD', 'key\uFFFD': ['\uFFFD', '\\u0000'] }],
  });
});

test('the same call with an id again returns the row there is, also ten at once, and another’s id is taken', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  const args = { id: randomUUID(), userId, name: 'once', description: 'd', parts };
  const rows = await Promise.all(Array.from({ length: 10 }, () => saveProtocol(args)));
  expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(1);
  const others = [
    { ...args, name: 'twice' },
    { ...args, description: 'other' },
    { ...args, parts: [{ content: 'other' }] },
    { ...args, userId: other },
  ];
  for (const taken of others) await expect(saveProtocol(taken)).rejects.toMatchObject({ code: 'ID_TAKEN' });
  expect(await getProtocolsByUserId({ userId })).toEqual(rows[0]);
  expect(await versionsOf(rows[0]?.[0] as Protocol)).toEqual([[1, 'once']]);
});

test('protocols come newest first, those of one moment by id, with limit and offset', async () => {
  const userId = await newUser();
  for (let i = 0; i < 5; i += 1) await newProtocol(userId, `${i}`);
  await db.update(protocols).set({ createdAt: longAgo }).where(eq(protocols.userId, userId));
  await newProtocol(userId, 'newest');
  const all = await getProtocolsByUserId({ userId });
  expect(all.map(({ name }) => name)).toEqual(['newest', '4', '3', '2', '1', '0']);
  expect(await getProtocolsByUserId({ userId, limit: 2, offset: 1 })).toEqual(all.slice(1, 3));
  expect(await getProtocolsByUserId({ userId, offset: 6 })).toEqual([]);
});

test('pages have no gap and no repeat while others write and delete', async () => {
  const userId = await newUser();
  for (let i = 0; i < 25; i += 1) await newProtocol(userId, `${i}`);
  await db.update(protocols).set({ createdAt: longAgo }).where(eq(protocols.userId, userId));
  const before = await getProtocolsByUserId({ userId });
  const seen = await readPages(
    (cursor) => listProtocols({ userId, limit: 10, cursor }),
    async ({ items }) => {
      await newProtocol(userId, 'while reading');
      await deleteProtocolById({ id: items.at(-1)?.id ?? '', userId });
    },
  );
  expect(seen).toEqual(before);
});

test('a stranger sees, changes, restores and deletes nothing', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const protocol = await newProtocol(userId);
  const theirs = { id: protocol.id, userId: stranger };
  expect(await getProtocolById(theirs)).toBeUndefined();
  expect(await getProtocolsByUserId({ userId: stranger })).toEqual([]);
  expect(await listProtocols({ userId: stranger })).toEqual({ items: [], nextCursor: null });
  expect(await listProtocolVersions(theirs)).toEqual({ items: [], nextCursor: null });
  expect(await updateProtocol({ ...theirs, name: 'stolen' })).toEqual([]);
  expect(await updateProtocol(theirs)).toEqual([]);
  expect(await restoreProtocolVersion({ ...theirs, version: 1 })).toEqual([]);
  expect(await deleteProtocolById(theirs)).toEqual([]);
  expect(await getProtocolById({ id: protocol.id, userId })).toEqual(protocol);
  expect(await versionsOf(protocol)).toEqual([[1, 'Evening']]);
});

test('a deletion takes the versions along and says truly whether there was a row', async () => {
  const userId = await newUser();
  const { id } = await newProtocol(userId);
  const [changed] = await updateProtocol({ id, userId, name: 'Night' });
  expect(await deleteProtocolById({ id, userId })).toEqual([changed]);
  expect(await deleteProtocolById({ id, userId })).toEqual([]);
  expect(await getProtocolById({ id, userId })).toBeUndefined();
  expect(await updateProtocol({ id, userId, name: 'x' })).toEqual([]);
  expect(await db.$count(protocolVersions, eq(protocolVersions.protocolId, id))).toBe(0);
});

describe('versions', () => {
  test('each change adds one and leaves what was not given', async () => {
    const userId = await newUser();
    const first = await newProtocol(userId);
    const key = { id: first.id, userId };
    const [second] = await updateProtocol({ ...key, name: 'Night' });
    expect(second).toEqual({ ...first, name: 'Night', version: 2, updatedAt: expect.any(Date) });
    const [third] = await updateProtocol({ ...key, description: 'Slowly' });
    expect(third).toMatchObject({ name: 'Night', description: 'Slowly', parts, version: 3 });
    const [fourth] = await updateProtocol({ ...key, parts: [{ content: 'Only this.' }] });
    expect(fourth).toMatchObject({ name: 'Night', description: 'Slowly', parts: [{ content: 'Only this.' }] });
    const [fifth] = await updateProtocol({ ...key, description: null });
    expect(fifth).toMatchObject({ description: null, version: 5, createdAt: first.createdAt });
    expect(await getProtocolById(key)).toEqual(fifth);
    const { items } = await listProtocolVersions(key);
    expect(items.map(({ version, description }) => [version, description])).toEqual([
      [5, null],
      [4, 'Slowly'],
      [3, 'Slowly'],
      [2, null],
      [1, null],
    ]);
    const { version, name, description, parts: newest, updatedAt } = fifth as Protocol;
    expect(items[0]).toEqual({
      userId,
      protocolId: first.id,
      version,
      name,
      description,
      parts: newest,
      createdAt: updatedAt,
    });
  });

  test('a call that changes nothing adds none and keeps the time', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const key = { id: protocol.id, userId };
    const calls = [{}, { name: 'Evening' }, { description: null }, { description: '' }, { parts }];
    for (const change of calls) expect(await updateProtocol({ ...key, ...change })).toEqual([protocol]);
    expect(await versionsOf(protocol)).toEqual([[1, 'Evening']]);
  });

  test('a restoration adds a version equal to the old one', async () => {
    const userId = await newUser();
    const first = await newProtocol(userId);
    const key = { id: first.id, userId };
    await updateProtocol({ ...key, name: 'Night', description: 'Slowly', parts: [{ content: 'x' }] });
    expect(await restoreProtocolVersion({ ...key, version: 1 })).toEqual([
      { ...first, version: 3, updatedAt: expect.any(Date) },
    ]);
    expect(await versionsOf(first)).toEqual([
      [3, 'Evening'],
      [2, 'Night'],
      [1, 'Evening'],
    ]);
  });

  test('a restoration of what is there adds none, and of what was never there finds nothing', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const key = { id: protocol.id, userId };
    expect(await restoreProtocolVersion({ ...key, version: 1 })).toEqual([protocol]);
    expect(await restoreProtocolVersion({ ...key, version: 2 })).toEqual([]);
    expect(await restoreProtocolVersion({ id: randomUUID(), userId, version: 1 })).toEqual([]);
    expect(await versionsOf(protocol)).toEqual([[1, 'Evening']]);
  });

  test('changes at once get consecutive versions, and none is lost', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const key = { id: protocol.id, userId };
    await updateProtocol({ ...key, description: 'to restore' });
    const changes = Array.from({ length: 20 }, (_, i) =>
      i % 4 === 3 ? restoreProtocolVersion({ ...key, version: 1 }) : updateProtocol({ ...key, name: `name ${i}` }),
    );
    const results = (await Promise.all(changes)).map(([row]) => row as Protocol);
    const { items } = await listProtocolVersions({ ...key, limit: 1000 });
    const numbers = items.map(({ version }) => version);
    expect(numbers).toEqual(Array.from(numbers, (_, i) => numbers.length - i));
    expect(items[0]).toMatchObject({ name: (await getProtocolById(key))?.name });
    // Each update's result is the version that it made; a restoration of what is there makes none.
    const updates = results.filter((_, i) => i % 4 !== 3);
    expect(new Set(updates.map(({ version }) => version)).size).toBe(updates.length);
    for (const { version, name } of updates) expect(await versionsOf(protocol)).toContainEqual([version, name]);
  });

  test('changes of different fields at once are all there in the end', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const key = { id: protocol.id, userId };
    const other = [{ content: 'other' }];
    await Promise.all([
      updateProtocol({ ...key, name: 'n' }),
      updateProtocol({ ...key, description: 'd' }),
      updateProtocol({ ...key, parts: other }),
    ]);
    expect(await getProtocolById(key)).toMatchObject({ name: 'n', description: 'd', parts: other, version: 4 });
  });

  test('changes in a transaction that fails leave none', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const failing = transaction(async () => {
      await updateProtocol({ id: protocol.id, userId, name: 'undone' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await versionsOf(protocol)).toEqual([[1, 'Evening']]);
  });

  test('come in pages, without gap or repeat while more are added', async () => {
    const userId = await newUser();
    const protocol = await newProtocol(userId);
    const key = { id: protocol.id, userId };
    for (let i = 2; i <= 25; i += 1) await updateProtocol({ ...key, name: `${i}` });
    expect((await listProtocolVersions(key)).items).toHaveLength(20);
    const seen = await readPages(
      (cursor) => listProtocolVersions({ ...key, limit: 10, cursor }),
      () => updateProtocol({ ...key, name: `while ${randomUUID()}` }),
    );
    expect(seen.map(({ version }) => version)).toEqual(Array.from({ length: 25 }, (_, i) => 25 - i));
  });
});

test('texts hold their limits, and one character more is refused before a statement is sent', async () => {
  const userId = await newUser();
  const name = '🌙'.repeat(200);
  const description = '🌙'.repeat(10_000);
  const [saved] = await saveProtocol({ userId, name, description, parts });
  expect(saved).toMatchObject({ name, description });
  const key = { id: saved?.id ?? '', userId };
  const wrong: [string, { name?: string; description?: string }][] = [
    ['name', { name: `${name}x` }],
    ['name', { name: '' }],
    ['name', { name: null as never }],
    ['description', { description: `${description}x` }],
  ];
  for (const [argument, change] of wrong) {
    const args = { userId, name: 'x', parts, ...change };
    await recorder.expectRefused(() => saveProtocol(args), 'INVALID_TEXT', argument);
    await recorder.expectRefused(() => updateProtocol({ ...key, ...change }), 'INVALID_TEXT', argument);
  }
});

test('parts that are none are refused by name before a statement is sent, and not quoted', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const cycle: { content: string; self?: unknown } = { content: 'x' };
  cycle.self = cycle;
  const wrong: unknown[] = [
    null,
    [],
    {},
    'canary',
    '[{"content":"canary"}]',
    ['canary'],
    [{}],
    [{ content: 7 }],
    [{ content: 'canary' }, null],
    [{ content: 'canary' }, { Content: 'canary' }],
    [[{ content: 'canary' }]],
    [{ content: 'x', seconds: Number.POSITIVE_INFINITY }],
    [{ content: 'x', big: 1n }],
    [{ content: 'x'.repeat(1024 * 1024) }],
    [cycle],
  ];
  for (const given of wrong as Protocol['parts'][]) {
    await recorder.expectRefused(() => saveProtocol({ userId, name: 'x', parts: given }), 'INVALID_PARTS', 'parts');
    await recorder.expectRefused(() => updateProtocol({ id, userId, parts: given }), 'INVALID_PARTS', 'parts');
    const error = await saveProtocol({ userId, name: 'x', parts: given }).catch((reason) => reason);
    expect(everythingSaid(error)).not.toContain('canary');
  }
});

test('parts of 1 MiB of JSON are kept', async () => {
  const userId = await newUser();
  const longest = [{ content: 'x'.repeat(1024 * 1024 - JSON.stringify([{ content: '' }]).length) }];
  const [saved] = await saveProtocol({ userId, name: 'x', parts: longest });
  expect(saved?.parts).toEqual(longest);
});

test('an argument that is undefined, no id or no number of a version is refused by name', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const none = undefined as never;
  const calls: [string, () => Promise<unknown>][] = [
    ['userId', () => saveProtocol({ userId: none, name: 'x', parts })],
    ['name', () => saveProtocol({ userId, name: none, parts })],
    ['parts', () => saveProtocol({ userId, name: 'x', parts: none })],
    ['userId', () => getProtocolsByUserId({ userId: none })],
    ['userId', () => listProtocols({ userId: none })],
    ['id', () => getProtocolById({ id: none, userId })],
    ['userId', () => getProtocolById({ id, userId: none })],
    ['id', () => updateProtocol({ id: none, userId })],
    ['userId', () => updateProtocol({ id, userId: none })],
    ['id', () => deleteProtocolById({ id: none, userId })],
    ['userId', () => deleteProtocolById({ id, userId: none })],
    ['userId', () => listProtocolVersions({ id, userId: none })],
    ['version', () => restoreProtocolVersion({ id, userId, version: none })],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
  await recorder.expectRefused(() => getProtocolById({ id: '7', userId }), 'INVALID_ID', 'id');
  for (const version of [0, -1, 1.5, 2 ** 31, '1' as never]) {
    await recorder.expectRefused(() => restoreProtocolVersion({ id, userId, version }), 'INVALID_LIMIT', 'version');
  }
  const { nextCursor } = await listProtocols({ userId, limit: 1 });
  expect(nextCursor).toBeNull();
});

test('a cursor of one list is refused by another', async () => {
  const userId = await newUser();
  const protocol = await newProtocol(userId);
  await newProtocol(userId);
  await updateProtocol({ id: protocol.id, userId, name: 'x' });
  const { nextCursor: ofProtocols } = await listProtocols({ userId, limit: 1 });
  const { nextCursor: ofVersions } = await listProtocolVersions({ id: protocol.id, userId, limit: 1 });
  const versions = () => listProtocolVersions({ id: protocol.id, userId, cursor: ofProtocols });
  await recorder.expectRefused(versions, 'INVALID_CURSOR', 'cursor');
  await recorder.expectRefused(() => listProtocols({ userId, cursor: ofVersions }), 'INVALID_CURSOR', 'cursor');
});

test('a protocol of nobody is refused', async () => {
  const lost = saveProtocol({ userId: randomUUID(), name: 'x', parts });
  await expect(lost).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
});

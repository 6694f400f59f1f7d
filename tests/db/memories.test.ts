import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  deleteMemoryById,
  findMemoriesByContent,
  getMemoriesByUserId,
  listMemories,
  saveMemory,
  updateMemory,
} from '../../db/queries.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

test('a memory comes back as it was saved', async () => {
  const userId = await newUser();
  const [saved] = await saveMemory({ userId, content: 'אוהבת תה ירוק 🍵' });
  expect(saved).toMatchObject({ userId, content: 'אוהבת תה ירוק 🍵' });
  expect(saved?.createdAt).toBeInstanceOf(Date);
  expect(await getMemoriesByUserId({ userId })).toEqual([saved]);
});

test('the same text again returns the row there is, also when ten save it at once', async () => {
  const userId = await newUser();
  const saves = await Promise.all(Array.from({ length: 10 }, () => saveMemory({ userId, content: 'once' })));
  expect(new Set(saves.map(([row]) => row?.id)).size).toBe(1);
  expect(await getMemoriesByUserId({ userId })).toHaveLength(1);
});

test('two users may remember the same text', async () => {
  const [one, other] = [await newUser(), await newUser()];
  const [a] = await saveMemory({ userId: one, content: 'shared' });
  const [b] = await saveMemory({ userId: other, content: 'shared' });
  expect(a?.id).not.toBe(b?.id);
});

test('a search takes %, _ and \\ as they are, and any case', async () => {
  const userId = await newUser();
  for (const content of ['100% sure', '100abc', 'snake_case', 'snakeXcase', 'back\\slash', 'ÉCLAIR éclair']) {
    await saveMemory({ userId, content });
  }
  const found = async (contentQuery: string): Promise<string[]> =>
    (await findMemoriesByContent({ userId, contentQuery })).map(({ content }) => content);
  expect(await found('100%')).toEqual(['100% sure']);
  expect(await found('snake_')).toEqual(['snake_case']);
  expect(await found('k\\s')).toEqual(['back\\slash']);
  expect(await found('SURE')).toEqual(['100% sure']);
  expect(await found('')).toHaveLength(6);
});

test('pages have no gap and no repeat while others write', async () => {
  const userId = await newUser();
  const before = new Set<string>();
  for (let i = 0; i < 25; i += 1) before.add((await saveMemory({ userId, content: `m${i}` }))[0]?.id ?? '');
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await listMemories({ userId, limit: 10, cursor });
    seen.push(...page.items.map(({ id }) => id));
    await saveMemory({ userId, content: `while ${seen.length}` });
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toHaveLength(25);
  expect(new Set(seen)).toEqual(before);
});

test('changes and deletions say truly whether a row was there', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const [row] = await saveMemory({ userId, content: 'old' });
  const id = row?.id ?? '';
  expect(await updateMemory({ id, userId: stranger, content: 'stolen' })).toEqual([]);
  expect(await deleteMemoryById({ id, userId: stranger })).toEqual([]);
  expect(await updateMemory({ id, userId, content: 'new' })).toEqual([{ ...row, content: 'new' }]);
  expect(await deleteMemoryById({ id, userId })).toEqual([{ ...row, content: 'new' }]);
  expect(await deleteMemoryById({ id, userId })).toEqual([]);
});

test('an update to a text that the user has already is refused', async () => {
  const userId = await newUser();
  await saveMemory({ userId, content: 'a' });
  const [b] = await saveMemory({ userId, content: 'b' });
  await expect(updateMemory({ id: b?.id ?? '', userId, content: 'a' })).rejects.toMatchObject({
    code: 'MEMORY_EXISTS',
  });
});

test('a memory of nobody is refused', async () => {
  await expect(saveMemory({ userId: randomUUID(), content: 'x' })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
});

test('a memory that is saved and forgotten by many at once is saved or found every time', async () => {
  const userId = await newUser();
  const saveAndForget = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) {
      const [saved] = await saveMemory({ userId, content: 'now and then' });
      await deleteMemoryById({ id: saved?.id ?? '', userId });
    }
  };
  await Promise.all(Array.from({ length: 8 }, saveAndForget));
  expect(await getMemoriesByUserId({ userId })).toEqual([]);
});

test('the same id again returns the row there is, and is refused for another memory', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  const id = randomUUID();
  const saved = await saveMemory({ id, userId, content: 'once' });
  expect(await saveMemory({ id, userId, content: 'once' })).toEqual(saved);
  const others = [
    { id, userId, content: 'twice' },
    { id, userId: other, content: 'once' },
  ];
  for (const args of others) await expect(saveMemory(args)).rejects.toMatchObject({ code: 'ID_TAKEN' });
  expect(await getMemoriesByUserId({ userId })).toEqual(saved);
  expect(await getMemoriesByUserId({ userId: other })).toEqual([]);
});

test('a memory holds 10,000 characters of any kind, and one more is refused before a statement is sent', async () => {
  const userId = await newUser();
  for (const character of ['x', '🍵']) {
    const longest = character.repeat(10_000);
    const [saved] = await saveMemory({ userId, content: longest });
    expect(saved?.content).toBe(longest);
    const id = saved?.id ?? '';
    const [content, contentQuery] = [`${longest}x`, 'x'.repeat(1001)];
    await recorder.expectRefused(() => saveMemory({ userId, content }), 'INVALID_TEXT', 'content');
    await recorder.expectRefused(() => updateMemory({ id, userId, content }), 'INVALID_TEXT', 'content');
    const search = { userId, contentQuery };
    await recorder.expectRefused(() => findMemoriesByContent(search), 'INVALID_TEXT', 'contentQuery');
  }
});

test('what text cannot hold becomes U+FFFD, in a memory and in a search', async () => {
  const userId = await newUser();
  const [saved] = await saveMemory({ userId, content: 'a\0b\uD83Cc' });
  expect(saved?.content).toBe('a\uFFFDb\uFFFDc');
  expect(await saveMemory({ userId, content: 'a\uFFFDb\0c' })).toEqual([saved]);
  expect(await findMemoriesByContent({ userId, contentQuery: 'b\uDF75c' })).toEqual([saved]);
});

test('an argument that is undefined is refused by name', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const none = undefined as unknown as string;
  const calls: [string, () => Promise<unknown>][] = [
    ['userId', () => saveMemory({ userId: none, content: 'x' })],
    ['content', () => saveMemory({ userId, content: none })],
    ['userId', () => getMemoriesByUserId({ userId: none })],
    ['userId', () => listMemories({ userId: none })],
    ['userId', () => findMemoriesByContent({ userId: none, contentQuery: 'x' })],
    ['contentQuery', () => findMemoriesByContent({ userId, contentQuery: none })],
    ['id', () => updateMemory({ id: none, userId, content: 'x' })],
    ['content', () => updateMemory({ id, userId, content: none })],
    ['id', () => deleteMemoryById({ id: none, userId })],
    ['userId', () => deleteMemoryById({ id, userId: none })],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
});

test('the arrays come newest first, with limit and offset, and hold nothing of others', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  for (let i = 0; i < 5; i += 1) await saveMemory({ userId, content: `tea ${i}` });
  const all = await getMemoriesByUserId({ userId });
  expect(all.map(({ content }) => content)).toEqual(['tea 4', 'tea 3', 'tea 2', 'tea 1', 'tea 0']);
  expect(await getMemoriesByUserId({ userId, limit: 2, offset: 1 })).toEqual(all.slice(1, 3));
  expect(await findMemoriesByContent({ userId, contentQuery: 'TEA' })).toEqual(all);
  expect(await findMemoriesByContent({ userId, contentQuery: 'tea', limit: 2, offset: 3 })).toEqual(all.slice(3));
  expect(await getMemoriesByUserId({ userId: stranger })).toEqual([]);
  expect(await listMemories({ userId: stranger })).toEqual({ items: [], nextCursor: null });
  expect(await findMemoriesByContent({ userId: stranger, contentQuery: 'tea' })).toEqual([]);
});

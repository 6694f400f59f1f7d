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
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

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

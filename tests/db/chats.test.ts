import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  appendMessages,
  db,
  deleteAllChats,
  deleteChatById,
  getChatById,
  getChatsByUserId,
  listChats,
  renameChat,
  saveChat,
} from '../../db/queries.ts';
import { type ChatSummary, chat, message } from '../../db/schema.ts';
import { uuidv7 } from '../../db/uuid.ts';
import { readPages } from './pages.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const longAgo = new Date('2020-01-01T00:00:00Z');
const dialogue = [
  { role: 'user', content: 'מה שלומך? 🍵' },
  { role: 'assistant', content: [{ type: 'text', text: 'Fine.' }] },
];

async function newChat(userId: string, messages: unknown[] = dialogue): Promise<ChatSummary> {
  const [saved] = await saveChat({ id: uuidv7(), messages, userId });
  return saved as ChatSummary;
}

/** Chats of one moment, so that only their ids order them. */
async function newChats(userId: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await newChat(userId, [{ role: 'user', content: `${i}` }]);
  await db.update(chat).set({ createdAt: longAgo }).where(eq(chat.userId, userId));
}

test('a chat is read with its messages as they were saved', async () => {
  const userId = await newUser();
  const id = randomUUID();
  const saved = await saveChat({ id, messages: dialogue, userId });
  expect(saved).toEqual([
    {
      id,
      userId,
      title: null,
      preview: 'מה שלומך? 🍵',
      messageCount: 2,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
    },
  ]);
  const expected = { ...saved[0], messages: dialogue };
  expect(await getChatById({ id })).toEqual(expected);
  expect(await getChatById({ id: id.toUpperCase(), userId })).toEqual(expected);
  expect(await getChatsByUserId({ id: userId })).toEqual([expected]);
  expect(await listChats({ userId })).toEqual({ items: saved, nextCursor: null });
});

test('a chat without messages has none: an empty array and no preview', async () => {
  const userId = await newUser();
  const { id } = await newChat(userId, []);
  expect(await getChatById({ id })).toMatchObject({ messages: [], messageCount: 0, preview: null });
});

test('messages keep every character that JSON has, in a chat and in a list of chats', async () => {
  const userId = await newUser();
  const odd = [
    { role: 'user', content: 'a\0b \uD83C \u2028 \\u0000 "quoted" \ufeff' },
    { role: 'user', content: '5', 'key\0': [null, 1e300, -0.1, '"5"', {}] },
    { z: 1, a: { toString: 'x' } },
  ];
  const { id } = await newChat(userId, odd);
  const expected = JSON.parse(JSON.stringify(odd));
  expect((await getChatById({ id }))?.messages).toEqual(expected);
  expect((await getChatsByUserId({ id: userId }))[0]?.messages).toEqual(expected);
});

test('a chat that is not there, or not this user’s, is undefined', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const { id } = await newChat(userId);
  expect(await getChatById({ id: randomUUID() })).toBeUndefined();
  expect(await getChatById({ id, userId: stranger })).toBeUndefined();
  expect(await getChatsByUserId({ id: stranger })).toEqual([]);
  expect(await listChats({ userId: stranger })).toEqual({ items: [], nextCursor: null });
});

test('chats come newest first, those of one moment by id, with limit and offset', async () => {
  const userId = await newUser();
  await newChats(userId, 5);
  const newest = await newChat(userId, [{ role: 'user', content: 'newest' }]);
  await appendMessages({ chatId: newest.id, userId, messages: [{ role: 'user', content: 'more' }] });
  const all = await getChatsByUserId({ id: userId });
  expect(all.map(({ preview }) => preview)).toEqual(['newest', '4', '3', '2', '1', '0']);
  expect(all[0]).toMatchObject({ messageCount: 2, messages: [{ content: 'newest' }, { content: 'more' }] });
  expect(await getChatsByUserId({ id: userId, limit: 2, offset: 3 })).toEqual(all.slice(3, 5));
  expect(await getChatsByUserId({ id: userId, offset: 6 })).toEqual([]);
  const summaries = all.map(({ messages: _messages, ...summary }) => summary);
  expect((await listChats({ userId })).items).toEqual(summaries);
});

test('an array has 100 chats unless a limit says otherwise', async () => {
  const userId = await newUser();
  await db.insert(chat).values(Array.from({ length: 103 }, () => ({ userId })));
  expect(await getChatsByUserId({ id: userId })).toHaveLength(100);
  expect(await getChatsByUserId({ id: userId, limit: 1000 })).toHaveLength(103);
  expect(await getChatsByUserId({ id: userId, offset: 100 })).toHaveLength(3);
});

test('pages have no gap and no repeat while others write and delete', async () => {
  const userId = await newUser();
  await newChats(userId, 25);
  const before = (await getChatsByUserId({ id: userId })).map(({ id }) => id);
  const seen = await readPages(
    (cursor) => listChats({ userId, limit: 10, cursor }),
    async ({ items }) => {
      await newChat(userId);
      // A change of a chat behind the cursor or before it moves nothing: the order is by creation.
      for (const id of [before[1], before[23]] as string[]) {
        await appendMessages({ chatId: id, userId, messages: [{ role: 'user', content: 'more' }] });
      }
      await deleteChatById({ id: items.at(-1)?.id ?? '', userId });
    },
  );
  expect(seen.map(({ id }) => id)).toEqual(before);
});

test('a page has 20 chats unless a limit says otherwise, and says whether there is another', async () => {
  const userId = await newUser();
  await newChats(userId, 21);
  const first = await listChats({ userId });
  expect(first.items).toHaveLength(20);
  const second = await listChats({ userId, cursor: first.nextCursor });
  expect(second.items.map(({ preview }) => preview)).toEqual(['0']);
  expect(second.nextCursor).toBeNull();
  expect((await listChats({ userId, limit: 21 })).nextCursor).toBeNull();
});

test('a title is set and taken away, by the owner only, and the row is given back', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const saved = await newChat(userId);
  const { id } = saved;
  const renamed = await renameChat({ id, userId, title: 'Green tea' });
  expect(renamed).toEqual([{ ...saved, title: 'Green tea', updatedAt: expect.any(Date) }]);
  expect(await renameChat({ id, userId: stranger, title: 'stolen' })).toEqual([]);
  expect(await renameChat({ id: randomUUID(), userId, title: 'x' })).toEqual([]);
  expect(await getChatById({ id })).toEqual({ ...renamed[0], messages: dialogue });
  expect(await renameChat({ id, userId, title: null })).toMatchObject([{ title: null }]);
});

test('a title holds 200 characters, and one more or none is refused before a statement is sent', async () => {
  const userId = await newUser();
  const { id } = await newChat(userId);
  const longest = '🍵'.repeat(200);
  expect(await renameChat({ id, userId, title: longest })).toMatchObject([{ title: longest }]);
  for (const title of [`${longest}x`, '', 7 as never]) {
    await recorder.expectRefused(() => renameChat({ id, userId, title }), 'INVALID_TEXT', 'title');
  }
  await recorder.expectRefused(
    () => renameChat({ id, userId, title: undefined as never }),
    'MISSING_ARGUMENT',
    'title',
  );
  expect(await renameChat({ id, userId, title: 'a\0\uD83C' })).toMatchObject([{ title: 'a\uFFFD\uFFFD' }]);
});

test('a deletion takes the messages of all branches along and says truly whether there was a chat', async () => {
  const [userId, stranger] = [await newUser(), await newUser()];
  const saved = await newChat(userId);
  const { id } = saved;
  await saveChat({ id, messages: [{ role: 'user', content: 'another branch' }], userId });
  expect(await db.$count(message, eq(message.chatId, id))).toBe(3);
  expect(await deleteChatById({ id, userId: stranger })).toEqual([]);
  expect(await getChatById({ id })).toMatchObject({ messageCount: 1 });
  expect(await deleteChatById({ id, userId })).toMatchObject([{ id, userId, messageCount: 1 }]);
  expect(await deleteChatById({ id, userId })).toEqual([]);
  expect(await getChatById({ id })).toBeUndefined();
  expect(await db.$count(message, eq(message.chatId, id))).toBe(0);
});

test('a chat is deleted by its id alone, as the original application does after looking at the owner', async () => {
  const userId = await newUser();
  const saved = await newChat(userId);
  expect(await deleteChatById({ id: saved.id })).toEqual([saved]);
  expect(await deleteChatById({ id: saved.id })).toEqual([]);
});

test('all chats of a user are deleted at once and counted, and none of others', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  for (let i = 0; i < 3; i += 1) await newChat(userId);
  const kept = await newChat(other);
  expect(await deleteAllChats({ userId })).toBe(3);
  expect(await deleteAllChats({ userId })).toBe(0);
  expect(await getChatsByUserId({ id: userId })).toEqual([]);
  expect(await db.$count(message, eq(message.userId, userId))).toBe(0);
  expect(await getChatById({ id: kept.id })).toEqual({ ...kept, messages: dialogue });
});

test('an argument that is undefined, null or no id is refused by name', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const none = undefined as never;
  const calls: [string, () => Promise<unknown>][] = [
    ['id', () => getChatById({ id: none })],
    ['id', () => getChatsByUserId({ id: none })],
    ['userId', () => listChats({ userId: none })],
    ['id', () => renameChat({ id: none, userId, title: 'x' })],
    ['userId', () => renameChat({ id, userId: none, title: 'x' })],
    ['id', () => deleteChatById({ id: none })],
    ['userId', () => deleteAllChats({ userId: none })],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
  // null is "nobody", not "everybody".
  for (const nobody of [null, '', 'x'] as string[]) {
    await recorder.expectRefused(() => getChatById({ id, userId: nobody }), 'INVALID_ID', 'userId');
    await recorder.expectRefused(() => deleteChatById({ id, userId: nobody }), 'INVALID_ID', 'userId');
  }
  for (const limit of [0, 1001, 1.5, '5' as never]) {
    await recorder.expectRefused(() => getChatsByUserId({ id: userId, limit }), 'INVALID_LIMIT', 'limit');
    await recorder.expectRefused(() => listChats({ userId, limit }), 'INVALID_LIMIT', 'limit');
  }
  await recorder.expectRefused(() => getChatsByUserId({ id: userId, offset: -1 }), 'INVALID_LIMIT', 'offset');
});

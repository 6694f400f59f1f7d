// Writers of one chat at once: every message has a place, every answer is true, nothing that was acknowledged is lost,
// and whatever the order was, the chat is whole behind it. On the embedded database calls interleave between
// statements; on a server they run side by side in ten connections.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { previewOf } from '../../db/message-body.ts';
import {
  appendMessages,
  branchFrom,
  db,
  deleteAllChats,
  getChatById,
  getChatsByUserId,
  listMessages,
  saveChat,
  selectBranch,
  updateMessage,
} from '../../db/queries.ts';
import { checkPath } from './check-chats.ts';
import { isLong } from './property-runs.ts';
import { isEmbedded, newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

interface Stored {
  id: string;
  parentId: string | null;
  position: number;
  active: boolean;
  text: string;
  [column: string]: unknown;
}

const user = (content: string): object => ({ id: content, role: 'user', content });
const assistant = (content: string): object => ({ id: content, role: 'assistant', content });
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const rounds = isLong ? 200 : isEmbedded ? 10 : 40;

async function newChat(messages: readonly object[] = []): Promise<{ userId: string; chatId: string }> {
  const [userId, chatId] = [await newUser(), randomUUID()];
  await saveChat({ id: chatId, messages, userId });
  return { userId, chatId };
}

/** All rows of a chat, after a look at what must hold of them at any time. */
async function readWholeChat({ chatId }: { chatId: string }): Promise<Stored[]> {
  const [chat] = await db.execute(sql`
    select "messageCount", "headId", preview, encode(digest, 'hex') as digest, "digestCount"
    from "Chat"
    where id = ${chatId}`);
  const rows = [
    ...(await db.execute<Stored>(sql`
      select id, "parentId", position, active, body::text as text
      from "Message"
      where "chatId" = ${chatId}
      order by "createdAt", id`)),
  ];
  checkPath(rows);
  const path = rows.filter(({ active }) => active).sort((one, other) => one.position - other.position);
  const digested = path.slice(0, Number(chat?.digestCount)).map(({ text }) => text);
  assert.deepStrictEqual(chat, {
    messageCount: path.length,
    headId: path.at(-1)?.id ?? null,
    preview: previewOf(path.map(({ text }) => JSON.parse(text))),
    digest: digested.length === 0 ? null : createHash('sha256').update(digested.join(',')).digest('hex'),
    digestCount: digested.length,
  });
  return rows;
}

const visible = async ({ chatId, userId }: { chatId: string; userId: string }): Promise<unknown> =>
  (await getChatById({ id: chatId, userId }))?.messages;

test('20 writers append at once, 5 times: each position once, none missing, every answer right', async () => {
  const chat = await newChat([user('q')]);
  const answers = await Promise.all(
    times(20, async (writer) => {
      const own = [];
      for (let round = 0; round < 5; round += 1) {
        const messages = times(1 + (writer % 3), (i) => user(`${writer} ${round} ${i}`));
        own.push({ messages, places: await appendMessages({ ...chat, messages }) });
      }
      return own;
    }),
  );
  const { items } = await listMessages({ ...chat, limit: 1000 });
  const byPosition = new Map(items.map((item) => [item.position, item]));
  let count = 1;
  for (const { messages, places } of answers.flat()) {
    count += messages.length;
    expect(places).toHaveLength(messages.length);
    for (const [i, place] of places.entries()) {
      expect(byPosition.get(place.position)).toEqual({ ...place, message: messages[i], siblings: [place.id] });
    }
  }
  expect(items.map(({ position }) => position)).toEqual(times(count, (i) => i));
  expect(await readWholeChat(chat)).toHaveLength(count);
});

test('one call, sent ten times at once with the same rowIds, is written once', async () => {
  const chat = await newChat([user('known')]);
  for (let round = 0; round < rounds; round += 1) {
    const messages = [user('known'), { role: 'user' }, { role: 'user' }];
    const rowIds = messages.map(() => randomUUID());
    const answers = await Promise.all(times(10, () => appendMessages({ ...chat, messages, rowIds })));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  }
  expect(await readWholeChat(chat)).toHaveLength(1 + 2 * rounds);
});

test('one message with an id of its own, appended by ten at once, is there once', async () => {
  const chat = await newChat();
  const answers = await Promise.all(times(10, () => appendMessages({ ...chat, messages: [user('once')] })));
  expect(new Set(answers.flat().map(({ id }) => id)).size).toBe(1);
  expect(await readWholeChat(chat)).toHaveLength(1);
});

test('two tabs save from the same base: one of the lists is visible whole, the other is kept', async () => {
  const base = times(6, (i) => (i % 2 ? assistant(`a${i}`) : user(`q${i}`)));
  for (let round = 0; round < rounds; round += 1) {
    const chat = await newChat(base);
    const tabs = ['one', 'two'].map((tab) => [...base, user(`${tab} asks`), assistant(`${tab} answered`)]);
    await Promise.all(tabs.map((messages) => saveChat({ id: chat.chatId, messages, userId: chat.userId })));
    expect(tabs).toContainEqual(await visible(chat));
    const kept = (await readWholeChat(chat)).map(({ text }) => JSON.parse(text));
    expect(kept).toHaveLength(base.length + 4);
    expect(kept).toEqual(expect.arrayContaining(tabs.flat()));
  }
});

test('all that writes to a chat at once leaves it whole, and nothing acknowledged is lost', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const base = [{ role: 'system' }, user('q'), assistant('streaming'), user('q2'), assistant('last')];
    const chat = await newChat(base);
    const { chatId: id, userId } = chat;
    const rows = (await listMessages(chat)).items.map((item) => item.id);
    const row = (position: number): string => rows[position] ?? '';
    const named = (text: string): object => user(`${text} ${round}`);
    await Promise.all([
      saveChat({ id, userId, messages: [...base, named('saved')] }),
      saveChat({ id, userId, messages: [...base.slice(0, 4), { ...assistant('last'), content: 'completed' }] }),
      saveChat({ id, userId, messages: base.slice(0, 3) }),
      appendMessages({ ...chat, messages: [named('appended'), named('appended too')] }),
      appendMessages({ ...chat, messages: [named('appended by another')] }),
      updateMessage({ ...chat, id: row(2), message: { ...assistant('streaming'), content: 'all of it' } }),
      updateMessage({ ...chat, id: row(0), message: round % 2 ? named('was the system') : { role: 'developer' } }),
      updateMessage({ ...chat, id: row(1), message: round % 3 ? { role: 'data' } : named('edited') }),
      branchFrom({ ...chat, parentId: row(1), messages: [assistant(`branched ${round}`)] }),
      branchFrom({ ...chat, parentId: null, messages: [named('another beginning')] }),
      selectBranch({ ...chat, messageId: row(round % 5) }),
    ]);
    const texts = (await readWholeChat(chat)).map(({ text }) => text).join();
    const said = ['saved', 'appended', 'appended too', 'appended by another', 'branched', 'another beginning'];
    for (const one of said) expect(texts).toContain(`${one} ${round}`);
  }
});

test('the preview is that of the path, when roles change at once', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const chat = await newChat([{ role: 'assistant', content: 'first' }, user('second')]);
    const id = (await listMessages(chat)).items[0]?.id ?? '';
    const roles = ['user', 'assistant', 'user', 'assistant', 'tool', 'user'];
    const answers = await Promise.all(
      roles.map((role, i) => updateMessage({ ...chat, id, message: { role, content: `${role} ${i}` } })),
    );
    expect(answers.flat().map(({ role }) => role)).toEqual(roles);
    await readWholeChat(chat);
  }
});

test('ten saves that create one chat make one chat', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const [userId, id] = [await newUser(), randomUUID()];
    const lists = times(10, (i) => [user('q'), assistant(i % 2 ? 'odd' : 'even')]);
    const answers = await Promise.all(lists.map((messages) => saveChat({ id, messages, userId })));
    expect(answers.map(([row]) => [row?.id, row?.messageCount])).toEqual(lists.map(() => [id, 2]));
    expect(await getChatsByUserId({ id: userId })).toHaveLength(1);
    expect(lists).toContainEqual(await visible({ chatId: id, userId }));
    await readWholeChat({ chatId: id });
  }
});

test('two users who create one id: one owns it, the other is told that it is not there', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const [one, other, id] = [await newUser(), await newUser(), randomUUID()];
    const messages = [user('mine')];
    const attempts = times(8, (i) => (i % 2 ? one : other));
    const outcomes = await Promise.allSettled(attempts.map((userId) => saveChat({ id, messages, userId })));
    const owner = (await getChatById({ id }))?.userId;
    for (const [i, outcome] of outcomes.entries()) {
      if (attempts[i] === owner) expect(outcome).toMatchObject({ status: 'fulfilled', value: [{ userId: owner }] });
      else expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CHAT_NOT_FOUND' } });
    }
    expect(await readWholeChat({ chatId: id })).toHaveLength(1);
  }
});

test('a chat that is deleted while others write to it is gone, or there as a new one, but never half', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const chat = await newChat([user('q')]);
    const outcomes = await Promise.allSettled([
      appendMessages({ ...chat, messages: [user('appended')] }),
      saveChat({ id: chat.chatId, userId: chat.userId, messages: [user('q'), assistant('saved')] }),
      deleteAllChats({ userId: chat.userId }),
      branchFrom({ ...chat, parentId: null, messages: [user('branched')] }),
      appendMessages({ ...chat, messages: [user('appended too')] }),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CHAT_NOT_FOUND' });
    }
    if (await getChatById({ id: chat.chatId })) await readWholeChat(chat);
    else expect([...(await db.execute(sql`select 1 from "Message" where "chatId" = ${chat.chatId}`))]).toEqual([]);
  }
});

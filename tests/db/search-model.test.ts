// Generated histories of chats and memories, indexed now and then: whatever was done, a search gives the rows that a look
// at each of them gives, in the same order.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  appendMessages,
  branchFrom,
  deleteChatById,
  deleteMemoryById,
  dropSearchIndex,
  findMemoriesByContent,
  getMemoriesByUserId,
  indexForSearch,
  listChats,
  listMessages,
  saveChat,
  saveMemory,
  searchMemories,
  searchMessages,
  selectBranch,
  updateMemory,
  updateMessage,
} from '../../db/queries.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

const words = ['tea', 'teapot', 'green', 'Greenish', 'שלום', 'של', '茶', '绿茶', '100%', 'a_b', 'É', 'x', '🍵', 'über'];
const text = fc
  .array(fc.constantFrom(...words, ' ', '  ', ', ', '\n'), { minLength: 1, maxLength: 8 })
  .map((parts) => `${parts.join('')}.`);
const number = fc.nat(1000);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), at: number, texts: fc.array(text, { maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('save' as const), at: number, texts: fc.array(text, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), at: number, texts: fc.tuple(text) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('branch' as const), at: number, texts: fc.array(text, { maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('select' as const), at: number, texts: fc.constant([]) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), at: number, texts: fc.constant([]) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remember' as const), at: number, texts: fc.tuple(text) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rewrite' as const), at: number, texts: fc.tuple(text) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), at: number, texts: fc.constant([]) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('index' as const), at: number, texts: fc.constant([]) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const query = fc.array(fc.constantFrom(...words, 'te', 'ee', 'n', '%', '_', '"tea"'), { minLength: 1, maxLength: 2 });

const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length];
const say = (content: string): object => ({ role: 'assistant', content });

async function take(userId: string, { do: what, at, texts }: Step): Promise<unknown> {
  const chats = (await listChats({ userId })).items;
  const chatId = pick(chats, at)?.id ?? randomUUID();
  const { items } = await listMessages({ chatId, userId, limit: 1000 });
  const row = pick(items, at >> 3);
  const memory = pick(await getMemoriesByUserId({ userId }), at);
  switch (what) {
    case 'append':
      if (chats.length < 3) return saveChat({ id: randomUUID(), userId, messages: texts.map(say) });
      return appendMessages({ chatId, userId, messages: texts.map(say) });
    case 'save': {
      const kept = items.slice(0, at % (items.length + 1)).map(({ message }) => message);
      return saveChat({ id: chatId, userId, messages: [...kept, ...texts.map(say)] });
    }
    case 'update':
      return row && updateMessage({ chatId, userId, id: row.id, message: say(texts[0]) });
    case 'branch':
      return row && branchFrom({ chatId, userId, parentId: row.parentId, messages: texts.map(say) });
    case 'select': {
      const messageId = pick(row?.siblings ?? [], at >> 6);
      return messageId && selectBranch({ chatId, userId, messageId });
    }
    case 'delete':
      return at % 5 === 0 && deleteChatById({ id: chatId, userId });
    case 'remember':
      return saveMemory({ userId, content: texts[0] });
    case 'rewrite':
      return memory && updateMemory({ id: memory.id, userId, content: texts[0] }).catch(() => []);
    case 'forget':
      return memory && deleteMemoryById({ id: memory.id, userId });
    case 'index':
      return at % 20 === 0 ? dropSearchIndex({ userId }) : indexForSearch({ userId });
  }
}

const plain = (given: string): string => given.normalize('NFKC').toLowerCase();

interface Looked {
  id: string;
  text: string;
  /** Newest first. */
  order: (string | number)[];
}

/** What a look at each text gives, in the order of a page: its rank, then the newest. */
function look(rows: readonly Looked[], given: readonly string[]): string[] {
  const terms = given.map((word) => plain(word.replaceAll('"', '')));
  const inWord = String.raw`[\p{L}\p{M}\p{N}]`;
  const isWord = (one: string, term: string): boolean =>
    new RegExp(`(?<!${inWord})${term.replaceAll(/[.*+?^$|()[\]{}\\]/g, '\\$&')}(?!${inWord})`, 'u').test(one);
  const rankOf = (one: string): number =>
    (terms.length > 1 && one.includes(terms.join(' ')) ? 2 : 0) + (terms.every((term) => isWord(one, term)) ? 1 : 0);
  return rows
    .filter((row) => terms.every((term) => plain(row.text).includes(term)))
    .map((row) => ({ ...row, order: [rankOf(plain(row.text)), ...row.order] }))
    .sort((one, other) => {
      const i = one.order.findIndex((key, n) => key !== other.order[n]);
      return i === -1 ? 0 : (one.order[i] as number) < (other.order[i] as number) ? 1 : -1;
    })
    .map(({ id }) => id);
}

async function allMessages(userId: string): Promise<Looked[]> {
  const rows: Looked[] = [];
  for (const { id: chatId } of (await listChats({ userId, limit: 1000 })).items) {
    for (const item of (await listMessages({ chatId, userId, limit: 1000 })).items) {
      const order = [item.createdAt.getTime(), chatId, item.position];
      rows.push({ id: item.id, text: item.message.content as string, order });
    }
  }
  return rows;
}

async function check(userId: string, given: readonly string[]): Promise<void> {
  const all = { userId, query: given.join(' '), limit: 100 };
  const messages = (await searchMessages(all)).items.map(({ id }) => id);
  assert.deepStrictEqual(messages, look(await allMessages(userId), given));
  const rows = (await getMemoriesByUserId({ userId })).map(({ id, content, createdAt }) => ({
    ...{ id, text: content, order: [createdAt.getTime(), id] },
  }));
  assert.deepStrictEqual(
    (await searchMemories(all)).items.map(({ id }) => id),
    look(rows, given),
  );
  const contentQuery = given[0] as string;
  const holding = rows.filter(({ text: content }) => plain(content).includes(plain(contentQuery)));
  assert.deepStrictEqual(
    (await findMemoriesByContent({ userId, contentQuery })).map(({ id }) => id),
    holding.map(({ id }) => id),
  );
}

test(
  'after any history, and however far the index is behind, search gives what a look at each row gives',
  async () => {
    let done = 0;
    const history = fc.array(fc.tuple(step, query), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const userId = await newUser();
        for (const [one, asked] of steps) {
          await take(userId, one);
          await check(userId, asked);
        }
        done += 1;
      }),
      runs(60, 600),
    );
    console.info(`${done} histories`);
  },
  propertyTimeoutMs,
);

// Search finds what a look at each row would, in the same order, however far its index is behind; and what it is asked
// means what it says, in every language.

import { randomBytes, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import {
  appendMessages,
  branchFrom,
  db,
  deleteAllChats,
  deleteChatById,
  deleteMemoryById,
  dropSearchIndex,
  findMemoriesByContent,
  indexForSearch,
  listMessages,
  type MessageMatch,
  saveChat,
  saveMemory,
  searchMemories,
  searchMessages,
  selectBranch,
  updateMemory,
  updateMessage,
} from '../../db/queries.ts';
import { readPages } from './pages.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const say = (content: string): { role: string; content: string } => ({ role: 'user', content });

async function newChat(userId: string, texts: readonly string[]): Promise<string> {
  const id = randomUUID();
  await saveChat({ id, userId, messages: texts.map(say) });
  return id;
}

const contentOf = ({ message }: MessageMatch): unknown => message.content;

async function found(userId: string, query: string): Promise<unknown[]> {
  return (await readPages((cursor) => searchMessages({ userId, query, cursor }))).map(contentOf);
}

/** The same before anything is indexed, and after. */
async function expectFound(userId: string, expected: Record<string, string[]>): Promise<void> {
  for (const isIndexed of [false, true]) {
    if (isIndexed) await indexForSearch({ userId });
    for (const [query, texts] of Object.entries(expected)) {
      expect((await found(userId, query)).sort(), `${query}, indexed: ${isIndexed}`).toEqual([...texts].sort());
    }
  }
}

describe('what a query finds', () => {
  test('in every script, any part of a word, in any case', async () => {
    const userId = await newUser();
    const [hebrew, chinese, japanese, korean, arabic, thai] = [
      'אני אוהבת תה ירוק',
      '我喜欢喝绿茶',
      '緑茶をください。カフェで',
      '저는 녹차를 좋아해요',
      'أحب الشاي الأخضر',
      'ฉันชอบชาเขียว',
    ] as const;
    const [greek, turkish, german] = ['ΟΔΥΣΣΕΥΣ και Ὀδυσσεύς', 'İSTANBUL güzel', 'STRASSE und Straße'] as const;
    const [emoji, family] = ['a cup 🍵 of tea', '👩‍👩‍👧 at home'] as const;
    await newChat(userId, [hebrew, chinese, japanese, korean, arabic, thai, greek, turkish, german, emoji, family]);
    await expectFound(userId, {
      תה: [hebrew],
      'ירוק אוהבת': [hebrew],
      ה: [hebrew],
      绿茶: [chinese],
      茶: [chinese, japanese],
      喝绿: [chinese],
      ｶﾌｪ: [japanese],
      を: [japanese],
      녹차: [korean],
      녹: [korean],
      الشاي: [arabic],
      ชา: [thai],
      οδυσσευς: [greek],
      Οδυσσευσ: [greek],
      istanbul: [turkish],
      strasse: [german],
      ße: [german],
      '🍵': [emoji],
      '🍵 CUP': [emoji],
      '👩': [family],
      '👩‍👩‍👧 home': [family],
    });
  });

  test('accents are what they look like, however they were typed', async () => {
    const userId = await newUser();
    const [composed, decomposed] = ['un caf\u00e9 noir', 'un cafe\u0301 blanc'];
    await newChat(userId, [composed, decomposed, 'ﬁne print', 'ＦＵＬＬ width', 'a cafe']);
    await expectFound(userId, {
      'caf\u00e9': [composed, decomposed],
      'CAFE\u0301': [composed, decomposed],
      fine: ['ﬁne print'],
      full: ['ＦＵＬＬ width'],
    });
  });

  test('all words, phrases in quotation marks, and nothing that stands for anything else', async () => {
    const userId = await newUser();
    const texts = [
      '100% sure of it',
      '100abc sure',
      'snake_case',
      'snakeXcase',
      'back\\slash',
      'it is of sure use',
      'a*b',
      'aab',
    ];
    await newChat(userId, texts);
    await expectFound(userId, {
      'sure of': ['100% sure of it', 'it is of sure use'],
      '"sure of"': ['100% sure of it'],
      '"sure of': ['100% sure of it', 'it is of sure use'],
      '"of it" 100': ['100% sure of it'],
      '100%': ['100% sure of it'],
      '%': ['100% sure of it'],
      snake_: ['snake_case'],
      _: ['snake_case'],
      '%sure%': [],
      'k\\s': ['back\\slash'],
      'a*b': ['a*b'],
      'SURE SURE sure': ['100% sure of it', '100abc sure', 'it is of sure use'],
      x: ['snakeXcase'],
    });
  });

  test('of a message what was said, whatever its shape, and not its other fields', async () => {
    const userId = await newUser();
    const id = randomUUID();
    const messages = [
      { role: 'user', content: 'one plum' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'two plums' },
          { type: 'image', image: 'plumage' },
        ],
      },
      {
        id: 'plum',
        role: 'assistant',
        parts: [
          { type: 'text', text: 'three' },
          { type: 'text', text: 'plums' },
        ],
      },
      { role: 'assistant', content: 'four plums', parts: [{ type: 'text', text: 'four plums' }] },
      { role: 'tool', content: [{ type: 'tool-result', result: 'plum' }] },
      { role: 'data', plum: 'plum' },
      { role: 'user', content: 'a nul \0 plum', extra: 1 },
    ];
    await saveChat({ id, userId, messages });
    for (const isIndexed of [false, true]) {
      if (isIndexed) await indexForSearch({ userId });
      const { items } = await searchMessages({ userId, query: 'plum' });
      expect(items.map(({ position }) => position).sort()).toEqual([0, 1, 2, 3, 6]);
      expect(items.find(({ position }) => position === 3)?.marks).toHaveLength(1);
      expect(items.map(({ message }) => message)).toEqual(items.map(({ position }) => messages[position]));
    }
  });

  test('the beginning of a message of megabytes, and the others beside it', async () => {
    const userId = await newUser();
    const long = `needle straw ${randomBytes(150_000).toString('hex')} pin`; // more than is read with others
    const chatId = await newChat(userId, [long, 'a needle']);
    await expectFound(userId, { needle: [long, 'a needle'], pin: [] });
    const { items } = await searchMessages({ userId, query: 'straw' });
    expect(items[0]).toMatchObject({ chatId, position: 0, message: { content: long } });
    expect(items[0]?.snippet.length).toBeLessThan(250);
  });
});

describe('what is shown', () => {
  test('a piece around the first match, as it was written, with where the words are', async () => {
    const userId = await newUser();
    const text = `${'before '.repeat(30)}Ｔｅａ… and TEA, straße ${'behind '.repeat(60)}`;
    await newChat(userId, [text, 'the tea']);
    const { items } = await searchMessages({ userId, query: 'tea and' });
    const [{ snippet, marks } = { snippet: '', marks: [] }] = items;
    expect(items).toHaveLength(1);
    expect(marks.map(([from, to]) => snippet.slice(from, to))).toEqual(['Ｔｅａ', 'and', 'TEA']);
    expect(snippet).toMatch(/^….*…$/s);
    expect(text).toContain(snippet.slice(1, -1));
  });

  test('the place of the message, and the message', async () => {
    const userId = await newUser();
    const chatId = await newChat(userId, ['first', 'second']);
    const [, second] = (await listMessages({ chatId, userId })).items;
    const { siblings: _siblings, ...place } = second as NonNullable<typeof second>;
    const { items, nextCursor } = await searchMessages({ userId, query: 'cond' });
    expect({ items, nextCursor }).toEqual({
      items: [{ chatId, ...place, snippet: 'second', marks: [[2, 6]] }],
      nextCursor: null,
    });
  });

  test('words side by side before words apart, whole words before parts, then the newest', async () => {
    const userId = await newUser();
    const texts = [
      'tea with green',
      'teapots, greenish',
      'green tea',
      'greens and teas',
      'a green tea again',
      'evergreen tea',
    ];
    for (const isIndexed of [false, true]) {
      const other = await newUser();
      await newChat(other, texts);
      if (isIndexed) await indexForSearch({ userId: other });
      expect(await found(other, 'green tea')).toEqual([
        'a green tea again',
        'green tea',
        'evergreen tea',
        'tea with green',
        'greens and teas',
        'teapots, greenish',
      ]);
    }
    expect(await found(userId, 'green')).toEqual([]);
  });
});

describe('pages', () => {
  test('have no gap and no repeat, while others write, delete and index', async () => {
    const userId = await newUser();
    const chats = [
      await newChat(
        userId,
        [...Array(260).keys()].map((i) => `${i % 7 === 0 ? 'green tea' : 'tea green'} ${i}`),
      ),
    ];
    await indexForSearch({ userId });
    chats.push(
      await newChat(
        userId,
        [...Array(40).keys()].map((i) => `tea and green later ${i}`),
      ),
    );
    const all = await found(userId, 'green tea');
    expect(new Set(all).size).toBe(300);
    let page = 0;
    const walked = await readPages(
      (cursor) => searchMessages({ userId, query: 'green tea', limit: 17, cursor }),
      async () => {
        page += 1;
        await appendMessages({ chatId: chats[1] as string, userId, messages: [say(`green tea while ${page}`)] });
        if (page === 3) await indexForSearch({ userId });
        if (page === 5) await dropSearchIndex({ userId });
      },
    );
    expect(walked.map(contentOf)).toEqual(all);
    const [first, second] = [all.slice(0, 100), all.slice(100, 200)].map((window) => window.map(String));
    expect(first?.slice(0, 9).every((text) => text.startsWith('green tea'))).toBe(true);
    expect(second?.[0]).toMatch(/^green tea/);
    const shortened = await readPages(
      (cursor) => searchMessages({ userId, query: 'green tea', limit: 50, cursor }),
      async () => void (await deleteChatById({ id: chats[1] as string, userId })),
    );
    expect(new Set(shortened.map(contentOf)).size).toBe(shortened.length);
    expect(shortened.filter(({ chatId }) => chatId === chats[0])).toHaveLength(260);
  });

  test('a cursor of another query, or another list, is refused', async () => {
    const userId = await newUser();
    await newChat(userId, ['tea 1', 'tea 2']);
    await saveMemory({ userId, content: 'tea 1' });
    await saveMemory({ userId, content: 'tea 2' });
    const { nextCursor } = await searchMessages({ userId, query: 'tea', limit: 1 });
    expect((await searchMessages({ userId, query: 'TEA ', limit: 1, cursor: nextCursor })).items).toHaveLength(1);
    const calls = [
      () => searchMessages({ userId, query: 'coffee', cursor: nextCursor }),
      () => searchMemories({ userId, query: 'tea', cursor: nextCursor }),
      () => searchMessages({ userId, query: 'tea', cursor: 'x' }),
    ];
    for (const call of calls) await recorder.expectRefused(call, 'INVALID_CURSOR', 'cursor');
  });
});

describe('what is refused before a statement is sent', () => {
  test('a query that is too long, has too many words or none', async () => {
    const userId = await newUser();
    const words = Array.from({ length: 17 }, (_, i) => `w${i}`).join(' ');
    for (const query of ['%'.repeat(10_240), '_ '.repeat(5120), 'x'.repeat(1001), words, '', '  ', '"" " "']) {
      await recorder.expectRefused(() => searchMessages({ userId, query }), 'INVALID_TEXT', 'query');
      await recorder.expectRefused(() => searchMemories({ userId, query }), 'INVALID_TEXT', 'query');
    }
    const contentQuery = '%'.repeat(10_240);
    await recorder.expectRefused(() => findMemoriesByContent({ userId, contentQuery }), 'INVALID_TEXT', 'contentQuery');
    await expect(searchMessages({ userId, query: '%'.repeat(1000) })).resolves.toEqual({ items: [], nextCursor: null });
  });

  test('what is undefined, or beyond the bounds', async () => {
    const userId = await newUser();
    const none = undefined as unknown as string;
    for (const search of [searchMessages, searchMemories]) {
      await recorder.expectRefused(() => search({ userId, query: none }), 'MISSING_ARGUMENT', 'query');
      await recorder.expectRefused(() => search({ userId: none, query: 'x' }), 'MISSING_ARGUMENT', 'userId');
      await recorder.expectRefused(() => search({ userId, query: 'x', limit: 101 }), 'INVALID_LIMIT', 'limit');
    }
    await recorder.expectRefused(() => dropSearchIndex({ userId: none }), 'MISSING_ARGUMENT', 'userId');
  });
});

describe('an index that is behind', () => {
  test('never gives what is not there any more, nor misses what is', async () => {
    const userId = await newUser();
    const chatId = await newChat(userId, ['apple', 'banana', 'cherry']);
    await indexForSearch({ userId });
    const { items } = await listMessages({ chatId, userId });
    const ids = items.map(({ id }) => id) as [string, string, string];
    await updateMessage({ chatId, userId, id: ids[1], message: say('blueberry') });
    expect([await found(userId, 'banana'), await found(userId, 'blueberry')]).toEqual([[], ['blueberry']]);
    await indexForSearch({ userId });
    await branchFrom({ chatId, userId, parentId: ids[0], messages: [say('banana split')] });
    expect([await found(userId, 'cherry'), await found(userId, 'banana')]).toEqual([[], ['banana split']]);
    await selectBranch({ chatId, userId, messageId: ids[2] });
    expect([await found(userId, 'cherry'), await found(userId, 'banana')]).toEqual([['cherry'], []]);
    await indexForSearch({ userId });
    expect([await found(userId, 'cherry'), await found(userId, 'blue')]).toEqual([['cherry'], ['blueberry']]);
    await saveChat({ id: chatId, userId, messages: [say('apple')] });
    expect([await found(userId, 'cherry'), await found(userId, 'apple')]).toEqual([[], ['apple']]);
    await deleteAllChats({ userId });
    expect(await found(userId, 'apple')).toEqual([]);
  });

  test('of memories that were changed, there and back, and while segments become one', async () => {
    const userId = await newUser();
    const [memory] = await saveMemory({ userId, content: 'likes tea' });
    const key = { id: memory?.id ?? '', userId };
    const contents = async (contentQuery: string): Promise<string[]> =>
      (await findMemoriesByContent({ userId, contentQuery })).map(({ content }) => content);
    await indexForSearch({ userId });
    await updateMemory({ ...key, content: 'likes coffee' });
    expect([await contents('tea'), await contents('COFFEE')]).toEqual([[], ['likes coffee']]);
    for (let i = 0; i < 8; i += 1) {
      await saveMemory({ userId, content: `something else ${i}` });
      await db.execute(sql`update "Memory" set search_digest = md5('likes tea')::uuid where id = ${key.id}`);
      await updateMemory({ ...key, content: i < 4 ? 'likes tea' : 'likes coffee' });
      await indexForSearch({ userId });
    }
    await updateMemory({ ...key, content: 'likes tea' });
    expect([await contents('tea'), await contents('coffee')]).toEqual([['likes tea'], []]);
    await deleteMemoryById(key);
    expect(await contents('tea')).toEqual([]);
  });

  test('is brought up to date by a search, when more than 256 are not in it, and small segments become one', async () => {
    const userId = await newUser();
    const segments = async (): Promise<number> => {
      const rows = await db.execute(sql`select 1 from "SearchSegment" where "userId" = ${userId}`);
      return rows.length;
    };
    const texts = [...Array(255).keys()].map((i) => `tea ${i}`);
    const chatId = await newChat(userId, texts);
    await found(userId, '"tea 7"');
    expect(await segments()).toBe(0);
    await appendMessages({ chatId, userId, messages: [say('tea 255')] });
    expect(await found(userId, '"tea 7"')).toHaveLength(11);
    expect(await segments()).toBe(1);
    for (let i = 0; i < 20; i += 1) {
      await appendMessages({ chatId, userId, messages: [say(`coffee ${i}`)] });
      expect(await indexForSearch({ userId })).toEqual({ messages: 1, memories: 0 });
      expect(await segments()).toBeLessThanOrEqual(8);
    }
    expect(await found(userId, 'coffee')).toHaveLength(20);
  });

  test('that lost rows says so, and is made anew when it is dropped', async () => {
    const userId = await newUser();
    await newChat(userId, ['tea', 'coffee']);
    await indexForSearch({ userId });
    await db.execute(sql`delete from "SearchBlock" where "userId" = ${userId} and number < 0`);
    await expect(searchMessages({ userId, query: 'tea' })).rejects.toMatchObject({ code: 'TRANSACTION_CONFLICT' });
    await dropSearchIndex({ userId });
    expect(await found(userId, 'tea')).toEqual(['tea']);
    expect(await indexForSearch({ userId })).toEqual({ messages: 2, memories: 0 });
    expect(await found(userId, 'tea')).toEqual(['tea']);
  });

  test('has nothing of a memory that is encrypted', async () => {
    const userId = await newUser();
    const [memory] = await saveMemory({ userId, content: 'likes tea' });
    await saveMemory({ userId, content: 'likes coffee' });
    await db.execute(sql`update "Memory" set content_index = '\\x00' where id = ${memory?.id}`);
    expect(await indexForSearch({ userId })).toEqual({ messages: 0, memories: 1 });
    const [segment] = await db.execute(sql`select documents from "SearchSegment" where "userId" = ${userId}`);
    expect(segment).toEqual({ documents: 1 });
  });
});

test('others’ rows are never found, and a user’s index goes with the user', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  await newChat(userId, ['green tea']);
  await newChat(other, ['green tea, mine']);
  await saveMemory({ userId: other, content: 'green tea, mine' });
  await indexForSearch({});
  expect(await found(userId, 'tea')).toEqual(['green tea']);
  expect(await findMemoriesByContent({ userId, contentQuery: 'tea' })).toEqual([]);
  expect((await searchMemories({ userId, query: 'tea' })).items).toEqual([]);
  await db.execute(sql`delete from "User" where id = ${other}`);
  expect(await db.execute(sql`select 1 from "SearchBlock" where "userId" = ${other}`)).toHaveLength(0);
});

test('many who index at once, and write and search meanwhile, lose nothing', async () => {
  const userId = await newUser();
  const chats = await Promise.all(Array.from({ length: 5 }, (_, n) => newChat(userId, [`tea of chat ${n}`])));
  const write = async (chatId: string): Promise<void> => {
    for (let i = 0; i < 15; i += 1) await appendMessages({ chatId, userId, messages: [say(`tea ${i}`)] });
  };
  const index = async (): Promise<void> => {
    for (let i = 0; i < 5; i += 1) await indexForSearch({ userId });
  };
  const search = async (): Promise<void> => {
    for (let i = 0; i < 5; i += 1) {
      expect((await searchMessages({ userId, query: '"of chat"' })).items).toHaveLength(5);
    }
  };
  await Promise.all([...chats.map(write), index(), index(), index(), search(), search()]);
  expect(await found(userId, 'tea')).toHaveLength(80);
  while ((await indexForSearch({ userId })).messages > 0);
  expect(await found(userId, 'tea')).toHaveLength(80);
});

// What goes into a chat comes out of it to the last character, whatever SDK made it; what JSON would lose is refused,
// by its place, before anything is written; and a save costs what is new, not what is there.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import {
  appendMessages,
  branchFrom,
  db,
  getChatById,
  listMessages,
  saveChat,
  updateMessage,
} from '../../db/queries.ts';
import { sampleAssistant } from '../../db/sample/sample-assistant.ts';
import { startCountingRelay } from './counting-relay.ts';
import { readPages } from './pages.ts';
import { isEmbedded, newDatabase, newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function savedChat(messages: readonly unknown[]): Promise<{ userId: string; chatId: string }> {
  const [userId, chatId] = [await newUser(), randomUUID()];
  await saveChat({ id: chatId, messages, userId });
  return { userId, chatId };
}

/** By all three ways to read a path. */
async function expectToComeBack(chat: { userId: string; chatId: string }, messages: readonly unknown[]): Promise<void> {
  const found = await getChatById({ id: chat.chatId, userId: chat.userId });
  assert.deepStrictEqual(found?.messages, asJson(messages));
  assert.equal(found?.messageCount, messages.length);
  const items = (await listMessages({ ...chat, limit: 1000 })).items.map(({ message }) => message);
  assert.deepStrictEqual(items, (asJson(messages) as unknown[]).slice(-1000));
}

/** An array that is `depth` levels deep. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i += 1) value = [value];
  return value;
}

describe('what goes in comes out', () => {
  test('the 40 chats of the sample assistant, of AI SDK v3 and v7, also when saved turn by turn', async () => {
    const { chats } = sampleAssistant();
    for (const { messages } of chats) await expectToComeBack(await savedChat(messages), messages);
    const turns = chats.find(({ messages }) => messages.length > 20 && messages.length < 60)?.messages ?? [];
    const chat = await savedChat([]);
    for (let end = 1; end <= turns.length; end += 1) {
      await saveChat({ id: chat.chatId, userId: chat.userId, messages: turns.slice(0, end) });
    }
    await expectToComeBack(chat, turns);
  });

  test.each<[string, unknown[]]>([
    ['U+0000 in values and keys', [{ role: 'user', content: 'a\0b', 'k\0ey': '\0' }]],
    ['halves of surrogate pairs', [{ id: '\ud800', content: '\udc00 \ud83d', '\udfff': ['\ud83d\ude00'] }]],
    [
      'ids that repeat',
      [
        { id: 'a', n: 1 },
        { id: 'a', n: 1 },
        { id: 'a', n: 2 },
      ],
    ],
    ['no ids, and the same text twice', [{ content: 'yes' }, { content: 'yes' }]],
    ['ids that are no texts', [{ id: 0 }, { id: -0 }, { id: null }, { id: { a: 1 } }, { id: ['x'] }, { id: 1e21 }]],
    ['the order of keys', [{ z: 1, a: { y: 2, b: 3 }, '10': 4, '9': 5 }]],
    ['keys that mean something to JavaScript', [JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":null}')]],
    ['an empty message, and one of empty things', [{}, { a: [], b: {}, c: '', d: null }]],
    ['numbers at the edges', [{ n: [5e-324, 1.7976931348623157e308, 2 ** 53 + 2, 0.1 + 0.2, -1e-7, 1e21] }]],
    ['escapes', [{ content: '\\u0000 \\\\ \\" \u2028 \u2029 \ufeff \ufffe \u0001 \x7f </script>' }]],
    ['undefined, as JSON drops it', [{ a: undefined, b: [undefined, () => 1, Symbol('x')], c: () => 1 }]],
    ['what says of itself what it is', [{ at: new Date(0), never: new Date(Number.NaN), url: new URL('https://a.b') }]],
    ['what JSON makes of instances', [{ map: new Map([[1, 2]]), set: new Set([1]), re: /x/, boxed: Object('x') }]],
    ['1 MB', [{ role: 'user', content: 'א🍵'.repeat(180_000) }]],
    ['199 levels', [{ deep: nested(199) }]],
  ])('%s', async (_what, messages) => {
    const chat = await savedChat(messages);
    await expectToComeBack(chat, messages);
    await saveChat({ id: chat.chatId, userId: chat.userId, messages: [...messages, { role: 'user' }] });
    await expectToComeBack(chat, [...messages, { role: 'user' }]);

    const appended = await savedChat([]);
    for (const message of messages as object[])
      await appendMessages({ ...appended, messages: [{ ...message, id: undefined }] });
    await expectToComeBack(
      appended,
      (messages as object[]).map((message) => ({ ...message, id: undefined })),
    );
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('a chat of 5,000 messages, whole and in pages', async () => {
    const messages = Array.from({ length: 5000 }, (_, i) => ({
      id: `m${i}`,
      role: i % 2 ? 'assistant' : 'user',
      content: `${i}`,
    }));
    const chat = await savedChat(messages);
    await expectToComeBack(chat, messages);
    const positions: number[] = [];
    await readPages(
      (cursor) => listMessages({ ...chat, limit: 700, cursor }),
      async ({ items }) => positions.unshift(...items.map(({ position }) => position)),
    );
    expect(positions).toEqual(messages.map((_, i) => i));
  });

  test('a message of exactly 16 MiB of JSON is taken', async () => {
    const chat = await savedChat([{ content: 'x'.repeat(16 * 1024 * 1024 - '{"content":""}'.length) }]);
    const [row] = await db.execute(
      sql`select octet_length(body::text) as bytes from "Message" where "chatId" = ${chat.chatId}`,
    );
    expect(row).toEqual({ bytes: 16 * 1024 * 1024 });
  });

  test('role and own id are those of the JSON, not of the instance', async () => {
    class Answer {
      content = 'hi';
      get role(): string {
        return 'user';
      }
    }
    const { chatId, userId } = await savedChat([
      new Answer(),
      { role: { toJSON: () => 'tool' } },
      { toJSON: () => ({ role: 'user' }) },
    ]);
    const { items } = await listMessages({ chatId, userId });
    expect(items.map(({ role }) => role)).toEqual([null, 'tool', 'user']);
  });
});

const circular: Record<string, unknown> = { role: 'user' };
circular.self = circular;
const bytes = new Uint8Array([1, 2, 3]);

const refused: [string, unknown, string?][] = [
  ['a BigInt', { n: 1n }],
  ['NaN', { parts: [{ n: Number.NaN }] }],
  ['Infinity', { n: Number.POSITIVE_INFINITY }],
  ['a Uint8Array', { bytes }],
  ['a Buffer', { bytes: Buffer.from(bytes) }],
  ['an ArrayBuffer', { bytes: bytes.buffer }],
  ['a SharedArrayBuffer', { bytes: new SharedArrayBuffer(3) }],
  ['a DataView', { bytes: new DataView(bytes.buffer) }],
  ['a cycle', circular],
  ['201 levels', { deep: nested(200) }],
  ['100,000 levels', { deep: nested(100_000) }],
  ['levels behind a toJSON', { deep: { toJSON: () => nested(100_000) } }],
  ['NaN behind a toJSON', { n: { toJSON: () => Number.NaN } }],
  ['bytes behind a toJSON', { bytes: { toJSON: () => bytes } }],
  ['a BigInt behind a toJSON', { toJSON: () => ({ n: 1n }) }],
  [
    'an object that can not be read',
    {
      get content(): string {
        throw new Error('the text of dana@example.com');
      },
    },
  ],
  ['16 MiB and a byte', { content: 'x'.repeat(16 * 1024 * 1024 - '{"content":""}'.length + 1) }],
  ['16 MiB in letters of two bytes', { content: 'é'.repeat(8 * 1024 * 1024) }],
  ['a text', '{"role":"user"}'],
  ['a number', 7],
  ['an array', [{ role: 'user' }]],
  ['null', null],
  ['undefined', undefined],
  ['a function', () => ({ role: 'user' })],
  ['a Date', new Date(0)],
];

describe('what is refused, and nothing of the call is written', () => {
  test.each(refused)('%s', async (_what, message) => {
    const first = { id: 'first', role: 'user', content: 'kept' };
    const chat = await savedChat([first]);
    const id = randomUUID();
    const fails = async (call: Promise<unknown>, argument: string): Promise<void> => {
      const error: Error = await call.then(
        () => new Error('it was taken'),
        (reason) => reason,
      );
      expect(error).toMatchObject({ code: 'INVALID_MESSAGE', details: { argument } });
      expect(error.message).toMatch(new RegExp(`^${argument.replaceAll(/[[\]]/g, '\\$&')} `));
      expect(error.message).not.toContain('dana@example.com');
    };
    const messages = [first, message] as object[];
    await fails(saveChat({ id, messages, userId: chat.userId }), 'messages[1]');
    await fails(saveChat({ id: chat.chatId, messages, userId: chat.userId }), 'messages[1]');
    await fails(appendMessages({ ...chat, messages }), 'messages[1]');
    await fails(branchFrom({ ...chat, parentId: null, messages }), 'messages[1]');
    const [item] = (await listMessages(chat)).items;
    if (message !== undefined) {
      await fails(updateMessage({ ...chat, id: item?.id ?? '', message: message as object }), 'message');
    }
    expect(await getChatById({ id })).toBeUndefined();
    await expectToComeBack(chat, [first]);
    const rows = await db.execute(sql`select 1 from "Message" where "userId" = ${chat.userId}`);
    expect([...rows]).toHaveLength(1);
  });

  test('a hole in the list', async () => {
    // biome-ignore lint/suspicious/noSparseArray: that is the point
    const messages = [{ role: 'user' }, , { role: 'user' }] as object[];
    await expect(savedChat(messages)).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
      details: { argument: 'messages[1]' },
    });
    const chat = await savedChat([]);
    await expect(appendMessages({ ...chat, messages })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    await expectToComeBack(chat, []);
  });

  test('a list that is not an array', async () => {
    for (const messages of ['[]', {}, 5, null, new Set()]) {
      await expect(savedChat(messages as unknown as [])).rejects.toMatchObject({
        code: 'INVALID_MESSAGE',
        details: { argument: 'messages' },
      });
    }
    await expect(savedChat(undefined as unknown as [])).rejects.toMatchObject({ code: 'MISSING_ARGUMENT' });
  });

  test('more than 256 million characters in one call', async () => {
    const content = 'x'.repeat(15_900_000);
    const messages = Array.from({ length: 17 }, () => ({ content }));
    await expect(savedChat(messages)).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
      details: { argument: 'messages' },
    });
  });

  test.each<[string, number, () => object]>([
    ['100 MB', 1000, () => ({ content: 'x'.repeat(100_000_000) })],
    [
      '2 to the power of 100 references',
      20_000,
      () => ({ tree: Array.from({ length: 100 }).reduce((below) => [below, below], 'x') }),
    ],
  ])('what is far too large is refused before its text is made: %s', async (_what, withinMs, make) => {
    const message = make();
    const startMs = performance.now();
    await expect(savedChat([message])).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    expect(performance.now() - startMs).toBeLessThan(withinMs);
  });
});

describe('a save of 2 more messages onto 5,000', () => {
  const text = 'word '.repeat(100);
  const turn = (i: number): object => ({
    id: `m${i}`,
    role: i % 2 ? 'assistant' : 'user',
    parts: [{ type: 'text', text }],
  });
  const turns = (count: number): object[] => Array.from({ length: count }, (_, i) => turn(i));
  const stops: (() => unknown)[] = [];
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  test('writes two rows of messages and the row of the chat, and an equal list writes nothing', async () => {
    const chat = await savedChat(turns(5000));
    const save = (count: number): Promise<unknown> =>
      saveChat({ id: chat.chatId, userId: chat.userId, messages: turns(count) });
    const versions = async (table: 'Chat' | 'Message'): Promise<Map<string, string>> => {
      const rows = await db.execute<{ id: string; xmin: string }>(
        sql`select id, xmin::text as xmin from ${sql.identifier(table)} where "userId" = ${chat.userId}`,
      );
      return new Map([...rows].map(({ id, xmin }) => [id, xmin]));
    };
    const written = async (work: () => Promise<unknown>): Promise<{ chats: number; messages: number }> => {
      const before = [await versions('Chat'), await versions('Message')];
      await work();
      const after = [await versions('Chat'), await versions('Message')];
      const [chats = 0, messages = 0] = after.map(
        (rows, i) => [...rows].filter(([id, xmin]) => before[i]?.get(id) !== xmin).length,
      );
      return { chats, messages };
    };
    await savedChat([{}]); // somebody else's
    expect(await written(() => save(5002))).toEqual({ chats: 1, messages: 2 });
    expect(await written(() => save(5002))).toEqual({ chats: 0, messages: 0 });
    expect(await written(() => appendMessages({ ...chat, messages: [turn(5002)] }))).toEqual({ chats: 1, messages: 1 });
    expect(await written(() => save(5003))).toEqual({ chats: 0, messages: 0 });
    expect(await written(() => save(5004))).toEqual({ chats: 1, messages: 1 });
  });

  test.skipIf(isEmbedded)('sends less than 10 KB and hears less (not embedded: there is no wire)', async () => {
    const { url = '' } = await newDatabase();
    const relay = await startCountingRelay(url);
    const database = await createDatabase({ url: relay.url, poolSize: 1 });
    stops.push(() => database.close(), relay.stop);
    await database.run(async () => {
      const [userId, id] = [await newUser(), randomUUID()];
      const save = (count: number) => relay.during(() => saveChat({ id, userId, messages: turns(count) }));
      const whole = await save(5000);
      expect(whole.sentBytes).toBeGreaterThan(2_500_000);
      await save(5002); // the statements are sent once in each connection
      const { sentBytes, heardBytes } = await save(5004);
      console.info(
        `bytes sent and heard: 5,000 new ${whole.sentBytes}, ${whole.heardBytes}; 2 more ${sentBytes}, ${heardBytes}`,
      );
      expect(sentBytes).toBeLessThan(10_000);
      expect(heardBytes).toBeLessThan(10_000);
    });
  });
});

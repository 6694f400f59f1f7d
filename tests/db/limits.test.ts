// How large a message, a call and a chat may be, and how deep JSON: what is at a limit is taken, what is beyond it is
// refused by name, and before a statement is sent wherever the call itself says it.

import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import type { MytxError } from '../../db/errors.ts';
import { saveProtocol } from '../../db/protocol-queries.ts';
import {
  appendMessages,
  branchFrom,
  configureLimits,
  createReservation,
  db,
  eraseUser,
  getChatById,
  importUser,
  type LimitSettings,
  listMessages,
  saveChat,
  selectBranch,
  transaction,
  updateMessage,
} from '../../db/queries.ts';
import { exportedLines, firstOf, sealed, withFields } from './export-file.ts';
import { flight } from './flight.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });
afterEach(() => void configureLimits());

interface Place {
  userId: string;
  chatId: string;
}

async function savedChat(messages: readonly unknown[] = [{ n: 0 }]): Promise<Place> {
  const [userId, chatId] = [await newUser(), randomUUID()];
  await saveChat({ id: chatId, messages, userId });
  return { userId, chatId };
}

const numbered = (count: number): object[] => Array.from({ length: count }, (_, n) => ({ n }));

/** An array that is `depth` levels deep. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i += 1) value = [value];
  return value;
}

/** A message of so many bytes of JSON. */
const ofBytes = (bytes: number, character = 'x'): object => ({
  content: character.repeat((bytes - '{"content":""}'.length) / Buffer.byteLength(character)),
});

async function errorOf(call: Promise<unknown>): Promise<MytxError> {
  return call.then(
    () => expect.fail('it was taken'),
    (error) => error,
  );
}

/** What the database has of a chat: the path's bodies, and how many rows there are. */
async function stored({ chatId }: Place): Promise<{ path: unknown; rows: number }> {
  const rows = await db.execute(sql`select 1 from "Message" where "chatId" = ${chatId}`);
  return { path: (await getChatById({ id: chatId }))?.messages, rows: [...rows].length };
}

describe('the limits themselves', () => {
  test('are those that are documented, and what is left out is as it was', () => {
    const usual = configureLimits();
    expect(usual).toEqual({
      messageBytes: 16 * 1024 * 1024,
      saveMessages: 100_000,
      saveBytes: 256 * 1024 * 1024,
      chatMessages: 1_000_000,
      jsonDepth: 200,
      reservationBytes: 64 * 1024,
      protocolBytes: 1024 * 1024,
    });
    expect(configureLimits({ jsonDepth: 1000 })).toEqual({ ...usual, jsonDepth: 1000 });
    expect(configureLimits({ chatMessages: 5 })).toEqual({ ...usual, chatMessages: 5 });
  });

  test.each<[keyof LimitSettings, number]>([
    ['messageBytes', 16 * 1024 * 1024],
    ['saveMessages', 10_000_000],
    ['saveBytes', 256 * 1024 * 1024],
    ['chatMessages', 2_147_483_647],
    ['jsonDepth', 1_000],
    ['reservationBytes', 1024 * 1024],
    ['protocolBytes', 16 * 1024 * 1024],
  ])('%s is at most what the database takes, %i', (name, most) => {
    expect(configureLimits({ [name]: most })[name]).toBe(most);
    for (const wrong of [most + 1, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
      const configure = (): unknown => configureLimits({ [name]: wrong });
      expect(configure).toThrow(new RegExp(`^${name} is .*; it must be a whole number from 1 to ${most}$`));
      expect(configure).toThrow(expect.objectContaining({ code: 'INVALID_LIMIT' }));
    }
    expect(configureLimits({ [name]: most })[name], 'a wrong one changes nothing').toBe(most);
  });

  test('a name that is none is refused, and what is no object', () => {
    const wrong = (value: unknown) => (): unknown => configureLimits(value as never);
    expect(wrong({ messagebytes: 5 })).toThrow(/^messagebytes is no limit; there are messageBytes, saveMessages, /);
    expect(wrong(null)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

interface Case {
  what: string;
  settings: Partial<LimitSettings>;
  fits: object;
  beyond: object;
  details: Record<string, unknown>;
}

const ofOneMessage: Case[] = [
  {
    what: 'the bytes of a message',
    settings: { messageBytes: 100 },
    fits: ofBytes(100),
    beyond: ofBytes(101),
    details: { limit: 'messageBytes', size: 101, max: 100 },
  },
  {
    what: 'the bytes of a message in letters of two bytes',
    settings: { messageBytes: 100 },
    fits: ofBytes(100, 'é'),
    beyond: ofBytes(102, 'é'),
    details: { limit: 'messageBytes', size: 102, max: 100 },
  },
  {
    what: 'the bytes of a message that is escapes',
    settings: { messageBytes: 134 },
    fits: { content: '\0'.repeat(20) },
    beyond: { content: '\0'.repeat(21) },
    details: { limit: 'messageBytes', size: 140, max: 134 },
  },
  {
    what: 'the bytes of a message of keys',
    settings: { messageBytes: 100 },
    fits: { ['k'.repeat(94)]: 1 },
    beyond: { ['k'.repeat(95)]: 1 },
    details: { limit: 'messageBytes', size: 101, max: 100 },
  },
  {
    what: 'levels',
    settings: { jsonDepth: 3 },
    fits: { deep: nested(2), wide: Array.from({ length: 50 }, () => [0]) },
    beyond: { deep: nested(3) },
    details: { limit: 'jsonDepth', size: 4, max: 3 },
  },
  {
    what: 'levels where the list is long',
    settings: {},
    fits: { deep: nested(199) },
    beyond: { deep: nested(100_000) },
    details: { limit: 'jsonDepth', size: 201, max: 200 },
  },
  {
    what: 'levels in what says of itself what it is',
    settings: { jsonDepth: 3 },
    fits: { deep: { toJSON: () => nested(2) } },
    beyond: { deep: { toJSON: () => nested(3) } },
    details: { limit: 'jsonDepth', size: 4, max: 3 },
  },
];

describe('one message', () => {
  test.each(ofOneMessage)('$what', async ({ settings, fits, beyond, details }) => {
    const chat = await savedChat();
    const { userId, chatId } = chat;
    configureLimits(settings);
    const before = [{ n: 0 }, fits];
    await saveChat({ id: chatId, messages: before, userId });
    await appendMessages({ ...chat, messages: [{ n: 1 }, fits] });
    const item = (await listMessages(chat)).items.at(-1);
    await updateMessage({ ...chat, id: item?.id ?? '', message: fits });
    await branchFrom({ ...chat, parentId: item?.id ?? '', messages: [fits] });
    const kept = await stored(chat);

    const calls: [string, string, () => Promise<unknown>][] = [
      ['a new chat', 'messages[1]', () => saveChat({ id: randomUUID(), messages: [...numbered(1), beyond], userId })],
      ['the end', 'messages[5]', () => saveChat({ id: chatId, messages: [...before, {}, fits, fits, beyond], userId })],
      ['the beginning', 'messages[0]', () => saveChat({ id: chatId, messages: [beyond, ...numbered(20)], userId })],
      [
        'the middle',
        'messages[250]',
        () => saveChat({ id: chatId, messages: [...numbered(250), beyond, ...numbered(250)], userId }),
      ],
      ['more', 'messages[1]', () => appendMessages({ ...chat, messages: [fits, beyond] })],
      ['a change', 'message', () => updateMessage({ ...chat, id: item?.id ?? '', message: beyond })],
      ['a branch', 'messages[0]', () => branchFrom({ ...chat, parentId: null, messages: [beyond] })],
    ];
    for (const [what, argument, call] of calls) {
      await recorder.expectRefused(call, 'INVALID_MESSAGE', argument);
      const { details: found, hint } = await errorOf(call());
      expect({ what, ...found }).toEqual({ what, argument, ...details });
      expect(hint.includes('configureLimits'), hint).toBe(true);
    }
    expect(await stored(chat)).toEqual(kept);
  });

  test('is refused before a statement is sent also for what JSON would lose, anywhere in the list', async () => {
    const { chatId, userId } = await savedChat();
    for (const wrong of [{ n: 1n }, { n: Number.NaN }, { at: new Uint8Array(1) }, null, undefined, new Date(0), []]) {
      const messages = [...numbered(120), wrong, ...numbered(20)];
      await recorder.expectRefused(
        () => saveChat({ id: chatId, messages, userId }),
        'INVALID_MESSAGE',
        'messages[120]',
      );
    }
  });

  test('whose getters give something else when they are asked again is refused or taken, and never half', async () => {
    const { chatId, userId } = await savedChat();
    let asked = 0;
    const fickle = {
      get content(): unknown {
        asked += 1;
        if (asked % 2 === 0) throw new Error('the text of dana@example.com');
        return 'x';
      },
    };
    const error = await errorOf(saveChat({ id: chatId, messages: [...numbered(3), fickle, ...numbered(5)], userId }));
    expect(error).toMatchObject({ code: 'INVALID_MESSAGE', details: { argument: 'messages[3]' } });
    expect(error.message).not.toContain('dana');
  });

  test('may have a thousand levels, wherever it goes', async () => {
    configureLimits({ jsonDepth: 1000 });
    const deep = (content: string): object => ({ id: 'a', role: 'assistant', deep: nested(999), content });
    const chat = await savedChat([{ role: 'user', content: 'hi' }, deep('h')]);
    const { chatId, userId } = chat;
    const whole = [{ role: 'user', content: 'hi' }, deep('hello')];
    await saveChat({ id: chatId, messages: whole, userId });
    await saveChat({
      id: chatId,
      messages: whole.with(1, { content: 'hello', deep: nested(999), role: 'assistant', id: 'a' }),
      userId,
    });
    await appendMessages({ ...chat, messages: [deep('more'), deep('and more'), deep('more')] });
    const kept = await stored(chat);
    expect(kept).toEqual({ path: [...whole, deep('more'), deep('and more')], rows: 4 });
    await createReservation({ id: randomUUID(), userId, details: { ...flight, deep: nested(999) } });
    const parts = [{ content: 'x', deep: nested(998) }];
    await saveProtocol({ userId, name: 'deep', parts });
    const lines = await exportedLines(userId);
    await eraseUser({ userId });
    await importUser(lines);
    expect(await stored(chat)).toEqual(kept);
  });
});

describe('one call', () => {
  test('hands over so many messages and no more', async () => {
    const chat = await savedChat();
    const { userId } = chat;
    configureLimits({ saveMessages: 3 });
    const id = randomUUID();
    await saveChat({ id, messages: numbered(3), userId });
    await appendMessages({ chatId: id, userId, messages: numbered(3) });
    await branchFrom({ chatId: id, userId, parentId: null, messages: numbered(3) });
    for (const call of [
      () => saveChat({ id, messages: numbered(4), userId }),
      () => appendMessages({ chatId: id, userId, messages: numbered(4) }),
      () => branchFrom({ chatId: id, userId, parentId: null, messages: numbered(4) }),
    ]) {
      await recorder.expectRefused(call, 'INVALID_MESSAGE', 'messages');
      const error = await errorOf(call());
      expect(error.message).toBe('messages has 4 messages; one call takes at most 3');
      expect(error.details).toEqual({ argument: 'messages', limit: 'saveMessages', size: 4, max: 3 });
    }
    expect(await stored({ chatId: id, userId })).toEqual({ path: numbered(3), rows: 9 });
  });

  test('hands over so many bytes and no more, wherever in the list they are', async () => {
    const chat = await savedChat();
    const { userId } = chat;
    configureLimits({ saveBytes: 400 });
    const id = randomUUID();
    const quarters = [ofBytes(100), ofBytes(100), ofBytes(100), ofBytes(100)];
    for (const messages of [quarters.slice(0, 3), quarters.slice(0, 2)]) {
      await saveChat({ id: randomUUID(), messages, userId });
      await saveChat({ id, messages, userId });
      await appendMessages({ chatId: id, userId, messages });
      await branchFrom({ chatId: id, userId, parentId: null, messages });
    }
    const { rows } = await stored({ chatId: id, userId });
    const tooMany = [...quarters, { n: 1 }];
    for (const [call] of [
      [() => saveChat({ id: randomUUID(), messages: tooMany, userId })],
      [() => saveChat({ id, messages: tooMany, userId })],
      [() => saveChat({ id, messages: [...numbered(60), { n: 1 }], userId })],
      [() => appendMessages({ chatId: id, userId, messages: tooMany })],
      [() => branchFrom({ chatId: id, userId, parentId: null, messages: tooMany })],
    ] as const) {
      await recorder.expectRefused(call, 'INVALID_MESSAGE', 'messages');
      const { details } = await errorOf(call());
      expect(details).toMatchObject({ argument: 'messages', limit: 'saveBytes', max: 400 });
      expect(details.size).toBeGreaterThan(400);
    }
    expect((await stored({ chatId: id, userId })).rows).toBe(rows);
  });
});

describe('a chat', () => {
  const full = { argument: 'messages', limit: 'chatMessages', max: 5 };

  test('is refused before a statement is sent where the call alone is too much', async () => {
    const { userId, chatId } = await savedChat();
    configureLimits({ chatMessages: 5 });
    for (const call of [
      () => saveChat({ id: randomUUID(), messages: numbered(6), userId }),
      () => saveChat({ id: chatId, messages: numbered(6), userId }),
      () => appendMessages({ chatId, userId, messages: numbered(6) }),
      () => branchFrom({ chatId, userId, parentId: null, messages: numbered(6) }),
    ]) {
      await recorder.expectRefused(call, 'CHAT_FULL', 'messages');
      const error = await errorOf(call());
      expect(error.message).toBe('these are 6 messages; a chat has at most 5');
      expect(error.details).toEqual({ ...full, size: 6 });
    }
  });

  test('takes messages up to its limit; what is beyond is refused whole, in one statement more', async () => {
    const chat = await savedChat(numbered(3));
    configureLimits({ chatMessages: 5 });
    const { path } = await stored(chat);
    const error = await errorOf(appendMessages({ ...chat, messages: [{ a: 1 }, { a: 2 }, { a: 3 }] }));
    expect(error).toMatchObject({ name: 'LimitError', code: 'CHAT_FULL', details: { ...full, size: 6 } });
    expect(error.message).toBe('the chat has 3 messages, and 3 would be added; a chat has at most 5');
    expect(await stored(chat)).toEqual({ path, rows: 3 });

    const last = [
      { id: 'x', a: 1 },
      { id: 'y', a: 2 },
    ];
    const places = await appendMessages({ ...chat, messages: last });
    expect(places.map(({ position }) => position)).toEqual([3, 4]);
    expect(await appendMessages({ ...chat, messages: last }), 'known messages are no new ones').toEqual(places);
    expect(await errorOf(appendMessages({ ...chat, messages: [...last, { id: 'z' }] }))).toMatchObject({
      code: 'CHAT_FULL',
      details: { ...full, size: 6 },
    });
    expect(await appendMessages({ ...chat, messages: [] })).toEqual([]);
    await updateMessage({ ...chat, id: places[1]?.id ?? '', message: { id: 'y', a: 3 } });
    await saveChat({ id: chat.chatId, userId: chat.userId, messages: numbered(5) });
    expect(await stored(chat)).toEqual({ path: numbered(5), rows: 7 });
  });

  test('counts the path: a branch may be as long, and another is no longer for it', async () => {
    const chat = await savedChat(numbered(5));
    configureLimits({ chatMessages: 5 });
    const { items } = await listMessages(chat);
    const [, second] = items;
    const before = await stored(chat);
    const tooLong = branchFrom({
      ...chat,
      parentId: second?.id ?? '',
      messages: [{ b: 2 }, { b: 3 }, { b: 4 }, { b: 5 }],
    });
    expect(await errorOf(tooLong)).toMatchObject({ code: 'CHAT_FULL', details: { ...full, size: 6 } });
    expect(await stored(chat)).toEqual(before);
    await branchFrom({ ...chat, parentId: second?.id ?? '', messages: [{ b: 2 }, { b: 3 }, { b: 4 }] });
    expect((await stored(chat)).rows).toBe(8);
    configureLimits({ chatMessages: 2 });
    await selectBranch({ ...chat, messageId: items[4]?.id ?? '' }); // it was there before the limit
    expect((await stored(chat)).path).toEqual(numbered(5));
    expect(await errorOf(appendMessages({ ...chat, messages: [{}] }))).toMatchObject({ code: 'CHAT_FULL' });
    await saveChat({ id: chat.chatId, userId: chat.userId, messages: numbered(2) });
    expect((await stored(chat)).path).toEqual(numbered(2));
  });

  test('lets as many of twenty callers at once through as there is room for', async () => {
    const chat = await savedChat(numbered(13));
    configureLimits({ chatMessages: 20 });
    const calls = Array.from({ length: 20 }, (_, i) => appendMessages({ ...chat, messages: [{ i }] }));
    const outcomes = await Promise.allSettled(calls);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refusals.map(({ code, details }) => ({ code, size: details.size }))).toEqual(
      Array.from({ length: 13 }, () => ({ code: 'CHAT_FULL', size: 21 })),
    );
    expect((await stored(chat)).rows).toBe(20);
  });

  test('that is full does not end the transaction it is refused in', async () => {
    const chat = await savedChat(numbered(5));
    configureLimits({ chatMessages: 5 });
    await transaction(async () => {
      expect(await errorOf(appendMessages({ ...chat, messages: [{}] }))).toMatchObject({ code: 'CHAT_FULL' });
      await appendMessages({ chatId: (await savedChatOf(chat.userId)).chatId, userId: chat.userId, messages: [{}] });
    });
    expect((await stored(chat)).rows).toBe(5);
  });
});

async function savedChatOf(userId: string): Promise<Place> {
  const chatId = randomUUID();
  await saveChat({ id: chatId, messages: [], userId });
  return { userId, chatId };
}

test('the JSON of reservations and protocols has limits too', async () => {
  const userId = await newUser();
  const details = { ...flight, note: '' };
  const parts = [{ content: 'é' }];
  configureLimits({ reservationBytes: JSON.stringify(details).length, protocolBytes: 18 });
  await createReservation({ id: randomUUID(), userId, details });
  await saveProtocol({ userId, name: 'fits', parts });
  for (const [call, code, argument] of [
    [
      () => createReservation({ id: randomUUID(), userId, details: { ...details, note: 'x' } }),
      'INVALID_DETAILS',
      'details',
    ],
    [() => saveProtocol({ userId, name: 'x', parts: [{ content: 'éx' }] }), 'INVALID_PARTS', 'parts'],
  ] as const) {
    await recorder.expectRefused(call, code, argument);
  }
  configureLimits({ jsonDepth: 4 });
  const deep = nested(100_000);
  const deepParts = [{ content: 'x', deep }];
  for (const [call, code, argument] of [
    [
      () => createReservation({ id: randomUUID(), userId, details: { ...details, deep } }),
      'INVALID_DETAILS',
      'details',
    ],
    [() => saveProtocol({ userId, name: 'x', parts: deepParts }), 'INVALID_PARTS', 'parts'],
  ] as const) {
    await recorder.expectRefused(call, code, argument);
  }
});

describe('an import', () => {
  /** An export of a person with all that has a limit, who is not there any more. */
  async function lines(): Promise<string[]> {
    const { userId } = await savedChat([{ role: 'user', content: 'é'.repeat(100) }, { n: 1 }, { n: 2 }]);
    await createReservation({ id: randomUUID(), userId, details: flight });
    await saveProtocol({ userId, name: 'x', parts: [{ content: 'one' }, { content: 'two' }] });
    const exported = await exportedLines(userId);
    await eraseUser({ userId });
    return exported;
  }

  const deepText = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  /** A line with a body that is written by hand. */
  const withBody = (line: string | undefined, body: string): string =>
    `${(line ?? '').slice(0, (line ?? '').indexOf(',"body":'))},"body":${body}}}\n`;

  test.each<[string, Partial<LimitSettings>, string, string]>([
    ['a message', { messageBytes: 200 }, 'Message', 'has a body of 228 bytes of JSON; at most 200 are allowed'],
    ['details', { reservationBytes: 20 }, 'Reservation', 'bytes of JSON; at most 20 are allowed'],
    ['parts', { protocolBytes: 36 }, 'Protocol', 'has a parts of 37 bytes of JSON; at most 36 are allowed'],
    ['a chat', { chatMessages: 2 }, 'Chat', 'has a messageCount of 3; at most 2 are allowed'],
    [
      'levels',
      { jsonDepth: 1 },
      'Reservation',
      'has a value of at least 2 levels of arrays and objects; at most 1 are',
    ],
  ])('does not take %s beyond the limit, and takes it where that is higher', async (_what, settings, table, words) => {
    const file = await lines();
    configureLimits(settings);
    const error = await errorOf(importUser(file));
    const [limit] = Object.keys(settings);
    const line = firstOf(file, table) + 1;
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED', details: { line, limit, max: Object.values(settings)[0] } });
    expect(error.message).toContain(words);
    configureLimits(settings.protocolBytes ? { protocolBytes: 37 } : {}); // as it was handed over, not as jsonb is printed
    await importUser(file);
  });

  test.each<[string, (body: string) => string]>([
    ['in a message', (body) => `{"deep":${body}}`],
    ['in a field that is there twice', (body) => `{"deep":${body},"deep":1}`],
    ['in a body that is a text', (body) => JSON.stringify(`{\n"deep":${body}}`)],
    ['behind quotation marks', (body) => String.raw`{"\\":"]}]}\"","deep":${body}}`],
  ])('refuses 100,000 levels %s, before the database has to go so deep', async (_what, bodyOf) => {
    const file = await lines();
    const at = firstOf(file, 'Message');
    const error = await errorOf(importUser(sealed(file.with(at, withBody(file[at], bodyOf(deepText))))));
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED', details: { line: at + 1, limit: 'jsonDepth', max: 200 } });
    await importUser(sealed(file.with(at, withBody(file[at], bodyOf('[[]]')))));
  });

  test('refuses them in the first line, and in details', async () => {
    const file = await lines();
    const at = firstOf(file, 'Reservation');
    const details = withFields(file[at], { details: 'DEEP' }).replace('"DEEP"', deepText);
    const header = (file[0] ?? '').replace(/"tables":\[[^\]]*\]/, `"tables":${deepText}`);
    for (const [index, line] of [
      [at, details],
      [0, header],
    ] as const) {
      const error = await errorOf(importUser(file.with(index, line)));
      expect(error).toMatchObject({ code: 'IMPORT_REFUSED', details: { line: index + 1, limit: 'jsonDepth' } });
    }
  });
});

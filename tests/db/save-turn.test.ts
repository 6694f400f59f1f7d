// What a save costs in statements, and that it is the same save whichever way it goes: one statement where a list is
// what was saved and a turn behind it, more where something has to be compared first.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { appendMessages, getChatById, saveChat } from '../../db/queries.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

let userId: string;
beforeAll(async () => {
  userId = await newUser();
});

type Message = Record<string, unknown>;

const user = (text: string): Message => ({ role: 'user', content: text });
const assistant = (text: string): Message => ({ role: 'assistant', content: text });
const call = (name: string): Message => ({ role: 'assistant', content: [{ type: 'tool-call', toolName: name }] });
const result = (name: string): Message => ({ role: 'tool', content: [{ type: 'tool-result', toolName: name }] });

const talk = (turns: number): Message[] =>
  Array.from({ length: turns }, (_, i) => [user(`question ${i}`), assistant(`answer ${i}`)]).flat();

/** Saves the lists one after the other. @returns how many statements each took */
async function save(id: string, ...lists: Message[][]): Promise<number[]> {
  const counts: number[] = [];
  for (const messages of lists) {
    const statements = await recorder.during(async () => {
      const [row] = await saveChat({ id, messages, userId });
      expect(row).toMatchObject({ id, userId, messageCount: messages.length });
    });
    counts.push(statements.filter((text) => /^\s*(select|with|update|insert)/.test(text)).length);
    expect((await getChatById({ id, userId }))?.messages).toEqual(messages);
  }
  return counts;
}

describe('one statement', () => {
  test.each([
    ['a question and its answer', talk(3), [user('more?'), assistant('yes')]],
    ['the first answer', [user('hello')], [assistant('hi')]],
    ['a question alone', talk(3), [user('more?')]],
    ['an answer alone', [...talk(3), user('more?')], [assistant('yes')]],
    ['a turn with tools', talk(3), [user('sun?'), call('weather'), result('weather'), call('map'), assistant('yes')]],
    [
      'the rest of a turn with tools',
      [...talk(3), user('sun?'), call('weather')],
      [result('weather'), assistant('yes')],
    ],
    ['two of the assistant', talk(3), [assistant('and'), assistant('so on')]],
    ['a turn behind a long chat', talk(300), [user('more?'), assistant('yes')]],
    ['messages with ids', [{ id: 'a', ...user('hello') }], [{ id: 'b', ...assistant('hi') }]],
    ['what PostgreSQL can’t hold in text', [user('\u0000 \ud800')], [assistant('\udfff \u0000'), user('\\u0000')]],
  ])('for %s', async (_, stored, added) => {
    expect((await save(randomUUID(), stored, [...stored, ...added])).at(-1)).toBe(1);
  });

  test('for each of ten turns', async () => {
    const lists = Array.from({ length: 10 }, (_, i) => talk(i + 1));
    expect((await save(randomUUID(), ...lists)).slice(1)).toEqual(Array.from({ length: 9 }, () => 1));
  });
});

describe('one statement more, and the same save', () => {
  const stored = talk(4);
  const last = stored.at(-1) as Message;
  test.each([
    ['nothing new', stored],
    ['the last answer completed', [...stored.slice(0, -1), assistant('a longer answer')]],
    ['an earlier question edited', [user('other'), ...stored.slice(1), user('more?'), assistant('yes')]],
    ['another last answer, and a turn', [...stored.slice(0, -1), assistant('other'), user('more?'), assistant('yes')]],
    ['a shorter list', stored.slice(0, 3)],
    ['an empty list', []],
    ['other keys’ order', [...stored.slice(0, -1), Object.fromEntries(Object.entries(last).reverse()), user('more?')]],
    ['a turn that is long', [...stored, user('x'.repeat(40_000)), assistant('yes')]],
    ['a turn of many messages', [...stored, user('go'), ...Array.from({ length: 30 }, (_, i) => call(`tool ${i}`))]],
  ])('for %s', async (_, list) => {
    const [, count] = await save(randomUUID(), stored, list);
    expect(count).toBeGreaterThan(1);
  });

  test('for a turn behind messages that were appended', async () => {
    const id = randomUUID();
    await save(id, stored);
    const appended = [user('one'), assistant('two'), user('three'), assistant('four')];
    await appendMessages({ chatId: id, userId, messages: appended });
    await save(id, [...stored, ...appended, user('five'), assistant('six')]);
  });

  test('a turn that another tab has saved differently becomes a branch', async () => {
    const id = randomUUID();
    await save(id, stored, [...stored, user('one tab'), assistant('answer')]);
    await save(id, [...stored, user('other tab'), assistant('other answer')]);
  });
});

test('a message that can’t be asked for its role, or is no JSON, is refused by name and nothing is written', async () => {
  const id = randomUUID();
  const hostile = {
    get role(): string {
      throw new Error('secret');
    },
  };
  for (const [list, argument] of [
    [[...talk(2), hostile], 'messages[4]'],
    [[hostile, ...talk(2)], 'messages[0]'],
    [[...talk(2), { role: 'user', content: 1n }], 'messages[4]'],
    [[{ role: 'user', content: 1n }, ...talk(2)], 'messages[0]'],
    [[...talk(2), undefined], 'messages[4]'],
  ] as const) {
    await expect(saveChat({ id, messages: list, userId })).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
      details: { argument },
    });
  }
  expect(await getChatById({ id, userId })).toBeUndefined();
});

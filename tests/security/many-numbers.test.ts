// A body of a list with so many numbers that it is far too large is refused at once, wherever it is handed over.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveProtocol } from '../../db/protocol-queries.ts';
import { appendMessages, createReservation, saveChat } from '../../db/queries.ts';
import { createTestDatabase, createTestUser, type TestDatabase } from '../../db/testing/index.ts';
import { recordFigures } from './figures.ts';

const numbers = 30_000_000;
const mostMs = 50;

let database: TestDatabase;
let statements = 0;
beforeAll(async () => {
  database = await createTestDatabase({ isDefault: true, logger: () => (statements += 1) });
});
afterAll(() => database?.close());

test(`a body of ${numbers} numbers is refused within ${mostMs} ms, and without a statement`, async () => {
  const { id: userId } = await createTestUser();
  const chatId = randomUUID();
  await saveChat({ id: chatId, userId, messages: [] });
  const body = { content: new Array(numbers).fill(1) };
  const asItself = { toJSON: () => body }; // what says of itself what it is, is looked at in another way
  const calls: Record<string, () => Promise<unknown>> = {
    saveChat: () => saveChat({ id: chatId, userId, messages: [body] }),
    'saveChat, behind others': () => saveChat({ id: chatId, userId, messages: [{ n: 1 }, { n: 2 }, body] }),
    'saveChat, as toJSON': () => saveChat({ id: chatId, userId, messages: [asItself] }),
    appendMessages: () => appendMessages({ chatId, userId, messages: [body] }),
    createReservation: () => createReservation({ id: randomUUID(), userId, details: body as never }),
    saveProtocol: () => saveProtocol({ userId, name: 'numbers', parts: [body as never] }),
  };
  const before = statements;
  const took: Record<string, number> = {};
  for (const [name, call] of Object.entries(calls)) {
    // What else the machine does disturbs one try; what really takes long would in each.
    for (let again = 0; again < 3; again += 1) {
      const startMs = performance.now();
      await expect(call(), name).rejects.toMatchObject({ code: expect.stringMatching(/^INVALID_/) });
      took[name] = Math.min(took[name] ?? Number.POSITIVE_INFINITY, performance.now() - startMs);
    }
  }
  expect(statements - before).toBe(0);
  const slow = Object.entries(took).filter(([, ms]) => ms > mostMs);
  expect(slow).toEqual([]);
  recordFigures('many-numbers', { numbers, mostMs, ms: Number(Math.max(...Object.values(took)).toFixed(1)) });
});

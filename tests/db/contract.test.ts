// The application of tests/contract/ runs, unchanged, on this engine. That it compiles is the type check's to say.

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { updateReservation } from '../../db/queries.ts';
import {
  bookAndPay,
  chatTurns,
  deleteChat,
  editProtocols,
  ownQueries,
  registerAndSignIn,
  runTools,
  useApiKeys,
} from '../contract/original-application.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

test('registration and sign-in', async () => {
  const email = `${randomUUID().slice(0, 20)}@example.com`;
  const first = await registerAndSignIn(email, 'a pass phrase');
  expect(await registerAndSignIn(email, 'a pass phrase')).toEqual(first);
  await expect(registerAndSignIn(email, 'another')).rejects.toThrow('wrong password');
});

test('chats', async () => {
  const userId = await newUser();
  const { id, titles, shown } = await chatTurns(userId);
  expect(titles).toEqual(['Find me a flight']);
  expect(shown.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
  expect(await deleteChat(id, randomUUID())).toBe('Unauthorized');
  expect(await deleteChat(id, userId)).toBe('Chat deleted');
});

test('reservations: the answer of a payment is the row', async () => {
  const { before, answer, after } = await bookAndPay(await newUser());
  expect({ before, after }).toEqual({ before: false, after: true });
  expect(answer).toMatchObject({
    hasCompletedPayment: true,
    details: { flightNumber: 'TP1234', totalPriceInUSD: 240 },
  });
  expect(await updateReservation({ id: randomUUID(), hasCompletedPayment: true })).toBeUndefined();
});

test('the assistant’s tools', async () => {
  const { tasks, memories } = await runTools(await newUser());
  expect(tasks).toEqual([{ taskId: expect.any(String), description: 'Pack the bag', status: 'completed' }]);
  expect(memories).toMatchObject([{ content: 'Likes window seats' }]);
});

test('API keys', async () => {
  const { shown, deleted } = await useApiKeys(await newUser());
  expect(shown).toEqual([{ id: expect.any(String), name: 'laptop', createdAt: expect.any(Date), lastUsedAt: null }]);
  expect(deleted).toEqual([1, 0]);
});

test('protocols', async () => {
  const { list, gone } = await editProtocols(await newUser());
  expect(list).toMatchObject([
    { name: 'Late evening', description: null, parts: [{ content: 'Breathe in' }, { content: 'Breathe out' }] },
  ]);
  expect(gone).toBeUndefined();
});

test('queries of one’s own: a write without RETURNING gives an empty array on both engines', async () => {
  const { written, contents, relation } = await ownQueries(await newUser());
  expect(written).toEqual([]);
  expect(contents).toEqual(['by hand']);
  expect(relation).toBe(1);
});

// What a caller learns when the connection breaks, and that repeating as the error says writes nothing twice.

import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConnectionError } from '../../db/errors.ts';
import { listProtocolVersions, saveProtocol } from '../../db/protocol-queries.ts';
import {
  addTask,
  appendMessages,
  branchFrom,
  closeDatabase,
  createReservation,
  createUser,
  db,
  getChatById,
  getMemoriesByUserId,
  getTasksByUserId,
  getUser,
  listMessages,
  openDatabase,
  saveChat,
  saveMemory,
  transaction,
} from '../../db/queries.ts';
import { type FaultProxy, startProxy } from '../proxy.ts';
import { isEmbedded, newDatabase, newUser } from './test-database.ts';

describe.skipIf(isEmbedded)('a broken connection (the embedded database has none to break)', () => {
  let proxy: FaultProxy;

  beforeAll(async () => {
    const url = new URL((await newDatabase()).url ?? '');
    proxy = await startProxy({ target: { host: url.hostname, port: Number(url.port) } });
    url.port = String(proxy.port);
    await openDatabase({ url: url.href, poolSize: 3 });
  });
  afterAll(async () => {
    await closeDatabase();
    await proxy.stop();
  });

  /** Runs a call whose reply is cut off after the server has done it, and gives the error. */
  async function cutOff(text: string, call: () => Promise<unknown>): Promise<ConnectionError> {
    const cut = proxy.cutOnReplyTo(text);
    const error = await call().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(cut.count).toBe(1);
    expect(error).toBeInstanceOf(ConnectionError);
    return error as ConnectionError;
  }

  test('a write whose answer is lost is OUTCOME_UNKNOWN, and repeating it with `repeatWith` writes it once', async () => {
    const userId = await newUser();
    const args = { userId, description: 'book a flight' };
    await addTask({ userId, description: 'prepares the statement' });
    const error = await cutOff('insert into "Task"', () => addTask(args));
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { repeatWith: { id: expect.any(String) } } });
    const again = await addTask({ ...args, ...(error.details.repeatWith as { id: string }) });
    expect(again).toHaveLength(1);
    expect((await getTasksByUserId({ userId })).map(({ description }) => description)).toEqual([
      'book a flight',
      'prepares the statement',
    ]);
  });

  test('messages without ids of their own are appended once', async () => {
    const userId = await newUser();
    const chatId = randomUUID();
    await saveChat({ id: chatId, userId, messages: [{ role: 'user', content: 'hi' }] });
    const args = {
      chatId,
      userId,
      messages: [
        { role: 'assistant', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    };
    const error = await cutOff('as materialized', () => appendMessages(args));
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    const places = await appendMessages({ ...args, ...(error.details.repeatWith as object) });
    expect(places.map(({ position }) => position)).toEqual([1, 2]);
    expect((await getChatById({ id: chatId }))?.messages).toHaveLength(3);
  });

  test('a saveChat is repeated as it is', async () => {
    const userId = await newUser();
    const id = randomUUID();
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'hello' },
    ];
    const created = await cutOff('insert into "Chat"', () => saveChat({ id, userId, messages }));
    expect(created.code).toBe('OUTCOME_UNKNOWN');
    await saveChat({ id, userId, messages });
    messages.push({ role: 'user', content: 'more' });
    const grown = await cutOff('update "Chat"', () => saveChat({ id, userId, messages }));
    expect(grown.code).toBe('OUTCOME_UNKNOWN');
    await saveChat({ id, userId, messages });
    expect((await getChatById({ id, userId }))?.messages).toEqual(messages);
    const { items } = await listMessages({ chatId: id, userId });
    expect(items.map(({ siblings }) => siblings.length)).toEqual([1, 1, 1]);
  });

  test('a commit whose answer is lost is OUTCOME_UNKNOWN: a branch is made once', async () => {
    const userId = await newUser();
    const chatId = randomUUID();
    await saveChat({ id: chatId, userId, messages: [{ role: 'user', content: 'hi' }] });
    const args = { chatId, userId, parentId: null, messages: [{ role: 'user', content: 'edited' }] };
    const error = await cutOff('commit', () => branchFrom(args));
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    await branchFrom({ ...args, ...(error.details.repeatWith as object) });
    const { items } = await listMessages({ chatId, userId });
    expect(items).toMatchObject([{ message: { content: 'edited' } }]);
    expect(items[0]?.siblings).toHaveLength(2);
  });

  test('memories, protocols, reservations and users are written once', async () => {
    const userId = await newUser();
    const memory = { userId, content: 'likes tea' };
    await cutOff('insert into "Memory"', () => saveMemory(memory));
    await saveMemory(memory);
    expect(await getMemoriesByUserId({ userId })).toHaveLength(1);

    const protocol = { userId, name: 'p', parts: [{ content: 'x' }] };
    const lost = await cutOff('insert into "Protocol"', () => saveProtocol(protocol));
    const [saved] = await saveProtocol({ ...protocol, ...(lost.details.repeatWith as object) });
    expect((await listProtocolVersions({ id: saved?.id ?? '', userId })).items).toHaveLength(1);

    const stop = { cityName: 'Haifa', airportCode: 'HFA', timestamp: '2026-12-01T08:00' };
    const reservation = {
      id: randomUUID(),
      userId,
      details: {
        seats: ['1A'],
        flightNumber: 'LY1',
        departure: stop,
        arrival: stop,
        passengerName: 'Dana',
        totalPriceInUSD: 10,
      },
    };
    await cutOff('insert into "Reservation"', () => createReservation(reservation));
    expect(await createReservation(reservation)).toMatchObject([{ id: reservation.id }]);

    const email = `${randomUUID().slice(0, 20)}@example.com`;
    const created = await cutOff('commit', () => createUser(email, 'password')); // with the record of it
    expect(created.code).toBe('OUTCOME_UNKNOWN');
    await expect(createUser(email, 'password')).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    expect(await getUser(email)).toHaveLength(1);
  });

  test('a read, and a statement inside a transaction, are CONNECTION_LOST: nothing was written', async () => {
    const userId = await newUser();
    expect((await cutOff('from "User"', () => getUser('nobody@example.com'))).code).toBe('CONNECTION_LOST');
    const inside = await cutOff('insert into "Task"', () => transaction(() => addTask({ userId, description: 'x' })));
    expect(inside.code).toBe('CONNECTION_LOST');
    expect(await getTasksByUserId({ userId })).toEqual([]);
  });

  test('the next call after the break works, in a new connection', async () => {
    const userId = await newUser();
    proxy.dropAll();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await getTasksByUserId({ userId })).toEqual([]);
    await Promise.all(Array.from({ length: 10 }, () => getTasksByUserId({ userId })));
  });

  test('no server is UNREACHABLE, with the target and nothing of the URL’s secrets', async () => {
    await proxy.refuseNew(true);
    proxy.dropAll();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const error = await db.execute(sql`select 1`).then(
      () => undefined,
      (reason: unknown) => reason as ConnectionError,
    );
    await proxy.refuseNew(false);
    expect(error).toMatchObject({ code: 'UNREACHABLE' });
    expect(error?.message).toContain(`127.0.0.1:${proxy.port}/`);
    expect(error?.message).not.toContain('postgres:');
    expect(await db.execute(sql`select 1 as one`)).toMatchObject([{ one: 1 }]);
  });
});

// The sample assistant in a database: whole or not at all, once, and as it was made.

import { verify } from '@node-rs/bcrypt';
import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { listProtocolVersions } from '../../db/protocol-queries.ts';
import { db, getChatById, getReservationById, getUser, listChats } from '../../db/queries.ts';
import { type LoadedSample, loadSampleAssistant } from '../../db/sample/load.ts';
import { type SampleAssistant, sampleAssistant } from '../../db/sample/sample-assistant.ts';
import { memories, message, tasks } from '../../db/schema.ts';
import { countRows } from '../../db/table-counts.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const sample = sampleAssistant();
const whole: LoadedSample = {
  users: 3,
  chats: 40,
  messages: 2_500,
  memories: 30,
  tasks: 24,
  reservations: 6,
  protocols: 5,
};
const rowsOfWhole = {
  User: 3,
  Chat: 40,
  Message: 2_500,
  Memory: 30,
  Task: 24,
  Reservation: 6,
  ApiKey: 0,
  Protocol: 5,
  ProtocolVersion: 12,
};

async function rowsByTable(): Promise<Record<string, number>> {
  return Object.fromEntries((await countRows()).map(({ table, rows }) => [table, rows]));
}

async function userIdOf(email: string): Promise<string> {
  const [found] = await getUser(email);
  return found?.id ?? '';
}

const emails = sample.users.map(({ email }) => email);
const ofUser = <Row extends { userEmail: string }>(rows: Row[], email: string): Row[] =>
  rows.filter(({ userEmail }) => userEmail === email);

describe('a load', () => {
  useTestDatabase();

  test('that is stopped leaves nothing', async () => {
    const stop = new AbortController();
    const progress: number[] = [];
    const load = loadSampleAssistant({
      signal: stop.signal,
      onProgress: ({ done }) => {
        progress.push(done);
        if (progress.length === 3) stop.abort(new Error('stopped'));
      },
    });
    await expect(load).rejects.toThrow('stopped');
    expect(progress).toHaveLength(3);
    expect(Object.values(await rowsByTable())).toEqual(Array(9).fill(0));
  });

  test('that fails leaves nothing', async () => {
    const load = loadSampleAssistant({
      onProgress: () => {
        throw new Error('no more');
      },
    });
    await expect(load).rejects.toThrow('no more');
    expect(Object.values(await rowsByTable())).toEqual(Array(9).fill(0));
  });

  test('writes the whole sample and says how far it is; of two at once one does', async () => {
    const progress: { done: number; total: number }[] = [];
    const onProgress = (now: { done: number; total: number }) => void progress.push(now);
    const loads = await Promise.all([loadSampleAssistant({ onProgress }), loadSampleAssistant({ onProgress })]);
    expect(loads.filter((loaded) => loaded === null)).toHaveLength(1);
    expect(loads).toContainEqual(whole);
    expect(progress).toHaveLength(40);
    expect(progress.at(-1)).toEqual({ done: 2_500, total: 2_500 });
    expect(await rowsByTable()).toEqual(rowsOfWhole);
  });

  test('again writes nothing', async () => {
    expect(await loadSampleAssistant()).toBeNull();
    expect(await rowsByTable()).toEqual(rowsOfWhole);
  });

  describe('makes', () => {
    let ids: Map<string, string>;
    beforeAll(async () => {
      ids = new Map(await Promise.all(emails.map(async (email) => [email, await userIdOf(email)] as const)));
    });

    test('users with their names, pictures and passwords', async () => {
      for (const { email, password, displayName, avatarUrl } of sample.users) {
        const [found] = await getUser(email);
        expect(found).toMatchObject({ displayName, avatarUrl });
        expect(await verify(password, found?.password ?? '')).toBe(true);
      }
    });

    test('chats under their own ids, with every message to the last character', async () => {
      for (const { id, userEmail, title, messages } of sample.chats) {
        const chat = await getChatById({ id, userId: ids.get(userEmail) as string });
        expect(chat).toMatchObject({ id, title, messageCount: messages.length });
        expect(chat?.messages).toEqual(messages);
      }
    });

    test('chats of when they were held, in that order', async () => {
      for (const email of emails) {
        const { items } = await listChats({ userId: ids.get(email) as string, limit: 100 });
        expect(items.map(({ id, createdAt }) => [id, createdAt])).toEqual(
          ofUser(sample.chats, email)
            .map(({ id, createdAt }) => [id, createdAt])
            .reverse(),
        );
        for (const { createdAt, updatedAt } of items) expect(updatedAt > createdAt).toBe(true);
      }
    });

    test('messages within the time of their chat', async () => {
      for (const { id, createdAt } of sample.chats) {
        const rows = await db.query.message.findMany({
          where: eq(message.chatId, id),
          orderBy: message.position,
          with: { chat: true },
        });
        expect(rows[0]?.createdAt).toEqual(createdAt);
        expect(rows.at(-1)?.createdAt).toEqual(rows[0]?.chat.updatedAt);
      }
    });

    test('memories, tasks and reservations of their users', async () => {
      for (const email of emails) {
        const userId = ids.get(email) as string;
        const remembered = await db.query.memories.findMany({ where: eq(memories.userId, userId) });
        expect(texts(remembered)).toEqual(texts(ofUser(sample.memories, email)));
        const toDo = await db.query.tasks.findMany({ where: eq(tasks.userId, userId) });
        expect(plans(toDo)).toEqual(plans(ofUser(sample.tasks, email)));
        for (const { id, details, hasCompletedPayment } of ofUser(sample.reservations, email)) {
          expect(await getReservationById({ id, userId })).toMatchObject({ details, hasCompletedPayment });
        }
      }
    });

    test('protocols with every version they went through', async () => {
      const stored = await db.query.protocols.findMany();
      for (const { name, description, parts, revisions, userEmail } of sample.protocols) {
        const newest = revisions.at(-1)?.name ?? name;
        const [one] = stored.filter((row) => row.name === newest && row.userId === ids.get(userEmail));
        const { items } = await listProtocolVersions({ id: one?.id ?? '', userId: one?.userId ?? '' });
        const versions = items.map((item) => ({ name: item.name, description: item.description, parts: item.parts }));
        const wanted = [{ name, description, parts }, ...revisions];
        // An empty description is stored as none.
        expect(versions.reverse()).toEqual(
          wanted.map((version) => ({ ...version, description: version.description || null })),
        );
      }
    });
  });
});

describe('a database with one user', () => {
  useTestDatabase();

  test('is left as it is', async () => {
    await newUser();
    expect(await loadSampleAssistant()).toBeNull();
    expect(await rowsByTable()).toMatchObject({ User: 1, Chat: 0, Message: 0 });
  });
});

function texts(rows: { content: string }[]): string[] {
  return rows.map(({ content }) => content).sort();
}

type Plan = Pick<SampleAssistant['tasks'][number], 'description' | 'status' | 'dueAt'>;

function plans(rows: Plan[]): string[] {
  return rows.map(({ description, status, dueAt }) => JSON.stringify([description, status, dueAt])).sort();
}

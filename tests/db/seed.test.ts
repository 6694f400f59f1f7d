// The sample assistant scaled up or down: exactly so many messages, the same for the same number, rows as saveChat
// writes them, whole or not at all.

import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { previewOf } from '../../db/message-body.ts';
import { appendMessages, db, getChatById, listMessages, saveChat } from '../../db/queries.ts';
import { type LoadedSample, loadSampleAssistant } from '../../db/sample/load.ts';
import { loadScaledSample, messageLimits } from '../../db/sample/load-scaled.ts';
import { countRows } from '../../db/table-counts.ts';
import { checkPath } from './check-chats.ts';
import { newRecorder } from './recorder.ts';
import { isEmbedded, newDatabase, newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });
beforeEach(() => db.execute(sql`truncate "User" cascade`));

/** More than one batch, and a last chat that is cut short. */
const many = isEmbedded ? 5_777 : 20_001;

async function rowsByTable(): Promise<Record<string, number>> {
  return Object.fromEntries((await countRows()).map(({ table, rows }) => [table, rows]));
}

/** Everything but ids that are made anew each time: users go by their e-mail, messages by their places. */
async function readAll(): Promise<{ users: unknown[]; chats: unknown[]; messages: unknown[] }> {
  const users = await db.execute(sql`select email, "displayName", "avatarUrl" from "User" order by email`);
  const chats = await db.execute(sql`
    select c.id, u.email, title, preview, "messageCount", revision, encode(digest, 'hex') as digest, "digestCount",
      c."createdAt", "updatedAt"
    from "Chat" c join "User" u on u.id = c."userId"
    order by c.id`);
  const messages = await db.execute(sql`
    select "chatId", position, active, role, "ownIdHash", body::text as text, "createdAt"
    from "Message"
    order by "chatId", position`);
  return { users: [...users], chats: [...chats], messages: [...messages] };
}

async function digestOfAll(): Promise<string> {
  return createHash('sha256')
    .update(JSON.stringify(await readAll()))
    .digest('hex');
}

test('2,500 messages are the sample assistant, row by row', async () => {
  const loaded = await loadScaledSample({ messages: 2_500 });
  const scaled = await readAll();
  const rows = await rowsByTable();
  await db.execute(sql`truncate "User" cascade`);
  expect(await loadSampleAssistant()).toEqual(loaded);
  expect(await readAll()).toEqual(scaled);
  expect(await rowsByTable()).toEqual(rows);
});

describe.each([1, 10, 401, 2_501])('%i messages', (messages) => {
  test('are exactly so many', async () => {
    const loaded = await loadScaledSample({ messages });
    const rows = await rowsByTable();
    expect(rows).toMatchObject({ Message: messages, Memory: 30, Task: 24, Reservation: 6, Protocol: 5 });
    expect(loaded).toMatchObject({ messages, chats: rows.Chat, users: rows.User });
  });
});

test('the same number gives the same rows, also in another database; a smaller one their beginning', async () => {
  await loadScaledSample({ messages: many });
  const [digest, { messages }] = [await digestOfAll(), await readAll()];
  const other = await createDatabase(await newDatabase());
  await other.run(async () => {
    await loadScaledSample({ messages: many });
    expect(await digestOfAll()).toBe(digest);
    await db.execute(sql`truncate "User" cascade`);
    await loadScaledSample({ messages: 100 });
    const beginning = (await readAll()).messages;
    expect(beginning).toHaveLength(100);
    for (const row of beginning) expect(messages).toContainEqual(row);
  });
  await other.close();
});

describe('many messages', () => {
  test('are told of in order, in chats of 2 to 400 of users with their own addresses', async () => {
    const told: { done: number; total: number }[] = [];
    const loaded = await loadScaledSample({ messages: many, onProgress: (now) => void told.push(now) });
    const rounds = Math.ceil(many / 2_500);
    expect(told.length).toBeGreaterThan(many / 6_000);
    expect(told.at(-1)).toEqual({ done: many, total: many });
    expect(told).toEqual(told.toSorted((one, next) => one.done - next.done));
    expect(loaded?.users).toBeLessThanOrEqual(rounds * 3);
    expect(loaded?.users).toBeGreaterThan((rounds - 1) * 3);
    const [lengths] = await db.execute<Record<string, number>>(
      sql`select min("messageCount") filter (where "messageCount" > 1), max("messageCount") from "Chat"`,
    );
    expect(lengths).toEqual({ min: 2, max: 400 });
    const [hashes] = await db.execute(sql`select count(distinct password)::int as count from "User"`);
    expect(hashes).toEqual({ count: 3 });
  });

  test('hold everything that is true of a chat that was saved', async () => {
    await loadScaledSample({ messages: many });
    const chats = await db.execute<Record<string, string | number>>(sql`
      select id, "userId", preview, "messageCount", "headId", encode(digest, 'hex') as digest, "digestCount",
        "createdAt" as "from", "updatedAt" as to
      from "Chat"`);
    const byChat = new Map<string, MessageRow[]>(chats.map(({ id }) => [id as string, []]));
    for (const row of await readMessages()) byChat.get(row.chatId)?.push(row);
    for (const { id, ...chat } of chats) {
      const rows = byChat.get(id as string) ?? [];
      checkPath(rows);
      const texts = rows.map(({ text }) => text);
      const covered = texts.slice(0, -1);
      expect(chat).toEqual({
        userId: rows[0]?.userId,
        preview: previewOf(texts.map((text) => JSON.parse(text) as unknown)),
        messageCount: rows.length,
        headId: rows.at(-1)?.id,
        digest: covered.length === 0 ? null : createHash('sha256').update(covered.join(',')).digest('hex'),
        digestCount: covered.length,
        from: rows[0]?.createdAt,
        to: rows.at(-1)?.createdAt,
      });
      expect(rows.map((row) => row.id)).toEqual(rows.map((row) => row.id).sort());
    }
  });

  test('are read, listed, saved on and appended to as chats that were saved', async () => {
    await loadScaledSample({ messages: many });
    const chats = await db.execute<{ id: string; userId: string }>(
      sql`select id, "userId" from "Chat" order by "messageCount" desc, id`,
    );
    for (const found of [chats.at(0), chats.at(chats.length / 2), chats.at(-1)]) {
      const key = { id: found?.id ?? '', userId: found?.userId ?? '' };
      const list = (await getChatById(key))?.messages as object[];
      const { items } = await listMessages({ chatId: key.id, userId: key.userId, limit: 1000 });
      expect(items.map(({ message }) => message)).toEqual(list);

      const next = [...list, { role: 'user', content: 'And then?' }, { role: 'assistant', content: 'Then: home.' }];
      const sent = await recorder.during(() => saveChat({ ...key, messages: next }));
      expect(sent).toHaveLength(1);
      expect((await getChatById(key))?.messages).toEqual(next);
      await appendMessages({ chatId: key.id, userId: key.userId, messages: [{ role: 'user', content: 'Thanks!' }] });
      expect(await getChatById(key)).toMatchObject({ messageCount: next.length + 1 });
    }
  });
});

/** Message rows in the order of their chats. */
async function readMessages(): Promise<MessageRow[]> {
  return [
    ...(await db.execute<MessageRow>(sql`
      select id, "userId", "chatId", "parentId", position, active, body::text as text, "createdAt"
      from "Message"
      order by "chatId", position`)),
  ];
}

interface MessageRow {
  id: string;
  userId: string;
  chatId: string;
  parentId: string | null;
  position: number;
  active: boolean;
  text: string;
  createdAt: string;
  [column: string]: unknown;
}

describe('nothing is left', () => {
  test('of a load that is stopped', async () => {
    const stop = new AbortController();
    const load = loadScaledSample({
      messages: 50_000,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('stopped')),
    });
    await expect(load).rejects.toThrow('stopped');
    expect(Object.values(await rowsByTable())).toEqual(Array(9).fill(0));
  });

  test('of a load that meets a row in its way, and the next load is whole', async () => {
    const [planned] = await idsOf(2_500);
    await db.execute(
      sql`alter table "Chat" add constraint no_such_chat check (id <> ${sql.raw(`'${planned}'`)}::uuid)`,
    );
    await expect(loadScaledSample({ messages: 2_500 })).rejects.toMatchObject({
      code: 'CONSTRAINT_VIOLATED',
      details: { table: 'Chat', constraint: 'no_such_chat' },
    });
    expect(Object.values(await rowsByTable())).toEqual(Array(9).fill(0));
    await db.execute(sql`alter table "Chat" drop constraint no_such_chat`);
    const loaded = (await loadScaledSample({ messages: 2_500 })) as LoadedSample;
    expect(loaded.messages).toBe(2_500);
  });
});

/** The ids of the chats that a load makes; it is taken back. */
async function idsOf(messages: number): Promise<string[]> {
  await loadScaledSample({ messages });
  const rows = await db.execute<{ id: string }>(sql`select id from "Chat" order by "createdAt" desc`);
  await db.execute(sql`truncate "User" cascade`);
  return rows.map(({ id }) => id);
}

test('of two loads at once one writes, and a database with a user is left as it is', async () => {
  const loads = await Promise.all([loadScaledSample({ messages: 30 }), loadScaledSample({ messages: 30 })]);
  expect(loads.filter((loaded) => loaded === null)).toHaveLength(1);
  expect(await loadScaledSample({ messages: 30 })).toBeNull();
  expect(await rowsByTable()).toMatchObject({ User: 3, Message: 30 });
  await db.execute(sql`truncate "User" cascade`);
  await newUser();
  expect(await loadScaledSample({ messages: 30 })).toBeNull();
  expect(await rowsByTable()).toMatchObject({ User: 1, Message: 0 });
});

test.each([0, 1.5, -3, Number.NaN, messageLimits.max + 1])(
  '%d is refused before anything is sent',
  async (messages) => {
    await recorder.expectRefused(() => loadScaledSample({ messages }), 'INVALID_LIMIT', 'messages');
  },
);

describe.skipIf(isEmbedded)('on a server (nobody analyzes the embedded database meanwhile)', () => {
  const scansOf = async (index: string): Promise<number> => {
    await db.execute(sql`select pg_stat_force_next_flush()`);
    const [row] = await db.execute<{ scans: number }>(
      sql`select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = ${index}`,
    );
    return row?.scans ?? 0;
  };

  test('parents are found by the primary key, also where ANALYZE has seen pages without rows', async () => {
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done > 5_000) stop.abort(new Error('stopped'));
    };
    await expect(loadScaledSample({ messages: 50_000, signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    await db.execute(sql`analyze "Message"`);
    const [seen] = await db.execute(
      sql`select relpages > 0 as pages, reltuples::int as rows from pg_class where relname = 'Message'`,
    );
    expect(seen).toEqual({ pages: true, rows: 0 });
    const scans = async (): Promise<number[]> => [await scansOf('Message_pkey'), await scansOf('Message_parentId_idx')];
    const [byKey = 0, byParent = 0] = await scans();
    await loadScaledSample({ messages: many });
    for (let [key = 0, parent = 0] = await scans(); ; [key = 0, parent = 0] = await scans()) {
      if (key - byKey + parent - byParent < many / 2) continue; // the server counts a little later
      expect(parent - byParent).toBeLessThanOrEqual(400);
      break;
    }
  });
});

test('the planner knows how many rows there are', async () => {
  await loadScaledSample({ messages: many });
  const [known] = await db.execute<{ rows: number }>(
    sql`select reltuples::int as rows from pg_class where oid = '"Message"'::regclass`,
  );
  expect(known?.rows).toBe(many);
});

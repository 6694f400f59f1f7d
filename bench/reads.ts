// Reading, beside the driver alone with the same statements: 32 callers at once, and a chat's messages.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { encodeCursor } from '../db/cursor.ts';
import { createDatabase } from '../db/database.ts';
import { getChatById, getMemoriesByUserId, getUser, listChats, saveChat, saveMemory } from '../db/queries.ts';
import { createTestUser } from '../db/testing/index.ts';
import { type Effort, type Figure, figureOf, inTurn } from './figure.ts';
import { timeOf } from './harness.ts';
import { talkOf } from './talk.ts';

const callers = 32;
const manyChats = 110_000;

/** Calls a second of `callers` at once. */
async function rateOf(call: () => Promise<unknown>, lastsMs: number): Promise<number> {
  let calls = 0;
  const startMs = performance.now();
  const one = async (): Promise<void> => {
    for (; performance.now() - startMs < lastsMs; calls += 1) await call();
  };
  await Promise.all(Array.from({ length: callers }, one));
  return calls / (performance.now() - startMs);
}

interface Read {
  name: string;
  call(): Promise<unknown>;
  /** Of the statement that the call sends. */
  params: (string | number)[];
}

/** As many connections as callers on both sides, so that neither waits for one. */
export async function measureReads(url: string, { rounds, readMs }: Effort): Promise<Figure[]> {
  const sent: string[] = [];
  let isListening = false;
  const logger = ({ statement }: { statement: string }): void => {
    if (isListening) sent.push(statement);
  };
  const database = await createDatabase({ url, poolSize: callers, logger });
  const sql = postgres(url, { max: callers });
  try {
    return await database.run(async () => {
      const figures: Figure[] = [];
      for (const { name, call, params } of await prepareReads()) {
        console.error(`reading: ${name}`);
        sent.length = 0;
        isListening = true;
        await call();
        isListening = false;
        const [text = ''] = sent;
        const raw = (): Promise<unknown> => sql.unsafe(text, params, { prepare: true });
        await rateOf(call, readMs / 2);
        await rateOf(raw, readMs / 2);
        const ratios = await inTurn(
          rounds,
          () => rateOf(call, readMs),
          () => rateOf(raw, readMs),
        );
        const to = 'the driver alone, same statement, 32 callers: calls a second';
        figures.push(figureOf({ group: 'Reading', name, to, target: { least: 0.9 } }, ratios));
      }
      return figures;
    });
  } finally {
    await sql.end();
    await database.close();
  }
}

async function prepareReads(): Promise<Read[]> {
  const { id: userId, email } = await createTestUser();
  const id = randomUUID();
  await saveChat({ id, userId, messages: talkOf(50) });
  for (let i = 0; i < 60; i += 1) {
    await saveChat({ id: randomUUID(), userId, messages: talkOf(2) });
    await saveMemory({ userId, content: `Memory ${i}: prefers a window seat` });
  }
  return [
    { name: '`getUser`', call: () => getUser(email), params: [email] },
    { name: '`getChatById`, 50 messages', call: () => getChatById({ id }), params: [id] },
    { name: '`listChats`, a page of 20', call: () => listChats({ userId }), params: [userId, 21] },
    {
      name: '`getMemoriesByUserId`, 20',
      call: () => getMemoriesByUserId({ userId, limit: 20 }),
      params: [userId, 20, 0],
    },
  ];
}

/** One caller: 500 messages, and a page that is far down in a long list. */
export async function measureLoads(url: string, { rounds }: Effort): Promise<Figure[]> {
  const database = await createDatabase({ url });
  const sql = postgres(url, { max: 1 });
  try {
    return await database.run(async () => {
      console.error('reading: 500 messages');
      const { id: userId } = await createTestUser();
      const id = randomUUID();
      await saveChat({ id, userId, messages: talkOf(500) });
      const load = (): Promise<number> => timeOf(() => getChatById({ id, userId }));
      const raw = (): Promise<number> =>
        timeOf(
          () =>
            sql`select body from "Message" where "userId" = ${userId} and "chatId" = ${id} and active order by position`,
        );
      const loads = await inTurn(rounds * 20, load, raw);

      console.error(`reading: a page at depth 100,000 of ${manyChats.toLocaleString('en-US')} chats`);
      await sql`insert into "Chat" (id, "userId", "createdAt")
        select gen_random_uuid(), ${userId}, now() - make_interval(secs => n) from generate_series(1, ${manyChats}::int) n`;
      await sql`analyze "Chat"`;
      const [last] = await sql<{ id: string; at: Date }[]>`select id, "createdAt" as at from "Chat"
        where "userId" = ${userId} order by "createdAt" desc, id desc offset 100000 limit 1`;
      const cursor = encodeCursor('chats', [last?.at.getTime() ?? 0, last?.id ?? '']);
      if ((await listChats({ userId, cursor })).items.length !== 20) throw new Error('the deep page is not a page');
      const pages = await inTurn(
        rounds * 20,
        () => timeOf(() => listChats({ userId, cursor })),
        () => timeOf(() => listChats({ userId })),
      );
      return [
        figureOf(
          { group: 'Reading', name: 'load 500 messages', to: 'the driver alone: time', target: { most: 1.3 } },
          loads,
        ),
        figureOf(
          {
            group: 'Reading',
            name: '`listChats` at depth 100,000',
            to: 'its first page: time',
            target: { most: 1.2 },
          },
          pages,
        ),
      ];
    });
  } finally {
    await sql.end();
    await database.close();
  }
}

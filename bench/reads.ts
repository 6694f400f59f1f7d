// Reading, beside the driver alone with the same statements: 32 callers at once, a chat's messages, and a page that is far
// down in a long list.

import { randomUUID } from 'node:crypto';
import { desc, eq, sql } from 'drizzle-orm';
import { encodeCursor } from '../db/cursor.ts';
import { db } from '../db/database.ts';
import { getChatById, getMemoriesByUserId, getUser, listChats, saveChat, saveMemory } from '../db/queries.ts';
import { chat } from '../db/schema.ts';
import { createTestUser } from '../db/testing/index.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';
import { timeOf } from './harness.ts';
import type { Thread } from './langgraph.js';
import type { Peers } from './peers.ts';
import type { SpecWay } from './spec-way.ts';
import { callers, type Stage } from './stage.ts';
import { asTexts, talkOf } from './talk.ts';

const manyChats = 110_000;
const depth = 100_000;

/** What there is to read. */
export interface ReadRows {
  email: string;
  userId: string;
  /** A chat of 50 messages, and one of 500. */
  chatId: string;
  longChatId: string;
}

export async function prepareRows(): Promise<ReadRows> {
  const { id: userId, email } = await createTestUser();
  const [chatId, longChatId] = [randomUUID(), randomUUID()];
  await saveChat({ id: chatId, userId, messages: talkOf(50) });
  await saveChat({ id: longChatId, userId, messages: talkOf(500) });
  for (let i = 0; i < 60; i += 1) {
    await saveChat({ id: randomUUID(), userId, messages: talkOf(2) });
    await saveMemory({ userId, content: memoryAt(i) });
  }
  return { email, userId, chatId, longChatId };
}

const memoryAt = (i: number): string => `Memory ${i}: prefers a window seat`;

/** Others, with the same rows in their own form. */
export interface OtherReads {
  spec: SpecWay;
  rows: ReadRows;
  /** A thread of 500 messages. */
  thread?: Thread | undefined;
}

export async function prepareOthers({ spec, langGraph }: Peers): Promise<OtherReads> {
  const email = 'dana@example.com';
  const userId = await spec.addUser(email);
  const [chatId, longChatId] = [randomUUID(), randomUUID()];
  await spec.saveChat({ id: chatId, userId, messages: talkOf(50) });
  await spec.saveChat({ id: longChatId, userId, messages: talkOf(500) });
  for (let i = 0; i < 60; i += 1) {
    await spec.saveChat({ id: randomUUID(), userId, messages: talkOf(2) });
    await spec.saveMemory({ userId, content: memoryAt(i) });
  }
  const thread = await langGraph?.newThread(asTexts(talkOf(500)));
  return { spec, rows: { email, userId, chatId, longChatId }, thread };
}

/** Calls a second of many callers at once. */
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
  ours(): Promise<unknown>;
  /** Of the statement that the call sends. */
  params: (string | number)[];
  theirs(spec: SpecWay, rows: ReadRows): Promise<unknown>;
}

const listReads = ({ email, userId, chatId }: ReadRows): Read[] => [
  {
    name: '`getUser`',
    ours: () => getUser(email),
    params: [email],
    theirs: (spec, rows) => spec.getUser(rows.email),
  },
  {
    name: '`getChatById`, 50 messages',
    ours: () => getChatById({ id: chatId }),
    params: [chatId],
    theirs: (spec, rows) => spec.getChatById({ id: rows.chatId }),
  },
  {
    name: '`listChats`, a page of 20 of 62',
    ours: () => listChats({ userId }),
    params: [userId, 21],
    theirs: (spec, rows) => spec.getChatsByUserId({ id: rows.userId }),
  },
  {
    name: '`getMemoriesByUserId`, 20 of 60',
    ours: () => getMemoriesByUserId({ userId, limit: 20 }),
    params: [userId, 20, 0],
    theirs: (spec, rows) => spec.getMemoriesByUserId({ userId: rows.userId }),
  },
];

export async function measureReads(
  stage: Stage,
  rows: ReadRows,
  { rounds, readMs }: Effort,
  others?: OtherReads,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, ours, params, theirs } of listReads(rows)) {
    console.error(`${stage.engine}: ${name}`);
    const text = await stage.firstStatement(ours);
    const base = (): Promise<number> => rateOf(() => stage.raw.run(text, params), readMs);
    const ways = {
      ours: (): Promise<number> => rateOf(ours, readMs),
      ...(others ? { spec: (): Promise<number> => rateOf(() => theirs(others.spec, others.rows), readMs) } : {}),
    };
    const ratios = await stage.run(async () => {
      await compare(base, ways, { rounds: 2 }); // what is connected, prepared and compiled the first time
      return compare(base, ways, { rounds });
    });
    const to = `the driver alone, same statement, ${callers} callers: calls a second`;
    figures.push(figureOf({ group: 'Reading', name, to, target: { least: 0.9 } }, ratios));
  }
  return figures;
}

/** One caller: 500 messages, and a page far down. */
export async function measureLoads(
  stage: Stage,
  rows: ReadRows,
  effort: Effort,
  others?: OtherReads,
): Promise<Figure[]> {
  return stage.run(async () => [
    await measureLoad(stage, rows, effort, others),
    await measureDepth(stage, effort, others),
  ]);
}

async function measureLoad(
  { engine, raw }: Stage,
  { userId, longChatId: id }: ReadRows,
  { rounds }: Effort,
  others?: OtherReads,
): Promise<Figure> {
  console.error(`${engine}: 500 messages`);
  const { spec, rows: theirs, thread } = others ?? {};
  const text = `select body from "Message"
    where "userId" = $1::uuid and "chatId" = $2::uuid and active order by position`;
  const ratios = await compare(
    () => timeOf(() => raw.run(text, [userId, id])),
    {
      ours: () => timeOf(() => getChatById({ id, userId })),
      spec: spec && (() => timeOf(() => spec.getChatById({ id: theirs?.longChatId ?? '' }))),
      langGraph: thread && (() => timeOf(() => thread.texts())),
    },
    { rounds: rounds * 20, otherRounds: rounds * 3 },
  );
  const to = 'the driver alone, their bodies: time';
  return figureOf({ group: 'Reading', name: 'load 500 messages', to, target: { most: 1.3 } }, ratios);
}

/** Far down in a list, beside its first page; the specification's way beside its own first page. */
async function measureDepth({ engine }: Stage, { rounds }: Effort, others?: OtherReads): Promise<Figure> {
  console.error(`${engine}: a page at depth ${depth.toLocaleString('en-US')}`);
  const { id: userId } = await createTestUser();
  const cursor = await fillList(userId);
  if ((await listChats({ userId, cursor })).items.length !== 20) throw new Error('the deep page is not a page');
  const { ours } = await compare(
    () => timeOf(() => listChats({ userId })),
    { ours: () => timeOf(() => listChats({ userId, cursor })) },
    { rounds: rounds * 20 },
  );
  const spec = others && (await measureOffset(others.spec, rounds));
  const name = `\`listChats\` at depth ${depth.toLocaleString('en-US')}`;
  const facts = { group: 'Reading' as const, name, to: 'its first page: time', target: { most: 1.2 } };
  return figureOf(facts, { ours, ...(spec ? { spec } : {}) });
}

/** @returns the cursor of a page at `depth` */
async function fillList(userId: string): Promise<string> {
  await db.execute(sql`insert into "Chat" (id, "userId", "createdAt")
    select gen_random_uuid(), ${userId}::uuid, now() - make_interval(secs => n) from generate_series(1, ${manyChats}::int) n`);
  await db.execute(sql`analyze "Chat"`);
  const [last] = await db
    .select({ id: chat.id, createdAt: chat.createdAt })
    .from(chat)
    .where(eq(chat.userId, userId))
    .orderBy(desc(chat.createdAt), desc(chat.id))
    .limit(1)
    .offset(depth);
  return encodeCursor('chats', [last?.createdAt.getTime() ?? 0, last?.id ?? '']);
}

async function measureOffset(spec: SpecWay, rounds: number): Promise<number[]> {
  const id = randomUUID();
  await spec.addEmptyChats(id, manyChats);
  const page = (offset: number): Promise<number> => timeOf(() => spec.pageOfChats({ id, offset }));
  return (await compare(() => page(0), { ours: () => page(depth) }, { rounds })).ours;
}

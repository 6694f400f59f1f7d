// Reading by one caller: a chat's messages beside the driver alone, and a page that is far down in a long list beside the
// first one.

import { randomUUID } from 'node:crypto';
import { desc, eq, sql } from 'drizzle-orm';
import { encodeCursor } from '../db/cursor.ts';
import { db } from '../db/database.ts';
import { getChatById, listChats } from '../db/queries.ts';
import { chat } from '../db/schema.ts';
import { createTestUser } from '../db/testing/index.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';
import { timeOf } from './harness.ts';
import type { OtherRows, ReadRows } from './read-rows.ts';
import type { SpecWay } from './spec-way.ts';
import type { Stage } from './stage.ts';

const manyChats = 110_000;
const depth = 100_000;

/** One caller: 500 messages, and a page far down. */
export async function measureLoads(
  stage: Stage,
  rows: ReadRows,
  effort: Effort,
  others?: OtherRows,
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
  others?: OtherRows,
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
async function measureDepth({ engine }: Stage, { rounds }: Effort, others?: OtherRows): Promise<Figure> {
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

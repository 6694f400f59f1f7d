// A turn of a conversation: two messages more, by append and by saving the whole history, on chats of every length; the
// bytes it sends and logs; beside a bare insert, the specification's way, and LangGraph's checkpointer.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { createDatabase } from '../db/database.ts';
import { appendMessages, saveChat } from '../db/queries.ts';
import { createTestUser } from '../db/testing/index.ts';
import { uuidv7 } from '../db/uuid.ts';
import { startCountingRelay } from '../tests/db/counting-relay.ts';
import { type Effort, type Figure, figureOf, inTurn, type TurnTime } from './figure.ts';
import { median, timeOf } from './harness.ts';
import { openSpecWay } from './spec-way.ts';
import { messageAt, type TalkMessage, talkOf } from './talk.ts';

/** A chat that grows by a turn at each call. */
interface Growing {
  /** @returns milliseconds */
  append(): Promise<number>;
  save(): Promise<number>;
  /** Milliseconds that one JSON.stringify of all messages takes. */
  stringify(): Promise<number>;
}

async function growing(userId: string, length: number): Promise<Growing> {
  const id = randomUUID();
  let messages: TalkMessage[] = talkOf(length);
  await saveChat({ id, userId, messages });
  const turn = (): TalkMessage[] => [messageAt(messages.length), messageAt(messages.length + 1)];
  return {
    append(): Promise<number> {
      const added = turn();
      messages = [...messages, ...added];
      return timeOf(() => appendMessages({ chatId: id, userId, messages: added }));
    },
    save(): Promise<number> {
      messages = [...messages, ...turn()];
      return timeOf(() => saveChat({ id, userId, messages }));
    },
    stringify: () => timeOf(async () => JSON.stringify(messages)),
  };
}

/** Two rows with the same columns, into a table that has a primary key and nothing else. */
async function bareInsert(sql: postgres.Sql): Promise<{ inTransaction(): Promise<number>; alone(): Promise<number> }> {
  await sql`create table if not exists "Bare" (like "Message", primary key (id))`;
  const [userId, chatId] = [randomUUID(), randomUUID()];
  let position = 0;
  let parentId = uuidv7();
  const row = (): (string | number)[] => {
    const id = uuidv7();
    const { role, ...rest } = messageAt(position);
    const values = [
      id,
      userId,
      chatId,
      parentId,
      position,
      role,
      `${position}123456789`,
      JSON.stringify({ role, ...rest }),
    ];
    parentId = id;
    position += 1;
    return values;
  };
  const insert = (run: postgres.ISql): Promise<unknown> =>
    run.unsafe(
      `insert into "Bare" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, active, "createdAt")
       values ($1, $2, $3, $4, $5, $6, $7, $8::text::json, true, now()), ($9, $10, $11, $12, $13, $14, $15, $16::text::json, true, now())`,
      [...row(), ...row()],
      { prepare: true },
    );
  return {
    inTransaction: () => timeOf(() => sql.begin(insert)),
    alone: () => timeOf(() => insert(sql)),
  };
}

export async function measureTurns(url: string, { rounds }: Effort): Promise<Figure[]> {
  const database = await createDatabase({ url });
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await database.run(async () => {
      const { id: userId } = await createTestUser();
      const bare = await bareInsert(sql);
      const figures: Figure[] = [];
      const add = (name: string, to: string, most: number, ratios: readonly number[]): void => {
        figures.push(figureOf({ group: 'A turn', name, to, target: { most } }, ratios));
      };
      const short = await growing(userId, 0);
      console.error('a turn: appended');
      const long = await growing(userId, 10_000);
      const times = rounds * 20;
      for (let i = 0; i < 20; i += 1) await Promise.all([short.append(), bare.inTransaction()]);
      add(
        '`appendMessages` of 2, 10,000 messages there',
        'the same on an empty chat',
        1.2,
        await inTurn(times, long.append, emptyAppend(userId)),
      );
      add(
        '`appendMessages` of 2',
        'a bare insert of the two rows, in begin and commit',
        1.2,
        await inTurn(times, short.append, bare.inTransaction),
      );
      for (const length of [500, 5000]) {
        console.error(`a turn: saved, ${length} messages there`);
        const chat = await growing(userId, length);
        const ratios: number[] = [];
        for (let round = 0; round < times / 4; round += 1) ratios.push(await overStringify(chat));
        const name = `\`saveChat\` of 2 more, ${length.toLocaleString('en-US')} messages there`;
        add(name, 'JSON.stringify of them: time above an append', 2, ratios);
      }
      return figures;
    });
  } finally {
    await sql.end();
    await database.close();
  }
}

/** An append to a chat that has no message, a new chat each time. */
function emptyAppend(userId: string): () => Promise<number> {
  return async () => {
    const id = randomUUID();
    await saveChat({ id, userId, messages: [] });
    return timeOf(() => appendMessages({ chatId: id, userId, messages: talkOf(2) }));
  };
}

/** From medians of a few each: one call alone is as long as the disk's mood. */
async function overStringify({ append, save, stringify }: Growing): Promise<number> {
  const saves: number[] = [];
  const appends: number[] = [];
  const texts: number[] = [];
  // Saved once before: what was appended meanwhile is not in the digest.
  for (let i = 0; i < 5; i += 1) appends.push(await append());
  await save();
  for (let i = 0; i < 5; i += 1) {
    saves.push(await save());
    texts.push(await stringify());
  }
  return (median(saves) - median(appends)) / median(texts);
}

/** Bytes on the wire and in the write-ahead log, of turns on a short and on a long chat. */
export async function measureBytes(url: string, { rounds }: Effort): Promise<Figure[]> {
  console.error('bytes of a turn');
  const relay = await startCountingRelay(url);
  const database = await createDatabase({ url: relay.url, poolSize: 1 });
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const turns = rounds * 10;
  try {
    return await database.run(async () => {
      const { id: userId } = await createTestUser();
      const bare = await bareInsert(sql);
      const [short, long] = [await growing(userId, 50), await growing(userId, 5000)];
      const sentBy = async (chat: Growing): Promise<number> =>
        (await relay.during(() => repeat(turns, chat.save))).sentBytes;
      for (const chat of [short, long]) await repeat(20, chat.save);
      await sentBy(short); // the statement is prepared now
      const sent = (await sentBy(long)) / (await sentBy(short));
      // Whole pages are logged when they are first touched behind a checkpoint: before the measure, not in it.
      await sql`checkpoint`;
      await repeat(turns, short.save);
      await repeat(turns, long.save);
      await repeat(turns, bare.alone);
      const [ofShort, ofLong, ofBare] = [
        await loggedBy(sql, () => repeat(turns, short.save)),
        await loggedBy(sql, () => repeat(turns, long.save)),
        await loggedBy(sql, () => repeat(turns, bare.alone)),
      ];
      const flat = { group: 'Bytes' as const, to: 'with 50 there', target: { most: 1.2 } };
      return [
        figureOf({ ...flat, name: 'sent by `saveChat` of 2 more, 5,000 messages there' }, [sent]),
        figureOf({ ...flat, name: 'logged by `saveChat` of 2 more, 5,000 messages there' }, [ofLong / ofShort]),
        figureOf(
          {
            group: 'Bytes',
            name: 'logged by `saveChat` of 2 more',
            to: 'a bare insert of the two rows',
            target: { most: 1.6 },
          },
          [ofLong / ofBare],
        ),
      ];
    });
  } finally {
    await sql.end();
    await database.close();
    relay.stop();
  }
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i += 1) await work();
}

/** Bytes of write-ahead log. Nothing else uses the server. */
async function loggedBy(sql: postgres.Sql, work: () => Promise<unknown>): Promise<number> {
  const position = async (): Promise<number> => {
    const [row] = await sql`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`;
    return row?.bytes as number;
  };
  const before = await position();
  await work();
  return (await position()) - before;
}

/** Milliseconds of a turn by length of the chat, three ways. */
export async function measureTurnTimes(url: string, { rounds }: Effort, hasPeers: boolean): Promise<TurnTime[]> {
  const database = await createDatabase({ url });
  const spec = await openSpecWay(url);
  const langGraph = hasPeers ? await (await import('./langgraph.js')).openLangGraph(url) : undefined;
  try {
    return await database.run(async () => {
      const { id: userId } = await createTestUser();
      const times: TurnTime[] = [];
      for (const length of [2, 100, 500, 2000, 5000]) {
        console.error(`a turn, three ways: ${length} messages there`);
        const ours = await growing(userId, length);
        const id = randomUUID();
        let messages = talkOf(length);
        await spec.saveChat({ id, userId, messages });
        const specTurn = (): Promise<number> => {
          messages = [...messages, messageAt(messages.length), messageAt(messages.length + 1)];
          return timeOf(() => spec.saveChat({ id, userId, messages }));
        };
        const list = talkOf(length).map(({ role, parts }) => ({ role, text: parts[0]?.text ?? '' }));
        const thread = await langGraph?.newThread(list);
        const [oursMs, specMs, peerMs]: number[][] = [[], [], []];
        await ours.save();
        for (let round = 0; round < rounds; round += 1) {
          oursMs?.push(await ours.save());
          specMs?.push(await specTurn());
          const at = length + 2 * round;
          const [question, answer] = [messageAt(at), messageAt(at + 1)].map(({ parts }) => parts[0]?.text ?? '');
          if (thread) peerMs?.push(await timeOf(() => thread.turn(question ?? '', answer ?? '')));
        }
        times.push({
          messages: length,
          oursMs: median(oursMs ?? []),
          specMs: median(specMs ?? []),
          ...(thread ? { langGraphMs: median(peerMs ?? []) } : {}),
        });
      }
      return times;
    });
  } finally {
    await langGraph?.close();
    await spec.close();
    await database.close();
  }
}

// What a turn sends and what the server writes to its log for it, on a short and on a long chat; in bytes, so that one
// measure is enough.

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { createDatabase, db } from '../db/database.ts';
import { type CountingRelay, startCountingRelay } from '../tests/db/counting-relay.ts';
import { type Effort, type Figure, figureOf, type Way } from './figure.ts';
import { newBareTable, newChat, newSpecChat, newThread, type Talk } from './growing-chat.ts';
import type { Peers } from './peers.ts';
import type { RawDriver, Stage } from './stage.ts';

const shortLength = 50;
const longLength = 5000;

interface Pair {
  way: Way;
  short: Talk;
  long: Talk;
  /** Turns that are measured, on the short chat and on the long one. */
  turns: [short: number, long: number];
}

const flat = { group: 'Bytes' as const, to: `with ${shortLength} there`, target: { most: 1.2 } };
const whatSaves = `\`saveChat\` of 2 more, ${longLength.toLocaleString('en-US')} messages there`;

/**
 * What goes over the wire. The embedded database has none.
 * @param openPeers opens the others by way of a URL
 */
export async function measureSent(
  url: string,
  effort: Effort,
  openPeers?: (url: string) => Promise<Peers>,
): Promise<Figure> {
  console.error('server: bytes sent by a turn');
  const relay = await startCountingRelay(url);
  const database = await createDatabase({ url: relay.url, poolSize: 1 });
  const peers = await openPeers?.(relay.url);
  try {
    return await database.run(async () => {
      const pairs = await openPairs(effort, peers);
      const ratios: Partial<Record<Way, number[]>> = {};
      for (const { way, short, long, turns } of pairs) {
        const [, few] = turns;
        await takeTurns(short, 1); // the statements are prepared now
        ratios[way] = [(await sentBy(relay, long, few)) / (await sentBy(relay, short, few))];
      }
      return figureOf({ ...flat, name: `sent by ${whatSaves}` }, { ours: [], ...ratios });
    });
  } finally {
    await peers?.close();
    await database.close();
    relay.stop();
  }
}

async function sentBy(relay: CountingRelay, talk: Talk, turns: number): Promise<number> {
  return (await relay.during(() => takeTurns(talk, turns))).sentBytes;
}

/** The write-ahead log of one who works alone on the database. */
export async function measureLogged(stage: Stage, effort: Effort, peers?: Peers): Promise<Figure[]> {
  console.error(`${stage.engine}: bytes logged for a turn`);
  return stage.run(async () => {
    const bare = await newBareTable(stage.raw);
    const [turns] = turnsOf(effort);
    const insertBare = async (): Promise<void> => {
      for (let i = 0; i < turns; i += 1) await bare.alone();
    };
    const pairs = await openPairs(effort, peers);
    await insertBare();
    await keepOthersOut(stage);
    for (const { short, long } of pairs) for (const talk of [short, long]) await takeTurns(talk, 10);
    const ofBare = (await loggedBy(stage.raw.run, insertBare)) / turns;
    const toShort: Partial<Record<Way, number[]>> = {};
    const toBare: Partial<Record<Way, number[]>> = {};
    for (const { way, short, long, turns: counts } of pairs) {
      const logged = async (talk: Talk, count: number): Promise<number> =>
        (await loggedBy(ours, () => takeTurns(talk, count))) / count;
      const [ofShort, ofLong] = [await logged(short, counts[0]), await logged(long, counts[1])];
      toShort[way] = [ofLong / ofShort];
      toBare[way] = [ofShort / ofBare];
    }
    const ofShort = `logged for \`saveChat\` of 2 more, ${shortLength} messages there`;
    const to = 'a bare insert of the two rows';
    return [
      figureOf({ ...flat, name: `logged for ${whatSaves}` }, { ours: [], ...toShort }),
      figureOf({ group: 'Bytes', name: ofShort, to, target: { most: 1.6 } }, { ours: [], ...toBare }),
    ];
  });
}

/**
 * Only what a turn itself writes: no autovacuum, and no whole pages, which come with the first touch behind a checkpoint
 * and so say how long ago that was. Both can't be set in the embedded database, which has no postmaster.
 */
export async function keepOthersOut({
  engine,
  raw,
}: {
  engine: Stage['engine'];
  raw: Pick<RawDriver, 'run'>;
}): Promise<void> {
  if (engine === 'embedded') return;
  for (const setting of ['autovacuum', 'full_page_writes']) await raw.run(`alter system set ${setting} = off`);
  await raw.run('select pg_reload_conf()');
  const workers = `select count(*)::int as count from pg_stat_activity where backend_type = 'autovacuum worker'`;
  while (((await raw.run(workers))[0]?.count as number) > 0) await sleep(100);
}

/** Asks in this package's database, which on the embedded engine is another one than the driver's. */
const ours = async (text: string): Promise<Record<string, unknown>[]> => (await db.execute(sql.raw(text))) as never;

/** How far the log is behind the work. */
export async function loggedBy(
  ask: (text: string) => Promise<Record<string, unknown>[]>,
  work: () => Promise<unknown>,
): Promise<number> {
  const position = async (): Promise<number> => {
    const [row] = await ask(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`);
    return row?.bytes as number;
  };
  const before = await position();
  await work();
  return (await position()) - before;
}

async function openPairs(effort: Effort, { spec, langGraph }: Partial<Peers> = {}): Promise<Pair[]> {
  const pair = async (way: Way, turns: Pair['turns'], open: (length: number) => Promise<Talk>): Promise<Pair> => {
    const [short, long] = [await open(shortLength), await open(longLength)];
    for (const talk of [short, long]) await talk.turn();
    return { way, short, long, turns };
  };
  const few: Pair['turns'] = [Math.min(effort.rounds, 3), Math.min(effort.rounds, 3)];
  const hasThreads = langGraph && longLength <= effort.longestThread;
  return [
    await pair('ours', turnsOf(effort), (length) => newChat(length, 'save')),
    ...(spec ? [await pair('spec', few, (length) => newSpecChat(spec, length))] : []),
    ...(hasThreads ? [await pair('langGraph', few, (length) => newThread(langGraph, length))] : []),
  ];
}

/** Enough for the pages that fill up to count as often as they do: with 100 turns the ratio is 0.05 off, by chance. */
const turnsOf = ({ rounds }: Effort): Pair['turns'] => [Math.max(400, rounds * 50), Math.max(100, rounds * 10)];

async function takeTurns(talk: Talk, turns: number): Promise<void> {
  for (let i = 0; i < turns; i += 1) await talk.turn();
}

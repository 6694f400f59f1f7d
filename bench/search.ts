// Search, beside PostgreSQL's look at each row with ILIKE; and what its index costs, beside pg_trgm's: with each message
// that is written, and later.

import postgres from 'postgres';
import { createDatabase } from '../db/database.ts';
import { migrate } from '../db/opening.ts';
import {
  appendMessages,
  asUser,
  findMemoriesByContent,
  indexForSearch,
  saveChat,
  searchMessages,
} from '../db/queries.ts';
import { createTestDatabase, createTestUser } from '../db/testing/index.ts';
import { keepOthersOut, loggedBy } from './bytes.ts';
import { type Effort, type Figure, figureOf, type Measure } from './figure.ts';
import { median, timeOf } from './harness.ts';
import { prepareSearchRows, type SearchRows, sayMessage } from './search-rows.ts';
import type { RawDriver } from './stage.ts';

/** Of everybody's messages, so many are one person's; and as many memories. */
const shareOfOne = 10;
/** A look at each row takes a second or so. */
const mostRounds = 3;
/** Takes as long for one query as for another. */
const scannedQueries = 4;
const most = 1 / 50;

export async function measureSearch(url: string, effort: Effort): Promise<Figure[]> {
  return [...(await measureSpeed(url, effort)), ...(await measureCost(url, effort))];
}

async function measureSpeed(url: string, effort: Effort): Promise<Figure[]> {
  const { searchedMessages } = effort;
  const rounds = Math.min(effort.rounds, mostRounds);
  const own = Math.round(searchedMessages / shareOfOne);
  const server = postgres(url, { max: 1, onnotice: () => {} });
  const searchUrl = await createInUsualLocale(server, url);
  const database = await createDatabase({ url: searchUrl });
  const sql = postgres(searchUrl, { max: 1, onnotice: () => {} });
  try {
    console.error(`search: ${searchedMessages.toLocaleString('en-US')} messages, and their index`);
    const rows = await prepareSearchRows(sql, { messages: own, all: searchedMessages, memories: own });
    await database.run(() => indexForSearch({ userId: rows.userId }));
    await sql.unsafe('vacuum analyze');
    const figures: Figure[] = [];
    for (const look of looks(own)) {
      console.error(look.name.replaceAll('`', ''));
      figures.push(...(await measureLook(look, database.run, sql, rows, rounds)));
    }
    return figures;
  } finally {
    await sql.end();
    await database.close();
    await server.unsafe(`drop database ${searchName}`);
    await server.end();
  }
}

const searchName = 'search_bench';

/**
 * A migrated database with a locale as servers have it, for ILIKE goes by it: in locale C, which is that of test servers,
 * it takes half to two thirds of the time that it takes in others, and does not find `É` with `é`. PostgreSQL's official image has
 * en_US.utf8. C.UTF-8 makes lower case by the same function of the C library, and is on machines without languages.
 */
async function createInUsualLocale(server: postgres.Sql, url: string): Promise<string> {
  const known = await server`select collname from pg_collation where collname in ('en_US.utf8', 'C.utf8')`;
  const names = known.map(({ collname }) => collname as string).sort();
  const locale = names.at(-1);
  const choice = locale ? `locale '${locale}'` : `locale_provider icu icu_locale 'en-US'`;
  await server.unsafe(`create database ${searchName} template template0 encoding 'UTF8' ${choice}`);
  const searchUrl = new URL(url);
  searchUrl.pathname = `/${searchName}`;
  await migrate({ url: searchUrl.href });
  return searchUrl.href;
}

interface Look {
  name: string;
  /**
   * How often each query is searched in a round, and as often before what counts: connected, prepared and compiled (V8 is at
   * it for the first 2,000 searches or so). The quicker a search is, the more of them make one figure.
   */
  repeats: number;
  /** The statement of a scan; $1 is the user's id, $2 are patterns. `collation` is that of the comparison. */
  scan(collation: string): string;
  patternsOf(query: string): string[];
  search(userId: string, query: string): Promise<unknown>;
}

const looks = (own: number): Look[] => [
  {
    name: `\`searchMessages\` in ${own.toLocaleString('en-US')} messages of one person`,
    repeats: 10,
    scan: (collation) => `select * from "Message"
      where "userId" = $1 and active and body::text ${collation} ilike all($2::text[]) order by "createdAt" desc limit 20`,
    patternsOf: (query) => query.split(' ').map(patternOf),
    search: (userId, query) => searchMessages({ userId, query }),
  },
  {
    name: `\`findMemoriesByContent\` in ${own.toLocaleString('en-US')} memories of one person`,
    repeats: 40,
    scan: (collation) => `select * from "Memory"
      where user_id = $1 and content ${collation} ilike all($2::text[]) order by created_at desc limit 20`,
    patternsOf: (query) => [patternOf(query)],
    search: (userId, contentQuery) => findMemoriesByContent({ userId, contentQuery, limit: 20 }),
  },
];

type RunInDatabase = <T>(work: () => Promise<T>) => Promise<T>;

async function measureLook(
  { name, repeats, scan, patternsOf, search }: Look,
  run: RunInDatabase,
  sql: postgres.Sql,
  { userId, queries, shortQueries }: SearchRows,
  rounds: number,
): Promise<Figure[]> {
  const step = Math.floor(queries.length / scannedQueries);
  const scannedFor = queries.filter((_, i) => i % step === 0).slice(0, scannedQueries);
  const scanned = (statement: string, settings: string): Measure => {
    const time = (within: postgres.ISql, query: string): Promise<number> =>
      timeOf(() => within.unsafe(statement, [userId, patternsOf(query)]));
    return async () =>
      sql.begin(async (within) => {
        await within.unsafe(settings);
        const took: number[] = [];
        for (const query of scannedFor) took.push(await time(within, query));
        return median(took);
      }) as Promise<number>;
  };
  const searched = (list: readonly string[], around: (work: () => Promise<unknown>) => Promise<unknown>): Measure => {
    return () => run(() => slowest(list, repeats, (query) => around(() => search(userId, query))));
  };
  const alone = (work: () => Promise<unknown>): Promise<unknown> => work();
  const rowsOf = await measureInTurn(rounds, {
    sequential: scanned(scan(''), withoutIndexes),
    inC: scanned(scan('collate "C"'), withoutIndexes),
    chosen: scanned(scan(''), ''),
    search: searched(queries, alone),
    asUser: searched(queries, (work) => asUser(userId, work)),
    short: searched(shortQueries, alone),
  });
  const figure = (what: Timed, to: Timed, beside: string, name: string, target?: Figure['target']): Figure =>
    figureOf({ group: 'Search', name, to: beside, ...(target && { target }) }, { ours: rowsOf(what, to) });
  const sequential = 'a sequential scan with ILIKE: the 95th percentile of a call to the median of scans';
  return [
    figure('search', 'sequential', sequential, name, { most }),
    figure('asUser', 'sequential', sequential, `${name}, in \`asUser\``, { most }),
    figure('short', 'sequential', sequential, `${name}: two letters of an alphabet`),
    figure('search', 'inC', 'the same with the locale C, which knows no letters but those of ASCII', name),
    figure('search', 'chosen', 'ILIKE as PostgreSQL plans it: over all rows of the person', name),
  ];
}

const withoutIndexes =
  'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off';

const patternOf = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;

type Timed = 'sequential' | 'inC' | 'chosen' | 'search' | 'asUser' | 'short';

/** Each once in each round, another one first; ours before, which is not counted. */
async function measureInTurn(
  rounds: number,
  measures: Record<Timed, Measure>,
): Promise<(what: Timed, to: Timed) => number[]> {
  for (const ours of ['search', 'asUser', 'short'] as const) await measures[ours]();
  const names = Object.keys(measures) as Timed[];
  const times: Partial<Record<Timed, number>>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ofRound: Partial<Record<Timed, number>> = {};
    for (let i = 0; i < names.length; i += 1) {
      const name = names[(i + round) % names.length] as Timed;
      ofRound[name] = await measures[name]();
    }
    times.push(ofRound);
  }
  return (what, to) => times.map((ofRound) => (ofRound[what] as number) / (ofRound[to] as number));
}

/** The 95th percentile of the milliseconds that a call takes, over all queries. */
async function slowest(
  queries: readonly string[],
  repeats: number,
  call: (query: string) => Promise<unknown>,
): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < repeats; i += 1) for (const query of queries) took.push(await timeOf(() => call(query)));
  return took.sort((one, other) => one - other)[Math.ceil(took.length * 0.95) - 1] as number;
}

/** Messages that are appended one by one, with this index (which is made later), and with pg_trgm's on a table like it. */
async function measureCost(url: string, { rounds }: Effort): Promise<Figure[]> {
  const count = Math.min(4000, rounds * 400);
  const [ours, theirs] = [await createTestDatabase({ url }), await createTestDatabase({ url })];
  const drivers = [ours, theirs].map(({ url: own }) => postgres(own as string, { max: 1, onnotice: () => {} }));
  const [ourSql, theirSql] = drivers as [postgres.Sql, postgres.Sql];
  try {
    console.error('search: what its index costs');
    await theirSql.unsafe('create extension pg_trgm');
    await theirSql.unsafe('create index trigrams on "Message" using gin ((body::text) gin_trgm_ops)');
    const run: RawDriver['run'] = (text) => ourSql.unsafe(text) as never;
    await keepOthersOut({ engine: 'server', raw: { run } });
    const appended = await costOf(run, () => ours.run(() => appendSome(count)));
    const indexed = await costOf(run, () => ours.run(() => indexForSearch({})));
    const withTrigrams = await costOf(run, async () => {
      await theirs.run(() => appendSome(count));
      await theirSql.unsafe(`select gin_clean_pending_list('trigrams')`); // autovacuum would, later
    });
    const facts = { group: 'Search' as const, to: '`appendMessages` of one message' };
    const figure = (name: string, share: number): Figure => figureOf({ ...facts, name }, { ours: [share] });
    return [
      figure('logged for indexing a message, later', indexed.bytes / appended.bytes),
      figure('time to index a message, later', indexed.ms / appended.ms),
      figure('logged for `appendMessages` with a trigram index (pg_trgm)', withTrigrams.bytes / appended.bytes),
      figure('time of `appendMessages` with a trigram index (pg_trgm)', withTrigrams.ms / appended.ms),
    ];
  } finally {
    for (const driver of drivers) await driver.end();
    for (const database of [ours, theirs]) await database.close();
  }
}

async function costOf(run: RawDriver['run'], work: () => Promise<unknown>): Promise<{ ms: number; bytes: number }> {
  let ms = 0;
  const bytes = await loggedBy(run, async () => {
    ms = await timeOf(work);
  });
  return { ms, bytes };
}

/** To chats of 50. */
async function appendSome(count: number): Promise<void> {
  const { id: userId } = await createTestUser();
  let chatId = '';
  for (let i = 0; i < count; i += 1) {
    if (i % 50 === 0) {
      chatId = crypto.randomUUID();
      await saveChat({ id: chatId, userId, messages: [] });
    }
    await appendMessages({ chatId, userId, messages: [{ role: 'user', content: sayMessage() }] });
  }
}

// Pages of matches, the best of the newest first. Matches come in windows, newest first: in each the ones that fit best stand
// first. A cursor says where its window begins and ends, so that what is written meanwhile neither moves nor repeats anything.

import { createHash } from 'node:crypto';
import { decodeCursor, encodeCursor, type Page } from '../cursor.ts';
import type { Range } from './candidates.ts';
import { findNewest, type Match } from './find.ts';
import { compareNewest, type Place } from './places.ts';
import type { Query } from './query.ts';
import type { Source } from './source.ts';

/** How many matches are ranked among each other. */
const windowMatches = 100;

interface Window<Row> {
  /** Best first. */
  matches: Match<Row>[];
  newest: Place;
  oldest: Place;
}

interface InWindow<Row> {
  match: Match<Row>;
  window: Window<Row>;
}

/** Where a page ended. */
interface PageEnd {
  last: Ranked;
  newest: Place;
  oldest: Place;
}

type Ranked = Place & { rank: number };

export interface PageArguments {
  userId: string;
  query: Query;
  limit: number;
  cursor: string | null | undefined;
}

/** @param list the name of the list, for its cursors */
export async function readRankedPage<Row>(
  list: string,
  source: Source<Row>,
  { userId, query, limit, cursor }: PageArguments,
): Promise<Page<Match<Row>>> {
  const mark = markOf(query);
  const end = decodePageEnd(list, mark, cursor);
  const items: InWindow<Row>[] = [];
  const take = (window: Window<Row> | undefined): void => {
    for (const match of window?.matches ?? []) items.push({ match, window: window as Window<Row> });
  };
  if (end) take(await restOfWindow(source, userId, query, end));
  let below = end?.oldest;
  for (let hasMore = true; items.length <= limit && hasMore; ) {
    const found = await findNewest(source, userId, query, below ? { newest: justBelow(below) } : {}, windowMatches);
    const window = toWindow(found.matches);
    take(window);
    below = window?.oldest;
    hasMore = found.hasMore;
  }
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ match }) => match),
    nextCursor: items.length > limit && last ? encodePageEnd(list, mark, last) : null,
  };
}

function toWindow<Row>(newestFirst: Match<Row>[]): Window<Row> | undefined {
  const [newest, oldest] = [newestFirst.at(0), newestFirst.at(-1)];
  return newest && oldest && { newest, oldest, matches: newestFirst.toSorted(compareBest) };
}

/** What is in the window behind a match; the window is as large as it was, whatever has come or gone since. */
async function restOfWindow<Row>(
  source: Source<Row>,
  userId: string,
  query: Query,
  { last, newest, oldest }: PageEnd,
): Promise<Window<Row>> {
  const range: Range = { newest, oldest };
  const found = await findNewest(source, userId, query, range, Number.MAX_SAFE_INTEGER);
  const matches = found.matches.toSorted(compareBest).filter((match) => compareBest(match, last) > 0);
  return { newest, oldest, matches };
}

function compareBest(one: Ranked, other: Ranked): number {
  return other.rank - one.rank || compareNewest(one, other);
}

/** The newest place that comes behind this one. */
function justBelow({ atMs, id, position }: Place): Place {
  return { atMs, id, position: position - 0.5 };
}

function encodePageEnd<Row>(list: string, mark: number, { match, window }: InWindow<Row>): string {
  const keys = [match, window.newest, window.oldest].flatMap(({ atMs, id, position }) => [atMs, id, position]);
  return encodeCursor(list, [mark, match.rank, ...keys]);
}

function decodePageEnd(list: string, mark: number, cursor: string | null | undefined): PageEnd | undefined {
  const keys = decodeCursor(list, cursor, (given) => given[0] === mark && isPageEnd(given));
  if (!keys) return undefined;
  const places = [2, 5, 8].map((i) => ({ atMs: keys[i], id: keys[i + 1], position: keys[i + 2] }) as Place);
  const [last, newest, oldest] = places as [Place, Place, Place];
  return { last: { ...last, rank: keys[1] as number }, newest, oldest };
}

const isWholeNumber = (key: unknown): boolean => Number.isSafeInteger(key);
const isId = (key: unknown): boolean => typeof key === 'string' && /^[0-9a-f-]{36}$/.test(key);

function isPageEnd(keys: unknown[]): boolean {
  return keys.length === 11 && keys.every((key, i) => (i % 3 === 0 && i > 0 ? isId(key) : isWholeNumber(key)));
}

/** Tells the cursor of one query from that of another. */
function markOf({ terms, phrase }: Query): number {
  return createHash('sha256')
    .update(JSON.stringify([terms, phrase ?? null]))
    .digest()
    .readUIntBE(0, 4);
}

// Finds what contains the terms of a query, newest first: by the index, whose candidates are looked at in their rows, and
// by looking at each row that is not indexed. An index that is behind costs time, and never a wrong or a missing row.

import { withPrimary } from '../database.ts';
import { MytxError, TransactionError } from '../errors.ts';
import { Candidates, isInRange, type Range, SegmentGone } from './candidates.ts';
import { fold } from './fold.ts';
import { gramsOfTerms, isCoarse, mostGrams } from './grams.ts';
import { indexSome } from './indexing.ts';
import { compareNewest, type Place } from './places.ts';
import { matches, type Query, rankOf } from './query.ts';
import {
  type Document,
  type FoundSegment,
  firstPlace,
  lastPlace,
  pageRows,
  type Source,
  type State,
  type UnindexedPlace,
} from './source.ts';

export interface Match<Row> extends Document<Row> {
  rank: number;
}

export interface Found<Row> {
  /** Newest first. */
  matches: Match<Row>[];
  /** There may be older ones in the range. */
  hasMore: boolean;
}

/** How many rows are read to look whether they match, at once. */
const mostCandidates = 256;

/** The newest matches in a range, `most` of them. */
export async function findNewest<Row>(
  source: Source<Row>,
  userId: string,
  query: Query,
  range: Range,
  most: number,
): Promise<Found<Row>> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const find = (): Promise<Found<Row>> => findOnce(source, userId, query, range, most);
    try {
      return await (attempt === 1 ? find() : withPrimary(find)); // two replicas may be at different places
    } catch (error) {
      if (!(error instanceof SegmentGone)) throw error;
    }
  }
  throw new TransactionError(
    'TRANSACTION_CONFLICT',
    'parts of the search index were gone 10 times when they were to be read',
    'Call again. Where it stays so, rows of SearchBlock are missing: dropSearchIndex({ userId }) makes the index anew.',
  );
}

async function findOnce<Row>(
  source: Source<Row>,
  userId: string,
  query: Query,
  range: Range,
  most: number,
): Promise<Found<Row>> {
  const grams = gramsOfTerms(query.terms);
  const wanted = toMatches<Row>(query, range);
  const { segments, unindexed } = await readAll(source, userId, grams, wanted, most, range);
  const candidates = await Candidates.of(source, userId, grams, segments, range);
  const hidden = await source.readHidden?.(userId, (text) => matches(query, fold(text)));
  let found = newestFirst([...unindexed, ...wanted(hidden ?? [])]);
  for (let size = most + spare(most, grams), looked = 0; ; size = sizeOfNext(most, found.length, looked)) {
    const next = await candidates.next(Math.min(size, mostCandidates));
    found = newestFirst([...found, ...wanted(next.flatMap(({ document }) => document ?? []))]);
    looked += next.length;
    const last = next.at(-1);
    if (!last) return { matches: found.slice(0, most), hasMore: found.length > most };
    // What was not looked at yet is older than the last candidate.
    const certain = found.filter((match) => compareNewest(match, last) <= 0);
    if (certain.length >= most) return { matches: certain.slice(0, most), hasMore: true };
  }
}

/** Of two of the same place the one that was read last. */
function newestFirst<Row>(matches: readonly Match<Row>[]): Match<Row>[] {
  const sorted = [...matches].sort(compareNewest);
  return sorted.filter((match, i) => i + 1 === sorted.length || compareNewest(match, sorted[i + 1] as Place) !== 0);
}

/**
 * How many candidates more than are wanted to look at first: of the grams of a word nearly all match, of coarse ones and of
 * several words with frequent fours 7 in 10, and by chance fewer. A row takes 6 µs, another statement 200.
 */
function spare(most: number, grams: readonly number[]): number {
  const isPrecise = grams.length < mostGrams && !grams.some(isCoarse);
  return Math.max(8, Math.ceil(isPrecise ? most / 8 : most / 2 + Math.sqrt(most)));
}

/** How many more candidates to look at, where of so many that were looked at so many matched: some more than that says. */
function sizeOfNext(most: number, found: number, looked: number): number {
  return found === 0 ? 4 * looked : Math.ceil((1.5 * Math.max(0, most - found) * looked) / found) + 8;
}

type ToMatches<Row> = (documents: readonly Document<Row>[]) => Match<Row>[];

function toMatches<Row>(query: Query, range: Range): ToMatches<Row> {
  return (documents) => {
    const found: Match<Row>[] = [];
    for (const document of documents) {
      if (!isInRange(document, range)) continue;
      const folded = fold(document.text);
      if (!matches(query, folded)) continue;
      const { atMs, id, position, text, row } = document;
      found.push({ atMs, id, position, text, row, rank: rankOf(query, folded) });
    }
    return found;
  };
}

interface Everything<Row> {
  segments: FoundSegment[];
  unindexed: Match<Row>[];
}

/** The segments, and the matches in what they don't have. Where that is more than a page, it is indexed first. */
async function readAll<Row>(
  source: Source<Row>,
  userId: string,
  grams: readonly number[],
  wanted: ToMatches<Row>,
  most: number,
  { newest }: Range,
): Promise<Everything<Row>> {
  const until = newest && new Date(newest.atMs);
  const first = await source.readState(userId, grams, firstPlace, until);
  if (first.unindexed.length < pageRows) return { segments: first.segments, unindexed: wanted(first.unindexed) };
  await tryToIndex(source, userId);
  // Segments last, and all from one server: what somebody indexes meanwhile is among them.
  return withPrimary(async () => {
    let unindexed: Match<Row>[] = [];
    for (let behind: UnindexedPlace | undefined = firstPlace; behind; ) {
      const page: State<Row> = await source.readState(userId, [], behind);
      unindexed = [...unindexed, ...wanted(page.unindexed)].sort(compareNewest).slice(0, most + 1);
      behind = page.unindexed.length < pageRows ? undefined : page.unindexed.at(-1);
    }
    const { segments } = await source.readState(userId, grams, lastPlace, until);
    return { segments, unindexed };
  });
}

/** Users whose documents this process is indexing for a search. */
const indexing = new Set<string>();
/** Where it failed it is not tried again for a minute: the database may be one that can't be written to. */
const pauseMs = 60_000;
let pausedUntilMs = 0;

async function tryToIndex<Row>(source: Source<Row>, userId: string): Promise<void> {
  const name = `${source.kind} ${userId}`;
  if (indexing.has(name) || performance.now() < pausedUntilMs) return;
  indexing.add(name);
  try {
    await indexSome(source, userId);
  } catch (error) {
    if (!(error instanceof MytxError)) throw error;
    pausedUntilMs = performance.now() + pauseMs; // the search does without: it reads what is not indexed
  } finally {
    indexing.delete(name);
  }
}

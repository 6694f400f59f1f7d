// The documents that have all grams of a query, newest first. Each segment has its own oldest first, and their times may
// overlap: of each the newest places are read, a block at a time, until no other one can have a newer document.

import { compareNewest, decodePlaces, firstOfBlock, type Place, placeBlockOf, placesOfBlock } from './places.ts';
import { documentsWithAll } from './postings.ts';
import { blocksAt } from './segment-rows.ts';
import type { FoundSegment } from './source.ts';

/** A segment was merged with others while it was read: the whole has to be read again. */
export class SegmentGone extends Error {}

/** Both of them are in the range. */
export interface Range {
  newest?: Place | undefined;
  oldest?: Place | undefined;
}

/** A segment with those of its documents whose places were not read yet. */
interface Open {
  id: string;
  /** Ascending, that is oldest first. */
  documents: number[];
  /** None of them is newer. */
  newestMs: number;
  /** About when a document was created, by its number. */
  guessMs(document: number): number;
}

/** Blocks of places that are read in one statement. */
const mostBlocks = 256;

export class Candidates {
  private open: Open[];
  private read: Place[] = [];

  constructor(
    private readonly userId: string,
    grams: readonly number[],
    segments: readonly FoundSegment[],
    private readonly range: Range,
  ) {
    this.open = segments
      .filter(({ oldestMs, newestMs }) => isWithin({ oldestMs, newestMs }, range))
      .map((segment) => ({ ...toOpen(segment), documents: documentsWithAll(grams, segment) }))
      .filter(({ documents }) => documents.length > 0);
  }

  /** The next ones; fewer than `most` at the end. May give a place twice. */
  async next(most: number): Promise<Place[]> {
    let certain = this.certain();
    for (; certain < most && this.open.length > 0; certain = this.certain()) await this.readMore(most - certain);
    return this.read.splice(0, Math.min(most, certain));
  }

  /** How many of those that were read come before all that were not. */
  private certain(): number {
    const newestMs = Math.max(...this.open.map((segment) => segment.newestMs));
    const first = this.read.findIndex(({ atMs }) => atMs <= newestMs);
    return first === -1 ? this.read.length : first;
  }

  private async readMore(most: number): Promise<void> {
    const wanted = this.takeBlocks(most);
    const blocks = await blocksAt.run(
      this.userId,
      `{${wanted.map(({ segment }) => segment.id).join(',')}}`,
      `{${wanted.map(({ number }) => number).join(',')}}`,
    );
    if (blocks.length < wanted.length) throw new SegmentGone();
    const found = new Map(blocks.map(({ segmentId, number, bytes }) => [`${segmentId} ${number}`, bytes]));
    for (const { segment, number, documents } of wanted) {
      const indexes = new Set(documents.map((document) => document % placesOfBlock));
      // The first one is the oldest: of the rest none is newer.
      const isWanted = (index: number): boolean => index === 0 || indexes.has(index);
      const places = decodePlaces(found.get(`${segment.id} ${number}`) as Uint8Array, isWanted);
      segment.newestMs = (places[0] as Place).atMs;
      for (const place of places.slice(indexes.has(0) ? 0 : 1)) this.keep(place);
    }
    this.read.sort(compareNewest);
    const { oldest } = this.range;
    this.open = this.open.filter(
      ({ documents, newestMs }) => documents.length > 0 && !(oldest && newestMs < oldest.atMs),
    );
  }

  /** The blocks that should make `most` candidates certain, or as many as are read in one statement. */
  private takeBlocks(most: number): WantedBlock[] {
    const wanted: WantedBlock[] = [];
    const guesses: number[] = [];
    const bounds = new Map(this.open.map((segment) => [segment, segment.newestMs]));
    while (wanted.length < mostBlocks) {
      // The one that may have the newest is what all others wait for.
      const [segment, boundMs] = [...bounds].reduce((best, one) => (one[1] > best[1] ? one : best));
      if (guesses.filter((guess) => guess > boundMs).length >= most || segment.documents.length === 0) break;
      const block = takeBlock(segment);
      wanted.push(block);
      guesses.push(...block.documents.map(segment.guessMs));
      const isDone = segment.documents.length === 0;
      bounds.set(segment, isDone ? Number.NEGATIVE_INFINITY : segment.guessMs(firstOfBlock(block.number)));
    }
    return wanted;
  }

  private keep(place: Place): void {
    if (isInRange(place, this.range)) this.read.push(place);
  }
}

interface WantedBlock {
  segment: Open;
  number: number;
  documents: number[];
}

function toOpen({ id, documents, oldestMs, newestMs }: FoundSegment): Omit<Open, 'documents'> {
  const guessMs = (document: number): number => oldestMs + ((newestMs - oldestMs) * (document + 1)) / documents;
  return { id, newestMs, guessMs };
}

/** The newest documents of a segment that are in one block. */
function takeBlock(segment: Open): WantedBlock {
  const number = placeBlockOf(segment.documents.at(-1) as number);
  const first = segment.documents.findIndex((document) => placeBlockOf(document) === number);
  return { segment, number, documents: segment.documents.splice(first) };
}

export function isInRange(place: Place, { newest, oldest }: Range): boolean {
  return !(newest && compareNewest(place, newest) < 0) && !(oldest && compareNewest(place, oldest) > 0);
}

function isWithin({ oldestMs, newestMs }: { oldestMs: number; newestMs: number }, { newest, oldest }: Range): boolean {
  return !(newest && oldestMs > newest.atMs) && !(oldest && newestMs < oldest.atMs);
}

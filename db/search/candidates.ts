// The documents that have all grams of a query, newest first. Each segment has its own oldest first, and their times may
// overlap: of each the newest ones are read, until no other one can have a newer document.

import { compareNewest, type Place } from './places.ts';
import { type Documents, documentsWithAll } from './postings.ts';
import { documentsUntil } from './segment-rows.ts';
import type { Document, FoundSegment, SegmentDocument, Source } from './source.ts';

/** A segment was merged with others while it was read: the whole has to be read again. */
export class SegmentGone extends Error {}

/** Both of them are in the range. */
export interface Range {
  newest?: Place | undefined;
  oldest?: Place | undefined;
}

/** Where a document was, and what is there now: nothing, if it was deleted, or is another one. */
export interface Candidate<Row> extends Place {
  document: Document<Row> | undefined;
}

/** A segment with those of its documents that were not read yet. */
interface Open {
  id: string;
  /** The last one is the newest. */
  documents: Documents;
  /** None of them is newer. */
  newest: Place;
  /** About when a document was created, by its number. */
  guessMs(document: number): number;
}

/** So few are read all at once: to ask again takes longer. */
const fewDocuments = 96;

export class Candidates<Row> {
  private read: Candidate<Row>[] = [];

  private constructor(
    private readonly source: Source<Row>,
    private readonly userId: string,
    private readonly range: Range,
    private open: Open[],
  ) {}

  static async of<Row>(
    source: Source<Row>,
    userId: string,
    grams: readonly number[],
    segments: readonly FoundSegment[],
    range: Range,
  ): Promise<Candidates<Row>> {
    const open = segments
      .filter(({ oldestMs, newestMs }) => isWithin({ oldestMs, newestMs }, range))
      .map((segment) => toOpen(segment, documentsWithAll(gramsOfBlocks(grams, segment), segment)));
    if (range.newest) await leaveOutNewer(userId, open, range.newest.atMs);
    const some = open.filter(({ documents }) => documents.size > 0);
    return new Candidates(source, userId, range, some);
  }

  /** The next ones, `most` at most; none at the end. May give a place twice. */
  async next(most: number): Promise<Candidate<Row>[]> {
    let certain = this.certain();
    for (; certain === 0 && this.open.length > 0; certain = this.certain()) await this.readMore(most);
    return this.read.splice(0, Math.min(most, certain));
  }

  /** How many of those that were read come before all that were not. */
  private certain(): number {
    const newest = this.open.map((segment) => segment.newest).sort(compareNewest)[0];
    const first = newest ? this.read.findIndex((candidate) => compareNewest(candidate, newest) > 0) : -1;
    return first === -1 ? this.read.length : first;
  }

  private async readMore(most: number): Promise<void> {
    const wanted = this.take(most);
    const located = await this.source.readAt(this.userId, wanted);
    if (located.length < wanted.length) throw new SegmentGone();
    const open = new Map(this.open.map((segment) => [segment.id, segment]));
    for (const { segmentId, place, document } of located) {
      const segment = open.get(segmentId) as Open;
      if (compareNewest(segment.newest, place) < 0) segment.newest = place;
      if (isInRange(place, this.range)) this.read.push({ ...place, document });
    }
    this.read.sort(compareNewest);
    const { oldest } = this.range;
    this.open = this.open.filter(
      ({ documents, newest }) => documents.size > 0 && !(oldest && compareNewest(newest, oldest) > 0),
    );
  }

  /** About the newest ones; at least one of each segment that may have the newest of all. */
  private take(most: number): SegmentDocument[] {
    const count = this.open.reduce((sum, { documents }) => sum + documents.size, 0);
    const wanted: SegmentDocument[] = [];
    const bounds = this.open.map((segment) => ({ segment, ms: segment.newest.atMs }));
    for (let left = count <= fewDocuments ? count : most; left > 0 && bounds.length > 0; left -= 1) {
      const bound = bounds.reduce((best, one) => (one.ms > best.ms ? one : best));
      const { segment } = bound;
      const document = segment.documents.takeLast() as number;
      wanted.push({ segmentId: segment.id, document });
      const next = segment.documents.last;
      if (next === undefined) bounds.splice(bounds.indexOf(bound), 1);
      else bound.ms = segment.guessMs(next);
    }
    return wanted;
  }
}

/** Those whose blocks were read. */
function gramsOfBlocks(grams: readonly number[], { gramBits, blocks }: FoundSegment): number[] {
  return grams.filter((gram) => blocks.has(gram % 2 ** gramBits));
}

function toOpen({ id, documents: count, oldestMs, newestMs }: FoundSegment, documents: Documents): Open {
  const guessMs = (document: number): number => oldestMs + ((newestMs - oldestMs) * (document + 1)) / count;
  return { id, documents, newest: newestAt(newestMs), guessMs };
}

/** No place of that time is newer. */
const newestAt = (atMs: number): Place => ({ atMs, id: 'g', position: 0 });

/** Leaves out what is newer, by whole blocks, without reading it. */
async function leaveOutNewer(userId: string, open: readonly Open[], untilMs: number): Promise<void> {
  const cut = open.filter(({ documents, newest }) => documents.size > 0 && newest.atMs > untilMs);
  if (cut.length === 0) return;
  const found = await documentsUntil.run(userId, `{${cut.map(({ id }) => id).join(',')}}`, untilMs);
  if (found.length < cut.length) throw new SegmentGone();
  const ends = new Map(found.map(({ segmentId, end }) => [segmentId, end]));
  for (const { id, documents } of cut) documents.cut(ends.get(id) as number);
}

export function isInRange(place: Place, { newest, oldest }: Range): boolean {
  return !(newest && compareNewest(place, newest) < 0) && !(oldest && compareNewest(place, oldest) > 0);
}

function isWithin({ oldestMs, newestMs }: { oldestMs: number; newestMs: number }, { newest, oldest }: Range): boolean {
  return !(newest && oldestMs > newest.atMs) && !(oldest && newestMs < oldest.atMs);
}

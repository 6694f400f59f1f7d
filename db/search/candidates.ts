// The documents that have all grams of a query, newest first. Each segment has its own oldest first, and their times may
// overlap: of each the newest ones are read, until no other one can have a newer document.

import { compareNewest, type Place } from './places.ts';
import { type Documents, documentsWithAll } from './postings.ts';
import { documentsUntil, listsOf } from './segment-rows.ts';
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

/** So few more are read at once, where then all are: to ask again takes longer than to look at 12 that nobody may need. */
const fewMore = 12;

export class Candidates<Row> {
  private read: Candidate<Row>[] = [];
  private open: Open[] = [];

  private constructor(
    private readonly source: Source<Row>,
    private readonly userId: string,
    private readonly grams: readonly number[],
    private readonly range: Range,
    /** Those whose lists were not read yet. */
    private unread: readonly FoundSegment[],
  ) {}

  static async of<Row>(
    source: Source<Row>,
    userId: string,
    grams: readonly number[],
    segments: readonly FoundSegment[],
    range: Range,
  ): Promise<Candidates<Row>> {
    const inRange = segments.filter((segment) => isWithin(segment, range));
    const candidates = new Candidates(
      source,
      userId,
      grams,
      range,
      inRange.filter(({ lists }) => !lists),
    );
    await candidates.look(inRange.filter(({ lists }) => lists));
    return candidates;
  }

  /** The next ones, `most` at most; none at the end. May give a place twice. */
  async next(most: number): Promise<Candidate<Row>[]> {
    let certain = this.certain();
    for (; certain === 0 && this.open.length + this.unread.length > 0; certain = this.certain()) {
      await this.readMore(most);
    }
    return this.read.splice(0, Math.min(most, certain));
  }

  /** How many of those that were read come before all that were not. */
  private certain(): number {
    const newest = this.open.reduce(
      (best, segment) => (compareNewest(segment.newest, best) < 0 ? segment.newest : best),
      this.newestUnread(),
    );
    const first = this.read.findIndex((candidate) => compareNewest(candidate, newest) > 0);
    return first === -1 ? this.read.length : first;
  }

  private newestUnread(): Place {
    return newestAt(Math.max(...this.unread.map(({ newestMs }) => newestMs)));
  }

  private async readMore(most: number): Promise<void> {
    const left = this.open.reduce((sum, { documents }) => sum + documents.size, 0);
    if (this.unread.length > 0 && left < most) return this.readLists();
    const wanted = this.take(this.unread.length === 0 && left <= most + fewMore ? left : most);
    if (wanted.length === 0) return this.readLists();
    const located = await this.source.readAt(this.userId, wanted);
    if (located.length < wanted.length) throw new SegmentGone();
    const open = new Map(this.open.map((segment) => [segment.id, segment]));
    for (const { segmentId, place, document } of located) {
      const segment = open.get(segmentId) as Open;
      if (compareNewest(segment.newest, place) < 0) segment.newest = place;
      const { atMs, id, position } = place;
      if (isInRange(place, this.range)) this.read.push({ atMs, id, position, document });
    }
    this.read.sort(compareNewest);
    const { oldest } = this.range;
    this.open = this.open.filter(
      ({ documents, newest }) => documents.size > 0 && !(oldest && compareNewest(newest, oldest) > 0),
    );
  }

  private async readLists(): Promise<void> {
    const ids = this.unread.map(({ id }) => id);
    const rows = await listsOf.run(this.userId, `{${this.grams.join(',')}}`, `{${ids.join(',')}}`);
    if (rows.length < ids.length) throw new SegmentGone();
    const lists = new Map(rows.map((row) => [row.segmentId, row.lists]));
    const segments = this.unread.map((segment) => ({ ...segment, lists: lists.get(segment.id) }));
    this.unread = [];
    await this.look(segments);
  }

  /** Takes segments whose lists were read among those that are open. */
  private async look(segments: readonly FoundSegment[]): Promise<void> {
    const found = segments.map(toOpen);
    if (this.range.newest) await leaveOutNewer(this.userId, found, this.range.newest.atMs);
    this.open.push(...found.filter(({ documents }) => documents.size > 0));
  }

  /** About the newest ones, as far as they may be newer than what is in segments whose lists were not read. */
  private take(most: number): SegmentDocument[] {
    const wanted: SegmentDocument[] = [];
    const untilMs = this.newestUnread().atMs;
    const bounds = this.open.map((segment) => ({ segment, ms: segment.newest.atMs }));
    while (wanted.length < most && bounds.length > 0) {
      const bound = bounds.reduce((best, one) => (one.ms > best.ms ? one : best));
      if (bound.ms <= untilMs) break;
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

function toOpen({ id, documents: count, lists, oldestMs, newestMs }: FoundSegment): Open {
  return {
    id,
    documents: documentsWithAll(lists ?? new Map(), count),
    newest: newestAt(newestMs),
    guessMs: (document) => oldestMs + ((newestMs - oldestMs) * (document + 1)) / count,
  };
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

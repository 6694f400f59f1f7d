// What search looks through: the messages or the memories of one user. This is all that the two differ in: how their rows
// are read, and how it is kept which of them the index has.

import type { Place } from './places.ts';

export type Kind = 'message' | 'memory';

/** A row as search has it. */
export interface Document<Row> extends Place {
  text: string;
  row: Row;
}

/** A segment that may have documents with all grams, and the lists of some of them. */
export interface FoundSegment {
  id: string;
  documents: number;
  /** When its first and last document were created, in milliseconds. */
  oldestMs: number;
  newestMs: number;
  /** By gram; undefined where they were not read yet. */
  lists: Map<number, Uint8Array> | undefined;
}

/** A document by its number in a segment, from 0. */
export interface SegmentDocument {
  segmentId: string;
  document: number;
}

export interface Located<Row> {
  segmentId: string;
  place: Place;
  /** None if it was deleted, or another one is in its place. */
  document: Document<Row> | undefined;
}

/** Where a page of what is not indexed ended: an id, and a position with it. */
export interface UnindexedPlace {
  id: string;
  position: number;
}

/** Behind it is everything. */
export const firstPlace: UnindexedPlace = { id: '00000000-0000-0000-0000-000000000000', position: -1 };

/** Behind it is nothing. */
export const lastPlace: UnindexedPlace = { id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', position: 2 ** 31 - 1 };

/** How many rows that are not indexed are read at once. */
export const pageRows = 256;

/** What is not indexed, with what has to be the same still when it is said to be. */
export interface Unindexed<Row> extends Document<Row> {
  state: unknown;
}

export interface State<Row> {
  segments: FoundSegment[];
  /** In the order of their ids and positions. */
  unindexed: Unindexed<Row>[];
}

export interface Source<Row> {
  kind: Kind;
  /**
   * At one moment, in one statement: the segments with something until a time, the newest with their lists and without
   * those that lack a gram; and what is not indexed behind a place, `pageRows` of it. What is not in the one is in the other.
   */
  readState(userId: string, grams: readonly number[], behind: UnindexedPlace, until?: Date): Promise<State<Row>>;
  /**
   * Where these documents were when they were indexed, and what is there now; without those whose segment is gone.
   * @param isToIndex they are read to be indexed anew: with what `keepInStep` asks for
   */
  readAt(userId: string, documents: readonly SegmentDocument[], isToIndex?: boolean): Promise<Located<Row>[]>;
  /** Documents that no index may have, those of them whose text is wanted: each is looked at in every search. */
  readHidden?(userId: string, isWanted: (text: string) => boolean): Promise<Document<Row>[]>;
  /**
   * In one statement: says that these documents are indexed, where they are as they were, and writes the segment.
   * @returns whether some were; if none, nothing was written
   */
  writeSegment(segment: NewSegment, documents: readonly Unindexed<Row>[]): Promise<boolean>;
  /** When segments with these documents became one with the texts as they are here: what was written since is not in it. */
  keepInStep?(userId: string, documents: readonly Document<Row>[]): Promise<void>;
}

/** A segment as it is written. */
export interface NewSegment {
  userId: string;
  documents: number;
  gramBits: number;
  oldestMs: number;
  newestMs: number;
  blocks: Map<number, Buffer>;
}

// What search looks through: the messages or the memories of one user. This is all that the two differ in: how their rows
// are read, and how it is kept which of them the index has.

import type { Place } from './places.ts';

export type Kind = 'message' | 'memory';

/** A row as search has it. */
export interface Document<Row> extends Place {
  text: string;
  row: Row;
}

/** A segment, and those of its blocks that were asked for. */
export interface FoundSegment {
  id: string;
  documents: number;
  gramBits: number;
  /** When its first and last document were created, in milliseconds. */
  oldestMs: number;
  newestMs: number;
  /** By number; those that are empty are not there. */
  blocks: Map<number, Uint8Array>;
}

/** Where a page of what is not indexed ended: an id, and a position with it. */
export interface UnindexedPlace {
  id: string;
  position: number;
}

/** Behind it is everything. */
export const firstPlace: UnindexedPlace = { id: '00000000-0000-0000-0000-000000000000', position: -1 };

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
  /** How many rows are read at once to be indexed. */
  pageRows: number;
  /**
   * At one moment, in one statement: the blocks with these grams of all segments, and what is not indexed behind a place,
   * `most` rows of it. What is not in the one is in the other.
   */
  readState(
    userId: string,
    grams: readonly number[],
    behind: UnindexedPlace | undefined,
    most: number,
  ): Promise<State<Row>>;
  /** The rows that are at these places now; of some there may be none, or one of another time. */
  readAt(userId: string, places: readonly Place[]): Promise<Document<Row>[]>;
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

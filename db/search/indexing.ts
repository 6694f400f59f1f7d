// Indexing, apart from the writes: what is not in the index yet becomes a segment, and small segments become larger ones.
// Two may do so at once: what a document's row says decides, in the statement that writes the segment.

import { execute, transaction, withPrimary } from '../database.ts';
import { makeSegment, segmentDocuments } from './new-segment.ts';
import { placeName } from './places.ts';
import {
  deleteSegments,
  lockSegments,
  type SegmentSize,
  segmentParams,
  segmentsOfUser,
  writeSegmentRows,
} from './segment-rows.ts';
import {
  type Document,
  firstPlace,
  type Kind,
  pageRows,
  type Source,
  type State,
  type Unindexed,
  type UnindexedPlace,
} from './source.ts';

/** How many documents are read at once by their numbers. */
const pageOfDocuments = 256;
/** How much text becomes one segment at most. */
const segmentText = 4_000_000;

/** What came of one step: how many documents were there to index, and whether they are indexed now, or some of them. */
export interface IndexedSome {
  documents: number;
  isWritten: boolean;
}

/** Indexes up to 16,384 documents, the lowest ids first. */
export function indexSome<Row>(source: Source<Row>, userId: string): Promise<IndexedSome> {
  return withPrimary(async () => {
    const documents = await readUnindexed(source, userId);
    if (documents.length === 0) return { documents: 0, isWritten: false };
    const segment = await makeSegment(userId, documents);
    const isWritten = await transaction(() => source.writeSegment(segment, documents));
    if (isWritten) await mergeSmall(source, userId);
    return { documents: documents.length, isWritten };
  });
}

async function readUnindexed<Row>(source: Source<Row>, userId: string): Promise<Unindexed<Row>[]> {
  const documents: Unindexed<Row>[] = [];
  let behind: UnindexedPlace | undefined = firstPlace;
  for (let text = 0; behind && documents.length < segmentDocuments && text < segmentText; ) {
    const { unindexed }: State<Row> = await source.readState(userId, [], behind);
    for (const document of unindexed) {
      text += document.text.length;
      if (text <= segmentText || documents.length === 0) documents.push(document);
    }
    behind = unindexed.length < pageRows ? undefined : unindexed.at(-1);
  }
  return documents;
}

/** From this size on a segment stays as it is. */
const large = { documents: 4096, gramBits: 12 };
/** So many small ones may be there. */
const mostSmall = 7;
/** What one made of them may have: blocks as a power of two. */
const largest = { documents: segmentDocuments, blocks: 2 ** 13 };

const insertSegment: Record<Kind, string> = {
  message: `with ${writeSegmentRows('message', 'true')}`,
  memory: `with ${writeSegmentRows('memory', 'true')}`,
};

/** Of too many small segments one is made: the smallest ones, as many as fit. A document is written three times or so. */
async function mergeSmall<Row>(source: Source<Row>, userId: string): Promise<void> {
  const chosen = chooseSmall(await segmentsOfUser.run(userId, source.kind));
  if (chosen.length === 0) return;
  const ids = chosen.map(({ id }) => id);
  const documents = await readDocuments(source, userId, chosen);
  const merged = documents.length > 0 ? await makeSegment(userId, documents) : undefined;
  await transaction(async () => {
    const idArray = `{${ids.join(',')}}`;
    const locked = await lockSegments.run(userId, idArray);
    if (locked.length < ids.length) return; // somebody else has merged some
    await deleteSegments.run(userId, idArray);
    if (!merged) return;
    await execute(insertSegment[source.kind], segmentParams(merged), true, { userId });
    await source.keepInStep?.(userId, documents);
  });
}

export function chooseSmall(segments: readonly SegmentSize[]): SegmentSize[] {
  const small = segments
    .filter(({ documents, gramBits }) => documents < large.documents && gramBits < large.gramBits)
    .sort((one, other) => one.documents - other.documents);
  if (small.length <= mostSmall) return [];
  let [documents, blocks] = [0, 0];
  return small.filter((segment) => {
    documents += segment.documents;
    blocks += 2 ** segment.gramBits;
    return documents <= largest.documents && blocks <= largest.blocks;
  });
}

/** The documents of segments as they are now: what is gone, or was written anew, leaves the index with its segment. */
async function readDocuments<Row>(
  source: Source<Row>,
  userId: string,
  segments: readonly SegmentSize[],
): Promise<Document<Row>[]> {
  const numbers = segments.flatMap(({ id, documents }) =>
    Array.from({ length: documents }, (_, document) => ({ segmentId: id, document })),
  );
  const found = new Map<string, Document<Row>>();
  for (let i = 0; i < numbers.length; i += pageOfDocuments) {
    const page = await source.readAt(userId, numbers.slice(i, i + pageOfDocuments), true);
    for (const { document } of page) if (document) found.set(placeName(document), document);
  }
  return [...found.values()];
}

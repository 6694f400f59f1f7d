// Makes a segment of documents. It takes some 20 microseconds of this process for each, so that it stops now and then for
// what else is to be done here.

import { setImmediate as breathe } from 'node:timers/promises';
import { fold } from './fold.ts';
import { eachGram } from './grams.ts';
import { compareNewest, encodePlaces, type Place } from './places.ts';
import { Postings } from './postings.ts';
import type { NewSegment } from './source.ts';

/** Most documents of a segment. */
export const segmentDocuments = 16384;

const atOnceMs = 8;

export async function makeSegment(
  userId: string,
  documents: readonly (Place & { text: string })[],
): Promise<NewSegment> {
  const oldestFirst = [...documents].sort((one, other) => compareNewest(other, one));
  const postings = new Postings();
  let sinceMs = performance.now();
  for (const [document, { text }] of oldestFirst.entries()) {
    eachGram(fold(text), (gram) => postings.add(gram, document));
    if (performance.now() - sinceMs < atOnceMs) continue;
    await breathe();
    sinceMs = performance.now();
  }
  const { gramBits, blocks } = postings.toBlocks(documents.length);
  for (const [number, bytes] of encodePlaces(oldestFirst)) blocks.set(number, bytes);
  return {
    userId,
    documents: documents.length,
    gramBits,
    oldestMs: (oldestFirst[0] as Place).atMs,
    newestMs: (oldestFirst.at(-1) as Place).atMs,
    blocks,
  };
}

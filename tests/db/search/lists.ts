// The lists of a segment as the statement of a search finds them, all of them.

import type { NewSegment } from '../../../db/search/source.ts';

type Segment = Pick<NewSegment, 'gramBits' | 'blocks'>;

/** @returns by gram; none at all where the segment lacks one of the grams */
export function listsOf(grams: readonly number[], { gramBits, blocks }: Segment): Map<number, Uint8Array> {
  const lists = new Map<number, Uint8Array>();
  for (const gram of grams) {
    const block = blocks.get(gram & (2 ** gramBits - 1));
    const list = block && listOf(block, gram >> 16);
    if (!list) return new Map();
    lists.set(gram, list);
  }
  return lists;
}

function listOf(block: Buffer, key: number): Uint8Array | undefined {
  const startAt = (at: number): number =>
    block.readUInt8(at) * 2 ** 14 + block.readUInt8(at + 1) * 2 ** 7 + block.readUInt8(at + 2);
  for (let at = 0; at < startAt(2) - 5; at += 5) {
    if (block.readInt16BE(at) === key) return block.subarray(startAt(at + 2), startAt(at + 7));
  }
  return undefined;
}

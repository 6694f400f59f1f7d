// Where a document is: what it is found by and what it is ordered by. Of a message that is its chat and its position on the
// active path, of a memory its id. Segments hold them oldest first, in blocks with numbers below 0.

import { ByteReader, ByteWriter } from './bytes.ts';

export interface Place {
  /** When it was created, in milliseconds. */
  atMs: number;
  /** The chat's or the memory's. */
  id: string;
  /** In the chat; 0 of a memory. */
  position: number;
}

/** Newest first, and no two alike. */
export function compareNewest(one: Place, other: Place): number {
  if (one.atMs !== other.atMs) return other.atMs - one.atMs;
  if (one.id !== other.id) return one.id < other.id ? 1 : -1;
  return other.position - one.position;
}

/** The same for the same place. */
export const placeName = ({ atMs, id, position }: Place): string => `${id} ${position} ${atMs}`;

/** How many places a block has: 1.5 KB of memories, of messages less. */
export const placesOfBlock = 64;

/** The number of the block with the place of a document. */
export const placeBlockOf = (document: number): number => -1 - Math.floor(document / placesOfBlock);

/** The first document of a block. */
export const firstOfBlock = (number: number): number => (-1 - number) * placesOfBlock;

export function encodePlaces(places: readonly Place[]): Map<number, Buffer> {
  const blocks = new Map<number, Buffer>();
  for (let i = 0; i < places.length; i += placesOfBlock) {
    blocks.set(placeBlockOf(i), encodeBlock(places.slice(i, i + placesOfBlock)));
  }
  return blocks;
}

/** The ids there are, each once; then which of them, the position, and how much later than the one before. */
function encodeBlock(places: readonly Place[]): Buffer {
  const ids = [...new Set(places.map(({ id }) => id))];
  const numbers = new Map(ids.map((id, i) => [id, i]));
  const writer = new ByteWriter();
  writer.number(ids.length);
  for (const id of ids) writer.all(Buffer.from(id.replaceAll('-', ''), 'hex'));
  let before = 0;
  for (const { id, position, atMs } of places) {
    writer.number(numbers.get(id) as number);
    writer.number(position);
    writer.number(zigzag(atMs - before));
    before = atMs;
  }
  return writer.done();
}

const idBytes = 16;

/** @param isWanted by its number in the block; all unless given */
export function decodePlaces(block: Uint8Array, isWanted: (index: number) => boolean = () => true): Place[] {
  const reader = new ByteReader(block);
  const ids = reader.some(idBytes * reader.number());
  const places: Place[] = [];
  for (let index = 0, atMs = 0; !reader.isAtEnd; index += 1) {
    const id = idBytes * reader.number();
    const position = reader.number();
    atMs += unzigzag(reader.number());
    if (isWanted(index)) places.push({ atMs, id: toUuid(ids.subarray(id, id + idBytes)), position });
  }
  return places;
}

/** Times before 1970 are below 0. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

function toUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// Where a document is: what it is found by and what it is ordered by. Of a message that is its chat and its position on the
// active path, of a memory its id. Segments hold them oldest first, in blocks with numbers below 0; each has the same number
// of bytes, so that a statement finds the row of one document by itself.

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
  if (one.atMs !== other.atMs) return one.atMs > other.atMs ? -1 : 1; // a difference would be a number on the heap
  if (one.id !== other.id) return one.id < other.id ? 1 : -1;
  return other.position - one.position;
}

/** The same for the same place. */
export const placeName = ({ atMs, id, position }: Place): string => `${id} ${position} ${atMs}`;

/** How many places a block has: it takes 1.8 KB, and PostgreSQL keeps rows of up to 2 KB where they are. */
export const placesOfBlock = 64;

/** An id, a position, and a time as milliseconds since 1970, the highest byte first. */
export const placeBytes = { id: 16, position: 4, atMs: 8, all: 28 };

export function encodePlaces(places: readonly Place[]): Map<number, Buffer> {
  const blocks = new Map<number, Buffer>();
  for (let i = 0; i < places.length; i += placesOfBlock) {
    blocks.set(-1 - i / placesOfBlock, Buffer.concat(places.slice(i, i + placesOfBlock).map(encodePlace)));
  }
  return blocks;
}

function encodePlace({ id, position, atMs }: Place): Buffer {
  const bytes = Buffer.alloc(placeBytes.all);
  bytes.write(id.replaceAll('-', ''), 'hex');
  bytes.writeInt32BE(position, placeBytes.id);
  bytes.writeBigInt64BE(BigInt(atMs), placeBytes.id + placeBytes.position);
  return bytes;
}

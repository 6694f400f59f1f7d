// A block: the lists of some grams, so that a statement finds one of them without the others. First a directory: the key of
// each gram, two bytes, and where its list starts, three bytes of seven bits, the highest first; then an entry with a key
// that no gram has; then the lists. The first byte of a key alone has its highest bit set, so that a key is found nowhere
// in the directory but where it stands.

const keyBytes = 2;
const startBytes = 3;
const entryBytes = keyBytes + startBytes;

/** Where the last list ends, at most. */
const mostBytes = 2 ** (7 * startBytes) - 1;

export interface List {
  /** As `keyOf` gives it. */
  key: number;
  bytes: Uint8Array;
}

/**
 * @param lists in any order, no key twice. None is empty: an empty one is written where there is no room, which nothing but
 * texts that are made for it come to, and means that nothing is known of its gram
 */
export function encodeBlock(lists: readonly List[]): Buffer {
  let start = entryBytes * (lists.length + 1);
  const directory = Buffer.alloc(start);
  const written: Uint8Array[] = [directory];
  for (const [i, { key, bytes }] of lists.entries()) {
    directory.writeInt16BE(key, entryBytes * i);
    writeStart(directory, entryBytes * i + keyBytes, start);
    if (start + bytes.length > mostBytes) continue;
    written.push(bytes);
    start += bytes.length;
  }
  writeStart(directory, entryBytes * lists.length + keyBytes, start);
  return Buffer.concat(written);
}

function writeStart(directory: Buffer, at: number, start: number): void {
  directory[at] = start >> 14;
  directory[at + 1] = (start >> 7) & 0x7f;
  directory[at + 2] = start & 0x7f;
}

/** An expression of the number that is written at a byte, from 0, of a block. */
const startAt = (block: string, at: string): string =>
  `((get_byte(${block}, ${at}) << 14) + (get_byte(${block}, ${at} + 1) << 7) + get_byte(${block}, ${at} + 2))`;

/** An expression of where in a block the key of a gram stands, from 1: 0, or behind the directory, where it has none. */
export const entryOf = (gram: string, block: string): string =>
  `position(int2send((${gram} >> 16)::smallint) in ${block})`;

/** A condition: an entry, as `entryOf` gives it, is one of the directory. */
export const isEntry = (entry: string, block: string): string =>
  `${entry} > 0 and ${entry} <= ${startAt(block, `${keyBytes}`)}`;

/** An expression of the list of an entry. */
export function listAt(entry: string, block: string): string {
  const [start, end] = [keyBytes - 1, entryBytes + keyBytes - 1].map((from) => startAt(block, `${entry} + ${from}`));
  return `substr(${block}, 1 + ${start}, ${end} - ${start})`;
}

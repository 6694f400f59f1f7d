// Which documents have which grams, as lists in blocks. A block holds the grams whose lowest bits are its number, each with
// the list of its documents: the gaps between them, or a bit for each where that is no longer.

import { encodeBlock } from './blocks.ts';
import { ByteWriter } from './bytes.ts';
import { coarseDocuments, isCoarse, keyOf, mostBlockBits } from './grams.ts';

/**
 * Documents by gram. Millions of pairs for a segment: in arrays of numbers, since a Map of arrays takes ten times as long.
 */
export class Postings {
  /** Which of the grams, counted as they came, is at which place of the hash table; 0 for none, else one more. */
  private table: Int32Array = new Int32Array(1 << 14);
  private grams: Int32Array = new Int32Array(1 << 13);
  /** Of each gram: the last of its numbers, and how many there are. */
  private last: Int32Array = new Int32Array(1 << 13);
  private counts: Int32Array = new Int32Array(1 << 13);
  private gramCount = 0;
  /** The pairs: which of the grams, and the number of its document or documents. */
  private pairGrams: Int32Array = new Int32Array(1 << 16);
  private pairNumbers: Int32Array = new Int32Array(1 << 16);
  private pairCount = 0;

  /** The documents of one gram are added in ascending order, and may be added twice. */
  add(gram: number, document: number): void {
    const number = isCoarse(gram) ? Math.floor(document / coarseDocuments) : document;
    const index = this.indexOf(gram);
    if (this.last[index] === number) return;
    this.last[index] = number;
    this.counts[index] = (this.counts[index] as number) + 1;
    if (this.pairCount === this.pairGrams.length) {
      this.pairGrams = doubled(this.pairGrams);
      this.pairNumbers = doubled(this.pairNumbers);
    }
    this.pairGrams[this.pairCount] = index;
    this.pairNumbers[this.pairCount] = number;
    this.pairCount += 1;
  }

  private indexOf(gram: number): number {
    const place = this.placeOf(gram);
    const known = this.table[place] as number;
    if (known !== 0) return known - 1;
    const index = this.gramCount;
    if (index === this.grams.length) {
      this.grams = doubled(this.grams);
      this.last = doubled(this.last);
      this.counts = doubled(this.counts);
      this.table = new Int32Array(2 * this.table.length);
      for (let i = 0; i < index; i += 1) this.table[this.placeOf(this.grams[i] as number)] = i + 1;
    }
    this.grams[index] = gram;
    this.last[index] = -1;
    this.table[this.placeOf(gram)] = index + 1;
    this.gramCount += 1;
    return index;
  }

  /** Where a gram is in the table, or the free place where it would be. Half of the table is free. */
  private placeOf(gram: number): number {
    const mask = this.table.length - 1;
    for (let place = gram & mask; ; place = (place + 1) & mask) {
      const known = this.table[place] as number;
      if (known === 0 || this.grams[known - 1] === gram) return place;
    }
  }

  /** @returns the bytes of each block that is not empty, by its number */
  toBlocks(documents: number): { gramBits: number; blocks: Map<number, Buffer> } {
    const byGram = this.numbersByGram().map(({ gram, numbers }) => ({
      gram,
      numbers,
      bytes: encode(gram, numbers, documents),
    }));
    const gramBits = bitsFor(byGram.reduce((sum, { bytes }) => sum + bytes.length + bytesBeside, 0));
    const mask = 2 ** gramBits - 1;
    const lists = new Map<number, Map<number, Encoded>>();
    for (const given of byGram) {
      const [number, key] = [given.gram & mask, keyOf(given.gram)];
      const block = lists.get(number) ?? new Map<number, Encoded>();
      lists.set(number, block);
      const other = block.get(key);
      block.set(key, other ? union(given, other, documents) : given);
    }
    const blocks = [...lists].map(([number, block]): [number, Buffer] => [
      number,
      encodeBlock([...block].map(([key, { bytes }]) => ({ key, bytes }))),
    ]);
    return { gramBits, blocks: new Map(blocks) };
  }

  private numbersByGram(): { gram: number; numbers: Int32Array }[] {
    const all = new Int32Array(this.pairCount);
    let end = 0;
    const byGram = Array.from(this.counts.subarray(0, this.gramCount), (count, i) => {
      end += count;
      return { gram: this.grams[i] as number, numbers: all.subarray(end - count, end) };
    });
    const filled = new Int32Array(this.gramCount);
    for (let i = 0; i < this.pairCount; i += 1) {
      const index = this.pairGrams[i] as number;
      const { numbers } = byGram[index] as { numbers: Int32Array };
      numbers[filled[index] as number] = this.pairNumbers[i] as number;
      filled[index] = (filled[index] as number) + 1;
    }
    return byGram;
  }
}

function doubled(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}

/** Blocks of half a KB or so: a query reads some of each segment. */
const blockBytes = 512;
/** In a block each list takes so many bytes beside its own. */
const bytesBeside = 5;

function bitsFor(size: number): number {
  return Math.min(mostBlockBits, Math.max(0, Math.ceil(Math.log2(size / blockBytes))));
}

interface Encoded {
  gram: number;
  numbers: Int32Array;
  bytes: Uint8Array;
}

/** Of two grams with one key in one block, as small segments have them now and then: the documents of either. */
function union({ gram, numbers }: Encoded, other: Encoded, documents: number): Encoded {
  const all = Int32Array.from(new Set([...numbers, ...other.numbers])).sort();
  return { gram, numbers: all, bytes: encode(gram, all, documents) };
}

/** How many numbers a gram's documents may have. */
function countOf(gram: number, documents: number): number {
  return isCoarse(gram) ? Math.ceil(documents / coarseDocuments) : documents;
}

/** How long a list is that is a bit for each number; any other is shorter. */
const bitmapLength = (gram: number, documents: number): number => Math.ceil(countOf(gram, documents) / 8);

function encode(gram: number, numbers: Int32Array, documents: number): Uint8Array {
  const most = bitmapLength(gram, documents);
  const gaps = numbers.length < most ? encodeGaps(numbers) : undefined;
  if (gaps && gaps.length < most) return gaps;
  const bits = new Uint8Array(most);
  for (const number of numbers) setBit(bits, number);
  return bits;
}

function encodeGaps(numbers: Int32Array): Uint8Array {
  const gaps = new ByteWriter();
  let next = 0;
  for (const number of numbers) {
    gaps.number(number - next);
    next = number + 1;
  }
  return gaps.done();
}

function setBit(bits: Uint8Array, number: number): void {
  bits[number >> 3] = (bits[number >> 3] as number) | (1 << (number & 7));
}

/** Some documents of a segment, of which the last ones are taken first. */
export class Documents {
  /** How many are left. */
  size: number;

  /** @param numbers in ascending order */
  constructor(private readonly numbers: Int32Array) {
    this.size = numbers.length;
  }

  /** @returns undefined where none is left */
  get last(): number | undefined {
    return this.size === 0 ? undefined : this.numbers[this.size - 1];
  }

  takeLast(): number | undefined {
    const { last } = this;
    if (last !== undefined) this.size -= 1;
    return last;
  }

  /** Leaves out those from a number on. */
  cut(end: number): void {
    for (let { last } = this; last !== undefined && last >= end; { last } = this) this.size -= 1;
  }
}

/**
 * The documents of a segment that have all of these grams.
 * @param lists by gram; of one without, or with an empty one, nothing is known. None at all: the segment lacks a gram
 */
export function documentsWithAll(lists: ReadonlyMap<number, Uint8Array>, documents: number): Documents {
  if (lists.size === 0) return new Documents(new Int32Array());
  const known: List[] = [];
  for (const [gram, bytes] of lists) {
    if (bytes.length === 0) continue;
    const isBitmap = bytes.length === bitmapLength(gram, documents);
    known.push({ bytes, shift: isCoarse(gram) ? coarseShift : 0, isBitmap });
  }
  if (known.length === 0) return new Documents(Int32Array.from({ length: documents }, (_, i) => i));
  const rarest = known.reduce((one, other) => (isRarer(other, one) ? other : one)); // it leaves the least to do
  let found = numbersOf(rarest, documents);
  for (const list of known) {
    if (found.length === 0) break;
    if (list !== rarest) found = found.subarray(0, list.isBitmap ? keepMarked(found, list) : keepListed(found, list));
  }
  return new Documents(found);
}

interface List {
  bytes: Uint8Array;
  /** A number of the list stands for 2 to the power of it documents. */
  shift: number;
  isBitmap: boolean;
}

/** About: a coarse one that is as long is in eight times as many documents, or more. */
const isRarer = (one: List, other: List): boolean =>
  one.shift === other.shift ? one.bytes.length < other.bytes.length : one.shift < other.shift;

const coarseShift = Math.log2(coarseDocuments);

function numbersOf({ bytes, shift, isBitmap }: List, documents: number): Int32Array {
  const numbers = isBitmap ? markedNumbers(bytes) : listedNumbers(bytes);
  if (shift === 0) return numbers;
  const each = new Int32Array(numbers.length << shift);
  for (let i = 0; i < each.length; i += 1) {
    each[i] = ((numbers[i >> shift] as number) << shift) + (i & (coarseDocuments - 1));
  }
  return each.subarray(0, firstFrom(each, documents)); // the last ones may be behind the last document
}

/** How many of the numbers, which are in ascending order, are below `end`. */
function firstFrom(numbers: Int32Array, end: number): number {
  let count = numbers.length;
  while (count > 0 && (numbers[count - 1] as number) >= end) count -= 1;
  return count;
}

function markedNumbers(bitmap: Uint8Array): Int32Array {
  const numbers = new Int32Array(8 * bitmap.length);
  let count = 0;
  for (let i = 0; i < bitmap.length; i += 1) {
    for (let rest = bitmap[i] as number; rest !== 0; rest &= rest - 1) {
      numbers[count] = 8 * i + 31 - Math.clz32(rest & -rest);
      count += 1;
    }
  }
  return numbers.subarray(0, count);
}

// Twice the same loop: a function for each number takes three times as long, and an array for all of them twice.

function listedNumbers(list: Uint8Array): Int32Array {
  const numbers = new Int32Array(list.length); // a number takes a byte at least
  let count = 0;
  for (let at = 0, next = 0; at < list.length; next += 1) {
    let byte = list[at] as number;
    at += 1;
    let gap = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = list[at] as number;
      at += 1;
      gap |= (byte & 0x7f) << shift;
    }
    next += gap;
    numbers[count] = next;
    count += 1;
  }
  return numbers.subarray(0, count);
}

/** Moves those of some numbers that a bitmap has to the front. @returns how many they are */
function keepMarked(numbers: Int32Array, { bytes, shift }: List): number {
  let count = 0;
  for (let i = 0; i < numbers.length; i += 1) {
    const number = numbers[i] as number;
    const mark = number >> shift;
    if (((bytes[mark >> 3] as number) & (1 << (mark & 7))) === 0) continue;
    numbers[count] = number;
    count += 1;
  }
  return count;
}

/** Moves those of some numbers that a list has to the front. @returns how many they are */
function keepListed(numbers: Int32Array, { bytes, shift }: List): number {
  let count = 0;
  let i = 0;
  let wanted = (numbers[0] as number) >> shift;
  for (let at = 0, next = 0; at < bytes.length; next += 1) {
    let byte = bytes[at] as number;
    at += 1;
    let gap = byte & 0x7f;
    for (let bits = 7; byte >= 0x80; bits += 7) {
      byte = bytes[at] as number;
      at += 1;
      gap |= (byte & 0x7f) << bits;
    }
    next += gap;
    while (wanted <= next) {
      if (wanted === next) {
        numbers[count] = numbers[i] as number;
        count += 1;
      }
      i += 1;
      if (i === numbers.length) return count;
      wanted = (numbers[i] as number) >> shift;
    }
  }
  return count;
}

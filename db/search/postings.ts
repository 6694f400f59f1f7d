// Which documents have which grams, as lists in blocks. A block holds the grams whose lowest bits are its number, each with
// the list of its documents: the gaps between them, or a bit for each where that is no longer.

import { encodeBlock } from './blocks.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
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
  size = 0;

  /** None is behind it. */
  private at: number;

  /** @param bits one for each document of the segment, as bytes and as words */
  constructor(private readonly bits: Bits) {
    for (let i = 0; i < bits.words.length; i += 1) {
      for (let rest = bits.words[i] as number; rest !== 0; rest &= rest - 1) this.size += 1;
    }
    this.at = 8 * bits.bytes.length - 1;
  }

  /** @returns undefined where none is left */
  get last(): number | undefined {
    if (this.size === 0) return undefined;
    for (; ; this.at -= 1) {
      const byte = this.bits.bytes[this.at >> 3] as number;
      if (byte === 0)
        this.at &= ~7; // to the byte before
      else if (byte & (1 << (this.at & 7))) return this.at;
    }
  }

  takeLast(): number | undefined {
    const { last } = this;
    if (last === undefined) return undefined;
    this.size -= 1;
    this.at -= 1;
    return last;
  }

  /** Leaves out those from a number on. */
  cut(end: number): void {
    for (let { last } = this; last !== undefined && last >= end; { last } = this) this.takeLast();
  }
}

function clearBit(bits: Uint8Array, number: number): void {
  bits[number >> 3] = (bits[number >> 3] as number) & ~(1 << (number & 7));
}

/**
 * The documents of a segment that have all of these grams.
 * @param lists by gram; of one without, or with an empty one, nothing is known. None at all: the segment lacks a gram
 */
export function documentsWithAll(lists: ReadonlyMap<number, Uint8Array>, documents: number): Documents {
  if (lists.size === 0) return new Documents(newBits(0));
  const known = [...lists].filter(([, { length }]) => length > 0);
  known.sort(([, one], [, other]) => one.length - other.length); // rare ones leave nothing sooner
  const found = newBits(documents);
  const ofGram = newBits(documents);
  if (known.length === 0) found.bytes.fill(0xff);
  for (const [i, [gram, list]] of known.entries()) {
    const { bytes } = i === 0 ? found : ofGram;
    if (i > 1) bytes.fill(0);
    const isBitmap = list.length === bitmapLength(gram, documents);
    if (isCoarse(gram)) widen(bitsOf(list, isBitmap, new Uint8Array(bitmapLength(gram, documents))), bytes);
    else bitsOf(list, isBitmap, bytes);
    if (i > 0 && !keepCommon(found.words, ofGram.words)) break;
  }
  for (let i = documents; i < 8 * found.bytes.length; i += 1) clearBit(found.bytes, i);
  return new Documents(found);
}

interface Bits {
  bytes: Uint8Array;
  words: Int32Array;
}

function newBits(count: number): Bits {
  const words = new Int32Array(Math.ceil(count / 32));
  return { words, bytes: new Uint8Array(words.buffer) };
}

/** @returns whether there are any */
function keepCommon(words: Int32Array, others: Int32Array): boolean {
  let any = 0;
  for (let i = 0; i < words.length; i += 1) {
    const common = (words[i] as number) & (others[i] as number);
    words[i] = common;
    any |= common;
  }
  return any !== 0;
}

/** @param bits none is set */
function bitsOf(list: Uint8Array, isBitmap: boolean, bits: Uint8Array): Uint8Array {
  if (isBitmap) {
    bits.set(list);
    return bits;
  }
  const reader = new ByteReader(list);
  for (let next = 0; !reader.isAtEnd; next += 1) {
    next += reader.number();
    setBit(bits, next);
  }
  return bits;
}

/** A bit for each document, of one for as many as a coarse gram has together; for some behind the last document, too. */
function widen(coarse: Uint8Array, bits: Uint8Array): void {
  const width = coarseDocuments / 8;
  for (let i = 0; i < bits.length; i += 1) {
    const group = Math.floor(i / width);
    if ((coarse[group >> 3] as number) & (1 << (group & 7))) bits[i] = 0xff;
  }
}

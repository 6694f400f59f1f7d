// Which documents have which grams, as the bytes of blocks. A block holds the grams whose lowest bits are its number, each
// with its documents: the gaps between them, or a bit for each where that is shorter.

import { ByteReader, ByteWriter } from './bytes.ts';
import { coarseDocuments, isCoarse } from './grams.ts';

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
    const encoded = this.numbersByGram().map(({ gram, numbers }) => ({
      gram,
      ...encode(numbers, countOf(gram, documents)),
    }));
    const gramBits = bitsFor(encoded.reduce((sum, { bytes }) => sum + bytes.length + 3, 0));
    const step = 2 ** gramBits;
    const writers = new Map<number, { bytes: ByteWriter; last: number }>();
    for (const { gram, bytes, isBitmap } of encoded.sort((a, b) => a.gram - b.gram)) {
      const number = gram % step;
      const key = Math.floor(gram / step);
      const block = writers.get(number) ?? { bytes: new ByteWriter(), last: 0 };
      writers.set(number, block);
      block.bytes.number(key - block.last);
      block.bytes.number(2 * bytes.length + (isBitmap ? 1 : 0));
      block.bytes.all(bytes);
      block.last = key;
    }
    return { gramBits, blocks: new Map([...writers].map(([number, { bytes }]) => [number, bytes.done()])) };
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

/** Blocks of half a KB or so: a query reads some of each segment, and the bytes are most of what it takes. */
const blockBytes = 512;

function bitsFor(size: number): number {
  return Math.min(16, Math.max(0, Math.ceil(Math.log2(size / blockBytes))));
}

/** How many numbers a gram's documents may have. */
function countOf(gram: number, documents: number): number {
  return isCoarse(gram) ? Math.ceil(documents / coarseDocuments) : documents;
}

function encode(numbers: Int32Array, count: number): Encoded {
  const bitmapLength = Math.ceil(count / 8);
  if (numbers.length >= bitmapLength) {
    const bits = new Uint8Array(bitmapLength);
    for (const number of numbers) setBit(bits, number);
    return { bytes: bits, isBitmap: true };
  }
  const gaps = new ByteWriter();
  let next = 0;
  for (const number of numbers) {
    gaps.number(number - next);
    next = number + 1;
  }
  return { bytes: gaps.done(), isBitmap: false };
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
 * @param blocks by their numbers; of a gram whose block is left out nothing is known. None: the segment lacks a gram
 */
export function documentsWithAll(
  grams: readonly number[],
  { documents, gramBits, blocks }: { documents: number; gramBits: number; blocks: ReadonlyMap<number, Uint8Array> },
): Documents {
  const step = 2 ** gramBits;
  const found = newBits(documents);
  const ofGram = newBits(documents);
  const wanted: { gram: number; postings: Encoded }[] = [];
  for (const gram of grams) {
    const block = blocks.get(gram % step);
    if (!block) continue;
    const postings = findGram(block, Math.floor(gram / step));
    if (!postings) return new Documents(newBits(0));
    wanted.push({ gram, postings });
  }
  if (wanted.length === 0) return new Documents(newBits(0));
  wanted.sort((one, other) => one.postings.bytes.length - other.postings.bytes.length); // rare ones leave nothing sooner
  for (const [i, { gram, postings }] of wanted.entries()) {
    const { bytes } = i === 0 ? found : ofGram;
    if (i > 1) bytes.fill(0);
    if (isCoarse(gram)) widen(bitsOf(postings, new Uint8Array(Math.ceil(countOf(gram, documents) / 8))), bytes);
    else bitsOf(postings, bytes);
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

interface Encoded {
  bytes: Uint8Array;
  isBitmap: boolean;
}

function findGram(block: Uint8Array, key: number): Encoded | undefined {
  const reader = new ByteReader(block);
  let current = 0;
  while (!reader.isAtEnd) {
    current += reader.number();
    const header = reader.number();
    if (current === key) return { bytes: reader.some(header >> 1), isBitmap: (header & 1) === 1 };
    if (current > key) return undefined;
    reader.skip(header >> 1);
  }
  return undefined;
}

/** @param bits none is set */
function bitsOf({ bytes, isBitmap }: Encoded, bits: Uint8Array): Uint8Array {
  if (isBitmap) {
    bits.set(bytes);
    return bits;
  }
  const reader = new ByteReader(bytes);
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

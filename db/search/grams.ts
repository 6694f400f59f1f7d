// Grams: the short runs of letters that a segment knows its documents by. A text that contains a term has all grams of the
// term; the other way round is not certain, so that what they find is looked at again. A gram is a whole number of 32 bits,
// of which the lowest say its block, and the upper 16 its key there.
//
// Letters of scripts with thousands of them (Chinese, Japanese, Korean; emoji) come in ones and twos, of others in threes
// and fours: these are fine grams, of single documents. (With threes alone, of ten documents that have all grams of a word
// of five letters nine did not have the word.) So that a query of one or two letters is found too, the others also come in
// ones and twos, as coarse grams: of 8 documents together, which takes next to no room.

import { codePointsOf } from './fold.ts';

/** How many documents one number of a coarse gram stands for. */
export const coarseDocuments = 8;

export const isCoarse = (gram: number): boolean => (keyOf(gram) & 1) === 1;

/** How many bits say the block, at most. */
export const mostBlockBits = 16;

/** Of a gram in its block: two bytes, of which the first one alone has the highest bit set. Below 0, as 16 bits with a sign. */
export const keyOf = (gram: number): number => gram >> 16;

/** From CJK radicals on: Han, kana, Hangul, emoji. */
const isOfLargeScript = (point: number): boolean => point >= 0x2e80;

/** 29 bits of the letters, and one that keeps coarse and fine ones apart: their documents are counted differently. */
function gramOf(coarse: boolean, a: number, b = 0, c = 0, d = 0): number {
  let hash = Math.imul(a ^ 0x5bd1e995, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 14) ^ d, 0x27d4eb2f);
  hash ^= hash >>> 16;
  const key = 0x8000 | ((hash >>> 17) & 0x7f00) | ((hash >>> 15) & 0x7e) | (coarse ? 1 : 0);
  return (key << 16) | (hash & 0xffff);
}

/** Calls `take` with each gram of a folded text, and how many letters it is of; with some of them again and again. */
export function eachGram(folded: string, take: (gram: number, letters: number) => void): void {
  const points = codePointsOf(folded);
  for (let i = 0; i < points.length; i += 1) {
    const [a, b, c, d] = [points[i] as number, points[i + 1], points[i + 2], points[i + 3]];
    const isLarge = isOfLargeScript(a);
    take(gramOf(!isLarge, a), 1);
    if (b === undefined) continue;
    const isLargePair = isLarge || isOfLargeScript(b);
    take(gramOf(!isLargePair, a, b), 2);
    if (c === undefined || isLargePair || isOfLargeScript(c)) continue;
    take(gramOf(false, a, b, c), 3);
    if (d !== undefined && !isOfLargeScript(d)) take(gramOf(false, a, b, c, d), 4);
  }
}

/**
 * Grams that every text with this folded term has: the longest fine ones, or the coarse ones of its letters and pairs. Beside
 * fours, threes tell hardly more; beside pairs of a large script, its single letters.
 */
export function gramsOfTerm(term: string): number[] {
  const letters = new Map<number, number>();
  eachGram(term, (gram, count) => letters.set(gram, count));
  const fine = [...letters].filter(([gram]) => !isCoarse(gram));
  const counts = new Set(fine.map(([, count]) => count));
  const longest = fine.filter(([, count]) => !(count === 3 && counts.has(4)) && !(count === 1 && counts.has(2)));
  return (longest.length > 0 ? longest : [...letters]).map(([gram]) => gram);
}

/** More find hardly less, and each is a block to read of each segment. */
export const mostGrams = 6;

/** Grams that every text with all of these terms has: of each term some. */
export function gramsOfTerms(terms: readonly string[]): number[] {
  const share = Math.max(1, Math.floor(mostGrams / terms.length));
  return [...new Set(terms.flatMap((term) => chooseGrams(term, share)))];
}

/**
 * Half of them from where words of the term meet, if they do: many texts have all its words, and few have them side by side.
 * The others are spread over it.
 */
function chooseGrams(term: string, count: number): number[] {
  const meetings = [...term.matchAll(/\S\S\s\S/gu)].flatMap(([letters]) => gramsOfTerm(letters));
  const chosen = spread(meetings, Math.floor(count / 2));
  const others = gramsOfTerm(term).filter((gram) => !chosen.includes(gram));
  return [...chosen, ...spread(others, count - chosen.length)];
}

function spread(grams: readonly number[], count: number): number[] {
  if (grams.length <= count) return [...grams];
  const step = (grams.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => grams[Math.round(i * step)] as number);
}

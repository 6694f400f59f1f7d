// What a segment says of its documents is what was put into it, byte for byte.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold } from '../../../db/search/fold.ts';
import { eachGram, gramsOfTerm, gramsOfTerms } from '../../../db/search/grams.ts';
import { chooseSmall } from '../../../db/search/indexing.ts';
import { makeSegment } from '../../../db/search/new-segment.ts';
import { compareNewest, encodePlaces } from '../../../db/search/places.ts';
import { type Documents, documentsWithAll, Postings } from '../../../db/search/postings.ts';
import type { NewSegment } from '../../../db/search/source.ts';
import { listsOf } from './lists.ts';

const letters = fc.constantFrom(...'abcde 1%_é', 'ש', 'ל', '茶', '绿', '녹', '🍵', '\u0301', 'Σ', 'ς', 'İ');
const texts = fc.array(
  fc.array(letters, { maxLength: 30 }).map((parts) => parts.join('')),
  { minLength: 1, maxLength: 150 },
);

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

function listOf(documents: Documents): number[] {
  const list = Array.from({ length: documents.size }, () => documents.takeLast() as number);
  expect(documents.last).toBeUndefined();
  expect(list).toEqual([...list].sort((a, b) => b - a));
  return list;
}

async function segmentOf(list: readonly string[]): Promise<NewSegment> {
  return makeSegment(
    idOf(0),
    list.map((text, i) => ({ id: idOf(i >> 3), position: i & 7, atMs: i * 977 - 50_000, text })),
  );
}

function candidatesOf(segment: NewSegment, term: string): number[] {
  return listOf(documentsWithAll(listsOf(gramsOfTerms([term]), segment), segment.documents));
}

describe('a segment', () => {
  test('finds every document that contains a term, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(), fc.nat(29), fc.integer({ min: 1, max: 8 }), async (list, at, from, length) => {
        const segment = await segmentOf(list);
        const folded = list.map(fold);
        const term = [...(folded[at % folded.length] as string)].slice(from, from + length).join('');
        if (term === '') return;
        const candidates = new Set(candidatesOf(segment, term));
        const missed = folded.flatMap((text, i) => (text.includes(term) && !candidates.has(i) ? [text] : []));
        expect(missed).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('finds few others', async () => {
    const list = Array.from({ length: 2000 }, (_, i) => `number ${i * 7919} of things, ${(i * 31) % 97}`);
    const segment = await segmentOf(list);
    for (const term of ['7919 ', 'number 7919', 'nowhere', 'of things, 96']) {
      const candidates = candidatesOf(segment, term);
      expect(candidates.length).toBeLessThan(list.filter((text) => text.includes(term)).length + 100);
    }
  });

  test('has for several terms what it has for each of their grams', async () => {
    const length = fc.integer({ min: 1, max: 6 });
    const terms = fc.array(fc.tuple(fc.nat(), fc.nat(29), length), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(texts, terms, async (list, parts) => {
        const segment = await segmentOf([...list, ...list]);
        const folded = list.map(fold);
        const grams = gramsOfTerms(
          parts.map(([at, from, length]) => (folded[at % folded.length] as string).slice(from, from + length)),
        );
        const documentsOf = (some: readonly number[]): number[] =>
          listOf(documentsWithAll(listsOf(some, segment), segment.documents));
        const ofEach = grams.map((gram) => new Set(documentsOf([gram])));
        const all = Array.from({ length: segment.documents }, (_, i) => segment.documents - 1 - i);
        const common = all.filter((document) => ofEach.every((documents) => documents.has(document)));
        if (grams.length > 0) expect(documentsOf(grams)).toEqual(common);
      }),
      { numRuns: 200 },
    );
  });

  test('tells words side by side from the same words apart', async () => {
    const apart = Array.from({ length: 500 }, (_, i) => `the temperature of ${i} peppermint infusions, the infusions`);
    const segment = await segmentOf([...apart, 'the temperature peppermint infusions have']);
    expect(candidatesOf(segment, 'temperature peppermint infusions')).toEqual([500]);
  });

  test('has its places oldest first, in blocks with numbers below 0', async () => {
    const list = Array.from({ length: 300 }, (_, i) => ({
      id: idOf(i % 7),
      position: i,
      atMs: (i * 7919) % 1000,
      text: 'x',
    }));
    const segment = await makeSegment(idOf(0), list);
    const numbers = [...segment.blocks.keys()].filter((number) => number < 0).sort((a, b) => b - a);
    expect(numbers).toEqual([-1, -2, -3, -4, -5]);
    const expected = list.map(({ text: _text, ...place }) => place).sort((one, other) => compareNewest(other, one));
    expect(numbers.map((number) => segment.blocks.get(number))).toEqual([...encodePlaces(expected).values()]);
    expect(segment.blocks.get(-5)).toHaveLength((300 % 64) * 28);
    expect([segment.oldestMs, segment.newestMs]).toEqual([expected[0]?.atMs, expected.at(-1)?.atMs]);
  });
});

describe('grams', () => {
  const documents = 8192;
  const gramOf = (key: number, rest: number): number =>
    ((((key << 8) & 0x7f00) | ((key >> 6) & 0x7e) | 0x8000) << 16) | rest;

  test('with one key in one block have the documents of both', () => {
    const postings = new Postings();
    const [one, other, third] = [gramOf(1, 0b01), gramOf(1, 0b11), gramOf(2, 0b01)];
    postings.add(one, 3);
    postings.add(other, 5);
    postings.add(third, 7);
    const segment = postings.toBlocks(10);
    expect(segment.gramBits).toBe(0);
    const found = [one, other, third].map((gram) => listOf(documentsWithAll(listsOf([gram], segment), 10)));
    expect(found).toEqual([[5, 3], [5, 3], [7]]);
  });

  test('that a block has no room for may be in any document', () => {
    const postings = new Postings();
    const grams = Array.from({ length: 2100 }, (_, i) => gramOf(i, 0)); // a KB each, and all in one block
    for (const gram of grams) for (let document = 0; document < documents; document += 8) postings.add(gram, document);
    const segment = postings.toBlocks(documents);
    expect([...segment.blocks.keys()]).toEqual([0]);
    const lengths = grams.map((gram) => listsOf([gram], segment).get(gram)?.length);
    expect(new Set(lengths)).toEqual(new Set([1024, 0]));
    const [first, last] = [grams[0] as number, grams.at(-1) as number];
    const every8th = Array.from({ length: 1024 }, (_, i) => documents - 8 * (i + 1));
    expect(listOf(documentsWithAll(listsOf([first, last], segment), documents))).toEqual(every8th);
    expect(documentsWithAll(listsOf([last], segment), documents).size).toBe(documents);
  });
});

test('a term of one or two letters has grams too, and a longer one none of those', () => {
  expect(gramsOfTerm('a')).toHaveLength(1);
  expect(gramsOfTerm('ab')).toHaveLength(3);
  expect(gramsOfTerm('abc')).toHaveLength(1);
  expect(gramsOfTerm('abcde')).toHaveLength(2);
  expect(gramsOfTerm('茶')).toHaveLength(1);
  expect(gramsOfTerm('a茶')).toHaveLength(1);
  expect(gramsOfTerm('绿茶茶')).toHaveLength(2);
  const all = new Set<number>();
  eachGram('ab', (gram) => all.add(gram));
  expect(new Set(gramsOfTerm('ab'))).toEqual(all);
});

describe('segments that become one', () => {
  const sizes = (...documents: number[]): { id: string; documents: number; gramBits: number }[] =>
    documents.map((count, i) => ({ id: idOf(i), documents: count, gramBits: 6 }));

  test.each([
    ['seven small ones stay', [1, 2, 3, 4, 5, 6, 7], []],
    ['of eight all', [8, 7, 6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8]],
    ['large ones stay', [4096, 16_384, 1, 2, 3, 4, 5, 6, 7], []],
    [
      'as many as fit, the smallest first',
      [4000, 4000, 4000, 4000, 300, 100, 100, 100, 100],
      [100, 100, 100, 100, 300, 4000, 4000, 4000],
    ],
  ])('%s', (_name, given, expected) => {
    expect(chooseSmall(sizes(...given)).map(({ documents }) => documents)).toEqual(expected);
  });
});

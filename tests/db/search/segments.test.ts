// What a segment says of its documents is what was put into it, byte for byte.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold } from '../../../db/search/fold.ts';
import { eachGram, gramsOfTerm, gramsOfTerms } from '../../../db/search/grams.ts';
import { chooseSmall } from '../../../db/search/indexing.ts';
import { makeSegment } from '../../../db/search/new-segment.ts';
import { compareNewest, encodePlaces } from '../../../db/search/places.ts';
import { type Documents, documentsWithAll } from '../../../db/search/postings.ts';

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

async function segmentOf(list: readonly string[]): Promise<Awaited<ReturnType<typeof makeSegment>>> {
  return makeSegment(
    idOf(0),
    list.map((text, i) => ({ id: idOf(i >> 3), position: i & 7, atMs: i * 977 - 50_000, text })),
  );
}

describe('a segment', () => {
  test('finds every document that contains a term, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(), fc.nat(29), fc.integer({ min: 1, max: 8 }), async (list, at, from, length) => {
        const segment = await segmentOf(list);
        const folded = list.map(fold);
        const term = [...(folded[at % folded.length] as string)].slice(from, from + length).join('');
        if (term === '') return;
        const candidates = new Set(listOf(documentsWithAll(gramsOfTerms([term]), segment)));
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
      const candidates = listOf(documentsWithAll(gramsOfTerms([term]), segment));
      expect(candidates.length).toBeLessThan(list.filter((text) => text.includes(term)).length + 100);
    }
  });

  test('tells words side by side from the same words apart', async () => {
    const apart = Array.from({ length: 500 }, (_, i) => `the temperature of ${i} peppermint infusions, the infusions`);
    const segment = await segmentOf([...apart, 'the temperature peppermint infusions have']);
    expect(listOf(documentsWithAll(gramsOfTerms(['temperature peppermint infusions']), segment))).toEqual([500]);
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
    ['large ones stay', [4096, 8192, 1, 2, 3, 4, 5, 6, 7], []],
    [
      'as many as fit, the smallest first',
      [4000, 4000, 4000, 300, 100, 100, 100, 100],
      [100, 100, 100, 100, 300, 4000],
    ],
  ])('%s', (_name, given, expected) => {
    expect(chooseSmall(sizes(...given)).map(({ documents }) => documents)).toEqual(expected);
  });
});

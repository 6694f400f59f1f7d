// What is shown of a text is a piece of it, and the marks are on what was searched for.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold } from '../../../db/search/fold.ts';
import { snippetOf } from '../../../db/search/snippet.ts';

test.each([
  ['Green TEA', ['tea'], 'Green TEA', ['TEA']],
  ['ﬁne', ['in'], 'ﬁne', ['ﬁn']],
  ['cafe\u0301!', ['caf\u00e9'], 'cafe\u0301!', ['cafe\u0301']],
  ['1½ cups', ['1⁄2'], '1½ cups', ['½']],
  ['… İstanbul', ['istanbul'], '… İstanbul', ['İstanbul']],
  ['각 각', ['각'], '각 각', ['각', '각']],
  ['aaa', ['aa', 'a'], 'aaa', ['aaa']],
  ['ΟΔΟΣ', [fold('οδος')], 'ΟΔΟΣ', ['ΟΔΟΣ']],
])('%s', (text, terms, snippet, marked) => {
  const shown = snippetOf(text, terms);
  expect(shown.snippet).toBe(snippet);
  expect(shown.marks.map(([from, to]) => shown.snippet.slice(from, to))).toEqual(marked);
});

test('of any text: within it, not long, no half letters, and each mark on a term', () => {
  const letters = fc.constantFrom(...'ab cé', 'ש', '茶', '🍵', 'e\u0301', '…', 'ﬁ', 'Ａ');
  fc.assert(
    fc.property(fc.array(letters, { minLength: 1, maxLength: 600 }), fc.nat(), (parts, at) => {
      const text = parts.join('');
      const term = fold(parts[at % parts.length] as string);
      const { snippet, marks } = snippetOf(text, [term]);
      expect(text).toContain(snippet.replace(/^…(?=.)/s, '').replace(/(?<=.)…$/s, ''));
      expect(snippet.length).toBeLessThan(270);
      expect(snippet.isWellFormed()).toBe(true);
      expect(marks.length).toBeGreaterThan(0);
      for (const [from, to] of marks) expect(fold(snippet.slice(from, to))).toContain(term);
    }),
    { numRuns: 300 },
  );
});

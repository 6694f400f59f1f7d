// What is shown of a text that was found: a piece around the first match, as it was written, and where in it the terms are.

import { fold } from './fold.ts';

type Range = [from: number, to: number];

export interface Snippet {
  /** The text around the first match; `…` where it was cut. */
  snippet: string;
  /** Where the terms are in it: from, and to, in UTF-16 units as JavaScript counts. */
  marks: Range[];
}

const before = 60;
const length = 200;

export function snippetOf(text: string, terms: readonly string[]): Snippet {
  const { folded, unfold } = mapFolded(text);
  const marks = union(terms.flatMap((term) => positionsOf(folded, term)).map(unfold));
  const [first = [0, 0]] = marks;
  const from = toWholeLetter(text, first[0] <= before ? 0 : first[0] - before);
  const to = toWholeLetter(text, Math.min(text.length, Math.max(from + length, Math.min(first[1], first[0] + length))));
  const head = from > 0 ? '…' : '';
  const shift = head.length - from;
  return {
    snippet: `${head}${text.slice(from, to)}${to < text.length ? '…' : ''}`,
    marks: marks
      .filter((mark) => mark[0] >= from && mark[0] < to)
      .map((mark) => [mark[0] + shift, Math.min(mark[1], to) + shift]),
  };
}

/** A letter with its marks, or several where folding may make one of them: jamo of a Hangul syllable. */
const letters = /[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+|\P{M}?\p{M}*/gsu;

/** The folded text, and what gives the place in the text itself of one in it: of whole letters. */
function mapFolded(text: string): { folded: string; unfold(range: Range): Range } {
  const folded = fold(text);
  if (folded.length === text.length && text.normalize('NFKC') === text) return { folded, unfold: (range) => range };
  const [starts, ends]: [number[], number[]] = [[], []];
  let pieces = '';
  for (const { 0: letter, index } of text.matchAll(letters)) {
    const piece = fold(letter);
    for (let i = 0; i < piece.length; i += 1) {
      starts.push(index);
      ends.push(index + letter.length);
    }
    pieces += piece;
  }
  return { folded: pieces, unfold: ([from, to]) => [starts[from] as number, ends[to - 1] as number] };
}

function positionsOf(folded: string, term: string): Range[] {
  const positions: Range[] = [];
  for (let at = folded.indexOf(term); at !== -1; at = folded.indexOf(term, at + term.length)) {
    positions.push([at, at + term.length]);
  }
  return positions;
}

/** In order, and none over another. */
function union(marks: Range[]): Range[] {
  const apart: Range[] = [];
  for (const [from, to] of marks.sort(([one], [other]) => one - other)) {
    const last = apart.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}

/** Not between the halves of a surrogate pair, and not before a mark that belongs to the letter before. */
function toWholeLetter(text: string, at: number): number {
  let place = at;
  while (place > 0 && place < text.length && /^(?:[\uDC00-\uDFFF]|\p{M}|\u200d)/u.test(text.slice(place, place + 2)))
    place -= 1;
  return place;
}

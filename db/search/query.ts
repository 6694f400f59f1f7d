// What is searched for: words, and phrases in quotation marks, all of which must be in a text; and how well a text fits.

import { requireText } from '../arguments.ts';
import { InvalidArgumentError } from '../errors.ts';
import { searchLimits, textLimits } from '../limits.ts';
import { fold } from './fold.ts';

export interface Query {
  /** Folded, each once; a text must contain them all. */
  terms: readonly string[];
  /** The words as they stand side by side, where there are several. */
  phrase: string | undefined;
}

/**
 * A query as somebody types it. Nothing in it stands for anything else but quotation marks around a phrase.
 * @throws InvalidArgumentError INVALID_TEXT, MISSING_ARGUMENT
 */
export function parseQuery(query: unknown): Query {
  const text = fold(requireText('query', query, { max: textLimits.searchQuery }));
  const words = [...text.matchAll(/"([^"]*)"|[^\s"]+/gu)]
    .map(([word, quoted]) => (quoted ?? word).trim())
    .filter((word) => word !== '');
  const terms = [...new Set(words)];
  if (terms.length === 0) throw noWord();
  if (terms.length > searchLimits.words) throw tooManyWords(terms.length);
  return { terms, phrase: words.length > 1 ? words.join(' ') : undefined };
}

/** A query that is one text, with its spaces. */
export function wholeText(text: string): Query {
  return { terms: [fold(text)], phrase: undefined };
}

function noWord(): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_TEXT',
    'query',
    'has no word in it',
    `Pass 1 to ${searchLimits.words} words, with spaces between them.`,
  );
}

function tooManyWords(count: number): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_TEXT',
    'query',
    `has ${count} different words; it must have 1 to ${searchLimits.words}`,
    'Leave out the words that are in most texts, or put some that stand together in quotation marks.',
    { words: count, max: searchLimits.words },
  );
}

export function matches({ terms }: Query, folded: string): boolean {
  return terms.every((term) => folded.includes(term));
}

/** How well a folded text that matches fits: 2 for the words side by side, 1 for each of them as a word of its own. */
export function rankOf({ terms, phrase }: Query, folded: string): number {
  const hasPhrase = phrase !== undefined && folded.includes(phrase);
  return (hasPhrase ? 2 : 0) + (terms.every((term) => hasWord(folded, term)) ? 1 : 0);
}

/** Whether a term stands in a text with nothing of a word on either side. */
function hasWord(folded: string, term: string): boolean {
  for (let at = folded.indexOf(term); at !== -1; at = folded.indexOf(term, at + 1)) {
    if (
      !endsInWord(folded.slice(Math.max(0, at - 2), at)) &&
      !beginsInWord(folded.slice(at + term.length, at + term.length + 2))
    ) {
      return true;
    }
  }
  return false;
}

const endsInWord = (text: string): boolean => /[\p{L}\p{M}\p{N}]$/u.test(text);
const beginsInWord = (text: string): boolean => /^[\p{L}\p{M}\p{N}]/u.test(text);

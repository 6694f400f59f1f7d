// The lines of a file that comes in pieces, cut anywhere. Holds one line and one piece.

import { TextDecoder } from 'node:util';
import { type ReadLine, refuseLine } from './format.ts';

/** What a person is imported from: a file's or a request's stream, or any pieces of its text or bytes, in order. */
export type ImportSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** No line of an export is longer: a message has 16 MiB at most, twice that as a text inside JSON. */
const longestLine = 48 * 1024 * 1024;

/** @throws PersonDataError IMPORT_REFUSED for what is no UTF-8, or has a line without an end */
export async function* readLines(source: ImportSource): AsyncGenerator<ReadLine, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 1;
  let rest: string[] = [];
  let restLength = 0;
  for await (const piece of source) {
    const text = typeof piece === 'string' ? piece : decode(decoder, piece, number);
    let from = 0;
    for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
      rest.push(text.slice(from, to));
      yield { number, text: rest.length === 1 ? (rest[0] as string) : rest.join('') };
      rest = [];
      restLength = 0;
      number += 1;
      from = to + 1;
    }
    if (from === text.length) continue;
    rest.push(text.slice(from));
    restLength += text.length - from;
    if (restLength > longestLine) throw refuseLine(number, `has more than ${longestLine} characters`);
  }
  if (restLength > 0) throw refuseLine(number, 'has no line feed at its end: the file was cut');
}

function decode(decoder: TextDecoder, piece: Uint8Array, number: number): string {
  try {
    return decoder.decode(piece, { stream: true });
  } catch {
    throw refuseLine(number, 'or one soon behind it is not UTF-8');
  }
}

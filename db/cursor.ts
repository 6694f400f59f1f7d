// Cursors of lists: where a page ended, as a text that an application passes back and never reads.
// A cursor names its list, so that one of another list, or a text that is not ours, is refused by name.

import { describe } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';

const sealBytes = 3;

/** Makes a cursor for `list` from the last row's order keys. */
export function encodeCursor(list: string, keys: readonly (string | number)[]): string {
  const text = JSON.stringify([list, ...keys]);
  return Buffer.from(seal(text) + text).toString('base64url');
}

/**
 * The keys of a cursor, or undefined where none was given.
 * @param isKeys whether the keys are such as `list` makes
 * @throws InvalidArgumentError INVALID_CURSOR
 */
export function decodeCursor(
  list: string,
  cursor: unknown,
  isKeys: (keys: unknown[]) => boolean,
): unknown[] | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  if (typeof cursor === 'string' && cursor.length < 400) {
    const [name, ...keys] = parseSealed(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (name === list && isKeys(keys)) return keys;
  }
  throw new InvalidArgumentError(
    'INVALID_CURSOR',
    'cursor',
    `is ${describe(cursor)}; it must be the nextCursor of a page of the same list`,
    'Pass nextCursor as it came, or leave cursor out for the first page.',
  );
}

function parseSealed(decoded: string): unknown[] {
  const text = decoded.slice(sealBytes);
  if (seal(text) !== decoded.slice(0, sealBytes)) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return []; // a text that is not ours and has the right seal by chance
  }
}

/** Not a secret: tells a cursor of ours from any other text before it is parsed. */
function seal(text: string): string {
  let sum = 7;
  for (let i = 0; i < text.length; i += 1) sum = (sum * 31 + text.charCodeAt(i)) % 46_656;
  return sum.toString(36).padStart(sealBytes, '0');
}

export interface Page<Item> {
  items: Item[];
  /** Pass it as `cursor` for the next page; null at the end. */
  nextCursor: string | null;
}

/** Cuts the one row too many that says whether there is a next page. */
export function toPage<Item>(rows: Item[], limit: number, cursorOf: (last: Item) => string): Page<Item> {
  const items = rows.length > limit ? rows.slice(0, limit) : rows;
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

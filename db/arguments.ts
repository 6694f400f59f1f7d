// Checks of arguments, before any statement is sent. Each takes the argument's name and value and returns the
// value in the form the database takes, or throws an InvalidArgumentError that names the argument, quotes what is
// safe to quote, and says what is allowed. `undefined` is refused by name where a value is required.

import { type InvalidArgumentCode, InvalidArgumentError } from './errors.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Names a value in an error: its kind and, for what can't be anybody's words, itself. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' || typeof value === 'bigint') return `${typeof value} ${value}`.slice(0, 60);
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Date) return 'a Date';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** ... and a text too: only for what is never a user's text, such as an id, a cursor or a word of a closed set. */
export function quote(value: unknown): string {
  if (typeof value !== 'string') return describe(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}

function missing(argument: string, expected: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'MISSING_ARGUMENT',
    argument,
    `is missing (undefined); ${expected} is required`,
    `Pass ${argument}. A query without it would not be limited to what you mean, so nothing was sent.`,
  );
}

/** The one argument of a function that takes an object. */
export function requireObject<T extends object>(functionName: string, value: T): T {
  if (value === undefined) throw missing(`the argument of ${functionName}`, 'an object');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      `the argument of ${functionName}`,
      `is ${describe(value)}; it must be an object`,
      `Call ${functionName}({ ... }).`,
    );
  }
  return value;
}

/** A UUID, in lower case as PostgreSQL prints it. */
export function requireId(argument: string, value: unknown): string {
  if (value === undefined) throw missing(argument, 'a UUID');
  if (typeof value === 'string' && uuidPattern.test(value)) return value.toLowerCase();
  // A longer text may be a key or a password that got into the wrong place.
  const shown = typeof value === 'string' && value.length > 45 ? describe(value) : quote(value);
  throw new InvalidArgumentError(
    'INVALID_ID',
    argument,
    `is ${shown}; it must be a UUID such as 0198c5a2-7b1e-7c3a-9f00-3d2b6a41e8f5`,
    'Pass the id of a row, or make a new one with crypto.randomUUID().',
  );
}

export function optionalId(argument: string, value: unknown): string | undefined {
  return value === undefined ? undefined : requireId(argument, value);
}

/** U+0000 and lone surrogates, which `text` and `jsonb` cannot hold, become U+FFFD. */
export function storableText(value: string): string {
  return value.toWellFormed().replaceAll('\0', '\uFFFD');
}

interface TextRule {
  /** Most characters (code points). */
  max: number;
  /** Fewest characters; 1 unless given. */
  min?: number;
  code?: InvalidArgumentCode;
}

/** A text within its limits. The text itself never gets into an error. */
export function requireText(
  argument: string,
  value: unknown,
  { max, min = 1, code = 'INVALID_TEXT' }: TextRule,
): string {
  if (value === undefined) throw missing(argument, 'a text');
  const allowed = `a text of ${min} to ${max} characters`;
  if (typeof value !== 'string') {
    throw new InvalidArgumentError(code, argument, `is ${describe(value)}; it must be ${allowed}`, `Pass ${allowed}.`);
  }
  const length = value.length > max ? countCodePoints(value) : value.length;
  if (length < min || length > max) {
    throw new InvalidArgumentError(
      code,
      argument,
      `has ${length} characters; it must be ${allowed}`,
      length < min ? `Pass ${allowed}.` : 'Shorten it, or split it into several.',
      { length, min, max },
    );
  }
  return storableText(value);
}

/** A text, or null for none; undefined stays undefined ("not given"). */
export function optionalText(argument: string, value: unknown, rule: TextRule): string | null | undefined {
  return value === undefined || value === null ? value : requireText(argument, value, rule);
}

function countCodePoints(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}

/** A whole number of rows within 1 and `max`; `fallback` when not given. */
export function optionalLimit(value: unknown, { fallback, max }: { fallback: number; max: number }): number {
  if (value === undefined) return fallback;
  return requireCount('limit', value, 1, max);
}

/** How many rows to pass over: a whole number from 0; 0 when not given. */
export function optionalOffset(value: unknown): number {
  return value === undefined ? 0 : requireCount('offset', value, 0, 2_147_483_647);
}

/** A text that is too short and plain to be a secret, or what somebody wrote. */
function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[\w.,+-]{0,12}$/.test(value);
}

export function requireCount(argument: string, value: unknown, min: number, max: number): number {
  if (value === undefined) throw missing(argument, 'a whole number');
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(
    'INVALID_LIMIT',
    argument,
    `is ${isWord(value) ? quote(value) : describe(value)}; it must be a whole number from ${min} to ${max}`,
    `Pass a number within these bounds, or leave ${argument} out.`,
    { min, max },
  );
}

export function requireBoolean(argument: string, value: unknown): boolean {
  if (value === undefined) throw missing(argument, 'true or false');
  if (typeof value === 'boolean') return value;
  throw new InvalidArgumentError(
    'INVALID_ARGUMENT',
    argument,
    `is ${describe(value)}; it must be true or false`,
    `Pass a boolean for ${argument}.`,
  );
}

/** One of a closed set. */
export function requireOneOf<T extends string>(
  argument: string,
  value: unknown,
  allowed: readonly T[],
  code: InvalidArgumentCode,
): T {
  if (value === undefined) throw missing(argument, `one of ${allowed.join(', ')}`);
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(
    code,
    argument,
    `is ${quote(value)}; it must be one of ${allowed.join(', ')}`,
    `Pass one of ${allowed.map((word) => `'${word}'`).join(', ')}.`,
    { allowed },
  );
}

/** The moments a timestamp column holds and a JavaScript Date reads back. */
const earliest = Date.parse('0100-01-01T00:00:00Z'); // V8 reads '0001-01-01 00:00:00+00' as 2001
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** A Date as ISO text; null for none; undefined stays undefined. */
export function optionalMoment(argument: string, value: unknown): string | null | undefined {
  if (value === undefined || value === null) return value;
  const time = value instanceof Date ? value.getTime() : Number.NaN;
  if (time >= earliest && time <= latest) return new Date(time).toISOString();
  throw new InvalidArgumentError(
    'INVALID_DATE',
    argument,
    `is ${value instanceof Date ? 'a Date that is invalid or out of range' : describe(value)}; it must be a Date between the years 100 and 9999`,
    'Pass a Date, or null for none.',
  );
}

/** An e-mail address as it is stored: without white space around it, composed (NFC), in lower case. */
export function normalizeEmail(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}

/** An e-mail address, normalised: something before and after one @, no white space inside, at most `max` characters. */
export function requireEmail(argument: string, value: unknown, max: number): string {
  const given = typeof value === 'string' ? normalizeEmail(value) : value;
  const text = requireText(argument, given, { max, code: 'INVALID_EMAIL' });
  if (/^[^\s@]+@[^\s@]+$/u.test(text) && text === given) return text;
  throw new InvalidArgumentError(
    'INVALID_EMAIL',
    argument,
    `is not an e-mail address (a text of ${text.length} characters); it must look like name@example.com`,
    'Check the address before it gets here, for instance with zod.',
  );
}

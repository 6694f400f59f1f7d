// JSON as it may be stored: what JSON.stringify would change in silence (NaN, Infinity) or can't write (BigInt,
// cycles), and bytes, are refused; `undefined` is dropped as JSON does. Depth and size have limits.

import { types } from 'node:util';
import { storableText } from './arguments.ts';
import { type InvalidArgumentCode, InvalidArgumentError } from './errors.ts';
import { jsonDepthLimit } from './limits.ts';

interface JsonRule {
  /** How the value is named in an error. */
  argument: string;
  code: InvalidArgumentCode;
  /** Most bytes of the JSON text. */
  maxBytes: number;
}

/** The JSON text of a value. */
export function toJsonText(value: unknown, { argument, code, maxBytes }: JsonRule): string {
  try {
    const problem = new Search(maxBytes).find(value, '', 0);
    if (problem) throw refuse(argument, code, describeProblem(problem));
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw refuse(argument, code, 'has no JSON form');
    const bytes = text.length * 3 > maxBytes ? Buffer.byteLength(text) : text.length;
    if (bytes > maxBytes) throw refuse(argument, code, `is ${bytes} bytes of JSON; at most ${maxBytes} are allowed`);
    return text;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    // A getter or a toJSON that throws, or a Proxy: its error is not repeated, it may quote the value.
    throw refuse(argument, code, `can't be written as JSON (${error instanceof Error ? error.name : typeof error})`);
  }
}

function refuse(argument: string, code: InvalidArgumentCode, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    code,
    argument,
    problem,
    'Pass what JSON can hold: texts, finite numbers, booleans, null, arrays and objects; bytes as a URL or base64.',
  );
}

interface Problem {
  what: string;
  /** Keys and indexes, the innermost first; none where the place does not matter. */
  path?: string[];
  why?: string;
}

/** The first thing in a value that JSON would lose. Ends early in a value that is far too large. */
class Search {
  /** Of the bytes that are allowed, at least so many are left. */
  private left: number;

  constructor(private readonly maxBytes: number) {
    this.left = maxBytes;
  }

  find(value: unknown, key: string, depth: number): Problem | undefined {
    this.left -= typeof value === 'string' ? value.length + 3 : 2; // quotes, brackets or a digit, and a comma
    if (this.left < -2) return { what: `is more than ${this.maxBytes} bytes of JSON, the most that is allowed` };
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? undefined : { what: `has ${value}`, path: [], why: notInJson };
      case 'bigint':
        return { what: 'has a BigInt', path: [], why: notInJson };
      case 'object':
        return value === null ? undefined : this.findInObject(value, key, depth);
    }
    return undefined;
  }

  /** What an object says of itself is what counts. A Date's own form is a text, or null where it is invalid. */
  private findInObject(value: object, key: string, depth: number, isForm = false): Problem | undefined {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return { what: 'has bytes', path: [] };
    const { toJSON } = value as { toJSON?: unknown };
    if (isForm || typeof toJSON !== 'function') return this.findInside(value, depth);
    if (toJSON === Date.prototype.toJSON) return undefined;
    const form: unknown = toJSON.call(value, key);
    return typeof form === 'object' && form !== null
      ? this.findInObject(form, key, depth, true)
      : this.find(form, key, depth);
  }

  private findInside(value: object, depth: number): Problem | undefined {
    if (depth >= jsonDepthLimit) return { what: `is nested deeper than ${jsonDepthLimit} levels, or holds itself` };
    const isArray = Array.isArray(value);
    const keys = isArray ? value.keys() : Object.keys(value);
    for (const key of keys) {
      const problem = this.find((value as Record<string | number, unknown>)[key], String(key), depth + 1);
      if (!problem) continue;
      problem.path?.push(isArray ? `[${key}]` : asStep(key as string));
      return problem;
    }
    return undefined;
  }
}

const notInJson = "which JSON can't hold";

/** A key that is no plain name may be somebody's: an address, a sentence. */
function asStep(key: string): string {
  return /^[\w$-]{1,40}$/.test(key) ? `.${key}` : '[a key]';
}

function describeProblem({ what, path, why }: Problem): string {
  const at = path?.length ? ` at ${path.reverse().join('').slice(0, 80)}` : '';
  return `${what}${at}${why ? `, ${why}` : ''}`;
}

/** A JSON text that `jsonb` can hold: U+0000 and lone surrogates, in keys and values, become U+FFFD. */
export function storableJson(text: string): string {
  if (!/\\u(0000|d[89a-f])/i.test(text)) return text;
  return JSON.stringify(JSON.parse(text), (_key, value) => storable(value));
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storableText(key), entry]));
}

// JSON as it may be stored: what JSON.stringify would change in silence (NaN, Infinity) or can't write (BigInt,
// cycles), and bytes, are refused; `undefined` is dropped as JSON does. Depth and size have limits.

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
  const problem = findProblem(value, '', 0);
  if (problem !== undefined) throw refuse(argument, code, problem);
  const text = stringify(value, argument, code);
  const bytes = text.length * 3 > maxBytes ? Buffer.byteLength(text) : text.length;
  if (bytes > maxBytes) throw refuse(argument, code, `is ${bytes} bytes of JSON; at most ${maxBytes} are allowed`);
  return text;
}

function stringify(value: unknown, argument: string, code: InvalidArgumentCode): string {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) return text;
  } catch (cause) {
    throw refuse(argument, code, `can't be written as JSON (${(cause as Error).name})`);
  }
  throw refuse(argument, code, 'has no JSON form');
}

function refuse(argument: string, code: InvalidArgumentCode, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    code,
    argument,
    problem,
    'Pass what JSON can hold: texts, finite numbers, booleans, null, arrays and objects; bytes as a URL or base64.',
  );
}

/** The first thing in a value that JSON would lose, with its path; undefined where there is none. */
function findProblem(value: unknown, path: string, depth: number): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : `has ${value}${at(path)}, which JSON can't hold`;
    case 'bigint':
      return `has a BigInt${at(path)}, which JSON can't hold`;
    case 'object':
      return value === null ? undefined : findProblemInObject(value, path, depth);
  }
  return undefined;
}

function findProblemInObject(value: object, path: string, depth: number): string | undefined {
  if (depth >= jsonDepthLimit) return `is nested deeper than ${jsonDepthLimit} levels, or holds itself`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `has bytes${at(path)}`;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined; // JSON.stringify asks it
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      const problem = findProblem(value[i], `${path}[${i}]`, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    const problem = findProblem((value as Record<string, unknown>)[key], `${path}.${key}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function at(path: string): string {
  return path === '' ? '' : ` at ${path.slice(0, 80)}`;
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

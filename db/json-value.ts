// JSON as it may be stored: what JSON.stringify would change in silence (NaN, Infinity) or can't write (BigInt,
// cycles), and bytes, are refused; `undefined` is dropped as JSON does. Depth and size have limits (limit-settings.ts),
// which are held before the text is made, as far as they can be known then.

import { types } from 'node:util';
import { storableText } from './arguments.ts';
import { type InvalidArgumentCode, InvalidArgumentError } from './errors.ts';
import { type LimitName, limits, raising } from './limit-settings.ts';
import { QuickLook } from './plain-json.ts';

export interface JsonRule {
  /** How the value is named in an error. */
  argument: string;
  code: InvalidArgumentCode;
  /** What limits the bytes of the JSON text. */
  limit: LimitName;
}

/** The JSON text of a value. */
export function toJsonText(value: unknown, rule: JsonRule): string {
  const maxBytes = limits()[rule.limit];
  try {
    requireJson(value, rule);
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw refuse(rule, 'has no JSON form');
    const bytes = text.length * 3 > maxBytes ? Buffer.byteLength(text) : text.length;
    if (bytes > maxBytes) throw refuseSize(rule, bytes, '');
    return text;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    // A getter or a toJSON that throws, or a Proxy: its error is not repeated, it may quote the value.
    throw refuse(rule, `can't be written as JSON (${error instanceof Error ? error.name : typeof error})`);
  }
}

/** Refuses what JSON would lose, what is too deep, and what is too large already without escapes. */
function requireJson(value: unknown, rule: JsonRule): void {
  const { [rule.limit]: maxBytes, jsonDepth } = limits();
  const quick = new QuickLook(maxBytes, jsonDepth);
  const look = quick.at(value);
  if (look === 'plain') return;
  if (look === 'too large') throw refuseSize(rule, quick.bytes, 'at least ');
  if (look === 'too deep') throw refuseDepth(rule);
  const search = new Search(maxBytes, jsonDepth);
  const problem = search.find(value, '', 0);
  if (problem === 'too large') throw refuseSize(rule, search.bytes, 'at least ');
  if (problem === 'too deep') throw refuseDepth(rule);
  if (problem) throw refuse(rule, describeProblem(problem));
}

function refuse({ argument, code }: JsonRule, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    code,
    argument,
    problem,
    'Pass what JSON can hold: texts, finite numbers, booleans, null, arrays and objects; bytes as a URL or base64.',
  );
}

function refuseSize({ argument, code, limit }: JsonRule, size: number, about: string): InvalidArgumentError {
  const max = limits()[limit];
  return new InvalidArgumentError(
    code,
    argument,
    `is ${about}${size} bytes of JSON; at most ${max} are allowed`,
    `Make it smaller, or keep files elsewhere and put their URL here.${raising(limit)}`,
    { limit, size, max },
  );
}

function refuseDepth({ argument, code }: JsonRule): InvalidArgumentError {
  const max = limits().jsonDepth;
  return new InvalidArgumentError(
    code,
    argument,
    `is nested deeper than ${max} levels, or holds itself`,
    `Make it flatter, or store what is deep as one text.${raising('jsonDepth')}`,
    { limit: 'jsonDepth', size: max + 1, max },
  );
}

interface Problem {
  what: string;
  /** Keys and indexes, the innermost first. */
  path: string[];
  why?: string;
}

/** The first thing in a value that JSON would lose, or that is beyond a limit: it goes no deeper than that. */
class Search {
  /** The JSON text has about so many bytes at least. */
  bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly maxDepth: number,
  ) {}

  find(value: unknown, key: string | number, depth: number): Problem | 'too large' | 'too deep' | undefined {
    this.bytes += typeof value === 'string' ? value.length + 3 : 2; // quotes, brackets or a digit, and a comma
    if (this.bytes > this.maxBytes + 2) return 'too large';
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
  private findInObject(value: object, key: string | number, depth: number, isForm = false): ReturnType<Search['find']> {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return { what: 'has bytes', path: [] };
    const { toJSON } = value as { toJSON?: unknown };
    if (isForm || typeof toJSON !== 'function') return this.findInside(value, depth);
    if (toJSON === Date.prototype.toJSON) return undefined;
    const form: unknown = toJSON.call(value, String(key));
    return typeof form === 'object' && form !== null
      ? this.findInObject(form, key, depth, true)
      : this.find(form, key, depth);
  }

  private findInside(value: object, depth: number): ReturnType<Search['find']> {
    if (depth >= this.maxDepth) return 'too deep';
    const isArray = Array.isArray(value);
    if (isArray && this.bytes + 2 * value.length > this.maxBytes + 2) {
      this.bytes += 2 * value.length; // each takes a character and a comma
      return 'too large';
    }
    const keys = isArray ? value.keys() : Object.keys(value);
    for (const key of keys) {
      const problem = this.find((value as Record<string | number, unknown>)[key], key, depth + 1);
      if (!problem) continue;
      if (typeof problem !== 'string') problem.path.push(isArray ? `[${key}]` : asStep(key as string));
      return problem;
    }
    return undefined;
  }
}

const notInJson = "which JSON can't hold";

/** A key that is no plain name may be somebody's: an address, a sentence. */
function asStep(key: string): string {
  return /^[\w$-]{1,24}$/.test(key) ? `.${key}` : '[a key]';
}

function describeProblem({ what, path, why }: Problem): string {
  const at = path.length > 0 ? ` at ${path.reverse().join('').slice(0, 80)}` : '';
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

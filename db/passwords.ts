// Passwords as bcrypt: what may be one, its hash, and the comparison, whose time does not tell whether there is anything
// to compare with. Off the event loop, in a bounded line. Never cuts a password, and never writes one anywhere.

import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, parseOptions, verify } from '@node-rs/bcrypt';
import { requireCount } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';
import { HashingLine } from './hashing-line.ts';
import { passwordByteLimit } from './limits.ts';

export interface PasswordSettings {
  /** Of new hashes: 2 to the power of it rounds, 4 to 20; 10 unless given. A hash of less is made anew at sign-in. */
  cost: number;
  /** How many hashes are computed at once: as many as there are cores, 3 at most, unless given. */
  maxConcurrent: number;
  /** How many callers may wait for that; 100 unless given. */
  maxWaiting: number;
}

// libuv has 4 threads for files, DNS and this: one of them stays free.
const defaults: PasswordSettings = { cost: 10, maxConcurrent: Math.min(3, availableParallelism()), maxWaiting: 100 };

let settings = defaults;
const line = new HashingLine(settings);

/**
 * Says how passwords are hashed in this process, from now on. What is left out is as it was when the process began.
 * @returns what is in force
 * @throws InvalidArgumentError INVALID_LIMIT
 * @example configurePasswords({ cost: 12 });
 */
export function configurePasswords(wanted: Partial<PasswordSettings> = {}): PasswordSettings {
  const { cost, maxConcurrent, maxWaiting } = { ...defaults, ...wanted };
  settings = {
    cost: requireCount('cost', cost, 4, 20),
    maxConcurrent: requireCount('maxConcurrent', maxConcurrent, 1, 64),
    maxWaiting: requireCount('maxWaiting', maxWaiting, 0, 100_000),
  };
  line.setLimits(settings);
  return { ...settings };
}

/** @throws InvalidArgumentError INVALID_PASSWORD, MISSING_ARGUMENT */
export function requirePassword(password: unknown): string {
  const problem = findPasswordProblem(password);
  if (problem === undefined) return password as string;
  throw new InvalidArgumentError(
    password === undefined ? 'MISSING_ARGUMENT' : 'INVALID_PASSWORD',
    'password',
    `${problem}; it must be a text of 1 to ${passwordByteLimit} bytes`,
    'bcrypt reads 72 bytes and would ignore the rest. Ask for a shorter password.',
  );
}

/** A password that somebody typed; undefined where it is a text that nobody can have as one. */
export function readTypedPassword(password: unknown): string | undefined {
  if (typeof password !== 'string') return requirePassword(password); // no text at all: refused
  return findPasswordProblem(password) === undefined ? password : undefined;
}

function findPasswordProblem(password: unknown): string | undefined {
  if (password === undefined) return 'is missing (undefined)';
  if (typeof password !== 'string') return `is ${password === null ? 'null' : `a ${typeof password}`}`;
  if (password === '') return 'is empty';
  if (!password.isWellFormed()) return 'has half of a surrogate pair, which UTF-8 can’t hold';
  // bcrypt repeats its key with a U+0000 between: "a" and "a\0a" would be one password.
  if (password.includes('\0')) return 'has a U+0000, which ends a password in bcrypt';
  const bytes = Buffer.byteLength(password);
  return bytes > passwordByteLimit ? `has ${bytes} bytes` : undefined;
}

/** The hash that is stored: `$2b$`, 60 characters, readable by every bcrypt. @throws BusyError HASHING_BUSY */
export function hashPassword(password: string): Promise<string> {
  const { cost } = settings;
  return line.run(() => hash(password, { cost }));
}

export interface Comparison {
  isRight: boolean;
  /** Right, and hashed with a lower cost than is wanted now. */
  isOutdated: boolean;
}

/**
 * Compares; where there is nothing to compare (no such user, no password, a text that can't be one) it computes as much.
 * @throws BusyError HASHING_BUSY
 */
export function comparePassword(password: string | undefined, stored: string | null | undefined): Promise<Comparison> {
  const wantedCost = settings.cost;
  const storedCost = typeof stored === 'string' ? costOf(stored) : undefined;
  return line.run(async () => {
    if (typeof stored === 'string' && storedCost !== undefined) {
      const fits = await verify(password ?? '', stored);
      if (fits && password !== undefined) return { isRight: true, isOutdated: storedCost < wantedCost };
      // 2^c + (2^c + ... + 2^(w-1)) = 2^w: together as long as one comparison at the wanted cost.
      for (let cost = storedCost; cost < wantedCost; cost += 1) await verify('', decoyOf(cost));
    } else {
      await verify(password ?? '', decoyOf(wantedCost));
    }
    return { isRight: false, isOutdated: false };
  });
}

/** Compares any text with any bcrypt hash, in the same line. @throws BusyError HASHING_BUSY */
export function compareWithHash(text: string, stored: string): Promise<boolean> {
  return line.run(() => verify(text, stored));
}

/** Undefined for what is no bcrypt hash. */
function costOf(stored: string): number | undefined {
  try {
    return parseOptions(stored).cost;
  } catch {
    return undefined;
  }
}

const decoySalt = '.'.repeat(22);
/**
 * Of random bytes, as hexadecimal digits, which are in bcrypt's alphabet: nobody knows a password of it, nor do we. The
 * last one stands for four bits, so that not every digit may: with a wrong one nothing is computed.
 */
const decoyHash = `${randomBytes(15).toString('hex')}.`;

/** A hash of no password, of this cost. */
function decoyOf(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${decoySalt}${decoyHash}`;
}

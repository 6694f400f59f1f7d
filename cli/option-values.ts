// Reads the values of flags. What is in range is said where the work is done; a range that is needed here is compared
// with that one by the compiler, so that nothing of db/ is loaded to read a command line.

import { InvalidArgumentError } from 'commander';
import type { messageLimits } from '../db/sample/load-scaled.ts';

const messages: typeof messageLimits = { min: 1, max: 10_000_000 };
const rowsPerSecond = { min: 1, max: 1_000_000 };

/** Reads the value of --messages. */
export const parseMessages = (text: string): number => parseWholeNumber(text, messages);

/** Reads the value of --rows-per-second. */
export const parseRowsPerSecond = (text: string): number => parseWholeNumber(text, rowsPerSecond);

/** Reads the value of --lock-wait: up to a day. */
export const parseSeconds = (text: string): number => parseWholeNumber(text, { min: 0, max: 86_400 });

/** Reads the value of --lock-timeout: up to a minute. */
export const parseMs = (text: string): number => parseWholeNumber(text, { min: 1, max: 60_000 });

/** Reads the value of --target: a version of PostgreSQL. */
export const parseVersion = (text: string): number => parseWholeNumber(text, { min: 15, max: 18 });

function parseWholeNumber(text: string, { min, max }: { min: number; max: number }): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max.toLocaleString('en-US')}.`);
}

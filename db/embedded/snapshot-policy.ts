// How many snapshots of an embedded database are kept, how far apart, and for how long. Decides; deletes nothing.

import { requireCount } from '../arguments.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { SnapshotFacts } from './snapshot-files.ts';

export interface SnapshotPolicy {
  /** How many are kept, from 1 to 1,000; 5 unless given. */
  count: number;
  /** How far apart those are that are taken by themselves, in minutes up to a week; 60 unless given. */
  everyMinutes: number;
  /** How long one is kept that is not the newest, from 1 to 36,500 days; 30 unless given. */
  maxAgeDays: number;
}

export const defaultPolicy: SnapshotPolicy = { count: 5, everyMinutes: 60, maxAgeDays: 30 };

/** What the environment may say, by the option it stands for. */
const variables = {
  count: 'MYTX_SNAPSHOTS_KEEP',
  everyMinutes: 'MYTX_SNAPSHOTS_EVERY_MINUTES',
  maxAgeDays: 'MYTX_SNAPSHOTS_MAX_AGE_DAYS',
} as const;

/**
 * The options or, where there are none, the environment, over the defaults; null for no snapshots, which is
 * `false` or MYTX_SNAPSHOTS_KEEP=0.
 * @throws InvalidArgumentError INVALID_LIMIT, INVALID_ARGUMENT
 */
export function readPolicy(
  options: false | Partial<SnapshotPolicy> | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): SnapshotPolicy | null {
  if (options === false) return null;
  if (options === undefined) return readVariables(environment);
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      'keepSnapshots',
      'must be false or an object',
      'Pass keepSnapshots: false, or { count, everyMinutes, maxAgeDays }.',
    );
  }
  return checked({ ...defaultPolicy, ...options }, (name) => `keepSnapshots.${name}`);
}

function readVariables(environment: Readonly<Record<string, string | undefined>>): SnapshotPolicy | null {
  if (environment[variables.count] === '0') return null;
  const given = Object.entries(variables).flatMap(([option, variable]) => {
    const text = environment[variable];
    return text ? [[option, Number.isNaN(Number(text)) ? text : Number(text)]] : [];
  });
  return checked({ ...defaultPolicy, ...Object.fromEntries(given) }, (name) => variables[name]);
}

function checked(policy: SnapshotPolicy, nameOf: (option: keyof SnapshotPolicy) => string): SnapshotPolicy {
  requireCount(nameOf('count'), policy.count, 1, 1000);
  requireCount(nameOf('maxAgeDays'), policy.maxAgeDays, 1, 36_500);
  const { everyMinutes } = policy;
  // A part of a minute is allowed, so that it can be tried out.
  if (typeof everyMinutes !== 'number' || !(everyMinutes > 0 && everyMinutes <= 10_080)) {
    requireCount(nameOf('everyMinutes'), everyMinutes, 1, 10_080);
  }
  return policy;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * The names of those that go, now that the first of `snapshots` has been taken.
 * Of those that were taken by themselves, one that came sooner than `everyMinutes` after the one before it gives way
 * to the next: ten short runs in an hour do not push out the last week.
 * @param snapshots newest first
 */
export function chooseOutdated(snapshots: readonly SnapshotFacts[], policy: SnapshotPolicy, now: Date): string[] {
  const [newest, last, ...older] = snapshots;
  if (!newest || !last) return [];
  const [beforeLast] = older;
  const isReplaced =
    isRoutine(last) && beforeLast && millisecondsBetween(beforeLast, last) < policy.everyMinutes * minuteMs;
  const rest = isReplaced ? older : [last, ...older];
  const kept = rest
    .slice(0, policy.count - 1)
    .filter(({ takenAt }) => now.getTime() - Date.parse(takenAt) <= policy.maxAgeDays * dayMs);
  return snapshots.filter((one) => one !== newest && !kept.includes(one)).map(({ name }) => name);
}

function isRoutine({ reason }: SnapshotFacts): boolean {
  return reason === 'closed' || reason === 'while it was open';
}

function millisecondsBetween(earlier: SnapshotFacts, later: SnapshotFacts): number {
  return Date.parse(later.takenAt) - Date.parse(earlier.takenAt);
}

// Which locks an operation takes, on which of the tables it is about: as scripts/measure-locks.ts measured them on each
// version of PostgreSQL.

import measuredLocks from './measured-locks.json' with { type: 'json' };
import type { OperationId } from './operations.ts';

/** From the weakest to the strongest. */
export const lockModes = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const;

export type LockMode = (typeof lockModes)[number];

/** What a relation is to an operation. */
export type Role =
  /** What it changes. */
  | 'table'
  /** What a foreign key points to, or what a partition is or will be a part of. */
  | 'parent'
  /** An index of the table, or the one that is meant. */
  | 'index'
  /** What is attached or detached. */
  | 'partition'
  /** What is read, such as by a view. */
  | 'source';

export interface MeasuredOperation {
  /** The versions that it was measured on, and is the same on. */
  versions: number[];
  locks: Partial<Record<Role, LockMode>>;
  /** Whose rows it reads all. */
  scans: Role[];
  /** What it writes anew. */
  rewrites: Role[];
  /** On which it builds indexes, new ones or those that are there. */
  builds: Role[];
}

const measured = measuredLocks as unknown as Partial<Record<OperationId, MeasuredOperation[]>>;

/**
 * What was measured of an operation, on this version or the newest one before it; undefined where it takes no lock of a
 * relation that is known, or the version does not have it.
 */
export function measuredOn(id: OperationId, version: number): MeasuredOperation | undefined {
  const newestFirst = (measured[id] ?? [])
    .flatMap((one) => one.versions.map((on) => ({ on, one })))
    .sort((first, second) => second.on - first.on);
  return newestFirst.find(({ on }) => on <= version)?.one;
}

/** Whether nobody can read while it is held. */
export const blocksReaders = (mode: LockMode): boolean => mode === 'ACCESS EXCLUSIVE';

/** Whether nobody can insert, update or delete while it is held. */
export const blocksWriters = (mode: LockMode): boolean => lockModes.indexOf(mode) >= lockModes.indexOf('SHARE');

/** The stronger of two. */
export function strongerMode(one: LockMode, other: LockMode): LockMode {
  return lockModes.indexOf(one) >= lockModes.indexOf(other) ? one : other;
}

/** `AccessExclusiveLock`, as pg_locks has it, as people write it. */
export function modeFromServer(mode: string): LockMode {
  return mode
    .replace(/Lock$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase() as LockMode;
}

/** Which modes each one can't be held beside: the table of PostgreSQL's documentation. */
const conflicts: Readonly<Record<LockMode, readonly LockMode[]>> = {
  'ACCESS SHARE': lockModes.slice(7),
  'ROW SHARE': lockModes.slice(6),
  'ROW EXCLUSIVE': lockModes.slice(4),
  'SHARE UPDATE EXCLUSIVE': lockModes.slice(3),
  SHARE: ['ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE', ...lockModes.slice(5)],
  'SHARE ROW EXCLUSIVE': lockModes.slice(2),
  EXCLUSIVE: lockModes.slice(1),
  'ACCESS EXCLUSIVE': lockModes,
};

/** Whether one waits for the other. */
export const areInConflict = (one: LockMode, other: LockMode): boolean => conflicts[one].includes(other);

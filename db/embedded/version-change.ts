// An embedded database that another major version of PostgreSQL made is never opened: PGlite can't, and does not say
// why. Where it was closed and saved, a new one is made from its dump; the old folder is kept. Where it was not, it is
// refused. Never touches the only copy of anything.

import { join } from 'node:path';
import { ConnectionError } from '../errors.ts';
import { copyFromSnapshot, type OpenClient } from './database-copy.ts';
import { readFolderState, readMajorVersion } from './folder-state.ts';
import { finishSwap, swapIn } from './folder-swap.ts';
import { findDamage, listEntries, type SnapshotEntry } from './snapshot-files.ts';

/** The major version of the PGlite that package.json names; a test compares the two. */
export const installedMajor = 18;

interface FolderOptions {
  folder: string;
  openClient: OpenClient;
  /** Unless given, `installedMajor`. */
  installed?: number;
  onProgress?(message: string): void;
}

/**
 * Brings the folder of an embedded database, which the caller owns, to where PGlite can open it: ends a change that a
 * killed process began, and carries the data over from another major version.
 * @returns what was done that people should know, a sentence each
 * @throws ConnectionError EMBEDDED_VERSION; the folder is as before
 */
export async function prepareFolder({
  folder,
  openClient,
  installed = installedMajor,
  onProgress,
}: FolderOptions): Promise<string[]> {
  finishSwap(folder);
  const made = readMajorVersion(join(folder, 'database'));
  if (made === undefined || made === installed) return [];
  const entry = await findWholeDump(folder, made, installed);
  onProgress?.(`the database is of PostgreSQL ${made}: carrying its data over to PostgreSQL ${installed}`);
  await copyFromSnapshot(entry.facts, { folder, installed, openClient, ...(onProgress ? { onProgress } : {}) });
  const kept = swapIn(folder, `database-postgresql-${made}`);
  return [
    `the embedded database was of PostgreSQL ${made} and is of PostgreSQL ${installed} now, with all of its rows; ` +
      `the old one is kept in ${kept}: delete it when you do not need it`,
  ];
}

/** The snapshot that has everything, if there is one. */
async function findWholeDump(
  folder: string,
  made: number,
  installed: number,
): Promise<SnapshotEntry & { facts: NonNullable<SnapshotEntry['facts']> }> {
  const state = readFolderState(join(folder, 'database'));
  const entries = listEntries(folder);
  const refuse = (problem: string): ConnectionError =>
    wrongVersion({ folder, made, installed, problem, pglite: state.pglite, entries });
  if (made > installed) throw refuse('which can read newer data in no way');
  const entry = entries.find(({ name }) => name === state.snapshot);
  if (state.isOpen || !state.isSaved || !entry?.facts) throw refuse('and no dump has all of its data');
  const damage = await findDamage(folder, entry);
  if (damage) throw refuse(`and its dump is damaged: ${damage}`);
  return { name: entry.name, facts: entry.facts };
}

/** The last PGlite of a major version, where the folder does not say which one made it. */
const lastPglite: Readonly<Record<number, string>> = { 16: '0.2.17', 17: '0.3.16', 18: '0.5.8' };

interface Refusal {
  folder: string;
  made: number;
  installed: number;
  problem: string;
  pglite: string | null;
  entries: readonly SnapshotEntry[];
}

function wrongVersion({ folder, made, installed, problem, pglite, entries }: Refusal): ConnectionError {
  const newest = entries.find(({ facts }) => facts && facts.postgresql <= installed)?.facts;
  const maker = pglite ?? lastPglite[made];
  const ways = [
    made > installed
      ? `install the versions that made it${maker ? ` (@electric-sql/pglite ${maker})` : ''}`
      : `open and close it once with the versions that made it${maker ? ` (@electric-sql/pglite ${maker})` : ''}, which saves a dump`,
    ...(newest
      ? [`go back to the newest snapshot, without what was written after it: npx mytx restore ${newest.name}`]
      : []),
  ];
  return new ConnectionError(
    'EMBEDDED_VERSION',
    [
      `the embedded database in ${folder} was made by PostgreSQL ${made}; installed is PostgreSQL ${installed}, ${problem}`,
      newest ? `the newest snapshot is ${newest.name}, ${ageOf(newest.takenAt)} old` : 'there is no snapshot of it',
    ].join('; '),
    `Nothing was touched. Either ${ways.join('; or ')}.`,
    { folder, made, installed, snapshot: newest?.name ?? null },
  );
}

/** How long ago that was, in the largest unit that fits. */
export function ageOf(time: string, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? (['second', 1] as const);
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

// Migrations of the package that go behind those of a folder: copies with the next numbers, each with a snapshot of the
// application's schema and ours together. Where it can't do that rightly it says why, and plans nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  filesOf,
  type Journal,
  migrationsPath,
  type OwnMigration,
  type ProjectFile,
  snapshotName,
} from './migration-files.ts';
import { mergeSnapshots, type Snapshot } from './snapshot-merge.ts';

export interface Added {
  entry: Journal['entries'][number];
  files: ProjectFile[];
}

/** A migration of the package, and the one before it there. */
export interface Successor {
  previous: OwnMigration;
  migration: OwnMigration;
}

/**
 * The copies, or why there are none, a reason that follows the folder's name. They keep their times, by which a database
 * knows that it has them; this package's migrator applies them though they are older.
 */
export function addBehind(folder: string, { entries }: Journal, successors: readonly Successor[]): Added[] | string {
  const metaFolder = join(folder, migrationsPath, 'meta');
  let last = snapshotName(entries.at(-1)?.tag ?? '');
  let theirs = readSnapshot(join(metaFolder, last));
  if (theirs === null) return `has no snapshot of its last migration (meta/${last}) to go on from`;
  let idx = Math.max(...entries.map((entry) => entry.idx));
  const added: Added[] = [];
  for (const { previous, migration } of successors) {
    const merged = mergeInto(theirs, previous, migration);
    if (typeof merged === 'string') return merged;
    theirs = merged;
    idx += 1;
    const tag = `${String(idx).padStart(4, '0')}_${migration.name.replace(/^\d+_/, '')}`;
    if (snapshotName(tag) <= last) return 'numbers its migrations otherwise than by 0000, 0001, ...';
    last = snapshotName(tag);
    const files = filesOf(tag, migration.text, JSON.stringify(theirs, null, 2));
    added.push({ entry: { ...migration.entry, idx, tag }, files });
  }
  // drizzle-kit goes on from the snapshot whose name sorts last, whatever the journal says.
  const [strange] = readdirSync(metaFolder).filter((name) => !name.startsWith('_') && name > last);
  return strange === undefined ? added : `has a snapshot that its journal does not know (meta/${strange})`;
}

function mergeInto(theirs: Snapshot, previous: OwnMigration, { name, snapshotText }: OwnMigration): Snapshot | string {
  const [before, after] = [previous.snapshotText, snapshotText].map((text) => JSON.parse(text) as Snapshot);
  if (!before || !after || theirs.version !== after.version) return 'has snapshots of another version of drizzle-kit';
  const result = mergeSnapshots({ before, after, theirs });
  return 'conflicts' in result ? `changes what ${name} changes: ${result.conflicts.join(', ')}` : result.merged;
}

/** Null for one that is not there, or holds the marks of a merge. */
function readSnapshot(file: string): Snapshot | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

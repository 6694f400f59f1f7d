// The snapshots of an embedded database: listed, taken now, restored. The database must not be open elsewhere.
// Never deletes a database: what a restore replaces is kept beside it.

import { join } from 'node:path';
import type { Target } from './development.ts';
import { copyFromSnapshot } from './embedded/database-copy.ts';
import { embeddedEngine, openClient } from './embedded/engine.ts';
import { readMajorVersion } from './embedded/folder-state.ts';
import { finishSwap, swapIn } from './embedded/folder-swap.ts';
import { takeOwnership } from './embedded/owner.ts';
import {
  dataFile,
  findDamage,
  listEntries,
  type SnapshotEntry,
  type SnapshotFacts,
  sqlFile,
} from './embedded/snapshot-files.ts';
import { ageOf, installedMajor } from './embedded/version-change.ts';
import { SnapshotError } from './errors.ts';
import { nameOfMigration } from './migrations-folder.ts';

export interface SnapshotPlace {
  /** The folder of the embedded database; `.mytx` unless given. */
  folder?: string;
  /** Told, in a sentence, of each step that may take a second or more. */
  onProgress?(message: string): void;
}

export interface Snapshot {
  name: string;
  /** The file with the database's bytes. */
  file: string;
  /** The same as SQL, for `psql` and for other versions of PostgreSQL. */
  sqlFile: string;
  takenAt: Date;
  /** How old it is, such as '3 hours'. */
  age: string;
  reason: SnapshotFacts['reason'];
  /** Of both files together. */
  bytes: number;
  /** The major version of its PostgreSQL. */
  postgresql: number;
  migrations: number;
  /** The name of the last of its migrations; null where there is none, or its file is gone. */
  lastMigration: string | null;
  /** Rows of all tables. */
  rows: number;
  /** What is wrong with its files; null where they are as they were written. */
  damage: string | null;
}

const defaultFolder = '.mytx';

/**
 * The folder whose snapshots are meant by a target.
 * @throws SnapshotError SNAPSHOT_NOT_FOUND for a server
 */
export function snapshotFolderOf({ engine, target, options }: Pick<Target, 'engine' | 'target' | 'options'>): string {
  if (engine === 'embedded') return options.folder ?? defaultFolder;
  throw new SnapshotError(
    'SNAPSHOT_NOT_FOUND',
    `${target} is a server: snapshots are of the embedded database`,
    'Back up a server with its own tools, such as pg_dump. For the embedded database run the command with POSTGRES_URL= in front.',
    { target },
  );
}

/** Every snapshot, newest first, after reading each of their files. Those whose `.json` is damaged are left out. */
export async function listSnapshots({ folder = defaultFolder }: SnapshotPlace = {}): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (const entry of listEntries(folder)) {
    if (entry.facts) snapshots.push(describe(folder, entry.facts, await findDamage(folder, entry)));
  }
  return snapshots;
}

/**
 * Takes a snapshot now. Where nothing was written since the newest one, that is the one returned.
 * @throws ConnectionError EMBEDDED_IN_USE, EMBEDDED_VERSION; SnapshotError SNAPSHOT_FAILED, SNAPSHOT_NOT_FOUND where
 * there is no database
 */
export async function takeSnapshot({ folder = defaultFolder, onProgress }: SnapshotPlace = {}): Promise<Snapshot> {
  if (readMajorVersion(join(folder, 'database')) === undefined) {
    throw new SnapshotError(
      'SNAPSHOT_NOT_FOUND',
      `there is no embedded database in ${folder} to take a snapshot of`,
      'npm start creates one; or run the command in the folder that has it.',
      { folder },
    );
  }
  const engine = await embeddedEngine({ folder, ...(onProgress ? { onProgress } : {}) });
  try {
    const facts = await engine.snapshots?.take('asked for');
    if (!facts) throw new Error('an embedded database in a folder has a keeper of snapshots');
    return describe(folder, facts, null);
  } finally {
    await engine.close();
  }
}

export interface RestoreOptions extends SnapshotPlace {
  /** A name, the beginning of one, or 'latest'. */
  name: string;
}

export interface RestoreReport {
  restored: Snapshot;
  /** The folder in which the database is that was there before; null where there was none. */
  keptIn: string | null;
}

/**
 * Puts the database of a snapshot into the place of the one there is, which is kept beside it. Killed at any point,
 * the database is the old one or the new one, whole; which one, the next opening or restore settles.
 * @throws SnapshotError SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED; ConnectionError EMBEDDED_IN_USE
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreReport> {
  const { folder = defaultFolder, name, onProgress } = options;
  findEntry(folder, name); // before anything is made in a folder that is not one of ours
  const ownership = await takeOwnership(folder);
  try {
    finishSwap(folder);
    const facts = await requireWhole(folder, findEntry(folder, name), onProgress);
    const progress = onProgress ? { onProgress } : {};
    await copyFromSnapshot(facts, { folder, installed: installedMajor, openClient, ...progress });
    onProgress?.('putting it in the place of the database');
    const keptIn = swapIn(folder, `database-before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
    return { restored: describe(folder, facts, null), keptIn };
  } finally {
    ownership.release();
  }
}

/** The snapshot that a name means, for a question before it is restored. @throws SnapshotError SNAPSHOT_NOT_FOUND */
export function findSnapshot({ folder = defaultFolder, name }: RestoreOptions): Snapshot | null {
  const { facts } = findEntry(folder, name);
  return facts && describe(folder, facts, null);
}

function findEntry(folder: string, name: string): SnapshotEntry {
  const entries = listEntries(folder);
  const exact = name === 'latest' ? entries.slice(0, 1) : entries.filter((entry) => entry.name === name);
  const found = exact.length > 0 ? exact : entries.filter((entry) => name !== '' && entry.name.startsWith(name));
  const [entry] = found;
  if (entry && found.length === 1) return entry;
  throw new SnapshotError(
    'SNAPSHOT_NOT_FOUND',
    entries.length === 0
      ? `there is no snapshot in ${join(folder, 'snapshots')}`
      : `${JSON.stringify(name.slice(0, 60))} is the name of ${found.length === 0 ? 'no snapshot' : `${found.length} snapshots`}`,
    entries.length === 0
      ? 'One is taken when the database is closed, or now: npx mytx snapshot'
      : 'See which there are: npx mytx restore --list',
    { folder },
  );
}

async function requireWhole(
  folder: string,
  entry: SnapshotEntry,
  onProgress?: (message: string) => void,
): Promise<SnapshotFacts> {
  onProgress?.(`checking the snapshot ${entry.name}`);
  const damage = await findDamage(folder, entry);
  if (entry.facts && !damage) {
    refuseNewer(entry.facts);
    return entry.facts;
  }
  const older = await findOlder(folder, entry.name);
  throw new SnapshotError(
    'SNAPSHOT_DAMAGED',
    `the snapshot ${entry.name} is damaged: ${damage}`,
    older
      ? `Restore the next older one that is whole: npx mytx restore ${older}`
      : 'There is no older one that is whole. The database is as it was.',
    { snapshot: entry.name, older },
  );
}

async function findOlder(folder: string, name: string): Promise<string | null> {
  for (const entry of listEntries(folder)) {
    if (entry.name < name && !(await findDamage(folder, entry))) return entry.name;
  }
  return null;
}

function refuseNewer({ name, postgresql, pglite }: SnapshotFacts): void {
  if (postgresql <= installedMajor) return;
  throw new SnapshotError(
    'SNAPSHOT_NOT_FOUND',
    `the snapshot ${name} is of PostgreSQL ${postgresql}, which PostgreSQL ${installedMajor} can't load`,
    `Install the PGlite that made it${pglite ? ` (@electric-sql/pglite ${pglite})` : ''}, or restore another one.`,
    { snapshot: name, postgresql },
  );
}

function describe(folder: string, facts: SnapshotFacts, damage: string | null): Snapshot {
  const { name, takenAt, reason, data, sql, postgresql, migrations, tables } = facts;
  return {
    name,
    file: dataFile(folder, name),
    sqlFile: sqlFile(folder, name),
    takenAt: new Date(takenAt),
    age: ageOf(takenAt),
    reason,
    bytes: data.bytes + sql.bytes,
    postgresql,
    migrations: migrations.count,
    lastMigration: migrations.last === null ? null : nameOfMigration(migrations.last),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    damage,
  };
}

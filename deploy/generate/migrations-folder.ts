// What drizzle-kit has written into a folder of migrations: which files are new, and which snapshots are theirs.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Migration, readMigrations } from '../migrations.ts';
import { type KnownSchema, readSnapshot } from '../rewrite/known-schema.ts';

/** The migrations of a folder that may not be there yet. */
export function listMigrations(folder: string): Migration[] {
  const hasJournal = existsSync(join(folder, 'meta', '_journal.json'));
  return hasJournal || existsSync(folder) ? readMigrationsOrNone(folder, hasJournal) : [];
}

function readMigrationsOrNone(folder: string, hasJournal: boolean): Migration[] {
  const isEmpty = !hasJournal && !readdirSync(folder).some((name) => /^\d{14}_/.test(name));
  return isEmpty ? [] : readMigrations(folder);
}

/** A snapshot of Drizzle's, as far as it says which one it is. */
export interface Snapshot {
  file: string;
  json: { id: string; prevId?: string; prevIds?: string[] } & Record<string, unknown>;
}

/** Every snapshot of a folder, the oldest first. */
export function listSnapshots(folder: string): Snapshot[] {
  const meta = join(folder, 'meta');
  const files = existsSync(meta)
    ? readdirSync(meta)
        .filter((name) => name.endsWith('_snapshot.json'))
        .map((name) => join(meta, name))
    : listFolders(folder)
        .map((name) => join(folder, name, 'snapshot.json'))
        .filter(existsSync);
  return files.sort().map((file) => ({ file, json: JSON.parse(readFileSync(file, 'utf8')) as Snapshot['json'] }));
}

const listFolders = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    : [];

/** The snapshot of a migration: beside it in the 1.0 layout, by the beginning of its name in the 0.45 one. */
export function snapshotOf(folder: string, { file, name, layout }: Migration): Snapshot | undefined {
  const snapshots = listSnapshots(folder);
  if (layout === 'folders') return snapshots.find((one) => one.file === join(dirname(file), 'snapshot.json'));
  const [prefix] = name.split('_');
  return snapshots.find((one) => one.file === join(folder, 'meta', `${prefix}_snapshot.json`));
}

/** The tables before a migration, as far as its folder says. */
export function schemaBefore(folder: string, migration: Migration): KnownSchema | undefined {
  const own = snapshotOf(folder, migration)?.json;
  if (!own) return undefined;
  const before = own.prevId === undefined ? (own.prevIds ?? []) : [own.prevId];
  const found = listSnapshots(folder).filter(({ json }) => before.includes(json.id));
  if (found.length > 0) return readSnapshot(found[0]?.json);
  return before.every((id) => id === noSnapshot) ? new Map() : undefined;
}

/** What the first snapshot has for the one before it. */
const noSnapshot = '00000000-0000-0000-0000-000000000000';

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
  const snapshots = listSnapshots(folder).map(({ json }) => json);
  const found = snapshots.find(({ id }) => before.includes(id));
  if (found) return readSnapshot(Array.isArray(found.deltas) ? { ddl: ddlOf(found, snapshots) } : found);
  return before.every((id) => id === noSnapshot) ? new Map() : undefined;
}

/** What the first snapshot has for the one before it. */
const noSnapshot = '00000000-0000-0000-0000-000000000000';

type Row = Record<string, unknown> & { entityType: string };

/** One difference of a snapshot of 1.0.0-rc.5 from the one before it; `key` is `columns\0["public","users","name"]`. */
type Delta =
  | { op: 'create'; row: Row }
  | { op: 'drop'; key: string }
  | { op: 'alter' | 'rename'; key: string; set: Record<string, unknown> };

/**
 * All that a snapshot stands for, where it only says how it differs from the one before.
 * @returns undefined behind a rename, of which it does not say what else has the name, and behind two branches
 */
function ddlOf(snapshot: Snapshot['json'], all: readonly Snapshot['json'][]): Row[] | undefined {
  if (Array.isArray(snapshot.ddl)) return snapshot.ddl as Row[];
  const { prevIds = [], deltas = [] } = snapshot as { prevIds?: string[]; deltas?: Delta[] };
  const before = all.find(({ id }) => id === prevIds[0]);
  const rows = before && prevIds.length === 1 ? ddlOf(before, all) : undefined;
  return rows && deltas.reduce<Row[] | undefined>(changed, rows);
}

function changed(rows: readonly Row[] | undefined, delta: Delta): Row[] | undefined {
  if (!rows || delta.op === 'rename') return undefined;
  if (delta.op === 'create') return [...rows, delta.row];
  if (delta.op === 'drop') return rows.filter((row) => keyOf(row) !== delta.key);
  return rows.map((row) => (keyOf(row) === delta.key ? { ...row, ...delta.set } : row));
}

function keyOf({ entityType, schema, table, name }: Row): string {
  return `${entityType}\0${JSON.stringify([schema, table, name].filter((part) => part !== undefined))}`;
}

// The files of a migration as drizzle-kit names them, and those of the package with all that belongs to each. Reads only.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Migration, readMigrations } from '../deploy/migrations.ts';

/** Where an application has them. */
export const migrationsPath = 'lib/drizzle';
export const journalPath = `${migrationsPath}/meta/_journal.json`;

export interface Journal {
  entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[];
}

/** A migration of the package. */
export interface OwnMigration extends Migration {
  text: string;
  entry: Journal['entries'][number];
  snapshotText: string;
}

export interface ProjectFile {
  /** From the project's folder. */
  path: string;
  text: string;
}

export function readOwnMigrations(packageFolder: string): OwnMigration[] {
  const { entries } = JSON.parse(readFileSync(join(packageFolder, 'meta', '_journal.json'), 'utf8')) as Journal;
  return readMigrations(packageFolder).map((migration, index) => ({
    ...migration,
    text: readFileSync(migration.file, 'utf8'),
    entry: entries[index] as Journal['entries'][number],
    snapshotText: readFileSync(join(packageFolder, 'meta', snapshotName(migration.name)), 'utf8'),
  }));
}

/** By what is before the first underscore. */
export function snapshotName(tag: string): string {
  return `${tag.split('_')[0]}_snapshot.json`;
}

export function filesOf(tag: string, text: string, snapshotText: string): ProjectFile[] {
  return [
    { path: `${migrationsPath}/${tag}.sql`, text },
    { path: `${migrationsPath}/meta/${snapshotName(tag)}`, text: snapshotText },
  ];
}

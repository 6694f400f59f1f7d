// Which files the lint looks at.

import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Migration, readMigrationFile, readMigrations } from '../migrations.ts';
import { changedSince } from './git.ts';

export interface Selection {
  /** In words, such as `2 pending migrations`. */
  what: string;
  migrations: Migration[];
  /** The project's others. */
  others: Migration[];
}

export interface SelectionOptions {
  /** The folder of the project's migrations; undefined where the files are of no project. */
  folder: string | undefined;
  /** Files, relative to `from`: these and no others. */
  files: readonly string[] | undefined;
  from: string;
  /** Those that are new or changed since this version in git. */
  since: string | undefined;
  isForAll: boolean | undefined;
  /** What the database lacks; undefined where none was asked. */
  pending: readonly Migration[] | undefined;
}

/**
 * The files that are named, or those since a version, or all; else what is pending or, without a database, the newest one.
 * @throws DeployError MIGRATIONS_UNREADABLE, GIT_UNREADABLE
 */
export async function selectMigrations(options: SelectionOptions): Promise<Selection> {
  const { folder = '', files = [], from, since, isForAll = false, pending } = options;
  if (files.length > 0)
    return selectFiles(
      folder,
      files.map((file) => resolve(from, file)),
    );
  const all = readMigrations(folder);
  const select = (what: string, chosen: readonly Migration[]): Selection => ({
    what: `${count(chosen.length)}${what}`,
    migrations: [...chosen],
    others: all.filter((one) => !chosen.some(({ file }) => file === one.file)),
  });
  if (since !== undefined) {
    const changed = (await changedSince(since, folder)).map((file) => realpathSync(file));
    return select(
      ` since ${since}`,
      all.filter(({ file }) => changed.includes(realpathSync(file))),
    );
  }
  if (isForAll) return select('', all);
  if (pending) return select(', pending', pending);
  return select(', the newest', all.slice(-1));
}

function selectFiles(folder: string, files: readonly string[]): Selection {
  const project = existsSync(folder) ? readMigrations(folder) : [];
  const migrations = files.map((file) => project.find((one) => one.file === file) ?? readMigrationFile(file));
  const others = project.filter(({ file }) => !files.includes(file));
  return { what: count(migrations.length), migrations, others };
}

const count = (length: number): string => `${length} ${length === 1 ? 'migration' : 'migrations'}`;

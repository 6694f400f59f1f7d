// Which migrations make the schema: those of this package, or those of the application that it was added to, which
// begin with copies of them and go on with the application's own. A folder that is not there is no error, because an
// application may be bundled without it; a journal that is there and can't be read always is.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from '../deploy/errors.ts';
import { hashMigration, type JournalEntry, readJournal } from '../deploy/migrations.ts';
import journal from '../lib/drizzle/meta/_journal.json' with { type: 'json' };
import { findInPackage } from './package-folder.ts';

/** The migrations that the code of this package was written for. */
export const ownMigrations: readonly JournalEntry[] = journal.entries;

const applicationFolder = join('lib', 'drizzle');

/**
 * The folder of SQL files: the one that is given; else `lib/drizzle` of the current folder, if it has this package's
 * first migration; else the package's own.
 */
export function findMigrationsFolder(given?: string): string {
  if (given !== undefined) return given;
  if (isOurs(applicationFolder)) return applicationFolder;
  return packageMigrationsFolder();
}

/** The package's own; where it can't be found, a folder that is then said to be unreadable. */
export function packageMigrationsFolder(): string {
  return findInPackage('drizzle') ?? applicationFolder;
}

/** Whether a folder's migrations begin with this package's. A journal that is damaged counts: what reads it says so. */
export function isOurs(folder: string): boolean {
  if (!existsSync(journalOf(folder))) return false;
  try {
    return readJournal(folder).some(({ when }) => when === ownMigrations[0]?.when);
  } catch (error) {
    if (error instanceof DeployError) return true;
    throw error;
  }
}

/** Whether all of this package's migrations are in a folder: what has them applied may be where its own begin. */
export function beginsWithOurs(folder: string): boolean {
  if (!existsSync(journalOf(folder))) return false;
  const times = new Set(readJournal(folder).map(({ when }) => when));
  return ownMigrations.every(({ when }) => times.has(when));
}

/** A migration that a database must have. */
export interface ExpectedMigration extends JournalEntry {
  /** The hash of its file, by which a copy under another time is recognised; undefined where the file is not there. */
  readHash(): string | undefined;
}

/**
 * What a database must have: the package's migrations, and the application's where their folder is there.
 * @throws DeployError MIGRATIONS_UNREADABLE
 */
export function expectedMigrations(given?: string): ExpectedMigration[] {
  const folder = findMigrationsFolder(given);
  const entries = existsSync(journalOf(folder)) ? readJournal(folder) : [];
  const times = new Set(ownMigrations.map(({ when }) => when));
  return [
    ...ownMigrations.map((entry) => withHash(entry, packageMigrationsFolder())),
    ...entries.filter(({ when }) => !times.has(when)).map((entry) => withHash(entry, folder)),
  ];
}

function withHash({ tag, when }: JournalEntry, folder: string): ExpectedMigration {
  const file = join(folder, `${tag}.sql`);
  return {
    tag,
    when,
    readHash: () => (existsSync(file) ? hashMigration(readFileSync(file, 'utf8')) : undefined),
  };
}

const journalOf = (folder: string): string => join(folder, 'meta', '_journal.json');

/** The name of the migration with this time in the journal; null for one that is not there. */
export function nameOfMigration(when: number): string | null {
  return ownMigrations.find((entry) => entry.when === when)?.tag ?? null;
}

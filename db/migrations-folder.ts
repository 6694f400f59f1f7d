// Which migrations make the schema: those of this package, or those of the application that it was added to, which
// begin with copies of them and go on with the application's own.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import journal from '../lib/drizzle/meta/_journal.json' with { type: 'json' };
import { findInPackage } from './package-folder.ts';

/** A migration as Drizzle's journal has it. */
export interface JournalEntry {
  /** The file's name without `.sql`. */
  tag: string;
  /** When it was generated: how a migration is recognised. */
  when: number;
}

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

/** A journal that is damaged counts: what reads it says so. */
function isOurs(folder: string): boolean {
  if (!existsSync(journalOf(folder))) return false;
  const entries = readEntries(folder);
  return entries === undefined || entries.some(({ when }) => when === ownMigrations[0]?.when);
}

/** What a database must have: the package's migrations, and the application's where their folder is there. */
export function expectedMigrations(given?: string): JournalEntry[] {
  const folder = findMigrationsFolder(given);
  const entries = existsSync(journalOf(folder)) ? (readEntries(folder) ?? []) : [];
  const times = new Set(ownMigrations.map(({ when }) => when));
  return [...ownMigrations, ...entries.filter(({ when }) => !times.has(when))];
}

const journalOf = (folder: string): string => join(folder, 'meta', '_journal.json');

function readEntries(folder: string): JournalEntry[] | undefined {
  try {
    const { entries } = JSON.parse(readFileSync(journalOf(folder), 'utf8')) as { entries?: JournalEntry[] };
    return Array.isArray(entries) ? entries : undefined;
  } catch {
    return undefined;
  }
}

/** The name of the migration with this time in the journal; null for one that is not there. */
export function nameOfMigration(when: number): string | null {
  return ownMigrations.find((entry) => entry.when === when)?.tag ?? null;
}

// The migrations of a Drizzle project: of the 0.45 layout (`meta/_journal.json`, and a SQL file for each entry) and of the
// 1.0 layout (a folder for each, with `migration.sql` in it). Reads files only; what of them a database has is history.ts.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DeployError } from './errors.ts';

export interface MigrationStatement {
  sql: string;
  /** Where the statement begins in its file, from 1. */
  line: number;
}

export interface Migration {
  /** The file's name without `.sql`, such as `0001_add_comments`; of the 1.0 layout the folder's. */
  name: string;
  file: string;
  /** Drizzle's `when`: the history row's created_at, which is how a migration of the 0.45 layout is recognised. */
  createdAt: number;
  /** SHA-256 of the file, in hexadecimal, as Drizzle stores it. */
  hash: string;
  layout: Layout;
  /** What stands between Drizzle's breakpoints; each may hold several statements of SQL. */
  statements: MigrationStatement[];
}

/** A migration as the journal names it. */
export interface JournalEntry {
  /** The file's name without `.sql`. */
  tag: string;
  /** When it was generated: how a migration is recognised. */
  when: number;
}

/** How a folder is laid out: by Drizzle 0.45 with a journal, by 1.0 with a folder for each migration. */
export type Layout = 'journal' | 'folders';

const breakpoint = '--> statement-breakpoint';
const folderName = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_/;

function findLayout(folder: string): Layout {
  if (existsSync(join(folder, 'meta', '_journal.json'))) return 'journal';
  return listFolders(folder).length > 0 ? 'folders' : 'journal';
}

/**
 * Reads the migrations of `folder`: in the order of its journal, or of the folders' names.
 * @throws DeployError MIGRATIONS_UNREADABLE when the journal or a file that it names can't be read
 */
export function readMigrations(folder: string): Migration[] {
  if (findLayout(folder) === 'folders') {
    return listFolders(folder).map((name) =>
      readMigration('folders', name, join(folder, name, 'migration.sql'), timeOf(name)),
    );
  }
  return readJournal(folder).map(({ tag, when }) => readMigration('journal', tag, join(folder, `${tag}.sql`), when));
}

/**
 * A SQL file, wherever it is, as a migration of its own.
 * @throws DeployError MIGRATIONS_UNREADABLE
 */
export function readMigrationFile(file: string): Migration {
  return readMigration('journal', basename(file, '.sql'), file, 0);
}

function readMigration(layout: Layout, name: string, file: string, createdAt: number): Migration {
  const text = readMigrationText(file);
  return { name, file, createdAt, hash: hashMigration(text), layout, statements: splitStatements(text) };
}

/** What Drizzle keeps of a file: its SHA-256, in hexadecimal. */
export function hashMigration(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Drizzle 1.0 takes the time from the name, in seconds. */
function timeOf(name: string): number {
  const [, year, month, day, hour, minute, second] = (folderName.exec(name) ?? []).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function listFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && folderName.test(entry.name))
    .map(({ name }) => name)
    .sort((one, other) => one.localeCompare(other)); // as Drizzle does
}

/**
 * The entries of a folder's journal, in its order.
 * @throws DeployError MIGRATIONS_UNREADABLE when it is not there, can't be read or is no journal
 */
export function readJournal(folder: string): JournalEntry[] {
  const file = join(folder, 'meta', '_journal.json');
  const text = readMigrationText(file);
  if (/^(<<<<<<<|>>>>>>>) /m.test(text)) {
    throw unreadable(
      file,
      'has the marks of a merge conflict',
      'Keep the entries of both sides, in the order of their "when", with "idx" counted anew; then `mytx status`.',
    );
  }
  try {
    const { entries } = JSON.parse(text) as { entries: JournalEntry[] };
    if (Array.isArray(entries) && entries.every((e) => typeof e.tag === 'string' && typeof e.when === 'number')) {
      return entries;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unreadable(file, 'is not a Drizzle journal (entries with tag and when)');
}

/** @throws DeployError MIGRATIONS_UNREADABLE */
export function readMigrationText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, `can't be read (${(cause as NodeJS.ErrnoException).code})`, undefined, cause);
  }
}

const restore = 'Generate the migrations with `npx drizzle-kit generate`, or restore the file from version control.';

function unreadable(file: string, problem: string, hint = restore, cause?: unknown): DeployError {
  return new DeployError({
    code: 'MIGRATIONS_UNREADABLE',
    message: `${file} ${problem}`,
    hint,
    details: { file },
    cause,
  });
}

function splitStatements(text: string): MigrationStatement[] {
  const statements: MigrationStatement[] = [];
  let line = 1;
  for (const part of text.split(breakpoint)) {
    const leading = /^\s*/.exec(part)?.[0] ?? '';
    const sql = part.trim();
    if (sql !== '') statements.push({ sql, line: line + countLines(leading) });
    line += countLines(part);
  }
  return statements;
}

export function countLines(text: string): number {
  return text.split('\n').length - 1;
}

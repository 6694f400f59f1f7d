// The migrations of a Drizzle project (0.45 layout: `meta/_journal.json` and a SQL file for each entry).
// Reads files only; what of them a database has is history.ts.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from './errors.ts';

export interface MigrationStatement {
  sql: string;
  /** Where the statement begins in its file, from 1. */
  line: number;
}

export interface Migration {
  /** The file's name without `.sql`, such as `0001_add_comments`. */
  name: string;
  file: string;
  /** Drizzle's `when`: the history row's created_at, which is how a migration is recognised. */
  createdAt: number;
  /** SHA-256 of the file, in hexadecimal, as Drizzle stores it. */
  hash: string;
  statements: MigrationStatement[];
}

/** A migration as the journal names it. */
export interface JournalEntry {
  /** The file's name without `.sql`. */
  tag: string;
  /** When it was generated: how a migration is recognised. */
  when: number;
}

const breakpoint = '--> statement-breakpoint';

/**
 * Reads the migrations of `folder` in the order of its journal.
 * @throws DeployError MIGRATIONS_UNREADABLE when the journal or a file that it names can't be read
 */
export function readMigrations(folder: string): Migration[] {
  return readJournal(folder).map(({ tag, when }) => {
    const file = join(folder, `${tag}.sql`);
    const text = read(file);
    return {
      name: tag,
      file,
      createdAt: when,
      hash: hashMigration(text),
      statements: splitStatements(text),
    };
  });
}

/** What Drizzle keeps of a file: its SHA-256, in hexadecimal. */
export function hashMigration(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The entries of a folder's journal, in its order.
 * @throws DeployError MIGRATIONS_UNREADABLE when it is not there, can't be read or is no journal
 */
export function readJournal(folder: string): JournalEntry[] {
  const file = join(folder, 'meta', '_journal.json');
  try {
    const { entries } = JSON.parse(read(file)) as { entries: JournalEntry[] };
    if (Array.isArray(entries) && entries.every((e) => typeof e.tag === 'string' && typeof e.when === 'number')) {
      return entries;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unreadable(file, 'is not a Drizzle journal (entries with tag and when)');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, `can't be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

function unreadable(file: string, problem: string, cause?: unknown): DeployError {
  return new DeployError({
    code: 'MIGRATIONS_UNREADABLE',
    message: `${file} ${problem}`,
    hint: 'Generate the migrations with `npx drizzle-kit generate`, or restore the file from version control.',
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

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

// The one migrator: takes the lock, compares files and history, and applies what is pending, each file in a
// transaction of its own with its history row. Two at once never both apply (Drizzle's own do, 20 times of 20).

import { DeployError } from './errors.ts';
import { compare, createHistory, readHistory, recordMigration } from './history.ts';
import { type LockOptions, withDeployLock } from './lock.ts';
import { type Migration, type MigrationStatement, readMigrations } from './migrations.ts';
import { type DeploySession, type PostgresFailure, textWithoutValues } from './session.ts';

export interface ApplyOptions extends LockOptions {
  /** The folder with the SQL files and `meta/_journal.json`. */
  folder: string;
  /**
   * Awaited before the first file where some are pending, with how many the database has: for a backup. What it throws
   * ends the run with nothing applied.
   */
  beforeApplying?(applied: number): Promise<void>;
  /** Called before each file. */
  onMigration?(migration: { name: string; number: number; of: number }): void;
}

export interface ApplyReport {
  /** Names of the files that were applied now, in their order. */
  applied: string[];
  /** Those of them that are older than what the database had already. */
  late: string[];
  /** Files that were applied earlier and have changed since: their change is not in the database. */
  edited: string[];
  /** What to tell people of late and edited files, a sentence each. */
  notes: string[];
  /** How many the database has now. */
  total: number;
}

/**
 * Brings a database up to the migrations of a folder.
 * @throws DeployError MIGRATION_FAILED with SQLSTATE, statement, file and line; what came before it stays applied
 * @throws DeployError MIGRATION_INTERRUPTED when the connection broke; run it again
 * @throws DeployError MIGRATION_LOCK_HELD, MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE
 */
export async function applyMigrations(session: DeploySession, options: ApplyOptions): Promise<ApplyReport> {
  const migrations = readMigrations(options.folder);
  return withDeployLock(session, options, async () => {
    await createHistory(session);
    const history = await readHistory(session);
    const { pending, late, edited } = compare(migrations, history);
    if (pending.length > 0) await options.beforeApplying?.(history.length);
    for (const [index, migration] of pending.entries()) {
      options.onMigration?.({ name: migration.name, number: index + 1, of: pending.length });
      await applyOne(session, migration, pending, index);
    }
    const names = (list: readonly Migration[]): string[] => list.map(({ name }) => name);
    return {
      applied: names(pending),
      late: names(late),
      edited: names(edited),
      notes: [
        ...late.map(({ name }) => `${name} is older than what the database had; it was applied now`),
        ...edited.map(({ name }) => `${name} was edited after it was applied; the edit is not in the database`),
      ],
      total: migrations.length,
    };
  });
}

async function applyOne(
  session: DeploySession,
  migration: Migration,
  pending: readonly Migration[],
  index: number,
): Promise<void> {
  let current: MigrationStatement | undefined;
  try {
    await session.script('begin');
    // A change from `timestamp` to `timestamptz` means what the session's time zone is.
    await session.script(`set local time zone 'UTC'`);
    for (const statement of migration.statements) {
      current = statement;
      await session.script(statement.sql);
    }
    current = undefined;
    await recordMigration(session, migration);
    await session.script('commit');
  } catch (error) {
    await session.script('rollback').catch(() => {}); // a broken session has rolled back already
    const failure = error as PostgresFailure;
    throw isAnswer(failure)
      ? failed(failure, migration, current, pending, index)
      : interrupted(failure, migration, pending, index);
  }
}

/** Whether PostgreSQL refused a statement; anything else is the connection's, or the end of the server (57P). */
function isAnswer({ code }: PostgresFailure): boolean {
  return /^[0-9A-Z]{5}$/.test(code ?? '') && !/^(08|57P|EPIPE)/.test(code ?? '');
}

function interrupted(
  { code }: PostgresFailure,
  { name }: Migration,
  pending: readonly Migration[],
  index: number,
): DeployError {
  const applied = pending.slice(0, index).map((migration) => migration.name);
  return new DeployError({
    code: 'MIGRATION_INTERRUPTED',
    message: [
      `the connection broke while ${name} was applied (${code ?? 'no reason given'})`,
      `applied before it: ${applied.join(', ') || 'nothing'}`,
      `${name} itself is applied whole or not at all: its history row says which`,
    ].join('\n'),
    hint: 'Run the same command again: it reads the history and goes on from there.',
    details: { migration: name, reason: code, applied },
  });
}

function failed(
  error: PostgresFailure,
  { name, file }: Migration,
  statement: MigrationStatement | undefined,
  pending: readonly Migration[],
  index: number,
): DeployError {
  const line = statement && statement.line + linesBefore(statement.sql, error.position);
  const applied = pending.slice(0, index).map((migration) => migration.name);
  const notApplied = pending.slice(index).map((migration) => migration.name);
  // No cause: the driver's error has a `detail` with the values of rows.
  return new DeployError({
    code: 'MIGRATION_FAILED',
    message: [
      `${name} failed at ${file}${line === undefined ? '' : `:${line}`} (SQLSTATE ${error.code ?? 'none'}): ${textWithoutValues(error)}`,
      ...(statement ? [`statement: ${shorten(statement.sql)}`] : []),
      `applied before it: ${applied.join(', ') || 'nothing'}`,
      `not applied: ${notApplied.join(', ')}`,
    ].join('\n'),
    hint: 'Correct the file (none of it was applied) and run the same command again.',
    details: { migration: name, file, line, sqlState: error.code, statement: statement?.sql, applied, notApplied },
  });
}

function linesBefore(sql: string, position: string | undefined): number {
  return position === undefined ? 0 : sql.slice(0, Number(position) - 1).split('\n').length - 1;
}

function shorten(sql: string): string {
  const oneLine = sql.replaceAll(/\s+/g, ' ');
  return oneLine.length > 200 ? `${oneLine.slice(0, 200)}...` : oneLine;
}

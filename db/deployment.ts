// mytx-ai/deploy: what of a Drizzle project's migrations a database has, and bringing it up to them. Works on any project.
// Prints nothing and ends no process: what is under way goes to `onEvent`.

import { type ApplyOptions, type ApplyReport, applyMigrations } from '../deploy/apply.ts';
import { type Comparison, compare } from '../deploy/comparison.ts';
import { DeployError } from '../deploy/errors.ts';
import {
  drizzleHistory,
  type HistoryTable,
  historyStatement,
  historyUnreadable,
  toApplied,
} from '../deploy/history.ts';
import { readMigrations } from '../deploy/migrations.ts';
import { type Acceptable, refuseDiverged } from '../deploy/refusals.ts';
import { hashPlan, readStatus, type StatusReport } from '../deploy/status.ts';
import { type DatabaseOptions, withDeploySessions } from './opening.ts';

export type { ApplyReport } from '../deploy/apply.ts';
export type { MigrationState } from '../deploy/comparison.ts';
export { DeployError, type DeployErrorCode } from '../deploy/errors.ts';
export type { DeployEvent } from '../deploy/events.ts';
export type { HistoryTable } from '../deploy/history.ts';
export type { Acceptable } from '../deploy/refusals.ts';
export type { MigrationStatus, StatusReport } from '../deploy/status.ts';

/** Which database, and which migrations. */
export interface DeployTarget extends Pick<DatabaseOptions, 'url' | 'folder' | 'allowPlaintext' | 'onProgress'> {
  /** The folder of the migrations, of Drizzle 0.45 or 1.0. */
  migrationsFolder: string;
  /** Where Drizzle keeps the history; `drizzle.__drizzle_migrations` unless given. */
  history?: HistoryTable;
}

export interface DatabaseStatus extends StatusReport {
  /** `host:port/database`, or where the embedded database is. */
  target: string;
}

/**
 * What of a folder's migrations a database has. Reads only.
 * @throws DeployError MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE; ConnectionError UNREACHABLE, ACCESS_REFUSED
 * @example const { isUpToDate, migrations } = await status({ url, migrationsFolder: 'drizzle' });
 */
export function status({ migrationsFolder, history, ...options }: DeployTarget): Promise<DatabaseStatus> {
  return withDeploySessions(options, async ({ session, target }) => ({
    target,
    ...(await readStatus(session, { folder: migrationsFolder, ...(history ? { history } : {}) })),
  }));
}

export interface DeployOptions
  extends DeployTarget,
    Pick<ApplyOptions, 'lockWaitMs' | 'lockTimeoutMs' | 'lockRetryMs' | 'onEvent' | 'signal'> {
  /** Applies migrations that are older than the newest applied one, too; without it they are refused. */
  includeLate?: boolean;
  /** Goes on although migrations are in these states. */
  accept?: readonly Acceptable[];
  /** The hash of the plan, as `status` gives it: refused where files or database are others by now. */
  confirm?: string;
  /** Without `confirm` nothing pending is applied. */
  needsConfirmation?: boolean;
}

export interface DeployReport extends ApplyReport {
  target: string;
  warnings: readonly string[];
}

/**
 * Brings a database up to the migrations of a folder: one deploy at a time, resumed where an earlier one was interrupted.
 * @throws DeployError as `applyMigrations`; DEPLOY_UNCONFIRMED; MIGRATION_LATE, MIGRATION_EDITED and its like
 * @example const { applied } = await deploy({ url, migrationsFolder: 'drizzle', onEvent: console.log });
 */
export function deploy(options: DeployOptions): Promise<DeployReport> {
  const { migrationsFolder, history, includeLate, accept, confirm, needsConfirmation, ...rest } = options;
  const { lockWaitMs, lockTimeoutMs, lockRetryMs, onEvent, signal, ...database } = rest;
  return withDeploySessions(database, async ({ session, lockSession, target, warnings, saveBefore }) => {
    const report = await applyMigrations(session, {
      folder: migrationsFolder,
      lockSession,
      ...(history ? { history } : {}),
      ...definedOf({ lockWaitMs, lockTimeoutMs, lockRetryMs, onEvent, signal }),
      onLockWait: ({ pid, waitedMs }) => onEvent?.({ type: 'lock-wait', pid, waitedMs }),
      async check(comparison): Promise<void> {
        refuseDiverged(comparison, definedOf({ includeLate, accept }));
        const hash = comparison.pending.length > 0 ? await hashPlan(session, comparison) : undefined;
        if (hash !== undefined) refuseUnconfirmed(hash, confirm, needsConfirmation === true, target, comparison);
      },
      beforeApplying: async (applied) => {
        if (applied > 0) await saveBefore('before migrations');
      },
    });
    return { ...report, target, warnings };
  });
}

function definedOf<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function refuseUnconfirmed(
  hash: string,
  confirm: string | undefined,
  needsConfirmation: boolean,
  target: string,
  { pending }: Comparison,
): void {
  if (confirm === hash || (confirm === undefined && !needsConfirmation)) return;
  const names = pending.map(({ name }) => name).join(', ');
  throw new DeployError({
    code: 'DEPLOY_UNCONFIRMED',
    message:
      confirm === undefined
        ? `${target} is protected: ${pending.length} pending (${names}) are applied only with the hash of the plan`
        : `the plan is not the one that was confirmed: files or database have changed (confirmed ${confirm.slice(0, 64)}, now ${hash})`,
    hint: `Read what would be applied (npx mytx status), then: npx mytx deploy --confirm ${hash}`,
    details: { hash, pending: pending.map(({ name }) => name) },
  });
}

/** A Drizzle database of any driver. */
export interface DrizzleLike {
  execute(query: string): PromiseLike<unknown>;
}

/**
 * For an application's start: refuses to go on with a database that is behind the migrations of a folder, or ahead of them.
 * One query.
 * @param allowAhead while a newer release is rolled out, the older one runs on a schema that is ahead
 * @throws DeployError SCHEMA_MISMATCH with the names; HISTORY_UNREADABLE
 * @example await requireSchema(db, { migrationsFolder: 'drizzle' });
 */
export async function requireSchema(
  db: DrizzleLike,
  { migrationsFolder, history, allowAhead = false }: Omit<DeployTarget, 'url' | 'folder'> & { allowAhead?: boolean },
): Promise<void> {
  const migrations = readMigrations(migrationsFolder);
  const { all } = compare(migrations, await readApplied(db, history ?? drizzleHistory));
  const of = (...states: string[]): string[] =>
    all.filter(({ state }) => states.includes(state)).map(({ name }) => name);
  const [behind, ahead] = [of('pending', 'late'), allowAhead ? [] : of('ahead')];
  if (behind.length + ahead.length === 0) return;
  throw new DeployError({
    code: 'SCHEMA_MISMATCH',
    message: [
      ...(behind.length > 0 ? [`the database lacks ${behind.join(', ')}`] : []),
      ...(ahead.length > 0 ? [`the database has what this code does not know: ${ahead.join(', ')}`] : []),
    ].join('; '),
    hint:
      behind.length > 0
        ? 'Bring it up to date before the application starts: npx mytx deploy'
        : 'Start the code that has these migrations; while a newer release is rolled out: allowAhead: true.',
    details: { behind, ahead },
  });
}

/** The rows, in the driver's own shape; none where no migration ever ran. */
async function executeOrNone(db: DrizzleLike, history: HistoryTable): Promise<unknown> {
  try {
    return await db.execute(historyStatement(history));
  } catch (cause) {
    const { code, cause: inner } = cause as { code?: string; cause?: { code?: string } };
    const sqlState = /^[0-9A-Z]{5}$/.test(code ?? '') ? code : inner?.code;
    if (sqlState === '42P01' || sqlState === '3F000') return [];
    if (sqlState === '42501') throw historyUnreadable(history, cause as { code?: string; message: string });
    throw cause;
  }
}

async function readApplied(db: DrizzleLike, history: HistoryTable): Promise<ReturnType<typeof toApplied>[]> {
  const result = await executeOrNone(db, history);
  const rows = Array.isArray(result) ? result : (result as { rows: unknown[] }).rows;
  return rows.map((row) => toApplied(row as Record<string, unknown>));
}

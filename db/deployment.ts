// What of a Drizzle project's migrations a database has, and bringing it up to them. Works on any project.

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
import { lintMigrations } from '../deploy/lint/lint.ts';
import { refuseErrors } from '../deploy/lint/refusal.ts';
import { lintDefaults } from '../deploy/lint/settings.ts';
import { readMigrations } from '../deploy/migrations.ts';
import { type PlanFacts, readPlan } from '../deploy/plan.ts';
import { hashPlan } from '../deploy/plan-hash.ts';
import { readMark, requireMark, writeMark } from '../deploy/project/environment-mark.ts';
import { type Acceptable, refuseDiverged } from '../deploy/refusals.ts';
import type { DeploySession } from '../deploy/session.ts';
import { readStatus, type StatusReport } from '../deploy/status.ts';
import {
  type DeployTarget,
  databaseOf,
  definedOf,
  type FoundTarget,
  findDeployTarget,
  isNotThereYet,
} from './deploy-target.ts';
import { withDeploySessions, withReadingSession } from './opening.ts';

export type { ApplyReport } from '../deploy/apply.ts';
export type { MigrationState } from '../deploy/comparison.ts';
export { DeployError, type DeployErrorCode } from '../deploy/errors.ts';
export type { DeployEvent } from '../deploy/events.ts';
export type { HistoryTable } from '../deploy/history.ts';
export type { PlannedChange, PlannedLock, PlannedStatement, PlannedStep } from '../deploy/plan.ts';
export { defineConfig, type MytxConfig } from '../deploy/project/mytx-config.ts';
export type { Acceptable } from '../deploy/refusals.ts';
export type { MigrationStatus, StatusReport } from '../deploy/status.ts';
export { type DeployTarget, type FoundTarget, findDeployTarget } from './deploy-target.ts';

export interface DatabaseStatus extends StatusReport {
  /** `host:port/database`, or where the embedded database is. */
  target: string;
  /** The environment whose name is stored in the database; null where none is. */
  environment: string | null;
}

/**
 * What of a project's migrations a database has. Reads only.
 * @throws DeployError MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE; ConnectionError UNREACHABLE, ACCESS_REFUSED
 * @example const { isUpToDate, migrations } = await status({ environment: 'production' });
 */
export async function status(options: DeployTarget = {}): Promise<DatabaseStatus> {
  const found = await findDeployTarget(options);
  const { migrationsFolder, history, folder } = found;
  if (isNotThereYet(found)) {
    const target = `embedded, ${folder} (not there yet)`;
    return { target, environment: null, ...(await readStatus(undefined, { folder: migrationsFolder })) };
  }
  return withReadingSession(databaseOf(found), async (session, target) => ({
    target,
    environment: (await readMark(session)) ?? null,
    ...(await readStatus(session, { folder: migrationsFolder, ...definedOf({ history }) })),
  }));
}

export interface PlanReport extends PlanFacts {
  /** `host:port/database`, or where the embedded database is. */
  target: string;
}

/**
 * What a deploy would do: each pending statement with its locks, what it reads or writes anew, an estimate in seconds, the
 * risk, and what it would wait for now. Reads only; a probe of the server's speed takes about 50 ms.
 * @throws DeployError MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE, LEDGER_UNREADABLE, MIGRATION_REFUSED; ConnectionError
 * @example const { migrations, risk, hash } = await plan({ environment: 'production' });
 */
export async function plan(options: DeployTarget = {}): Promise<PlanReport> {
  const found = await findDeployTarget(options);
  const { migrationsFolder, history, folder } = found;
  if (isNotThereYet(found)) {
    return {
      target: `embedded, ${folder} (not there yet)`,
      ...(await readPlan(undefined, { folder: migrationsFolder })),
    };
  }
  return withReadingSession(databaseOf(found), async (session, target) => ({
    target,
    ...(await readPlan(session, { folder: migrationsFolder, ...definedOf({ history }) })),
  }));
}

export interface DeployOptions
  extends DeployTarget,
    Pick<ApplyOptions, 'lockWaitMs' | 'lockTimeoutMs' | 'lockRetryMs' | 'replicaLagBytes' | 'onEvent' | 'signal'> {
  /** Applies migrations that are older than the newest applied one, too; without it they are refused. */
  includeLate?: boolean;
  /** Goes on although migrations are in these states. */
  accept?: readonly Acceptable[];
  /** The hash of the plan, as `status` gives it: refused where files or database are others by now. */
  confirm?: string;
  /** Whether what is pending is linted before, and refused where there are errors; true unless given. */
  lint?: boolean;
}

export interface DeployReport extends ApplyReport {
  target: string;
  warnings: readonly string[];
}

/**
 * Brings a database up to a project's migrations: one deploy at a time, resumed where an earlier one was interrupted.
 * @throws DeployError as `applyMigrations`; DEPLOY_UNCONFIRMED; MIGRATION_LATE, MIGRATION_EDITED and their like
 * @throws DeployError ENVIRONMENT_MISMATCH for a database that is marked as another environment's
 * @throws DeployError LINT_REFUSED where the lint finds errors in what is pending
 * @example const { applied } = await deploy({ environment: 'staging', onEvent: console.log });
 */
export async function deploy(options: DeployOptions = {}): Promise<DeployReport> {
  const found = await findDeployTarget(options);
  const { migrationsFolder, history, isProtected, environment } = found;
  const { includeLate, accept, confirm, lockWaitMs, lockTimeoutMs, lockRetryMs, replicaLagBytes, onEvent, signal } =
    options;
  return withDeploySessions(databaseOf(found), async ({ session, lockSession, target, warnings, saveBefore }) => {
    const mark = async (): Promise<void> => {
      if (environment !== undefined) await writeMark(session, environment);
    };
    const report = await applyMigrations(session, {
      folder: migrationsFolder,
      lockSession,
      ...definedOf({ history, lockWaitMs, lockTimeoutMs, lockRetryMs, replicaLagBytes, onEvent, signal }),
      onLockWait: ({ pid, waitedMs }) => onEvent?.({ type: 'lock-wait', pid, waitedMs }),
      async check(comparison): Promise<void> {
        if (environment !== undefined) await requireMark(session, environment);
        refuseDiverged(comparison, definedOf({ includeLate, accept }));
        if (comparison.pending.length === 0) return mark();
        if (options.lint !== false) await lintPending(session, comparison, found, onEvent);
        if (confirm === undefined && !isProtected) return;
        refuseUnconfirmed(await hashPlan(session, comparison), confirm, target, comparison);
      },
      // Behind all that may refuse.
      beforeApplying: async (applied) => {
        await mark();
        if (applied > 0) await saveBefore('before migrations');
      },
    });
    return { ...report, target, warnings };
  });
}

const lintBeforeDeploy = { others: [], deployed: undefined, version: undefined, isStrict: undefined };

/** @throws DeployError LINT_REFUSED */
async function lintPending(
  session: DeploySession,
  { pending }: Comparison,
  { lintSettings = lintDefaults }: FoundTarget,
  onEvent: DeployOptions['onEvent'],
): Promise<void> {
  const report = await lintMigrations({ ...lintBeforeDeploy, migrations: pending, session, settings: lintSettings });
  const { findings, errors, warnings } = report;
  if (findings.length > 0) onEvent?.({ type: 'lint', errors, warnings, findings });
  refuseErrors(report);
}

function refuseUnconfirmed(hash: string, confirm: string | undefined, target: string, { pending }: Comparison): void {
  if (confirm === hash) return;
  const names = pending.map(({ name }) => name).join(', ');
  throw new DeployError({
    code: 'DEPLOY_UNCONFIRMED',
    message:
      confirm === undefined
        ? `${target} is protected: ${pending.length} pending (${names}) are applied only with the hash of the plan`
        : `the plan is not the one that was confirmed: files or database have changed (confirmed ${confirm.slice(0, 64)}, now ${hash})`,
    hint: `Read what would be applied (npx mytx plan), then: npx mytx deploy --confirm ${hash}`,
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
  {
    migrationsFolder,
    history,
    allowAhead = false,
  }: { migrationsFolder: string; history?: HistoryTable; allowAhead?: boolean },
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

// The one migrator: takes the lock, compares files and history, and applies what is pending: each migration in a transaction
// of its own with its history row or, where that is impossible, step by step with a ledger. Two at once never both apply
// (Drizzle's own do, 20 times of 20). Killed at any point, the next run goes on where this one was.

import { type Comparison, compare } from './comparison.ts';
import { DeployError } from './errors.ts';
import type { OnEvent } from './events.ts';
import { createHistory, type HistoryTable, lookFor, readHistory, recordMigration } from './history.ts';
import { type LockOptions, stopIfAsked, withDeployLock } from './lock.ts';
import { type Migration, type MigrationStatement, readMigrations } from './migrations.ts';
import { refuseDuplicated } from './refusals.ts';
import { holdsLock, inTransaction, type Patience, type Place, type Run } from './run.ts';
import { type DeploySession, isAnswer, type PostgresFailure, textWithoutValues } from './session.ts';
import { type BackfillStep, backfillStep } from './steps/backfill-step.ts';
import { createLedger, type LedgerStep, readLedger } from './steps/ledger.ts';
import { type LoneStep, loneStep } from './steps/lone-step.ts';
import type { RunnableStep, StepContext } from './steps/step-shape.ts';
import { type PlannedMigration, planMigration, type Step, shorten } from './steps/steps.ts';
import { runStatements, type TransactionStep, transactionStep } from './steps/transaction-step.ts';

export interface ApplyOptions extends LockOptions, Partial<Patience> {
  /** The folder with the migrations: `meta/_journal.json` and SQL files, or a folder for each. */
  folder: string;
  /** Where Drizzle keeps the history; its own default unless given. */
  history?: HistoryTable;
  /** A session of its own for the lock, from which the other one is looked at; the same one unless given. */
  lockSession?: DeploySession;
  /** Looks at files and history before anything is written, and throws where they must not be deployed. */
  check?(comparison: Comparison): Promise<void> | void;
  /**
   * Awaited before the first file where some are pending, with how many the database has: for a backup. What it throws
   * ends the run with nothing applied.
   */
  beforeApplying?(applied: number): Promise<void>;
  /** Called before each file. */
  onMigration?(migration: { name: string; number: number; of: number }): void;
  onEvent?: OnEvent;
  /** Stops the run between two steps. */
  signal?: AbortSignal;
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
 * @throws DeployError MIGRATION_REFUSED, MIGRATION_CHANGED, DEPLOY_STOPPED
 * @throws DeployError MIGRATION_LOCK_HELD, MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE, LEDGER_UNREADABLE
 */
export async function applyMigrations(session: DeploySession, options: ApplyOptions): Promise<ApplyReport> {
  const migrations = readMigrations(options.folder);
  const lock = options.lockSession ?? session;
  return withDeployLock(lock, options, async () => {
    const history = await readHistory(session, options.history);
    const comparison = compare(migrations, history);
    refuseDuplicated(comparison);
    await options.check?.(comparison);
    const { pending, late, edited } = comparison;
    const planned: PlannedMigration[] = [];
    for (const migration of pending) planned.push(await planMigration(migration));
    await createHistory(session, options.history, migrations[0]?.layout);
    if (planned.length > 0) {
      await options.beforeApplying?.(history.length);
      await applyAll(await startRun(session, lock, options), planned, options);
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

async function startRun(session: DeploySession, lock: DeploySession, options: ApplyOptions): Promise<Run> {
  const [row] = await session.query('select pg_backend_pid()::text as pid');
  const { lockTimeoutMs = 500, lockRetryMs = 120_000, replicaLagBytes = 64 * 1024 * 1024, signal, onEvent } = options;
  const tell: OnEvent = (event) => onEvent?.(event);
  const patience: Patience = { lockTimeoutMs, lockRetryMs, replicaLagBytes };
  return { session, lock, pid: Number(row?.pid), ...patience, signal, onEvent: tell };
}

async function applyAll(run: Run, planned: readonly PlannedMigration[], options: ApplyOptions): Promise<void> {
  for (const [index, one] of planned.entries()) {
    const { name } = one.migration;
    stopIfAsked(run);
    options.onMigration?.({ name, number: index + 1, of: planned.length });
    run.onEvent({ type: 'migration', name, number: index + 1, of: planned.length, steps: one.steps.length });
    const sinceMs = performance.now();
    await applyOne(run, one, planned, index, options.history);
    run.onEvent({ type: 'migration-done', name, tookMs: performance.now() - sinceMs });
  }
}

/** Where a run is, for the text of a failure. */
interface Where {
  step: Step | undefined;
  statement: MigrationStatement | undefined;
  /** The steps of the migration that are done, by this run or an earlier one. */
  done: { number: number; shape: RunnableStep }[];
}

async function applyOne(
  run: Run,
  planned: PlannedMigration,
  all: readonly PlannedMigration[],
  index: number,
  history: HistoryTable | undefined,
): Promise<void> {
  const where: Where = { step: undefined, statement: undefined, done: [] };
  try {
    if (planned.isWhole) await applyWhole(run, planned, where, history);
    else await applyInSteps(run, planned, where, history);
  } catch (error) {
    if (error instanceof DeployError) throw error;
    const failure = error as PostgresFailure;
    if (!isAnswer(failure)) throw interrupted(failure, planned, all, index);
    throw failed(failure, planned, where, await waysBack(where), all, index);
  }
}

async function applyWhole(
  run: Run,
  { migration, steps }: PlannedMigration,
  where: Where,
  history: HistoryTable | undefined,
): Promise<void> {
  const [step] = steps;
  await inTransaction(run, { migration: migration.name, step: 1 }, async () => {
    // An earlier run may have committed it since the history was read.
    const facts = await lookFor(run.session, migration, history);
    if (facts.isThere) return;
    if (step) await runStatements({ run, step, onStatement: noteIn(where, step) });
    where.statement = undefined;
    await recordMigration(run.session, migration, facts, history);
  });
}

function noteIn(where: Where, step: Step): StepContext['onStatement'] {
  return (statement): void => {
    where.step = step;
    where.statement = statement;
  };
}

async function applyInSteps(
  run: Run,
  planned: PlannedMigration,
  where: Where,
  history: HistoryTable | undefined,
): Promise<void> {
  const { migration, steps } = planned;
  await createLedger(run.session);
  const ledger = await readLedger(run.session, planned);
  refuseChanged(planned, ledger);
  for (const step of steps) {
    const found = ledger.get(step.number);
    const begun = found?.hash === step.hash ? found : undefined;
    const place: Place = { migration: migration.name, step: step.number };
    const shape = shapeOf({ run, place, planned, step, begun, onStatement: noteIn(where, step) });
    if (begun?.state !== 'done') {
      stopIfAsked(run);
      await holdsLock(run);
      noteIn(where, step)(step.statements[0] as MigrationStatement);
      await runStep(run, shape, { place, of: steps.length, kind: step.kind, isResumed: begun !== undefined });
    }
    where.done.push({ number: step.number, shape });
  }
  where.step = undefined;
  where.statement = undefined;
  await inTransaction(run, { migration: migration.name, step: steps.length }, async () => {
    const facts = await lookFor(run.session, migration, history);
    if (!facts.isThere) await recordMigration(run.session, migration, facts, history);
  });
}

function shapeOf(context: StepContext): RunnableStep {
  switch (context.step.kind) {
    case 'transaction':
      return transactionStep(context as StepContext<TransactionStep>);
    case 'alone':
      return loneStep(context as StepContext<LoneStep>);
    case 'backfill':
      return backfillStep(context as StepContext<BackfillStep>);
  }
}

async function runStep(
  { onEvent }: Run,
  shape: RunnableStep,
  { place, ...facts }: { place: Place; of: number; kind: Step['kind']; isResumed: boolean },
): Promise<void> {
  const sinceMs = performance.now();
  onEvent({ type: 'step', ...place, ...facts, statement: shape.describe() });
  await shape.run(await shape.check());
  onEvent({ type: 'step-done', ...place, tookMs: performance.now() - sinceMs });
}

/** Of each step that is done how it is taken back; none where the session can't be asked any more. */
async function waysBack({ done }: Where): Promise<string[]> {
  try {
    const lines: string[] = [];
    for (const { number, shape } of done.toReversed()) {
      const { statements, what } = await shape.undo();
      lines.push(`step ${number}: ${statements.join('; ') || what}`);
    }
    return lines;
  } catch {
    return [];
  }
}

/** What is done can't be edited any more; the step that failed, and those behind it, can. */
function refuseChanged({ migration, steps }: PlannedMigration, ledger: ReadonlyMap<number, LedgerStep>): void {
  const hashes = new Map(steps.map(({ number, hash }) => [number, hash]));
  const changed = [...ledger.values()].filter(({ number, hash, state, position }) => {
    const mustStay = state === 'done' || position !== undefined;
    return mustStay && hashes.get(number) !== hash;
  });
  const [first] = changed;
  if (!first) return;
  throw new DeployError({
    code: 'MIGRATION_CHANGED',
    message: `${migration.name} is half applied, and step ${first.number} of it, which is done, is another one in the file now`,
    hint: `Put the beginning of ${migration.file} back as it was (version control has it), run this again, and make further changes in a new migration.`,
    details: { migration: migration.name, file: migration.file, step: first.number },
  });
}

const namesOf = (planned: readonly PlannedMigration[]): string[] => planned.map(({ migration }) => migration.name);

function interrupted(
  { code }: PostgresFailure,
  { migration: { name }, isWhole }: PlannedMigration,
  all: readonly PlannedMigration[],
  index: number,
): DeployError {
  const applied = namesOf(all.slice(0, index));
  return new DeployError({
    code: 'MIGRATION_INTERRUPTED',
    message: [
      `the connection broke while ${name} was applied (${code ?? 'no reason given'})`,
      `applied before it: ${applied.join(', ') || 'nothing'}`,
      isWhole
        ? `${name} itself is applied whole or not at all: its history row says which`
        : `the steps of ${name} that are done are in mytx_deploy.step`,
    ].join('\n'),
    hint: 'Run the same command again: it reads the history and goes on from there.',
    details: { migration: name, reason: code, applied },
  });
}

function failed(
  error: PostgresFailure,
  { migration: { name, file }, isWhole, steps }: PlannedMigration,
  { step, statement }: Where,
  undo: readonly string[],
  all: readonly PlannedMigration[],
  index: number,
): DeployError {
  const line = statement && statement.line + linesBefore(statement.sql, error.position);
  const applied = namesOf(all.slice(0, index));
  const notApplied = namesOf(all.slice(index));
  const stepsDone = isWhole || !step ? undefined : step.number - 1;
  // No cause: the driver's error has a `detail` with the values of rows.
  return new DeployError({
    code: 'MIGRATION_FAILED',
    message: [
      `${name} failed at ${file}${line === undefined ? '' : `:${line}`} (SQLSTATE ${error.code ?? 'none'}): ${textWithoutValues(error)}`,
      ...(statement ? [`statement: ${shorten(statement.sql)}`] : []),
      `applied before it: ${applied.join(', ') || 'nothing'}`,
      ...(stepsDone === undefined ? [] : [`of ${name}: ${stepsDone} of ${steps.length} steps are done, and stay`]),
      `not applied: ${notApplied.join(', ')}`,
    ].join('\n'),
    hint: hintFor(error, isWhole),
    details: {
      migration: name,
      file,
      line,
      sqlState: error.code,
      statement: statement?.sql,
      applied,
      notApplied,
      ...(stepsDone === undefined ? {} : { stepsDone, undo }),
    },
  });
}

function hintFor({ code }: PostgresFailure, isWhole: boolean): string {
  if (code === '55P03') {
    return 'Somebody held the lock all the time: find the session that is long in a transaction in pg_stat_activity, end it or wait for it, and run the same command again.';
  }
  return isWhole
    ? 'Correct the file (none of it was applied) and run the same command again.'
    : 'Correct the statement in the file (leave the steps that are done as they are) and run the same command again: it goes on there.';
}

function linesBefore(sql: string, position: string | undefined): number {
  return position === undefined ? 0 : sql.slice(0, Number(position) - 1).split('\n').length - 1;
}

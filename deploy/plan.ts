// What a deploy would do: each pending statement with its step, its locks, what it reads or writes anew, how long that takes
// and what it would wait for now. Reads only. What the statements before it change is followed.

import {
  type Catalogue,
  type LongTransaction,
  readCatalogue,
  readLongTransactions,
  seesEveryTransaction,
} from './catalogue.ts';
import { type Comparison, compare, type MigrationState } from './comparison.ts';
import { type Grammar, loadGrammar } from './grammar.ts';
import { type HistoryTable, readHistory } from './history.ts';
import { type Migration, readMigrations } from './migrations.ts';
import { operationsOf } from './operations/classify.ts';
import { type Estimate, estimate, instantBelowSeconds, measureSlowness } from './operations/estimate.ts';
import { follow } from './operations/follow.ts';
import { type Known, knownFrom } from './operations/known.ts';
import { areInConflict, type LockMode, modeFromServer, strongerMode } from './operations/locks.ts';
import type { Operation } from './operations/operation.ts';
import { type OperationId, operations } from './operations/operations.ts';
import { hashPlan } from './plan-hash.ts';
import { assess, highest, type Risk, shortName } from './risk.ts';
import type { DeploySession } from './session.ts';
import { readLedger } from './steps/ledger.ts';
import { planMigration, type Step, type StepKind } from './steps/steps.ts';

export interface PlannedLock {
  /** `schema.name`. */
  relation: string;
  mode: LockMode;
  /** Made by a statement before it: nobody waits for it. */
  isNew: boolean;
}

export interface PlannedOperation {
  id: OperationId;
  /** In words. */
  title: string;
  /** What could not be known, and is taken for true; null where all is known. */
  assumed: string | null;
}

export interface PlannedStatement {
  /** In the file, from 1. */
  line: number;
  sql: string;
  operations: PlannedOperation[];
  /** Of tables, the strongest of each. */
  locks: PlannedLock[];
  /** Tables that it reads whole, writes anew, or builds an index of, as `schema.name`. */
  scans: string[];
  rewrites: string[];
  builds: string[];
  /** In seconds; null where it can't be said. */
  estimate: Estimate | null;
  /** It is as good as nothing. */
  isInstant: boolean;
  risk: Risk;
  /** Why, a sentence each. */
  reasons: string[];
}

export interface PlannedStep {
  /** From 1. */
  number: number;
  kind: StepKind;
  /** An earlier run has done it. */
  isDone: boolean;
  statements: PlannedStatement[];
}

export interface PlannedChange {
  name: string;
  file: string;
  state: MigrationState;
  /** One transaction, with its row of the history. */
  isWhole: boolean;
  steps: PlannedStep[];
}

export interface PlanFacts {
  /** The pending migrations, in the order of the files. */
  migrations: PlannedChange[];
  /** The sum of the statements that an estimate is known of, in seconds. */
  estimate: Estimate;
  risk: Risk;
  /** Of transactions of other roles it can't be said how long they are open: `waits` has only those of this role. */
  seesEveryTransaction: boolean;
  /** The same as `planHash` of status. */
  hash: string | null;
}

/** A transaction that is open for so long is one that a deploy may have to wait for. */
const longSeconds = 5;

interface Surroundings {
  grammar: Grammar;
  slowness: number;
  long: LongTransaction[];
}

/**
 * @param session undefined for a database that is not there yet
 * @throws DeployError MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE, LEDGER_UNREADABLE, MIGRATION_REFUSED
 */
export async function readPlan(
  session: DeploySession | undefined,
  { folder, history }: { folder: string; history?: HistoryTable },
): Promise<PlanFacts> {
  const comparison = compare(readMigrations(folder), session ? await readHistory(session, history) : []);
  const none: PlanFacts = {
    migrations: [],
    estimate: { seconds: 0, from: 0, to: 0 },
    risk: 'none',
    seesEveryTransaction: true,
    hash: null,
  };
  if (comparison.pending.length === 0) return none;
  let known = knownFrom(session ? await readCatalogue(session) : emptyCatalogue);
  const surroundings: Surroundings = {
    grammar: await loadGrammar(),
    slowness: session ? await measureSlowness(session) : 1,
    long: session ? await readLongTransactions(session, longSeconds) : [],
  };
  const migrations: PlannedChange[] = [];
  for (const migration of comparison.pending) {
    const { isWhole, steps, known: behind } = await planOne(session, migration, known, surroundings);
    known = behind;
    const { name, file } = migration;
    migrations.push({ name, file, state: stateOf(comparison, migration), isWhole, steps });
  }
  const statements = migrations.flatMap(({ steps }) => steps.flatMap((step) => step.statements));
  return {
    migrations,
    estimate: sumOf(statements.map((one) => one.estimate)),
    risk: highest(statements.map(({ risk }) => risk)),
    seesEveryTransaction: session ? await seesEveryTransaction(session) : true,
    hash: session ? await hashPlan(session, comparison) : null,
  };
}

/** Of the embedded database before it is made. */
const emptyCatalogue: Catalogue = { version: 18, searchPath: ['public'], tables: new Map() };

function stateOf({ all }: Comparison, migration: Migration): MigrationState {
  return all.find((one) => one.migration === migration)?.state ?? 'pending';
}

function sumOf(estimates: readonly (Estimate | null | undefined)[]): Estimate {
  const sum = (of: keyof Estimate): number => estimates.reduce((all, one) => all + (one?.[of] ?? 0), 0);
  return { seconds: sum('seconds'), from: sum('from'), to: sum('to') };
}

async function planOne(
  session: DeploySession | undefined,
  migration: Migration,
  before: Known,
  surroundings: Surroundings,
): Promise<{ isWhole: boolean; steps: PlannedStep[]; known: Known }> {
  const planned = await planMigration(migration);
  const ledger = session && !planned.isWhole ? await readLedger(session, planned) : new Map();
  const steps: PlannedStep[] = [];
  let known = before;
  for (const step of planned.steps) {
    const { number, kind } = step;
    const isDone = ledger.get(number)?.state === 'done';
    const found = planStep(step, known, surroundings);
    if (!isDone) known = found.known;
    steps.push({ number, kind, isDone, statements: isDone ? [] : found.statements });
  }
  return { isWhole: planned.isWhole, steps, known };
}

interface Read {
  line: number;
  sql: string;
  operations: Operation[];
  estimates: (Estimate | undefined)[];
  known: Known;
}

function planStep(
  step: Step,
  before: Known,
  surroundings: Surroundings,
): { statements: PlannedStatement[]; known: Known } {
  let known = before;
  const read = step.statements.flatMap(({ sql, line }): Read[] => {
    const parsed = surroundings.grammar.parse(sql);
    if (!parsed) return [{ line, sql, operations: [unreadable], estimates: [undefined], known }];
    return parsed.map((statement) => {
      const found = operationsOf(statement, known);
      const estimates = found.map((operation) => estimate(operation, known, surroundings.slowness));
      const one = { line: line + statement.line, sql: statement.sql, operations: found, estimates, known };
      known = follow(statement, known);
      return one;
    });
  });
  return { statements: read.map((one, index) => toStatement(one, heldBehind(step, read, index), surroundings)), known };
}

const unreadable: Operation = {
  id: 'other',
  relations: {},
  locks: [],
  scans: [],
  rewrites: [],
  builds: [],
  assumed: 'PostgreSQL’s grammar does not know it: it will be refused',
};

/** Locks are held until the transaction ends; those of a batch for a batch. */
function heldBehind({ kind }: Step, read: readonly Read[], index: number): number | undefined {
  if (kind === 'backfill') return backfillHoldsSeconds;
  const rest = read.slice(index).flatMap(({ estimates }) => estimates);
  return rest.reduce<number | undefined>(
    (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one.to),
    0,
  );
}

/** What a batch aims at is 40 ms. */
const backfillHoldsSeconds = 0.08;

function toStatement(
  { line, sql, operations: found, estimates, known }: Read,
  held: number | undefined,
  { long }: Surroundings,
): PlannedStatement {
  const assessments = found.map((operation) => assess(operation, known, held));
  const locks = locksOf(found);
  const waits = waitsOf(found, locks, long);
  const whole = estimates.includes(undefined) ? null : sumOf(estimates);
  const tables = (what: 'scans' | 'rewrites' | 'builds'): string[] => [...new Set(found.flatMap((one) => one[what]))];
  return {
    line,
    sql,
    operations: found.map(({ id, assumed }) => ({ id, title: operations[id].title, assumed: assumed ?? null })),
    locks,
    scans: tables('scans'),
    rewrites: tables('rewrites'),
    builds: tables('builds'),
    estimate: whole,
    isInstant: whole !== null && whole.to < instantBelowSeconds,
    risk: highest([...assessments.map(({ risk }) => risk), ...(waits.length > 0 ? (['medium'] as const) : [])]),
    reasons: [...new Set([...assessments.flatMap(({ reasons }) => reasons), ...waits])],
  };
}

function locksOf(found: readonly Operation[]): PlannedLock[] {
  const byRelation = new Map<string, PlannedLock>();
  for (const { relation, mode, isNew, role } of found.flatMap(({ locks }) => locks)) {
    if (role === 'index') continue;
    const before = byRelation.get(relation);
    byRelation.set(relation, { relation, mode: before ? strongerMode(before.mode, mode) : mode, isNew });
  }
  return [...byRelation.values()];
}

/** Transactions that are open for long now and, if they still are then, keep it waiting. */
function waitsOf(
  found: readonly Operation[],
  locks: readonly PlannedLock[],
  long: readonly LongTransaction[],
): string[] {
  const isConcurrent = found.some(({ id }) => 'isConcurrent' in operations[id]);
  return long.flatMap((transaction) => {
    const { pid, seconds, state } = transaction;
    const who = `process ${pid}, whose transaction is open for ${seconds} s (${state})`;
    const held = transaction.locks.find((lock) =>
      locks.some((one) => one.relation === lock.table && areInConflict(one.mode, modeFromServer(lock.mode))),
    );
    if (held) return [`it would wait now for ${who} and holds ${shortName(held.table)}`];
    return isConcurrent ? [`it would wait now for ${who}: CONCURRENTLY waits for all that are older`] : [];
  });
}

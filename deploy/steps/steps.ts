// A migration as the steps that it runs in. Where nothing in it forbids it that is one transaction, with its history row;
// else each step is committed by itself, and the ledger (ledger.ts) says which ones are done.

import { createHash } from 'node:crypto';
import { DeployError } from '../errors.ts';
import type { Migration } from '../migrations.ts';
import { type BackfillUpdate, type LoneAction, readStatements, type SqlStatement } from '../sql-statements.ts';

export type StepKind = 'transaction' | 'alone' | 'backfill';

interface StepFacts {
  /** From 1, in the order of the file. */
  number: number;
  /** SHA-256 of its statements: a step that is done must still be the same one. */
  hash: string;
  /** In the order of the file. */
  statements: readonly SqlStatement[];
}

export type Step = StepFacts &
  ({ kind: 'transaction' } | { kind: 'alone'; action: LoneAction } | { kind: 'backfill'; update: BackfillUpdate });

export interface PlannedMigration {
  migration: Migration;
  steps: readonly Step[];
  /** All of it is one transaction, with the history row: nothing of it is ever there without the other. */
  isWhole: boolean;
}

/** @throws DeployError MIGRATION_REFUSED for what can't be run so that an interruption is safe */
export async function planMigration(migration: Migration): Promise<PlannedMigration> {
  const statements = await readStatements(migration);
  for (const statement of statements) if (statement.run.as === 'refused') throw refused(migration, statement);
  const steps: Step[] = [];
  for (const group of groupsOf(statements)) steps.push(toStep(group, steps.length + 1));
  return { migration, steps, isWhole: steps.every(({ kind }) => kind === 'transaction') && steps.length <= 1 };
}

/**
 * What needs no more than a transaction is one group; in a migration of several steps as far as it follows one another and
 * takes the lock of one table: who waits for a second one holds up all who use the first.
 */
function groupsOf(statements: readonly SqlStatement[]): SqlStatement[][] {
  if (statements.every(({ run }) => run.as === 'plain')) return statements.length > 0 ? [[...statements]] : [];
  const groups: SqlStatement[][] = [];
  for (const statement of statements) {
    const last = groups.at(-1);
    if (last && fits(last, statement)) last.push(statement);
    else groups.push([statement]);
  }
  return groups;
}

function fits(group: readonly SqlStatement[], { run }: SqlStatement): boolean {
  if (run.as !== 'plain' || group[0]?.run.as !== 'plain') return false;
  const locked = group.map((one) => one.run.as === 'plain' && one.run.table).find(Boolean);
  return !locked || run.table === undefined || run.table === locked;
}

function toStep(statements: SqlStatement[], number: number): Step {
  const hash = createHash('sha256')
    .update(statements.map(({ sql }) => sql).join('\0'))
    .digest('hex');
  const { run } = statements[0] as SqlStatement;
  const facts = { number, hash, statements };
  if (run.as === 'alone') return { ...facts, kind: 'alone', action: run.action };
  if (run.as === 'backfill') return { ...facts, kind: 'backfill', update: run.update };
  return { ...facts, kind: 'transaction' };
}

function refused({ name, file }: Migration, { sql, line, run }: SqlStatement): DeployError {
  const { why, hint } = run as Extract<SqlStatement['run'], { as: 'refused' }>;
  return new DeployError({
    code: 'MIGRATION_REFUSED',
    message: [`${name} is not applied: ${file}:${line}: ${why}`, `statement: ${shorten(sql)}`].join('\n'),
    hint,
    details: { migration: name, file, line, statement: sql },
  });
}

/** A statement in one line, as far as it is worth reading. */
export function shorten(sql: string): string {
  const oneLine = sql.replaceAll(/\s+/g, ' ').trim();
  return oneLine.length > 200 ? `${oneLine.slice(0, 200)}...` : oneLine;
}

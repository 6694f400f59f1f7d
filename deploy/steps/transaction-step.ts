// Steps that are a transaction: all of one is there, with what the ledger says of it, or nothing.

import { inTransaction } from '../run.ts';
import { finishStep, readLedger, startStep } from './ledger.ts';
import type { RunnableStep, StepContext, Undo } from './step-shape.ts';
import { type Step, shorten } from './steps.ts';

export type TransactionStep = Extract<Step, { kind: 'transaction' }>;

export function transactionStep(context: StepContext<TransactionStep>): RunnableStep {
  const { run, place, planned, step } = context;
  const check: RunnableStep['check'] = async () => {
    const ledger = await readLedger(run.session, planned);
    return ledger.get(step.number)?.state === 'done' ? 'done' : 'not done';
  };
  return {
    check,
    run: () =>
      inTransaction(run, place, async () => {
        await startStep(run.session, planned, step);
        // Behind that, which waits for the COMMIT of an earlier run, it may be done.
        if ((await check()) === 'done') return;
        await runStatements(context);
        await finishStep(run.session, planned, step);
      }),
    describe(): string {
      const more = step.statements.length - 1;
      return `${shorten(step.statements[0]?.sql ?? '')}${more > 0 ? ` (and ${more} more)` : ''}`;
    },
    async undo(): Promise<Undo> {
      const what =
        (await check()) === 'done'
          ? 'it is committed: what takes it back is a migration of its own'
          : 'nothing of it is there: PostgreSQL has rolled it back';
      return { statements: [], what };
    },
  };
}

/** Runs a step's statements, within the transaction that there is. */
export async function runStatements({
  run: { session },
  step,
  onStatement,
}: Pick<StepContext, 'run' | 'step' | 'onStatement'>): Promise<void> {
  for (const statement of step.statements) {
    onStatement(statement);
    await session.script(statement.sql);
  }
}

// The one shape of a step, whatever its kind: what there is of it, doing it, naming it, and taking it back.

import type { MigrationStatement } from '../migrations.ts';
import type { Place, Run } from '../run.ts';
import type { LedgerStep } from './ledger.ts';
import type { PlannedMigration, Step } from './steps.ts';

/** Where what a step does stands in the database. */
export type Standing = 'not done' | 'half done' | 'done';

/** How what there is of a step is taken back. */
export interface Undo {
  /** What does it, each outside of a transaction; none where nothing is left to do, or nothing can be done. */
  statements: readonly string[];
  /** In words: what they do, or why there are none. */
  what: string;
}

export interface RunnableStep {
  /** Looks where it stands, behind the end of an earlier run that is still at it. Writes nothing. */
  check(): Promise<Standing>;
  /** Does what is left of it, and writes in the ledger that it is done. */
  run(standing: Standing): Promise<void>;
  /** Names it in a line. */
  describe(): string;
  /** Looks at what there is of it now, and says how that is taken back. Writes nothing. */
  undo(): Promise<Undo>;
}

/** What a step is run with. */
export interface StepContext<Kind extends Step = Step> {
  run: Run;
  place: Place;
  planned: PlannedMigration;
  step: Kind;
  /** What the ledger says of it, where an earlier run began it. */
  begun: LedgerStep | undefined;
  /** Told of each statement before it runs, for the text of its failure. */
  onStatement(statement: MigrationStatement): void;
}

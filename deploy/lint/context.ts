// What a rule of ours is given: the statements in the order in which they run, and what is known beside the files. A rule is
// a function from this to what it finds.

import type { Catalogue, LongTransaction } from '../catalogue.ts';
import type { Known } from '../operations/known.ts';
import type { Operation } from '../operations/operation.ts';
import type { Change } from './changes.ts';
import type { DeployedSchema } from './deployed-schema.ts';
import type { RowProbes } from './row-probes.ts';
import type { OurRule, Severity } from './rules.ts';
import type { LintSettings } from './settings.ts';
import type { LintedFile, LintedStatement, Span } from './source.ts';

export interface LintContext {
  files: readonly LintedFile[];
  statements: readonly ContextStatement[];
  settings: LintSettings;
  /** The database as the first statement finds it; without one nothing is known. */
  known: Known;
  /** The server's, or the oldest that there may be. */
  version: number;
  /** What is known of the database; undefined where none was asked. */
  database: LintedDatabase | undefined;
  /** What the code in production reads; undefined where it was not said which that is. */
  deployed: DeployedSchema | undefined;
  /** The changes of migrations that run before: without a database they say which indexes there are. */
  earlier: readonly Change[];
}

export interface LintedDatabase {
  catalogue: Catalogue;
  longTransactions: readonly LongTransaction[];
  /** Whether the role sees the transactions of others, or only its own. */
  seesEveryTransaction: boolean;
  probes: RowProbes;
}

export interface ContextStatement extends LintedStatement {
  /** From 0, over all files. */
  number: number;
  changes: readonly Change[];
  /** The database as the statement finds it. */
  known: Known;
  operations: readonly Operation[];
}

export interface Found {
  rule: OurRule;
  file: LintedFile;
  span: Span;
  message: string;
  /** Where it is not the rule's own. */
  severity?: Severity;
  /** Where it is not the rule's own. */
  help?: string;
}

/** Whether two statements are in one transaction. */
export function isSameTransaction(one: LintedStatement, other: LintedStatement): boolean {
  return one.file === other.file && one.step === other.step;
}

// What becomes of a statement, or of one command of an ALTER TABLE.

import type { KeyChanges, Taken } from './key-changes.ts';
import type { KnownSchema } from './known-schema.ts';

/** Why the reviewer sees another statement than drizzle-kit wrote. */
export interface Change {
  /** Such as `index "user_email_idx"`. */
  what: string;
  /** How it is made now, and what the plain form would have done. */
  why: string;
}

export type ExplainedKind =
  | 'type'
  | 'rename-column'
  | 'rename-table'
  | 'drop-column'
  | 'drop-table'
  | 'filled-column'
  | 'exclusion'
  | 'unnamed-index'
  | 'cascade';

/** What can't be made without blocking or breaking by other statements alone. */
export interface Explanation {
  kind: ExplainedKind;
  what: string;
  why: string;
  /** The table, and the column, that a plan of files is about. */
  table?: { schema: string | undefined; name: string };
  column?: string;
  /** The new name, or the new type as it is written. */
  to?: string;
  /** The expression of USING. */
  using?: string;
}

export type Outcome =
  | { as: 'kept'; explained?: Explanation[] }
  | { as: 'rewritten'; statements: string[]; changes: Change[]; explained?: Explanation[] };

export const kept: Outcome = { as: 'kept' };

export const leftAsItIs = (explanation: Explanation): Outcome => ({ as: 'kept', explained: [explanation] });

/** What takes the place of a statement, and what is left for later. */
export interface Expansion {
  expand: string[];
  contract: string[];
  /** What to roll out between the two. */
  rollOut: string;
  /** Statements of the file that are made by these, in another way or at another time. */
  taken?: readonly Taken[];
  /** Keys, by their ids, that are there twice until the contract. */
  open?: readonly string[];
}

/** A change for which there is no plan, and why. */
export interface NoPlan {
  whyNot: string;
}

/** What a plan is made with. */
export interface PlanContext {
  schema: KnownSchema | undefined;
  /** The oldest PostgreSQL that must run it. */
  version: number;
  /** What the file itself does to keys. */
  changes: KeyChanges;
  /** Keys that another plan of the file leaves twice. */
  open: ReadonlySet<string>;
}

/** Of a statement that a plan makes elsewhere. */
export const madeElsewhere: Outcome = { as: 'rewritten', statements: [], changes: [] };

/** With an expansion at hand, what was only explained is made by it. */
export function expanded(outcome: Outcome, expand: ((one: Explanation) => string[] | undefined) | undefined): Outcome {
  const [only] = outcome.explained ?? [];
  const statements = outcome.as === 'kept' && only ? expand?.(only) : undefined;
  return statements ? { as: 'rewritten', statements, changes: [] } : outcome;
}

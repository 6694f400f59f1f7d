// What is known at a place in a migration: which tables it has made itself, on which nobody waits, and what of the others
// the snapshot and the statements above say.

import type { Node } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';
import type { Taken } from './key-changes.ts';
import { type KnownSchema, type KnownTable, tableKey } from './known-schema.ts';
import type { Explanation } from './outcome.ts';

export interface FileFacts {
  /** The oldest PostgreSQL that must run it. */
  version: number;
  known: KnownSchema | undefined;
  /** Tables that the file itself makes, and what it has renamed them to. */
  created: Set<string>;
  /** Indexes of such tables. */
  createdIndexes: Set<string>;
  /** Columns, as `schema.table.column`, of which the file has a validated CHECK (… IS NOT NULL), by the CHECK's name. */
  provenNotNull: Map<string, { column: string; isValidated: boolean }>;
  /** Columns that the file has made NOT NULL. */
  notNull: Set<string>;
  /** What a table was called in the snapshot, by what it is called now. */
  renamed: Map<string, string>;
  /** Makes something else of what is only explained otherwise. */
  expand: ((explained: Explanation) => string[] | undefined) | undefined;
  /** Statements that a plan makes in another way. */
  madeElsewhere: ReadonlySet<Taken>;
}

export function newFacts(given: Pick<FileFacts, 'version' | 'known' | 'expand' | 'madeElsewhere'>): FileFacts {
  return {
    ...given,
    created: new Set(),
    createdIndexes: new Set(),
    provenNotNull: new Map(),
    notNull: new Set(),
    renamed: new Map(),
  };
}

export const columnKey = (table: Named, column: string): string => `${tableKey(table)}.${column}`;

export function knownTable(facts: FileFacts, table: Named): KnownTable | undefined {
  const key = tableKey(table);
  return facts.known?.get(facts.renamed.get(key) ?? key);
}

/** Undefined where it is not known. */
export function isNotNull(facts: FileFacts, table: Named, column: string): boolean {
  return (
    facts.notNull.has(columnKey(table, column)) || knownTable(facts, table)?.columns.get(column)?.isNullable === false
  );
}

export function isProven(facts: FileFacts, table: Named, column: string): boolean {
  const key = columnKey(table, column);
  return [...facts.provenNotNull.values()].some((proof) => proof.column === key && proof.isValidated);
}

/** The column of `CHECK (column IS NOT NULL)`; undefined for any other expression. */
export function columnOfNotNullCheck(expression: unknown): string | undefined {
  const test = (expression as Record<string, Node> | undefined)?.NullTest;
  if (test?.nulltesttype !== 'IS_NOT_NULL') return undefined;
  const fields = (test.arg as Record<string, Node> | undefined)?.ColumnRef?.fields as
    | { String?: { sval: string } }[]
    | undefined;
  return fields?.at(-1)?.String?.sval;
}

// How a table is called and measured in what the lint says.

import type { TableFacts } from '../catalogue.ts';
import { fullName, type Known, tableOf } from '../operations/known.ts';
import type { Named } from '../sql-statements.ts';
import type { LintSettings } from './settings.ts';

export interface KnownTable {
  /** As it is called in messages: without `public`. */
  label: string;
  /** Undefined for one that these files make, and where no database was asked. */
  facts: TableFacts | undefined;
  /** One of these files makes it: it has no rows but theirs, and nobody else uses it. */
  isNew: boolean;
}

/** A table by a name as a statement has it. */
export function findKnownTable(known: Known, named: Named): KnownTable {
  return {
    label: labelOf(named),
    facts: tableOf(known, named),
    isNew: known.created.has(fullName(known, named)),
  };
}

export const labelOf = ({ schema, name }: Named): string =>
  schema === undefined || schema === 'public' ? name : `${schema}.${name}`;

export function isLarge({ rows = 0, bytes }: TableFacts, { largeRows, largeBytes }: LintSettings): boolean {
  return rows >= largeRows || bytes >= largeBytes;
}

/** Such as `2,000,000 rows, 310 MB`. */
export function sizeOf({ rows, bytes }: TableFacts): string {
  return `${rows === undefined ? 'rows not counted yet' : countOf(rows)}, ${bytesOf(bytes)}`;
}

function bytesOf(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000).toLocaleString('en-US')} kB`;
  if (bytes < 10_000_000_000) return `${Math.round(bytes / 1_000_000).toLocaleString('en-US')} MB`;
  return `${Math.round(bytes / 1_000_000_000).toLocaleString('en-US')} GB`;
}

function countOf(rows: number): string {
  const count = Math.round(rows);
  return count === 1 ? '1 row' : `${count.toLocaleString('en-US')} rows`;
}

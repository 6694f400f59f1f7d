// The non-blocking form of each change, as the statements that make it: what reads or builds for long holds a lock that
// nobody waits for, and what stops readers holds its lock for milliseconds.

import { qualified, quoteName } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import { objectName } from './names.ts';

/** A constraint that is there at once for new rows, and then checked for the others. */
export function addThenValidate(alter: string, name: string, definition: string): string[] {
  return [
    `${alter}ADD CONSTRAINT ${quoteName(name)} ${definition} NOT VALID`,
    `${alter}VALIDATE CONSTRAINT ${quoteName(name)}`,
  ];
}

/**
 * NOT NULL: PostgreSQL 12 and newer take a validated CHECK for the proof, and look at no row; 18 has it as a constraint
 * that is validated like any other.
 */
export function setNotNull(alter: string, table: Named, column: string, version: number): string[] {
  if (version >= 18) {
    const name = objectName(table.name, column, 'not_null');
    return addThenValidate(alter, name, `NOT NULL ${quoteName(column)}`);
  }
  const name = objectName(table.name, column, 'not_null_check');
  return [
    ...addThenValidate(alter, name, `CHECK (${quoteName(column)} IS NOT NULL)`),
    `${alter}ALTER COLUMN ${quoteName(column)} SET NOT NULL`,
    `${alter}DROP CONSTRAINT ${quoteName(name)}`,
  ];
}

export interface UniqueIndex {
  name: string;
  columns: readonly string[];
  including?: readonly string[];
  nullsNotDistinct?: boolean;
}

/** The index of a unique rule, and the rule of the index. */
export function uniqueByIndex(
  alter: string,
  table: Named,
  kind: 'UNIQUE' | 'PRIMARY KEY',
  { name, columns, including = [], nullsNotDistinct = false }: UniqueIndex,
  attributes: string,
): string[] {
  const list = (names: readonly string[]): string => `(${names.map(quoteName).join(',')})`;
  return [
    [
      `CREATE UNIQUE INDEX CONCURRENTLY ${quoteName(name)} ON ${qualified(table)} ${list(columns)}`,
      ...(including.length > 0 ? [`INCLUDE ${list(including)}`] : []),
      ...(nullsNotDistinct ? ['NULLS NOT DISTINCT'] : []),
    ].join(' '),
    `${alter}ADD CONSTRAINT ${quoteName(name)} ${kind} USING INDEX ${quoteName(name)}${attributes}`,
  ];
}

/** What the rows that are there get, in batches. */
export function fillWithDefault(table: Named, column: string): string {
  return [
    '-- mytx:backfill',
    `UPDATE ${qualified(table)} SET ${quoteName(column)} = DEFAULT WHERE ${quoteName(column)} IS NULL`,
  ].join('\n');
}

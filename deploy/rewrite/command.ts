// One command of an ALTER TABLE, with what is known of its table; the names and reasons that all forms share.

import type { Grammar, Node, ParsedStatement } from '../grammar.ts';
import { quoteName } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import type { FileFacts } from './file-facts.ts';
import type { UniqueIndex } from './forms.ts';
import { objectName } from './names.ts';
import type { Change } from './outcome.ts';

/** One command, with what is known of its table. */
export interface Command {
  node: Node;
  /** Its own text, without comments behind it. */
  text: string;
  /** `ALTER TABLE "user" `, as it is written. */
  alter: string;
  table: Named;
  statement: ParsedStatement;
  /** Where `text` begins in the statement. */
  start: number;
  facts: FileFacts;
  grammar: Grammar;
}

export function notNullChange(table: Named, column: string, version: number): Change {
  return {
    what: `NOT NULL of ${quoteName(table.name)}.${quoteName(column)}`,
    why: `${version >= 18 ? 'NOT VALID, then VALIDATE' : 'through a validated CHECK'} (SET NOT NULL alone reads the table while nobody may use it)`,
  };
}

export const foreignKeyWhy = 'NOT VALID, then VALIDATE (else writers of both tables wait while each row is looked up)';
export const checkWhy = 'NOT VALID, then VALIDATE (else nobody may use the table while each row is checked)';

/** As PostgreSQL would name it. */
export function defaultName(table: Named, constraint: Node, column?: string): string {
  const columns = column === undefined ? namesOf(constraint.fk_attrs ?? constraint.keys) : [column];
  const joined = columns.length > 0 ? columns.join('_') : undefined;
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN':
      return objectName(table.name, joined, 'fkey');
    case 'CONSTR_UNIQUE':
      return objectName(table.name, joined, 'key');
    case 'CONSTR_PRIMARY':
      return objectName(table.name, undefined, 'pkey');
    default:
      return objectName(table.name, column ?? onlyColumn(constraint.raw_expr), 'check');
  }
}

/** A CHECK is named after its column where it has only one. */
function onlyColumn(expression: unknown): string | undefined {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const fields = (value as Record<string, Node>).ColumnRef?.fields as { String?: { sval: string } }[] | undefined;
    const name = fields?.at(-1)?.String?.sval;
    if (name !== undefined) found.add(name);
    for (const inner of Object.values(value)) look(inner);
  };
  look(expression);
  return found.size === 1 ? [...found][0] : undefined;
}

export function uniqueChange(name: string, isPrimary: boolean): Change {
  return {
    what: `${isPrimary ? 'primary key' : 'unique'} ${quoteName(name)}`,
    why: 'through an index that is built CONCURRENTLY (else nobody may use the table while it is built)',
  };
}

export function uniqueOf(name: string, constraint: Node, column?: string): UniqueIndex {
  return {
    name,
    columns: column === undefined ? namesOf(constraint.keys) : [column],
    including: namesOf(constraint.including),
    nullsNotDistinct: constraint.nulls_not_distinct === true,
  };
}

/** What stands behind the list of columns: DEFERRABLE INITIALLY DEFERRED. */
export function attributesOf(text: string): string {
  const found = /\b(?:NOT\s+)?DEFERRABLE\b[\s\S]*$|\bINITIALLY\s+(?:DEFERRED|IMMEDIATE)[\s\S]*$/i.exec(
    text.slice(text.lastIndexOf(')') + 1),
  );
  return found ? ` ${found[0]}` : '';
}

export function namedOf(relation: unknown): Named {
  const { schemaname, relname } = relation as { schemaname?: string; relname: string };
  return { schema: schemaname, name: relname };
}

export function namesOf(list: unknown): string[] {
  return ((list ?? []) as { String?: { sval: string } }[]).flatMap(({ String: text }) => (text ? [text.sval] : []));
}

// What a command makes of a table's facts: columns, constraints and indexes, by the names that PostgreSQL gives them.

import type { ConstraintFacts, IndexFacts, TableFacts } from '../catalogue.ts';
import type { Node } from '../grammar.ts';
import { shapeOf } from './classify.ts';
import { provenNotNull } from './expressions.ts';
import { fullName, type Known } from './known.ts';
import { everyNode, namedOf, nodesOf, textsOf, typeOf, typeText } from './tree.ts';

export function withColumn(table: TableFacts, definition: Node, known: Known): TableFacts {
  const name = definition.colname as string;
  const constraints = nodesOf(definition.constraints);
  const has = (...types: string[]): boolean => constraints.some(({ contype }) => types.includes(contype as string));
  const isSerial = textsOf((definition.typeName as Node).names).some((type) => /serial/.test(type));
  const facts = {
    type: typeText(typeOf(definition.typeName as Node)),
    isNullable: !isSerial && !has('CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY'),
    hasDefault: has('CONSTR_DEFAULT', 'CONSTR_GENERATED'),
  };
  const columns = new Map(table.columns).set(name, facts);
  const named = constraints.map((one) => ({ ...one, ofColumn: name }));
  return named.reduce<TableFacts>((now, one) => withConstraint(now, one, known), { ...table, columns });
}

const kinds: Readonly<Record<string, { kind: ConstraintFacts['kind']; suffix: string }>> = {
  CONSTR_CHECK: { kind: 'check', suffix: 'check' },
  CONSTR_FOREIGN: { kind: 'foreign-key', suffix: 'fkey' },
  CONSTR_UNIQUE: { kind: 'unique', suffix: 'key' },
  CONSTR_PRIMARY: { kind: 'primary-key', suffix: 'pkey' },
  CONSTR_EXCLUSION: { kind: 'exclude', suffix: 'excl' },
};

/** @param node a Constraint, with the column that it stands at */
export function withConstraint(table: TableFacts, node: Node, known: Known): TableFacts {
  if (node.contype === 'CONSTR_NOTNULL' && node.keys) return withNotNull(table, node);
  const made = kinds[node.contype as string];
  if (!made) return table;
  const { kind, suffix } = made;
  const given = kind === 'check' ? columnsIn(node.raw_expr) : textsOf(node.keys ?? node.fk_attrs);
  const usedIndex = table.indexes.find(({ name }) => name === node.indexname);
  const columns =
    given.length > 0 ? given : node.ofColumn ? [node.ofColumn as string] : plain(usedIndex?.columns ?? []);
  const name = (node.conname ?? node.indexname ?? nameFor(table, columns, suffix)) as string;
  const constraint: ConstraintFacts = {
    name,
    kind,
    columns,
    references: node.pktable ? fullName(known, namedOf(node.pktable)) : undefined,
    definition: kind === 'check' ? checkDefinition(node.raw_expr) : kind,
    isValidated: node.skip_validation !== true,
  };
  const hasIndex = kind === 'unique' || kind === 'primary-key' || kind === 'exclude';
  const index: IndexFacts = { name, columns, isUnique: true, isValid: true, isPartial: false, bytes: 0 };
  const indexes = table.indexes.filter((one) => one !== usedIndex);
  const all = { ...table, constraints: [...table.constraints, constraint] };
  const keyed = hasIndex ? { ...all, indexes: [...indexes, index] } : all;
  return kind === 'primary-key'
    ? columns.reduce<TableFacts>((now, column) => withNullable(now, column, false), keyed)
    : keyed;
}

/** Each once, in the order of the table, as the catalogue has them. */
function columnsIn(condition: unknown): string[] {
  const columns = everyNode(condition).filter(({ kind }) => kind === 'ColumnRef');
  return [...new Set(columns.map(({ node }) => textsOf(node.fields).at(-1) as string))];
}

/** As PostgreSQL names it. A primary key there is one of; a check of a table is named by its column where it has one. */
function nameFor(table: TableFacts, columns: readonly string[], suffix: string): string {
  const isUnnamed = suffix === 'pkey' || (suffix === 'check' && columns.length > 1);
  return [table.name, ...(isUnnamed ? [] : columns), suffix].join('_');
}

const plain = (columns: readonly (string | undefined)[]): string[] => columns.filter((column) => column !== undefined);

/** As pg_get_constraintdef gives it, where it says that columns are not null; of all others it matters to nobody here. */
function checkDefinition(condition: unknown): string {
  const proven = provenNotNull(condition).map((column) => `"${column.replaceAll('"', '""')}" IS NOT NULL`);
  if (proven.length === 0) return 'CHECK';
  return proven.length === 1 ? `CHECK ((${proven[0]}))` : `CHECK ((${proven.map((one) => `(${one})`).join(' AND ')}))`;
}

/** PostgreSQL 18: a NOT NULL that holds for new rows alone, until it is validated. */
function withNotNull(table: TableFacts, node: Node): TableFacts {
  const columns = textsOf(node.keys);
  const isValidated = node.skip_validation !== true;
  const name = (node.conname ?? [table.name, ...columns, 'not_null'].join('_')) as string;
  const constraint: ConstraintFacts = {
    name,
    kind: 'not-null',
    columns,
    references: undefined,
    definition: 'NOT NULL',
    isValidated,
  };
  const all = { ...table, constraints: [...table.constraints, constraint] };
  return isValidated ? columns.reduce<TableFacts>((now, column) => withNullable(now, column, false), all) : all;
}

export function withNullable(table: TableFacts, column: string, isNullable: boolean): TableFacts {
  const facts = table.columns.get(column);
  return facts ? { ...table, columns: new Map(table.columns).set(column, { ...facts, isNullable }) } : table;
}

export function withIndex(table: TableFacts, node: Node): TableFacts {
  const { name, columns, isUnique, isPartial } = shapeOf(node);
  const given = name ?? [table.name, ...plain(columns), 'idx'].join('_');
  if (table.indexes.some((index) => index.name === given)) return table;
  const index: IndexFacts = { name: given, columns, isUnique, isValid: true, isPartial, bytes: 0 };
  return { ...table, indexes: [...table.indexes, index] };
}

export function withoutColumn(table: TableFacts, column: string): TableFacts {
  const columns = new Map(table.columns);
  columns.delete(column);
  return {
    ...table,
    columns,
    constraints: table.constraints.filter((one) => !one.columns.includes(column)),
    indexes: table.indexes.filter((one) => !one.columns.includes(column)),
  };
}

export function withType(table: TableFacts, column: string, type: string): TableFacts {
  const facts = table.columns.get(column);
  return facts ? { ...table, columns: new Map(table.columns).set(column, { ...facts, type }) } : table;
}

export function withValidated(table: TableFacts, constraint: string): TableFacts {
  const validated = table.constraints.find(({ name }) => name === constraint);
  const constraints = table.constraints.map((one) => (one === validated ? { ...one, isValidated: true } : one));
  const now = { ...table, constraints };
  if (validated?.kind !== 'not-null') return now;
  return validated.columns.reduce<TableFacts>((all, column) => withNullable(all, column, false), now);
}

export function withRenamedColumn(table: TableFacts, from: string, to: string): TableFacts {
  const renamed = <T extends string | undefined>(columns: readonly T[]): T[] =>
    columns.map((column) => (column === from ? (to as T) : column));
  return {
    ...table,
    columns: new Map([...table.columns].map(([name, facts]) => [name === from ? to : name, facts])),
    constraints: table.constraints.map((one) => ({ ...one, columns: renamed(one.columns) })),
    indexes: table.indexes.map((one) => ({ ...one, columns: renamed(one.columns) })),
  };
}

/** A key and its index have one name, and are renamed together. */
export function withRenamedConstraint(table: TableFacts, from: string, to: string): TableFacts {
  const renamed = <T extends { name: string }>(list: readonly T[]): T[] =>
    list.map((one) => (one.name === from ? { ...one, name: to } : one));
  return { ...table, constraints: renamed(table.constraints), indexes: renamed(table.indexes) };
}

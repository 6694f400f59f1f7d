// How the names of a statement's tree are read: tables, columns, types.

import type { Node } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';

/** The nodes of a list, without the layer that says what kind each is. */
export function nodesOf(list: unknown): Node[] {
  return ((list as Record<string, Node>[] | undefined) ?? []).map((one) => Object.values(one)[0] as Node);
}

/** The texts of a list of strings, such as the columns of a key. */
export function textsOf(list: unknown): string[] {
  return ((list as Record<string, { sval?: string }>[] | undefined) ?? []).map((one) => one.String?.sval ?? '');
}

/** Of a RangeVar. */
export function namedOf(relation: unknown): Named {
  const { schemaname, relname } = relation as { schemaname?: string; relname: string };
  return { schema: schemaname, name: relname };
}

/** Of a list of strings, `schema.name` or `name`. */
export function namedOfTexts(texts: readonly string[]): Named {
  return { schema: texts.at(-2), name: texts.at(-1) ?? '' };
}

/** Every node of a tree that is named by its kind, such as `FuncCall`, with all below it. */
export function everyNode(tree: unknown): { kind: string; node: Node }[] {
  if (typeof tree !== 'object' || tree === null) return [];
  if (Array.isArray(tree)) return tree.flatMap(everyNode);
  return Object.entries(tree).flatMap(([kind, node]) => {
    const isNamed = /^[A-Z]/.test(kind);
    return isNamed ? [{ kind, node: node as Node }, ...everyNode(node)] : everyNode(node);
  });
}

/** The tables that a query or an expression names, once each. */
export function tablesIn(tree: unknown): Named[] {
  const nodes = everyNode(tree);
  const commonTables = nodes.filter(({ kind }) => kind === 'CommonTableExpr').map(({ node }) => node.ctename);
  const tables = nodes.filter(({ kind }) => kind === 'RangeVar').map(({ node }) => namedOf(node));
  const named = new Map(tables.map((table) => [`${table.schema}.${table.name}`, table]));
  return [...named.values()].filter(({ schema, name }) => schema !== undefined || !commonTables.includes(name));
}

/** A type by the name that format_type gives it, with what is in its parentheses. */
export interface TypeFacts {
  /** Such as `character varying`, `timestamp with time zone`, `mood`, `integer[]`. */
  name: string;
  /** Such as the length; none where none is given. */
  numbers: number[];
}

const names: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  varchar: 'character varying',
  bpchar: 'character',
  varbit: 'bit varying',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

/** Of a TypeName. */
export function typeOf(typeName: Node): TypeFacts {
  const texts = textsOf(typeName.names).filter((text) => text !== 'pg_catalog');
  const last = texts.at(-1) as string;
  const base = texts.length > 1 ? texts.join('.') : (names[last] ?? last);
  const numbers = nodesOf(typeName.typmods).map((mod) => (mod.ival as { ival?: number } | undefined)?.ival ?? 0);
  return { name: base + '[]'.repeat(nodesOf(typeName.arrayBounds).length), numbers };
}

/** Of what format_type gives, such as `timestamp(3) with time zone`. */
export function typeFromText(text: string): TypeFacts {
  const [, before = '', numbers, after = ''] = /^([^(]*)(?:\(([\d,]+)\))?(.*)$/.exec(text) ?? [];
  return { name: before + after, numbers: numbers === undefined ? [] : numbers.split(',').map(Number) };
}

export function typeText({ name, numbers }: TypeFacts): string {
  const [base = '', ...rest] = name.split(/(?= with(?:out)? time zone|\[)/);
  return numbers.length === 0 ? name : `${base}(${numbers.join(',')})${rest.join('')}`;
}

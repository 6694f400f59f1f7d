// What adding a column to a table does: the column itself with its default, and each constraint that stands with it.

import type { Node } from '../grammar.ts';
import { volatilityOf } from './expressions.ts';
import { fullName, type Known } from './known.ts';
import type { Draft } from './operation.ts';
import { namedOf, nodesOf, textsOf } from './tree.ts';

/** @param definition a ColumnDef */
export function addedColumn(table: string, definition: Node, known: Known): Draft[] {
  const column = definition.colname as string;
  const constraints = nodesOf(definition.constraints);
  const facts = { relations: { table: [table] }, columns: [column] };
  return [
    { ...facts, ...withDefault(definition, constraints) },
    ...constraints.flatMap((constraint) => withConstraint(facts, constraint, known)),
  ];
}

const serials = /^(small|big)?serial[248]?$/;

function withDefault(definition: Node, constraints: readonly Node[]): Pick<Draft, 'id' | 'assumed'> {
  const find = (type: string): Node | undefined => constraints.find(({ contype }) => contype === type);
  const type = textsOf((definition.typeName as Node).names).at(-1) ?? '';
  const generated = find('CONSTR_GENERATED');
  if (serials.test(type)) return { id: 'add-column-serial' };
  if (find('CONSTR_IDENTITY')) return { id: 'add-column-identity' };
  if (generated) return { id: `add-column-generated-${generated.generated_kind === 'v' ? 'virtual' : 'stored'}` };
  const given = find('CONSTR_DEFAULT')?.raw_expr;
  if (given === undefined || isNull(given))
    return { id: find('CONSTR_NOTNULL') ? 'add-column-not-null' : 'add-column' };
  const { kind, unknownFunction } = volatilityOf(given);
  const assumed = `whether ${unknownFunction}() gives each row a value of its own is not known: it is taken for so`;
  return { id: `add-column-${kind}-default`, ...(unknownFunction === undefined ? {} : { assumed }) };
}

const isNull = (expression: unknown): boolean =>
  ((expression as Record<string, Node>).A_Const as Node | undefined)?.isnull === true;

function withConstraint(facts: Pick<Draft, 'relations' | 'columns'>, node: Node, known: Known): Draft[] {
  const constraint = node.conname === undefined ? {} : { constraint: node.conname as string };
  switch (node.contype) {
    case 'CONSTR_CHECK':
      return [{ ...facts, ...constraint, id: 'add-column-check' }];
    case 'CONSTR_UNIQUE':
      return [{ ...facts, ...constraint, id: 'add-column-unique' }];
    case 'CONSTR_PRIMARY':
      return [{ ...facts, ...constraint, id: 'add-column-primary-key' }];
    case 'CONSTR_FOREIGN': {
      const parent = [fullName(known, namedOf(node.pktable))];
      return [{ ...facts, ...constraint, relations: { ...facts.relations, parent }, id: 'add-column-foreign-key' }];
    }
    default:
      return [];
  }
}

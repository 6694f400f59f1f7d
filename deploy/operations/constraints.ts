// What adding, validating and dropping a constraint of a table does.

import type { ConstraintFacts, TableFacts } from '../catalogue.ts';
import type { Node } from '../grammar.ts';
import { fullName, type Known, tablesPointingTo } from './known.ts';
import type { Draft } from './operation.ts';
import type { OperationId } from './operations.ts';
import { namedOf, nodesOf, textsOf } from './tree.ts';

interface Place {
  /** `schema.name` */
  table: string;
  facts: TableFacts | undefined;
  known: Known;
}

/** @param node a Constraint */
export function addedConstraint({ table, facts, known }: Place, node: Node): Draft[] {
  const draft = {
    relations: { table: [table] },
    columns: textsOf(node.keys),
    ...(node.conname === undefined ? {} : { constraint: node.conname as string }),
  };
  const isLater = node.skip_validation === true;
  switch (node.contype) {
    case 'CONSTR_CHECK':
      return [{ ...draft, id: isLater ? 'add-check-not-valid' : 'add-check' }];
    case 'CONSTR_NOTNULL':
      return [{ ...draft, id: isLater ? 'add-not-null-not-valid' : 'add-not-null' }];
    case 'CONSTR_FOREIGN': {
      const relations = { table: [table], parent: [fullName(known, namedOf(node.pktable))] };
      const id = isLater ? 'add-foreign-key-not-valid' : 'add-foreign-key';
      return [{ ...draft, relations, columns: textsOf(node.fk_attrs), id }];
    }
    case 'CONSTR_UNIQUE':
      return [
        node.indexname ? usingIndex('add-unique-using-index', draft, node, facts) : { ...draft, id: 'add-unique' },
      ];
    case 'CONSTR_PRIMARY':
      return [primaryKey(draft, node, facts)];
    case 'CONSTR_EXCLUSION':
      return [{ ...draft, columns: nodesOf(node.exclusions).flatMap(() => []), id: 'add-exclude' }];
    default:
      return [{ ...draft, id: 'other', assumed: 'this kind of constraint is not known' }];
  }
}

function usingIndex(id: OperationId, draft: Omit<Draft, 'id'>, node: Node, facts: TableFacts | undefined): Draft {
  const name = node.indexname as string;
  const columns = facts?.indexes.find((index) => index.name === name)?.columns ?? [];
  const index = [`${facts?.schema ?? 'public'}.${name}`];
  return {
    ...draft,
    id,
    relations: { ...draft.relations, index },
    columns: columns.filter((column) => column !== undefined),
    constraint: draft.constraint ?? name,
  };
}

function primaryKey(draft: Omit<Draft, 'id'>, node: Node, facts: TableFacts | undefined): Draft {
  if (!node.indexname) return { ...draft, id: 'add-primary-key' };
  const found = usingIndex('add-primary-key-using-index', draft, node, facts);
  const nullable = found.columns?.some((column) => facts?.columns.get(column)?.isNullable !== false) ?? true;
  if (found.columns?.length && !nullable) return found;
  const assumed = { assumed: 'whether its columns may be null is not known: they are taken for such' };
  return { ...found, id: 'add-primary-key-using-index-nullable', ...(found.columns?.length ? {} : assumed) };
}

const validated: Partial<Record<ConstraintFacts['kind'], OperationId>> = {
  check: 'validate-check',
  'foreign-key': 'validate-foreign-key',
  'not-null': 'validate-not-null',
};

export function validatedConstraint({ table, facts }: Place, name: string): Draft[] {
  const constraint = facts?.constraints.find((one) => one.name === name);
  const draft = { relations: { table: [table] }, constraint: name, columns: constraint?.columns ?? [] };
  const id = constraint && validated[constraint.kind];
  if (!id) return [{ ...draft, id: 'validate-foreign-key', assumed: unknownKind(name) }];
  const parent = constraint.references === undefined ? {} : { parent: [constraint.references] };
  return [{ ...draft, relations: { ...draft.relations, ...parent }, id }];
}

const unknownKind = (name: string): string =>
  `what "${name}" is, is not known: it is taken for a foreign key, and the table it points to is missing here`;

const dropped: Record<ConstraintFacts['kind'], OperationId> = {
  check: 'drop-check',
  'foreign-key': 'drop-foreign-key',
  'not-null': 'drop-not-null',
  'primary-key': 'drop-primary-key',
  unique: 'drop-unique',
  exclude: 'drop-unique',
  trigger: 'drop-trigger',
};

export function droppedConstraint({ table, facts, known }: Place, node: Node): Draft[] {
  const name = node.name as string;
  const constraint = facts?.constraints.find((one) => one.name === name);
  const draft = { relations: { table: [table] }, constraint: name, columns: constraint?.columns ?? [] };
  if (!constraint) return [{ ...draft, id: 'drop-foreign-key', assumed: unknownKind(name) }];
  const isKey = constraint.kind === 'primary-key' || constraint.kind === 'unique';
  const cascaded = isKey && node.behavior === 'DROP_CASCADE' ? tablesPointingTo(known, table) : [];
  return [
    { ...draft, relations: { ...draft.relations, ...parentOf(constraint) }, id: dropped[constraint.kind] },
    ...cascaded.map((child): Draft => foreignKeyGone(child, table)),
  ];
}

const parentOf = ({ references }: ConstraintFacts): { parent?: string[] } =>
  references === undefined ? {} : { parent: [references] };

/** With a column or a key that a foreign key is of, the foreign key is dropped. */
export function foreignKeyGone(child: string, parent: string): Draft {
  return { id: 'drop-foreign-key', relations: { table: [child], parent: [parent] } };
}

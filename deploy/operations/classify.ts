// What a statement does, from its tree alone: operations of our table, each with the relations it is about. Of what is not
// in the table it says so, and guesses nothing.

import type { Node, ParsedStatement } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';
import { alteredTable } from './alter-table.ts';
import { foreignKeyGone } from './constraints.ts';
import { fullName, type Known, tableOf, tableOfIndex, tablesPointingTo } from './known.ts';
import { type LockMode, lockModes } from './locks.ts';
import { type Draft, type IndexShape, type Operation, operationFrom } from './operation.ts';
import type { OperationId } from './operations.ts';
import { namedOf, namedOfTexts, nodesOf, tablesIn, textsOf } from './tree.ts';

export type { Operation } from './operation.ts';

/**
 * Each thing that a statement does; of several commands of one ALTER TABLE, one each.
 * @param known the database before the statement: see `known.ts`, and `follow.ts` for what statements before it have changed
 * @example operationsOf(statement, knownFrom(catalogue)) // [{ id: 'create-index', locks: [{ relation: 'public.Chat', mode: 'SHARE', … }], … }]
 */
export function operationsOf(statement: ParsedStatement, known: Known): Operation[] {
  return draftsOf(statement, known).map((draft) => operationFrom(draft, known));
}

type Reader = (node: Node, known: Known) => Draft[];

function withoutRelations(id: OperationId): Reader {
  return (): Draft[] => [{ id, relations: {} }];
}

/** A statement about the relation that it has under a name in its tree. */
function about(id: OperationId, key = 'relation'): Reader {
  return (node, known): Draft[] => [{ id, relations: { table: [fullName(known, namedOf(node[key]))] } }];
}

const readers: Readonly<Record<string, Reader>> = {
  AlterTableStmt: alteredObject,
  RenameStmt: renamed,
  AlterObjectSchemaStmt: (node, known) =>
    node.objectType === 'OBJECT_TABLE' ? about('set-schema')(node, known) : [unknownStatement],
  AlterOwnerStmt: () => [unknownStatement],
  IndexStmt: (node, known) => [createdIndex(node, known)],
  ReindexStmt: (node, known) => [reindexed(node, known)],
  DropStmt: dropped,
  CreateStmt: createdTable,
  CreateTableAsStmt: (node, known) => {
    const id = node.objtype === 'OBJECT_MATVIEW' ? 'create-materialized-view' : 'create-table-as';
    return [{ id, relations: { source: sources(node.query, known) } }];
  },
  ViewStmt: (node, known) => {
    const relations = { source: sources(node.query, known) };
    if (!node.replace) return [{ id: 'create-view', relations }];
    return [{ id: 'replace-view', relations: { ...relations, table: [fullName(known, namedOf(node.view))] } }];
  },
  RefreshMatViewStmt: (node, known) =>
    about(node.concurrent ? 'refresh-materialized-view-concurrently' : 'refresh-materialized-view')(node, known),
  TruncateStmt: (node, known) =>
    nodesOf(node.relations).map((one) => ({ id: 'truncate', relations: { table: [fullName(known, namedOf(one))] } })),
  CommentStmt: commented,
  GrantStmt: (node, known) => {
    const isTable = node.objtype === 'OBJECT_TABLE' && node.targtype === 'ACL_TARGET_OBJECT';
    const table = isTable ? nodesOf(node.objects).map((one) => fullName(known, namedOf(one))) : [];
    return [{ id: 'grant', relations: { table } }];
  },
  GrantRoleStmt: withoutRelations('grant'),
  CreateStatsStmt: (node, known) =>
    nodesOf(node.relations).map((one) => ({
      id: 'create-statistics',
      relations: { table: [fullName(known, namedOf(one))] },
    })),
  CreatePolicyStmt: about('create-policy', 'table'),
  AlterPolicyStmt: about('alter-policy', 'table'),
  CreateTrigStmt: about('create-trigger'),
  RuleStmt: about('create-rule'),
  ClusterStmt: (node, known) => (node.relation ? about('cluster')(node, known) : [unknownStatement]),
  VacuumStmt: vacuumed,
  LockStmt: (node, known) => {
    const mode = lockModes[(node.mode as number) - 1] as LockMode;
    const table = nodesOf(node.relations).map((one) => fullName(known, namedOf(one)));
    return [{ id: 'lock-table', relations: { table }, mode }];
  },
  CreateSeqStmt: withoutRelations('create-sequence'),
  AlterSeqStmt: about('alter-sequence', 'sequence'),
  CreateEnumStmt: withoutRelations('create-type'),
  CompositeTypeStmt: withoutRelations('create-type'),
  CreateRangeStmt: withoutRelations('create-type'),
  AlterEnumStmt: (node) => [{ id: node.oldVal === undefined ? 'add-enum-value' : 'rename-enum-value', relations: {} }],
  CreateDomainStmt: withoutRelations('create-domain'),
  AlterDomainStmt: (node, known) => [node.subtype === 'C' ? domainCheck(node, known) : unknownStatement],
  CreateFunctionStmt: withoutRelations('create-function'),
  CreateSchemaStmt: withoutRelations('create-schema'),
  CreateExtensionStmt: withoutRelations('create-extension'),
  VariableSetStmt: withoutRelations('set-setting'),
  InsertStmt: (node, known) => changedRows('insert', node, known),
  UpdateStmt: (node, known) => changedRows('update', node, known),
  DeleteStmt: (node, known) => changedRows('delete', node, known),
  SelectStmt: (node, known) => [{ id: 'select', relations: { source: sources(node, known) } }],
};

const unknownStatement: Draft = { id: 'other', relations: {}, assumed: 'what it locks is not known' };

function draftsOf({ type, node }: ParsedStatement, known: Known): Draft[] {
  return readers[type]?.(node, known) ?? [unknownStatement];
}

function alteredObject(node: Node, known: Known): Draft[] {
  const isTable = node.objtype === 'OBJECT_TABLE' || tableOf(known, namedOf(node.relation)) !== undefined;
  return isTable ? alteredTable(node, known) : [unknownStatement];
}

/** It reads every table that has a column of the domain. */
function domainCheck(node: Node, known: Known): Draft {
  const { schema, name } = namedOfTexts(textsOf(node.typeName));
  const isOfDomain = (type: string): boolean => type === name || type === `${schema}.${name}`;
  const tables = [...known.catalogue.tables.values()].filter(({ columns }) =>
    [...columns.values()].some(({ type }) => isOfDomain(type)),
  );
  const table = tables.map((one) => `${one.schema}.${one.name}`);
  const assumed = 'which tables have columns of the domain is not known: each of them is read, and locked with SHARE';
  return { id: 'add-domain-check', relations: { table }, ...(known.isRead ? {} : { assumed }) };
}

function sources(tree: unknown, known: Known): string[] {
  return tablesIn(tree).map((named) => fullName(known, named));
}

function changedRows(id: 'insert' | 'update' | 'delete', node: Node, known: Known): Draft[] {
  const table = fullName(known, namedOf(node.relation));
  const { relation: _, ...rest } = node;
  return [{ id, relations: { table: [table], source: sources(rest, known).filter((source) => source !== table) } }];
}

function createdTable(node: Node, known: Known): Draft[] {
  const table = fullName(known, namedOf(node.relation));
  const elements = (node.tableElts as Record<string, Node>[] | undefined) ?? [];
  const parents = elements.flatMap((element): string[] => {
    const constraints = element.ColumnDef ? nodesOf(element.ColumnDef.constraints) : nodesOf([element]);
    return constraints
      .filter(({ pktable }) => pktable !== undefined)
      .map(({ pktable }) => fullName(known, namedOf(pktable)))
      .filter((parent) => parent !== table);
  });
  const of = nodesOf(node.inhRelations).map((one) => fullName(known, namedOf(one)));
  if (node.partbound) return [{ id: 'create-partition', relations: { parent: of } }];
  const id = parents.length > 0 ? 'create-table-foreign-key' : 'create-table';
  return [{ id, relations: { parent: [...new Set(parents)] } }];
}

/** Of an IndexStmt. */
export function shapeOf(node: Node): IndexShape {
  return {
    name: node.idxname as string | undefined,
    columns: nodesOf(node.indexParams).map(({ name }) => name as string | undefined),
    method: (node.accessMethod as string | undefined) ?? 'btree',
    isUnique: node.unique === true,
    isPartial: node.whereClause !== undefined,
  };
}

function createdIndex(node: Node, known: Known): Draft {
  const index = shapeOf(node);
  const id = `create${index.isUnique ? '-unique' : ''}-index${node.concurrent ? '-concurrently' : ''}` as const;
  const columns = index.columns.filter((column) => column !== undefined);
  return { id, relations: { table: [fullName(known, namedOf(node.relation))] }, index, columns };
}

function reindexed(node: Node, known: Known): Draft {
  const isConcurrent = nodesOf(node.params).some(({ defname }) => defname === 'concurrently');
  const concurrently = isConcurrent ? '-concurrently' : '';
  if (node.kind === 'REINDEX_OBJECT_INDEX') {
    return onIndex(`reindex-index${concurrently}` as OperationId, namedOf(node.relation), known);
  }
  if (node.kind !== 'REINDEX_OBJECT_TABLE') return unknownStatement;
  const table = [fullName(known, namedOf(node.relation))];
  return { id: `reindex-table${concurrently}` as OperationId, relations: { table } };
}

/** Of an index by its name: its table is one that the catalogue knows. */
function onIndex(id: OperationId, named: Named, known: Known): Draft {
  const facts = tableOfIndex(known, named);
  const schema = facts?.schema ?? named.schema ?? known.catalogue.searchPath[0] ?? 'public';
  const index = [`${schema}.${named.name}`];
  if (!facts) return { id, relations: { index }, assumed: `which table "${named.name}" is an index of is not known` };
  const { columns, isUnique, isPartial } = facts.indexes.find(({ name }) => name === named.name) ?? {
    columns: [],
    isUnique: false,
    isPartial: false,
  };
  const shape: IndexShape = { name: named.name, columns, method: 'btree', isUnique, isPartial };
  return { id, relations: { index, table: [`${facts.schema}.${facts.name}`] }, index: shape };
}

const renames: Readonly<Record<string, OperationId>> = {
  OBJECT_TABLE: 'rename-table',
  OBJECT_COLUMN: 'rename-column',
  OBJECT_TABCONSTRAINT: 'rename-constraint',
  OBJECT_VIEW: 'rename-view',
};

function renamed(node: Node, known: Known): Draft[] {
  const kind = node.renameType as string;
  if (kind === 'OBJECT_INDEX') return [onIndex('rename-index', namedOf(node.relation), known)];
  if (kind === 'OBJECT_TYPE') return [{ id: 'rename-type', relations: {} }];
  const id = renames[kind];
  if (!id) return [unknownStatement];
  const name = node.subname as string | undefined;
  const relations = { table: [fullName(known, namedOf(node.relation))] };
  if (kind === 'OBJECT_TABCONSTRAINT') return [{ id, relations, constraint: name as string }];
  return [{ id, relations, ...(name === undefined ? {} : { columns: [name] }) }];
}

const drops: Readonly<Record<string, OperationId>> = {
  OBJECT_VIEW: 'drop-view',
  OBJECT_MATVIEW: 'drop-materialized-view',
  OBJECT_SEQUENCE: 'drop-sequence',
  OBJECT_TYPE: 'drop-type',
  OBJECT_DOMAIN: 'drop-type',
  OBJECT_FUNCTION: 'drop-function',
};

/** On the table that is named before the object's own name. */
const dropsOnTable: Readonly<Record<string, OperationId>> = {
  OBJECT_TRIGGER: 'drop-trigger',
  OBJECT_POLICY: 'drop-policy',
};

function dropped(node: Node, known: Known): Draft[] {
  const kind = node.removeType as string;
  const objects = (node.objects as Record<string, Node>[]).map(textsOfObject);
  return objects.flatMap((texts): Draft[] => {
    if (kind === 'OBJECT_TABLE') return droppedTable(namedOfTexts(texts), node, known);
    if (kind === 'OBJECT_INDEX') {
      return [onIndex(node.concurrent ? 'drop-index-concurrently' : 'drop-index', namedOfTexts(texts), known)];
    }
    const onTable = dropsOnTable[kind];
    if (onTable) return [{ id: onTable, relations: { table: [fullName(known, namedOfTexts(texts.slice(0, -1)))] } }];
    const id = drops[kind];
    if (!id) return [unknownStatement];
    const isRelation = id !== 'drop-type' && id !== 'drop-function';
    return [{ id, relations: isRelation ? { table: [fullName(known, namedOfTexts(texts))] } : {} }];
  });
}

function textsOfObject(object: Record<string, Node>): string[] {
  const { List: list, TypeName: type, ObjectWithArgs: withArguments, String: text } = object;
  return textsOf(list?.items ?? type?.names ?? withArguments?.objname ?? (text ? [object] : []));
}

function droppedTable(named: Named, { behavior }: Node, known: Known): Draft[] {
  const facts = tableOf(known, named);
  const table = fullName(known, named);
  const parent = [...new Set(facts?.constraints.flatMap(({ references }) => references ?? []) ?? [])];
  const isUnknown = !facts && !known.isRead;
  const assumed = 'to which tables its foreign keys point is not known: those are locked like it';
  const children = behavior === 'DROP_CASCADE' ? tablesPointingTo(known, table).filter((one) => one !== table) : [];
  return [
    { id: 'drop-table', relations: { table: [table], parent }, ...(isUnknown ? { assumed } : {}) },
    ...children.map((child) => foreignKeyGone(child, table)),
  ];
}

function commented(node: Node, known: Known): Draft[] {
  const texts = textsOfObject(node.object as Record<string, Node>);
  if (node.objtype === 'OBJECT_TABLE')
    return [{ id: 'comment', relations: { table: [fullName(known, namedOfTexts(texts))] } }];
  if (node.objtype !== 'OBJECT_COLUMN') return [{ id: 'comment', relations: {} }];
  const table = [fullName(known, namedOfTexts(texts.slice(0, -1)))];
  return [{ id: 'comment', relations: { table }, columns: texts.slice(-1) }];
}

function vacuumed(node: Node, known: Known): Draft[] {
  const isFull = nodesOf(node.options).some(({ defname }) => defname === 'full');
  const id = node.is_vacuumcmd ? (isFull ? 'vacuum-full' : 'vacuum') : 'analyze';
  const table = nodesOf(node.rels).map(({ relation }) => fullName(known, namedOf(relation)));
  const assumed = 'it is every table of the database, one after another';
  return [{ id, relations: { table }, ...(table.length === 0 ? { assumed } : {}) }];
}

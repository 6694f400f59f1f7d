// What a statement changes in a schema, by the names of tables, columns and indexes: what the rules compare with the
// database, with other files and with the code in production. Read from the tree. Which locks it takes is not said here
// (deploy/operations).

import type { Node, ParsedStatement } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';

export type Change =
  /** Also by CREATE TABLE AS and SELECT INTO. */
  | { kind: 'create-table'; table: Named }
  | { kind: 'create-view'; table: Named }
  /** A table, or a view. */
  | { kind: 'drop-table'; table: Named }
  | { kind: 'rename-table'; table: Named; to: Named }
  | { kind: 'drop-schema'; schema: string }
  /** Required: NOT NULL, and nothing that gives it a value. */
  | { kind: 'add-column'; table: Named; column: string; isRequired: boolean }
  | { kind: 'drop-column'; table: Named; column: string }
  | { kind: 'rename-column'; table: Named; column: string; to: string }
  | { kind: 'set-not-null'; table: Named; column: string }
  | { kind: 'add-foreign-key'; table: Named; columns: string[]; references: Named }
  | AddedIndex
  | { kind: 'drop-index'; name: string }
  /** UPDATE, DELETE, INSERT, MERGE or TRUNCATE. */
  | { kind: 'write'; table: Named; verb: string; hasCondition: boolean }
  | { kind: 'add-enum-value'; value: string }
  /** DO or CALL: may do anything. */
  | { kind: 'code' };

export interface AddedIndex {
  kind: 'add-index';
  table: Named;
  name: string | undefined;
  /** Of an expression undefined. */
  columns: (string | undefined)[];
  isUnique: boolean;
  isPartial: boolean;
  /** Rows that have no value in one of the columns may be many. */
  allowsNulls: boolean;
}

export function changesOf({ type, node }: ParsedStatement): Change[] {
  switch (type) {
    case 'CreateStmt':
      return createdBy(node);
    case 'CreateTableAsStmt':
      return [{ kind: 'create-table', table: tableOf((node.into as Node).rel) }];
    case 'SelectStmt':
      return node.intoClause ? [{ kind: 'create-table', table: tableOf((node.intoClause as Node).rel) }] : [];
    case 'ViewStmt':
      return [{ kind: 'create-view', table: tableOf(node.view) }];
    case 'DropStmt':
      return droppedBy(node);
    case 'RenameStmt':
      return renamedBy(node);
    case 'AlterObjectSchemaStmt':
      return movedBy(node);
    case 'AlterTableStmt':
      return listOf(node.cmds).flatMap((command) => alteredBy(tableOf(node.relation), command.AlterTableCmd as Node));
    case 'IndexStmt':
      return [indexOf(node)];
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'InsertStmt':
    case 'MergeStmt':
      return [writtenBy(type, node)];
    case 'TruncateStmt':
      return listOf(node.relations).map((one) => writeTo(tableOf(one.RangeVar), 'TRUNCATE', false));
    case 'AlterEnumStmt':
      return node.newVal !== undefined && node.oldVal === undefined
        ? [{ kind: 'add-enum-value', value: node.newVal as string }]
        : [];
    case 'DoStmt':
    case 'CallStmt':
      return [{ kind: 'code' }];
    default:
      return [];
  }
}

function createdBy(node: Node): Change[] {
  const table = tableOf(node.relation);
  const elements = listOf(node.tableElts).flatMap((element) => {
    if (element.Constraint) return constraintOn(table, element.Constraint as Node);
    const column = element.ColumnDef as Node | undefined;
    return column ? columnConstraints(table, column) : [];
  });
  return [{ kind: 'create-table', table }, ...elements];
}

function columnConstraints(table: Named, column: Node): Change[] {
  return constraintsOf(column).flatMap((constraint) => constraintOn(table, constraint, column.colname as string));
}

/** @param column of a constraint that stands at a column, that one */
function constraintOn(table: Named, constraint: Node, column?: string): Change[] {
  const { contype, conname, indexname } = constraint;
  const named = (list: unknown): string[] => (column === undefined ? stringsOf(list) : [column]);
  if (contype === 'CONSTR_FOREIGN') {
    return [
      {
        kind: 'add-foreign-key',
        table,
        columns: named(constraint.fk_attrs),
        references: tableOf(constraint.pktable),
      },
    ];
  }
  if ((contype !== 'CONSTR_UNIQUE' && contype !== 'CONSTR_PRIMARY') || indexname !== undefined) return [];
  return [
    {
      kind: 'add-index',
      table,
      name: conname as string | undefined,
      columns: named(constraint.keys),
      isUnique: true,
      isPartial: false,
      allowsNulls: contype === 'CONSTR_UNIQUE' && !constraint.nulls_not_distinct,
    },
  ];
}

function alteredBy(table: Named, command: Node): Change[] {
  const definition = command.def as Record<string, Node> | undefined;
  const name = command.name as string;
  switch (command.subtype) {
    case 'AT_AddColumn': {
      const column = definition?.ColumnDef as Node;
      const added = { kind: 'add-column', table, column: column.colname as string } as const;
      return [{ ...added, isRequired: isRequired(column) }, ...columnConstraints(table, column)];
    }
    case 'AT_DropColumn':
      return [{ kind: 'drop-column', table, column: name }];
    case 'AT_SetNotNull':
      return [{ kind: 'set-not-null', table, column: name }];
    case 'AT_AddConstraint':
      return constraintOn(table, definition?.Constraint as Node);
    case 'AT_DropConstraint':
      return [{ kind: 'drop-index', name }]; // of a unique constraint its index has the name
    default:
      return [];
  }
}

function isRequired(column: Node): boolean {
  const kinds = constraintsOf(column).map(({ contype }) => contype as string);
  const typeName = stringsOf((column.typeName as Node | undefined)?.names).at(-1) ?? '';
  const isGiven =
    kinds.some((kind) => ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].includes(kind)) ||
    /^(small|big)?serial[248]?$/.test(typeName);
  return !isGiven && kinds.some((kind) => kind === 'CONSTR_NOTNULL' || kind === 'CONSTR_PRIMARY');
}

function indexOf(node: Node): AddedIndex {
  return {
    kind: 'add-index',
    table: tableOf(node.relation),
    name: node.idxname as string | undefined,
    columns: listOf(node.indexParams).map((one) => (one.IndexElem as Node).name as string | undefined),
    isUnique: node.unique === true,
    isPartial: node.whereClause !== undefined,
    allowsNulls: !node.nulls_not_distinct,
  };
}

const relationKinds = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'];

function droppedBy({ removeType, objects }: Node): Change[] {
  const names = listOf(objects);
  if (removeType === 'OBJECT_SCHEMA') {
    return names.map((one) => ({ kind: 'drop-schema', schema: (one.String as { sval: string }).sval }));
  }
  const dropped = names.map((one) => nameOf(stringsOf((one.List as Node | undefined)?.items)));
  if (removeType === 'OBJECT_INDEX') return dropped.map(({ name }) => ({ kind: 'drop-index', name }));
  return relationKinds.includes(removeType as string) ? dropped.map((table) => ({ kind: 'drop-table', table })) : [];
}

function renamedBy(node: Node): Change[] {
  if (!node.relation) return [];
  const table = tableOf(node.relation);
  const to = node.newname as string;
  if (node.renameType === 'OBJECT_COLUMN') {
    return [{ kind: 'rename-column', table, column: node.subname as string, to }];
  }
  if (!relationKinds.includes(node.renameType as string)) return [];
  return [{ kind: 'rename-table', table, to: { schema: table.schema, name: to } }];
}

function movedBy({ objectType, relation, newschema }: Node): Change[] {
  if (!relation || !relationKinds.includes(objectType as string)) return [];
  const table = tableOf(relation);
  return [{ kind: 'rename-table', table, to: { schema: newschema as string, name: table.name } }];
}

function writtenBy(type: string, node: Node): Change {
  return writeTo(tableOf(node.relation), type.replace('Stmt', '').toUpperCase(), node.whereClause !== undefined);
}

const writeTo = (table: Named, verb: string, hasCondition: boolean): Change => ({
  kind: 'write',
  table,
  verb,
  hasCondition,
});

/** Whether a text stands as a constant anywhere in a tree. */
export function hasConstant(tree: unknown, text: string): boolean {
  if (Array.isArray(tree)) return tree.some((one) => hasConstant(one, text));
  if (typeof tree !== 'object' || tree === null) return false;
  const { sval } = tree as { sval?: unknown };
  if (typeof sval === 'object' && sval !== null && (sval as { sval?: string }).sval === text) return true;
  return Object.values(tree).some((one) => hasConstant(one, text));
}

const listOf = (list: unknown): Record<string, Node>[] => (list as Record<string, Node>[] | undefined) ?? [];

const constraintsOf = (column: Node): Node[] => listOf(column.constraints).map(({ Constraint }) => Constraint as Node);

const stringsOf = (list: unknown): string[] => listOf(list).map((one) => (one.String as { sval: string }).sval);

/** Of a RangeVar. */
function tableOf(relation: unknown): Named {
  const { schemaname, relname } = relation as { schemaname?: string; relname: string };
  return { schema: schemaname, name: relname };
}

const nameOf = (parts: readonly string[]): Named => ({ schema: parts.at(-2), name: parts.at(-1) ?? '' });

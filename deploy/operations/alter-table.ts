// What each command of an ALTER TABLE does.

import type { TableFacts } from '../catalogue.ts';
import type { Node } from '../grammar.ts';
import { addedColumn } from './columns.ts';
import { addedConstraint, droppedConstraint, foreignKeyGone, validatedConstraint } from './constraints.ts';
import { isPlainCast, isStoredAlike, provenByDefinition } from './expressions.ts';
import { fullName, type Known, tableOf } from './known.ts';
import type { Draft } from './operation.ts';
import type { OperationId } from './operations.ts';
import { namedOf, nodesOf, typeFromText, typeOf } from './tree.ts';

/** Those of which the command's name says all. */
const simple: Readonly<Record<string, OperationId>> = {
  AT_DropNotNull: 'drop-not-null',
  AT_SetStorage: 'set-storage',
  AT_SetCompression: 'set-compression',
  AT_SetStatistics: 'set-statistics',
  AT_SetOptions: 'set-statistics',
  AT_ResetOptions: 'set-statistics',
  AT_AddIdentity: 'add-identity',
  AT_SetIdentity: 'set-identity',
  AT_DropIdentity: 'drop-identity',
  AT_DropExpression: 'drop-expression',
  AT_AlterConstraint: 'alter-constraint',
  AT_SetLogged: 'set-logged',
  AT_SetUnLogged: 'set-unlogged',
  AT_ChangeOwner: 'set-owner',
  AT_SetRelOptions: 'set-options',
  AT_ResetRelOptions: 'set-options',
  AT_ReplicaIdentity: 'set-replica-identity',
  AT_ClusterOn: 'cluster-on',
  AT_DropCluster: 'cluster-on',
  AT_EnableRowSecurity: 'enable-row-security',
  AT_DisableRowSecurity: 'disable-row-security',
  AT_ForceRowSecurity: 'force-row-security',
  AT_NoForceRowSecurity: 'no-force-row-security',
  AT_EnableTrig: 'enable-trigger',
  AT_EnableTrigAll: 'enable-trigger',
  AT_EnableTrigUser: 'enable-trigger',
  AT_EnableAlwaysTrig: 'enable-trigger',
  AT_EnableReplicaTrig: 'enable-trigger',
  AT_DisableTrig: 'disable-trigger',
  AT_DisableTrigAll: 'disable-trigger',
  AT_DisableTrigUser: 'disable-trigger',
};

/** @param node an AlterTableStmt of a table */
export function alteredTable(node: Node, known: Known): Draft[] {
  const named = namedOf(node.relation);
  const facts = tableOf(known, named);
  const table = fullName(known, named);
  const drafts = nodesOf(node.cmds).flatMap((command) => draftsOf(table, facts, command, known));
  const partitions = 'the table is partitioned: each of its partitions is locked too, which is not shown';
  return facts?.kind === 'p' ? drafts.map((draft) => ({ assumed: partitions, ...draft })) : drafts;
}

function draftsOf(table: string, facts: TableFacts | undefined, command: Node, known: Known): Draft[] {
  const subtype = command.subtype as string;
  const column = command.name as string;
  const definition = nodesOf(command.def === undefined ? [] : [command.def])[0] as Node;
  const onTable = { relations: { table: [table] }, ...(column === undefined ? {} : { columns: [column] }) };
  const place = { table, facts, known };
  switch (subtype) {
    case 'AT_AddColumn':
      return addedColumn(table, definition, known);
    case 'AT_DropColumn':
      return [{ ...onTable, id: 'drop-column' }, ...keysOfColumn(table, facts, column)];
    case 'AT_ColumnDefault':
      return [{ ...onTable, id: definition === undefined ? 'drop-default' : 'set-default' }];
    case 'AT_SetNotNull':
      return [{ ...onTable, id: isProven(facts, column) ? 'set-not-null-proven' : 'set-not-null' }];
    case 'AT_AlterColumnType':
      return [{ ...onTable, ...changedType(facts, column, definition) }];
    case 'AT_AddConstraint':
      return addedConstraint(place, definition);
    case 'AT_ValidateConstraint':
      return validatedConstraint(place, column);
    case 'AT_DropConstraint':
      return droppedConstraint(place, command);
    case 'AT_AttachPartition':
    case 'AT_DetachPartition':
      return [movedPartition(table, subtype, definition, known)];
    case 'AT_AddInherit':
    case 'AT_DropInherit': {
      const parent = [fullName(known, namedOf(definition))];
      return [
        { relations: { table: [table], parent }, id: subtype === 'AT_AddInherit' ? 'add-inherit' : 'drop-inherit' },
      ];
    }
    default:
      return [simple[subtype] ? { ...onTable, id: simple[subtype] } : unknownCommand(onTable)];
  }
}

const unknownCommand = (onTable: Omit<Draft, 'id'>): Draft => ({
  ...onTable,
  id: 'other',
  mode: 'ACCESS EXCLUSIVE',
  assumed: 'this command of ALTER TABLE is not in our table: the strongest lock is assumed',
});

function keysOfColumn(table: string, facts: TableFacts | undefined, column: string): Draft[] {
  const keys = facts?.constraints.filter(({ columns, references }) => references && columns.includes(column)) ?? [];
  return keys.map(({ references }) => foreignKeyGone(table, references as string));
}

function isProven(facts: TableFacts | undefined, column: string): boolean {
  if (facts?.columns.get(column)?.isNullable === false) return true;
  return (facts?.constraints ?? []).some(
    ({ kind, isValidated, definition, columns }) =>
      isValidated &&
      ((kind === 'check' && provenByDefinition(definition).includes(column)) ||
        (kind === 'not-null' && columns.includes(column))),
  );
}

/** @param definition a ColumnDef with the new type and, in `raw_default`, what stands behind USING */
function changedType(facts: TableFacts | undefined, column: string, definition: Node): Pick<Draft, 'id' | 'assumed'> {
  const to = typeOf(definition.typeName as Node);
  const using = definition.raw_default;
  if (using !== undefined && !isPlainCast(using, column, to)) return { id: 'alter-type-rewrite' };
  const current = facts?.columns.get(column)?.type;
  if (current !== undefined) {
    return { id: isStoredAlike(typeFromText(current), to) ? 'alter-type-compatible' : 'alter-type-rewrite' };
  }
  return { id: 'alter-type-rewrite', assumed: 'the column’s type is not known: that rows are rewritten is assumed' };
}

function movedPartition(table: string, subtype: string, definition: Node, known: Known): Draft {
  const relations = { parent: [table], partition: [fullName(known, namedOf(definition.name))] };
  if (subtype === 'AT_DetachPartition') {
    return { relations, id: definition.concurrent ? 'detach-partition-concurrently' : 'detach-partition' };
  }
  const hasCheck = tableOf(known, namedOf(definition.name))?.constraints.some(
    ({ kind, isValidated }) => kind === 'check' && isValidated,
  );
  const assumed = 'whether the partition’s check makes the scan unnecessary is not looked at: the scan is assumed';
  return { relations, id: 'attach-partition', ...(hasCheck ? { assumed } : {}) };
}

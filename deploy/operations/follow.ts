// What is known of the database behind a statement: the catalogue that was read, changed as the statement will change it.
// So an index on a table that an earlier pending migration makes is one on an empty table, and a check that is validated
// before it makes SET NOT NULL a matter of milliseconds.

import type { ConstraintFacts, TableFacts } from '../catalogue.ts';
import type { Node, ParsedStatement } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';
import { fullName, type Known, tableOf, tableOfIndex } from './known.ts';
import {
  withColumn,
  withConstraint,
  withIndex,
  withNullable,
  withoutColumn,
  withRenamedColumn,
  withRenamedConstraint,
  withType,
  withValidated,
} from './table-changes.ts';
import { namedOf, namedOfTexts, nodesOf, tablesIn, textsOf, typeOf, typeText } from './tree.ts';

type Change = (table: TableFacts) => TableFacts;

/** @returns what is known behind it; the same where nothing that matters is changed */
export function follow({ type, node }: ParsedStatement, known: Known): Known {
  switch (type) {
    case 'CreateStmt':
      return withTable(known, createdTable(node, known));
    case 'CreateTableAsStmt':
      return createdAs(node, known);
    case 'IndexStmt':
      return changed(known, namedOf(node.relation), (table) => withIndex(table, node));
    case 'AlterTableStmt':
      return nodesOf(node.cmds).reduce((now, command) => followCommand(now, namedOf(node.relation), command), known);
    case 'RenameStmt':
      return followRename(node, known);
    case 'AlterObjectSchemaStmt':
      return node.objectType === 'OBJECT_TABLE'
        ? moved(known, namedOf(node.relation), { schema: node.newschema as string })
        : known;
    case 'DropStmt':
      return followDrop(node, known);
    case 'TruncateStmt':
      return nodesOf(node.relations).reduce((now, one) => changed(now, namedOf(one), emptied), known);
    case 'InsertStmt':
      return filled(node, known);
    default:
      return known;
  }
}

const emptied: Change = (table) => ({ ...table, rows: 0, bytes: 0, indexBytes: 0 });

function withTable(known: Known, table: TableFacts): Known {
  const key = `${table.schema}.${table.name}`;
  if (known.catalogue.tables.has(key)) return known; // if not exists
  const tables = new Map(known.catalogue.tables).set(key, table);
  return { ...known, catalogue: { ...known.catalogue, tables }, created: new Set([...known.created, key]) };
}

function changed(known: Known, named: Named, change: Change): Known {
  const table = tableOf(known, named);
  if (!table) return known;
  const tables = new Map(known.catalogue.tables).set(`${table.schema}.${table.name}`, change(table));
  return { ...known, catalogue: { ...known.catalogue, tables } };
}

function without(known: Known, key: string): Known {
  const tables = new Map(known.catalogue.tables);
  tables.delete(key);
  return {
    ...known,
    catalogue: { ...known.catalogue, tables },
    created: new Set([...known.created].filter((one) => one !== key)),
  };
}

/** Under another name or in another schema, where foreign keys still point to it. */
function moved(known: Known, named: Named, to: { schema?: string; name?: string }): Known {
  const table = tableOf(known, named);
  if (!table) return known;
  const [from, there] = [`${table.schema}.${table.name}`, { ...table, ...to }];
  const key = `${there.schema}.${there.name}`;
  const isCreated = known.created.has(from);
  const rest = without(known, from);
  const pointing = (one: ConstraintFacts): ConstraintFacts =>
    one.references === from ? { ...one, references: key } : one;
  const tables = new Map(
    [...rest.catalogue.tables, [key, there] as const].map(([name, one]) => [
      name,
      { ...one, constraints: one.constraints.map(pointing) },
    ]),
  );
  const created = isCreated ? new Set([...rest.created, key]) : rest.created;
  return { ...known, catalogue: { ...known.catalogue, tables }, created };
}

function emptyTable(known: Known, named: Named): TableFacts {
  const [schema = 'public', ...name] = fullName(known, named).split('.');
  const none = { rows: 0, bytes: 0, indexBytes: 0, columns: new Map(), constraints: [], indexes: [] };
  return { schema, name: name.join('.'), kind: 'r', ...none };
}

function createdTable(node: Node, known: Known): TableFacts {
  const elements = (node.tableElts as Record<string, Node>[] | undefined) ?? [];
  const table = emptyTable(known, namedOf(node.relation));
  return elements.reduce((now, { ColumnDef, Constraint }) => {
    if (ColumnDef) return withColumn(now, ColumnDef, known);
    return Constraint ? withConstraint(now, Constraint, known) : now;
  }, table);
}

/** As large as what it is made of, at most. */
function createdAs(node: Node, known: Known): Known {
  const { rel } = node.into as { rel: unknown };
  if (node.objtype !== 'OBJECT_TABLE') return known;
  return withTable(known, { ...emptyTable(known, namedOf(rel)), ...sizeOf(node.query, known) });
}

function filled(node: Node, known: Known): Known {
  const added = sizeOf(node.selectStmt, known);
  return changed(known, namedOf(node.relation), (table) => ({
    ...table,
    rows: table.rows === undefined ? undefined : table.rows + (added.rows ?? 0),
    bytes: table.bytes + added.bytes,
  }));
}

function sizeOf(query: unknown, known: Known): Pick<TableFacts, 'rows' | 'bytes'> {
  const sources = tablesIn(query).map((named) => tableOf(known, named));
  const largest = (of: (table: TableFacts | undefined) => number): number => Math.max(0, ...sources.map(of));
  return { rows: largest((table) => table?.rows ?? 0), bytes: largest((table) => table?.bytes ?? 0) };
}

function followCommand(known: Known, named: Named, command: Node): Known {
  const column = command.name as string;
  const definition = nodesOf(command.def === undefined ? [] : [command.def])[0] as Node;
  const change = (of: Change): Known => changed(known, named, of);
  switch (command.subtype) {
    case 'AT_AddColumn':
      return change((table) =>
        table.columns.has(definition.colname as string) ? table : withColumn(table, definition, known),
      );
    case 'AT_DropColumn':
      return change((table) => withoutColumn(table, column));
    case 'AT_SetNotNull':
      return change((table) => withNullable(table, column, false));
    case 'AT_DropNotNull':
      return change((table) => withNullable(table, column, true));
    case 'AT_AlterColumnType':
      return change((table) => withType(table, column, typeText(typeOf(definition.typeName as Node))));
    case 'AT_AddConstraint':
      return change((table) => withConstraint(table, definition, known));
    case 'AT_ValidateConstraint':
      return change((table) => withValidated(table, column));
    case 'AT_DropConstraint':
      return change((table) => ({
        ...table,
        constraints: table.constraints.filter(({ name }) => name !== column),
        indexes: table.indexes.filter(({ name }) => name !== column),
      }));
    default:
      return known;
  }
}

function followRename(node: Node, known: Known): Known {
  const [from, to] = [node.subname as string, node.newname as string];
  const named = node.relation === undefined ? undefined : namedOf(node.relation);
  if (!named) return known;
  if (node.renameType === 'OBJECT_TABLE') return moved(known, named, { name: to });
  if (node.renameType === 'OBJECT_COLUMN') return changed(known, named, (table) => withRenamedColumn(table, from, to));
  if (node.renameType === 'OBJECT_TABCONSTRAINT')
    return changed(known, named, (table) => withRenamedConstraint(table, from, to));
  if (node.renameType !== 'OBJECT_INDEX') return known;
  const facts = tableOfIndex(known, named);
  return facts ? changed(known, facts, (table) => withRenamedConstraint(table, named.name, to)) : known;
}

function followDrop(node: Node, known: Known): Known {
  const names = ((node.objects as Record<string, Node>[] | undefined) ?? []).map(({ List }) =>
    namedOfTexts(textsOf(List?.items)),
  );
  if (node.removeType === 'OBJECT_TABLE') {
    return names.reduce((now, named) => withoutTable(now, fullName(now, named)), known);
  }
  if (node.removeType !== 'OBJECT_INDEX') return known;
  return names.reduce((now, named) => {
    const facts = tableOfIndex(now, named);
    if (!facts) return now;
    return changed(now, facts, (table) => ({
      ...table,
      indexes: table.indexes.filter(({ name }) => name !== named.name),
    }));
  }, known);
}

/** Foreign keys that pointed to it are gone with it. */
function withoutTable(known: Known, key: string): Known {
  const rest = without(known, key);
  const tables = new Map(
    [...rest.catalogue.tables].map(([name, table]) => [
      name,
      { ...table, constraints: table.constraints.filter(({ references }) => references !== key) },
    ]),
  );
  return { ...rest, catalogue: { ...rest.catalogue, tables } };
}

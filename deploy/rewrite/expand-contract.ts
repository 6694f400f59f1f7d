// Changes that no other SQL makes safe, because code that is running knows the old name or type: first the new is added
// beside the old and both are kept alike (expand), then the code is rolled out, then the old goes (contract).

import { qualified, quoteName, quoteText } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import { changeType, renameColumn } from './column-anew.ts';
import { movedKeys } from './column-keys.ts';
import { type KnownSchema, type KnownTable, tableKey } from './known-schema.ts';
import type { Expansion, Explanation, NoPlan, PlanContext } from './outcome.ts';

/** @returns undefined where no plan is known; with a reason where one is, for the like of it */
export function expansionOf(explanation: Explanation, context: PlanContext): Expansion | NoPlan | undefined {
  const { kind, table, column, to, using } = explanation;
  if (!table) return undefined;
  const known = context.schema?.get(tableKey(table));
  switch (kind) {
    case 'rename-table':
      return renameTable(table, to as string);
    case 'drop-table':
      return dropTable(table, known);
    case 'drop-column':
      return dropColumn(table, column as string, context);
    case 'rename-column':
      return renameColumn(table, column as string, to as string, context);
    case 'type':
      return changeType(table, column as string, { to: to as string, using }, context);
    default:
      return undefined;
  }
}

function renameTable(table: Named, to: string): Expansion {
  const renamed = { ...table, name: to };
  return {
    expand: [
      `ALTER TABLE ${qualified(table)} RENAME TO ${quoteName(to)}`,
      // Writes go through such a view, so that code with the old name goes on. Rights and policies are those of who asks, not
      // those of the view's owner, whom row-level security lets see all.
      `CREATE VIEW ${qualified(table)} WITH (security_invoker = true) AS SELECT * FROM ${qualified(renamed)}`,
      sameRights(renamed, table),
    ],
    contract: [`DROP VIEW ${qualified(table)}`],
    rollOut: `the code that says ${quoteName(to)}; code that says ${quoteName(table.name)} reads and writes through a view meanwhile`,
  };
}

/** What roles may do with a table, they may with its view. */
function sameRights(table: Named, view: Named): string {
  return [
    'DO $mytx$',
    'DECLARE given record;',
    'BEGIN',
    '  FOR given IN',
    `    SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who`,
    `    FROM pg_class, aclexplode(relacl) WHERE oid = ${quoteText(qualified(table))}::regclass AND grantee <> relowner`,
    '  LOOP',
    `    EXECUTE 'GRANT ' || given.what || ${quoteText(` ON ${qualified(view)} TO `)} || given.who;`,
    '  END LOOP;',
    'END',
    '$mytx$',
  ].join('\n');
}

function dropTable(table: Named, known: KnownTable | undefined): Expansion {
  return {
    expand: [],
    contract: [
      // Each holds a lock of both tables for a moment, and of no third.
      ...(known?.foreignKeys ?? []).map(
        ({ name }) => `ALTER TABLE ${qualified(table)} DROP CONSTRAINT IF EXISTS ${quoteName(name)}`,
      ),
      `DROP TABLE ${qualified(table)}`,
    ],
    rollOut: `the code that no longer reads or writes ${quoteName(table.name)}, and take a backup`,
  };
}

function dropColumn(table: Named, column: string, { schema, changes }: PlanContext): Expansion | NoPlan {
  const known = schema?.get(tableKey(table));
  const facts = known?.columns.get(column);
  if (known?.primaryKey.includes(column)) {
    const whyNot =
      'the primary key has it, and new code could add no row without it: give the table another key before';
    return { whyNot };
  }
  const mustBeGiven = facts?.isNullable === false && facts.default === undefined;
  const alter = `ALTER TABLE ${qualified(table)}`;
  const gone = { table, column, made: column, last: column, type: undefined };
  const keys = schema && facts ? movedKeys(gone, schema, changes).filter(({ isOther }) => !isOther) : [];
  return {
    // New code does not name it, and its rows must be taken all the same.
    expand: mustBeGiven ? [`${alter} ALTER COLUMN ${quoteName(column)} DROP NOT NULL`] : [],
    contract: [
      ...keys
        .filter(({ isFromOutside }) => isFromOutside)
        .map(({ table: other, name }) => `ALTER TABLE ${qualified(other)} DROP CONSTRAINT ${quoteName(name)}`),
      // With it go its own keys and indexes, on which old code may count (ON CONFLICT).
      `${alter} DROP COLUMN ${quoteName(column)}`,
    ],
    rollOut: `the code that no longer reads or writes ${quoteName(table.name)}.${quoteName(column)}, and take a backup`,
    taken: keys.flatMap(({ taken }) => taken.filter((one) => one.startsWith('drop '))),
  };
}

/** Indexes that have to be made by hand: of expressions, of a part of the rows, of another kind or order. */
export function otherIndexes(schema: KnownSchema | undefined, { table, column }: Explanation): string[] {
  const known = table && schema?.get(tableKey(table));
  if (!known || column === undefined) return [];
  return known.indexes
    .filter(({ columns, isPlain }) => columns.includes(undefined) || (!isPlain && columns.includes(column)))
    .map(({ name }) => name);
}

// What the code in production does not survive: it runs while the change is made and until the next version has replaced it,
// and it names tables and columns as its own schema has them.

import { fullName } from '../operations/known.ts';
import type { Named } from '../sql-statements.ts';
import type { Change } from './changes.ts';
import { type ContextStatement, type Found, isSameTransaction, type LintContext } from './context.ts';
import type { DeployedColumn } from './deployed-schema.ts';
import { labelOf } from './tables.ts';

export function findBrokenCode(context: LintContext): Found[] {
  if (!context.deployed) return [];
  return context.statements.flatMap((statement) =>
    statement.changes.flatMap((change) => {
      const problem = problemOf(change, statement, context);
      return problem
        ? [{ rule: 'breaks-deployed-code' as const, file: statement.file, span: statement, ...problem }]
        : [];
    }),
  );
}

type Problem = Pick<Found, 'message' | 'severity'>;

function problemOf(change: Change, statement: ContextStatement, context: LintContext): Problem | undefined {
  const { ref, relations } = context.deployed as NonNullable<LintContext['deployed']>;
  const code = `the code of ${ref}`;
  if (change.kind === 'drop-schema') {
    const read = [...relations.keys()].filter((key) => key.startsWith(`${change.schema}.`));
    return read.length > 0 ? { message: `${code} reads what is dropped: ${read.join(', ')}` } : undefined;
  }
  if (!('table' in change)) return undefined;
  const columns = relations.get(keyOf(change.table, context));
  if (!columns) return undefined;
  const table = labelOf(change.table);
  switch (change.kind) {
    case 'drop-table':
    case 'rename-table':
      if (comesBack(change.table, statement, context)) return undefined;
      return { message: `${code} reads ${table}, which is ${change.kind === 'drop-table' ? 'dropped' : 'renamed'}` };
    case 'drop-column':
    case 'rename-column':
      if (!columns.has(change.column) || columnComesBack(change, statement, context)) return undefined;
      return {
        message: `${code} reads ${table}.${change.column}, which is ${change.kind === 'drop-column' ? 'dropped' : 'renamed'}`,
      };
    case 'add-column':
      if (!change.isRequired || columns.has(change.column)) return undefined;
      return { message: `${code} writes ${table} without ${change.column}, which is required and has no default` };
    case 'set-not-null':
      return nullProblem(code, table, change.column, columns);
    default:
      return undefined;
  }
}

function nullProblem(
  code: string,
  table: string,
  column: string,
  columns: ReadonlyMap<string, DeployedColumn>,
): Problem | undefined {
  const deployed = columns.get(column);
  if (!deployed) return { message: `${code} writes ${table} without ${column}, which becomes NOT NULL` };
  if (deployed.isNotNull) return undefined;
  return { message: `${code} may write NULL into ${table}.${column}, which becomes NOT NULL`, severity: 'warning' };
}

const keyOf = (name: Named, { known }: LintContext): string => fullName(known, name);

/** A table, or a view in its place, that the same transaction makes behind it. */
function comesBack(table: Named, statement: ContextStatement, context: LintContext): boolean {
  const key = keyOf(table, context);
  return behind(statement, context).some((change) => {
    const made =
      change.kind === 'rename-table'
        ? change.to
        : change.kind.startsWith('create-') && 'table' in change
          ? change.table
          : undefined;
    return made !== undefined && keyOf(made, context) === key;
  });
}

function columnComesBack(
  { table, column }: Extract<Change, { kind: 'drop-column' | 'rename-column' }>,
  statement: ContextStatement,
  context: LintContext,
): boolean {
  const key = keyOf(table, context);
  return [...statement.changes, ...behind(statement, context)].some(
    (change) =>
      ((change.kind === 'add-column' && change.column === column) ||
        (change.kind === 'rename-column' && change.to === column)) &&
      keyOf(change.table, context) === key,
  );
}

function behind(statement: ContextStatement, { statements }: LintContext): Change[] {
  return statements
    .filter((one) => one.number > statement.number && isSameTransaction(one, statement))
    .flatMap(({ changes }) => changes);
}

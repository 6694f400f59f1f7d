// What fails for sure when it is run: found before anything is applied, and not behind half of the files.

import type { TableFacts } from '../catalogue.ts';
import { fullName } from '../operations/known.ts';
import { type Change, hasConstant } from './changes.ts';
import type { Found, LintContext } from './context.ts';
import type { RowProbes } from './row-probes.ts';
import { findKnownTable, isLarge, labelOf, sizeOf } from './tables.ts';

export async function findSureFailures(context: LintContext): Promise<Found[]> {
  return [
    ...findUnknownSyntax(context),
    ...findRefused(context),
    ...findUsedEnumValues(context),
    ...(await findBadRows(context)),
  ];
}

/** A newer server may know more than this grammar. */
function findUnknownSyntax({ files, version }: LintContext): Found[] {
  return files.flatMap((file) =>
    file.unknown.map(
      (span): Found => ({
        rule: 'syntax-error',
        file,
        span,
        message: 'PostgreSQL’s grammar does not know this; none of our rules looked at it',
        ...(version > 18 ? { severity: 'warning' } : {}),
      }),
    ),
  );
}

function findRefused({ files }: LintContext): Found[] {
  return files.flatMap((file): Found[] => {
    if (!file.refused) return [];
    const { line, message, hint } = file.refused;
    const start =
      file.text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    const statement = file.statements.find((one) => one.start >= start) ?? { start, end: start };
    return [
      {
        rule: 'refused-by-deploy',
        file,
        span: statement,
        message: `mytx deploy does not run this: ${message}`,
        help: hint,
      },
    ];
  });
}

function findUsedEnumValues({ statements }: LintContext): Found[] {
  return statements.flatMap((statement) =>
    statement.changes.flatMap((change): Found[] => {
      if (change.kind !== 'add-enum-value') return [];
      const user = statements.find(
        ({ file, number, parsed }) =>
          file === statement.file && number > statement.number && hasConstant(parsed.node, change.value),
      );
      if (!user) return [];
      const message = 'a new value of an enum is used in the file that adds it';
      return [{ rule: 'enum-value-used', file: user.file, span: user, message }];
    }),
  );
}

/** Only of tables that nothing before it writes to: what these files put right is right when the rule comes. */
async function findBadRows(context: LintContext): Promise<Found[]> {
  const { database, statements } = context;
  if (!database) return [];
  const found: Found[] = [];
  const written = new Set<string>();
  for (const statement of statements) {
    for (const change of statement.changes) {
      if (change.kind === 'code') return found; // it may have done anything
      if (!('table' in change)) continue;
      const key = fullName(statement.known, change.table);
      if (change.kind === 'write') written.add(key);
      const { facts, isNew } = findKnownTable(statement.known, change.table);
      if (!facts || isNew || written.has(key)) continue;
      const problem = await problemOf(change, facts, context, database.probes);
      if (problem) found.push({ file: statement.file, span: statement, ...problem });
    }
  }
  return found;
}

type Problem = Pick<Found, 'rule' | 'message'>;

async function problemOf(
  change: Change,
  facts: TableFacts,
  { settings }: LintContext,
  probes: RowProbes,
): Promise<Problem | undefined> {
  const label = labelOf(facts);
  if (change.kind === 'add-column' && change.isRequired && (await probes.hasRows(facts))) {
    return {
      rule: 'required-column',
      message: `${label} has rows (${sizeOf(facts)}), and ${change.column} is NOT NULL without a default`,
    };
  }
  if (isLarge(facts, settings)) return undefined;
  if (
    change.kind === 'set-not-null' &&
    facts.columns.has(change.column) &&
    (await probes.hasNulls(facts, change.column))
  ) {
    return { rule: 'violating-rows', message: `${label}.${change.column} becomes NOT NULL, and is NULL in some rows` };
  }
  if (change.kind !== 'add-index' || !change.isUnique || change.isPartial) return undefined;
  const columns = change.columns.filter((column) => column !== undefined && facts.columns.has(column)) as string[];
  if (columns.length === 0 || columns.length < change.columns.length) return undefined;
  if (!(await probes.hasDuplicates(facts, columns, !change.allowsNulls))) return undefined;
  return {
    rule: 'violating-rows',
    message: `${label} (${columns.join(', ')}) becomes unique, and rows have the same values`,
  };
}

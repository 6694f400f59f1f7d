// Foreign keys without an index on their own columns: PostgreSQL makes none, and each delete of a row that is pointed to
// reads the whole table.

import { fullName } from '../operations/known.ts';
import type { Named } from '../sql-statements.ts';
import type { Change } from './changes.ts';
import type { Found, LintContext } from './context.ts';
import { labelOf } from './tables.ts';

interface KnownIndex {
  name: string | undefined;
  /** The key of its table. */
  table: string;
  columns: readonly (string | undefined)[];
}

export function findUnindexedForeignKeys(context: LintContext): Found[] {
  const { statements, database } = context;
  const indexes = indexesAtTheEnd(context);
  const where = database ? 'neither the database nor these files have' : 'no migration of the project has';
  return statements.flatMap((statement) =>
    statement.changes.flatMap((change): Found[] => {
      if (change.kind !== 'add-foreign-key' || change.columns.length === 0) return [];
      const { table, columns } = change;
      const key = fullName(statement.known, table);
      if (indexes.some((index) => index.table === key && beginsWith(index.columns, columns))) return [];
      const message = `${where} an index on ${labelOf(table)} (${columns.join(', ')}), which this foreign key points from`;
      return [{ rule: 'unindexed-foreign-key', file: statement.file, span: statement, message }];
    }),
  );
}

/** In any order: a lookup names all of them. */
function beginsWith(index: readonly (string | undefined)[], columns: readonly string[]): boolean {
  const first = index.slice(0, columns.length);
  return first.length === columns.length && columns.every((column) => first.includes(column));
}

/** Those that are there when all statements have run: of the database, or else of the files before. */
function indexesAtTheEnd({ database, earlier, statements, known }: LintContext): KnownIndex[] {
  let indexes: KnownIndex[] = [...(database?.catalogue.tables.values() ?? [])].flatMap((facts) =>
    facts.indexes
      .filter(({ isValid, isPartial }) => isValid && !isPartial)
      .map(({ name, columns }) => ({ name, table: `${facts.schema}.${facts.name}`, columns })),
  );
  const key = (name: Named): string => fullName(known, name);
  for (const change of [...(database ? [] : earlier), ...statements.flatMap(({ changes }) => changes)]) {
    indexes = follow(indexes, change, key);
  }
  return indexes;
}

function follow(indexes: KnownIndex[], change: Change, key: (name: Named) => string): KnownIndex[] {
  switch (change.kind) {
    case 'add-index':
      if (change.isPartial) return indexes;
      return [...indexes, { name: change.name, table: key(change.table), columns: change.columns }];
    case 'drop-index':
      return indexes.filter(({ name }) => name !== change.name);
    case 'rename-table':
      return indexes.map((index) => (index.table === key(change.table) ? { ...index, table: key(change.to) } : index));
    case 'rename-column':
      return indexes.map((index) =>
        index.table === key(change.table) ? renamed(index, change.column, change.to) : index,
      );
    default:
      return indexes;
  }
}

const renamed = (index: KnownIndex, from: string, to: string): KnownIndex => ({
  ...index,
  columns: index.columns.map((column) => (column === from ? to : column)),
});

// All keys and indexes of a column that is made anew beside itself, and the foreign keys of other tables that reference it:
// how each is made on the new column, and how it takes the place of the old one.

import { qualified, quoteName } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import { valueType } from './column-sequence.ts';
import { addThenValidate } from './forms.ts';
import { actionsText, fateOf, type KeyChanges, type KeyShape, keyId, type Taken } from './key-changes.ts';
import { type KnownSchema, type KnownTable, tableKey } from './known-schema.ts';
import { objectName, withEnding } from './names.ts';

interface TableKey extends KeyShape {
  table: Named;
  name: string;
}

/** A key with the new column in the place of the old one. */
export interface MovedKey extends TableKey {
  id: string;
  /** What it is called while both are there. */
  between: string;
  /** What it is called at the end; undefined where the migration takes it away, or makes another one. */
  after: string | undefined;
  /** Statements of the file that are made with it. */
  taken: readonly Taken[];
  /** The file makes another key of the same name. */
  isOther: boolean;
  /** The column is only what it references. */
  isFromOutside: boolean;
}

export interface ColumnChange {
  table: Named;
  column: string;
  /** The new column’s name while both are there. */
  made: string;
  /** The new column’s name at the end. */
  last: string;
  /** The new type, where it becomes another one. */
  type: string | undefined;
}

/** Those that the column is in, then those that reference it. */
export function movedKeys(change: ColumnChange, schema: KnownSchema, changes: KeyChanges): MovedKey[] {
  const isOfTable = (named: Named | undefined): boolean =>
    named !== undefined && tableKey(named) === tableKey(change.table);
  const isIn = ({ table, columns }: TableKey): boolean => isOfTable(table) && columns.includes(change.column);
  const isReferenced = ({ to, columnsTo }: TableKey): boolean =>
    isOfTable(to) && columnsTo?.includes(change.column) === true;
  const shape = (key: TableKey, name: string): TableKey => {
    const renamed = (columns: readonly string[]): string[] =>
      columns.map((one) => (one === change.column ? name : one));
    return {
      ...key,
      ...(isOfTable(key.table) ? { columns: renamed(key.columns) } : {}),
      ...(isOfTable(key.to) ? { columnsTo: renamed(key.columnsTo ?? []) } : {}),
    };
  };
  const all = [...schema].flatMap(([id, known]) => keysOf(tableOf(id), known));
  return [...all.filter(isIn), ...all.filter((key) => isReferenced(key) && !isIn(key))].map((key) => {
    const id = keyId(key.kind, key.table, key.name);
    const fate = fateOf(id, key.name, shape(key, change.last), changes);
    const { after } = fate;
    // An index that becomes another one is left to the file, where the new one is there before the old one goes.
    const isLeft = fate.isOther && key.kind.endsWith('INDEX');
    return {
      ...shape(key, change.made),
      id,
      between: after === undefined || after === key.name ? withEnding(key.name, '_new') : after,
      after,
      taken: isLeft ? [] : fate.taken,
      isOther: fate.isOther && !isLeft,
      isFromOutside: !isIn(key),
    };
  });
}

/** The ids of a known schema are `schema.table`. */
function tableOf(id: string): Named {
  const [schema = '', ...name] = id.split('.');
  return { schema: schema === 'public' ? undefined : schema, name: name.join('.') };
}

function keysOf(table: Named, { primaryKey, primaryKeyName, uniques, indexes, foreignKeys }: KnownTable): TableKey[] {
  const primaryName = primaryKeyName ?? objectName(table.name, undefined, 'pkey');
  return [
    ...(primaryKey.length === 0
      ? []
      : [{ table, kind: 'PRIMARY KEY' as const, name: primaryName, columns: primaryKey }]),
    ...uniques.map(({ name, columns }) => ({ table, kind: 'UNIQUE' as const, name, columns })),
    ...indexes
      .filter(({ isPlain }) => isPlain)
      .map(({ name, columns, isUnique }) => ({
        table,
        kind: isUnique ? ('UNIQUE INDEX' as const) : ('INDEX' as const),
        name,
        columns: columns as string[],
      })),
    ...foreignKeys.map(({ name, columns, to, columnsTo, onDelete, onUpdate }) => ({
      table,
      kind: 'FOREIGN KEY' as const,
      name,
      columns,
      to,
      columnsTo,
      actions: actionsText(onDelete, onUpdate),
    })),
  ];
}

const list = (columns: readonly string[]): string => `(${columns.map(quoteName).join(',')})`;

/** The key beside the old one. */
export function makeKey(key: MovedKey): string[] {
  const { table, kind, between, columns, to, columnsTo = [], actions } = key;
  if (key.after === undefined) return [];
  if (!to) {
    const unique = kind === 'INDEX' ? '' : 'UNIQUE ';
    return [`CREATE ${unique}INDEX CONCURRENTLY ${quoteName(between)} ON ${qualified(table)} ${list(columns)}`];
  }
  const [onDelete, onUpdate] = (actions ?? '').split('/');
  return addThenValidate(
    `ALTER TABLE ${qualified(table)} `,
    between,
    `FOREIGN KEY ${list(columns)} REFERENCES ${qualified(to)}${list(columnsTo)} ON DELETE ${onDelete} ON UPDATE ${onUpdate}`,
  );
}

/** The old key goes, and the new one is what it was, in statements of its table alone. An index keeps its name for now. */
export function settleKey({ table, kind, name, between, after, taken }: MovedKey): string[] {
  const alter = `ALTER TABLE ${qualified(table)}`;
  const drop = `${alter} DROP CONSTRAINT ${quoteName(name)}`;
  switch (kind) {
    case 'INDEX':
    case 'UNIQUE INDEX':
      return after === undefined && taken.length === 0
        ? []
        : [`DROP INDEX ${qualified({ schema: table.schema, name })}`];
    case 'FOREIGN KEY':
      return after === undefined || after === between
        ? [drop]
        : [drop, `${alter} RENAME CONSTRAINT ${quoteName(between)} TO ${quoteName(after)}`];
    default:
      return after === undefined
        ? [drop]
        : // At no moment is the table without the key, by which replicas know their rows.
          [`${drop}, ADD CONSTRAINT ${quoteName(after)} ${kind} USING INDEX ${quoteName(between)}`];
  }
}

/** Behind that, what an index is called at the end. */
export function nameIndexes(keys: readonly MovedKey[]): string[] {
  return keys
    .filter(({ kind, after, between }) => kind.endsWith('INDEX') && after !== undefined && after !== between)
    .map(
      ({ table, between, after }) =>
        `ALTER INDEX ${qualified({ schema: table.schema, name: between })} RENAME TO ${quoteName(after as string)}`,
    );
}

/** Why these can't be made beside the old ones; undefined where they can. */
export function whyNotMoved(
  keys: readonly MovedKey[],
  { type, table }: ColumnChange,
  schema: KnownSchema,
  open: ReadonlySet<string>,
): string | undefined {
  const taken = keys.find(({ id }) => open.has(id));
  if (taken)
    return `${quoteName(taken.name)} is made anew already, for another column of this migration: give each a migration of its own`;
  const other = keys.find(({ kind, after, isOther }) => isOther || (kind === 'PRIMARY KEY' && after === undefined));
  if (other)
    return `${quoteName(other.name)} becomes another key in the same migration: give that a migration of its own`;
  for (const { name, to, columns, columnsTo = [], table: holder, after } of type === undefined ? [] : keys) {
    if (!to || after === undefined) continue;
    const isTo = tableKey(to) === tableKey(table);
    for (const [index, one] of columns.entries()) {
      const typeOf = (named: Named, key: string | undefined): string | undefined =>
        schema.get(tableKey(named))?.columns.get(key ?? '')?.type;
      const own = typeOf(holder, one) ?? (type as string);
      const there = typeOf(to, columnsTo[index]) ?? (isTo ? (type as string) : own);
      if (!isComparable(own, there))
        return `foreign key ${quoteName(name)} can’t tie ${own} to ${there}, and PostgreSQL refuses the statement itself: drop the key in a migration before, and add it behind the change of both columns`;
    }
  }
  return undefined;
}

const families = [
  ['smallint', 'integer', 'bigint', 'int', 'int2', 'int4', 'int8'],
  ['text', 'varchar', 'character varying'],
];

/** Whether a foreign key may tie the one to the other: there is an operator that looks up one by the other in an index. */
function isComparable(one: string, other: string): boolean {
  const [first = '', second = ''] = [one, other].map((type) =>
    valueType(type)
      .replace(/\s*\(.*?\)/, '')
      .toLowerCase(),
  );
  return first === second || families.some((family) => family.includes(first) && family.includes(second));
}

// Files and history compared, as sets and never by a high-water mark: a migration is recognised by its time (0.45) or its
// name (1.0), and checked by its hash.

import type { AppliedMigration } from './history.ts';
import type { Migration } from './migrations.ts';

export type MigrationState =
  | 'applied'
  /** In the files and not in the database. */
  | 'pending'
  /** Pending, and older than the newest that is applied: Drizzle's own migrator passes it over in silence. */
  | 'late'
  /** Applied, and the file is another one since. */
  | 'edited'
  /** Applied under another name or time: the same text. */
  | 'renamed'
  /** In the database, older than the newest file, and in no file. */
  | 'deleted'
  /** In the database, and newer than all files: of newer code. */
  | 'ahead'
  /** Twice in the files, or twice in the history. */
  | 'duplicated';

export interface ComparedMigration {
  state: MigrationState;
  /** Of the file; of a row without a file its name, its time or the beginning of its hash. */
  name: string;
  createdAt: number;
  /** Undefined for what is only in the database. */
  migration: Migration | undefined;
}

export interface Comparison {
  /** Everything, in the order of its times. */
  all: ComparedMigration[];
  /** To be applied, late ones among them, in the order of the files. */
  pending: Migration[];
  late: Migration[];
  edited: Migration[];
}

/**
 * Compares files and history. Where no file has the time and name of a history row, a file with that row's hash is the same
 * migration under another time or name: so a file that was copied or generated again is not applied a second time.
 */
export function compare(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Comparison {
  const { rowOf, strays } = match(migrations, applied);
  const newestRow = newest(applied);
  const newestFile = newest(migrations);
  const files = migrations.map((migration): ComparedMigration & { migration: Migration } => ({
    state: isTwice(migration, migrations) ? 'duplicated' : stateOf(migration, rowOf.get(migration), newestRow),
    name: migration.name,
    createdAt: migration.createdAt,
    migration,
  }));
  const others = strays.map((row): ComparedMigration => {
    const isAgain =
      applied.filter(({ hash, createdAt }) => hash === row.hash && createdAt === row.createdAt).length > 1;
    const state = isAgain ? 'duplicated' : row.createdAt > newestFile ? 'ahead' : 'deleted';
    return { state, name: nameOfRow(row), createdAt: row.createdAt, migration: undefined };
  });
  const of = (...states: MigrationState[]): Migration[] =>
    files.filter(({ state }) => states.includes(state)).map(({ migration }) => migration);
  return {
    all: [...files, ...others].sort((one, other) => one.createdAt - other.createdAt),
    pending: of('pending', 'late'),
    late: of('late'),
    edited: of('edited'),
  };
}

const newest = (list: readonly { createdAt: number }[]): number =>
  list.reduce((latest, { createdAt }) => Math.max(latest, createdAt), Number.NEGATIVE_INFINITY);

type IsRowOf = (migration: Migration, row: AppliedMigration) => boolean;

const isSame: IsRowOf = (migration, row) =>
  row.name === undefined ? isSameTime(migration, row) : row.name === migration.name;

/** Of the folders of 1.0 whole seconds: `drizzle-kit up` leaves the rest of a time of 0.45 away, and so does its migrator. */
function isSameTime({ layout, createdAt }: Migration, row: AppliedMigration): boolean {
  const time = layout === 'folders' ? Math.floor(row.createdAt / 1000) * 1000 : row.createdAt;
  return time === createdAt;
}

const hasSameText: IsRowOf = (migration, row) => row.hash === migration.hash;

/** The row of each file that has one, the surest first; each row stands for one file. */
function match(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): { rowOf: Map<Migration, AppliedMigration>; strays: AppliedMigration[] } {
  const free = new Set(applied);
  const rowOf = new Map<Migration, AppliedMigration>();
  for (const isRowOf of [
    (one: Migration, row: AppliedMigration): boolean => isSame(one, row) && hasSameText(one, row),
    isSame,
    hasSameText,
  ]) {
    for (const migration of migrations) {
      if (rowOf.has(migration)) continue;
      const row = [...free].find((one) => isRowOf(migration, one));
      if (!row) continue;
      free.delete(row);
      rowOf.set(migration, row);
    }
  }
  return { rowOf, strays: [...free] };
}

function stateOf(migration: Migration, row: AppliedMigration | undefined, newestRow: number): MigrationState {
  if (!row) return migration.createdAt < newestRow ? 'late' : 'pending';
  if (!isSame(migration, row)) return 'renamed';
  return hasSameText(migration, row) ? 'applied' : 'edited';
}

/** Two entries of a journal with one time, or one name, are one to Drizzle: which of them, depends. */
function isTwice({ name, createdAt, layout }: Migration, migrations: readonly Migration[]): boolean {
  const others = migrations.filter(
    (other) => other.name === name || (layout === 'journal' && other.createdAt === createdAt),
  );
  return others.length > 1;
}

const nameOfRow = ({ name, createdAt, hash }: AppliedMigration): string =>
  name ?? `of ${new Date(createdAt).toISOString().slice(0, 19)} (hash ${hash.slice(0, 8)})`;

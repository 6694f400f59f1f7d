// Files and history that don't fit together: what a deploy does not go on with, unless it is told to. Each is an error of its
// own, says which migrations, and what to do about them.

import type { ComparedMigration, Comparison, MigrationState } from './comparison.ts';
import { DeployError, type DeployErrorCode } from './errors.ts';

/** What a deploy can be told to go on with. */
export type Acceptable = 'edited' | 'renamed' | 'deleted' | 'ahead';
export const acceptable: readonly Acceptable[] = ['edited', 'renamed', 'deleted', 'ahead'];

interface Refusal {
  code: DeployErrorCode;
  says(names: string): string;
  remedy: string;
}

const refusals: Record<Exclude<MigrationState, 'applied' | 'pending'>, Refusal> = {
  duplicated: {
    code: 'MIGRATION_DUPLICATED',
    says: (names) => `there twice, by name or time, in the files or in the history: ${names}`,
    remedy:
      'Two files: generate one of them anew (npx drizzle-kit generate), so that each has a time of its own. Two rows of the history: it was applied twice; look at what it did, then delete the second row.',
  },
  ahead: {
    code: 'DATABASE_AHEAD',
    says: (names) => `the database has migrations that are newer than all files: ${names}`,
    remedy: 'Deploy from the code that has them; or, to go on with older files all the same: --accept ahead.',
  },
  late: {
    code: 'MIGRATION_LATE',
    says: (names) =>
      `not applied, and older than the newest that is (Drizzle’s own migrator passes them over): ${names}`,
    remedy: 'Read whether they can still run behind the newer ones; if so: --include-late.',
  },
  edited: {
    code: 'MIGRATION_EDITED',
    says: (names) => `edited after they were applied, so that the edit is in no database that has them: ${names}`,
    remedy:
      'Put the files back as they were, and make the change in a new migration; or go on all the same: --accept edited.',
  },
  renamed: {
    code: 'MIGRATION_RENAMED',
    says: (names) => `applied under another name or time: ${names}`,
    remedy:
      'Put name and time back as they were, or Drizzle’s own tools apply them again; to go on, since this engine does not: --accept renamed.',
  },
  deleted: {
    code: 'MIGRATION_DELETED',
    says: (names) => `applied, and in no file: ${names}`,
    remedy: 'Restore the files from version control; or go on without them: --accept deleted.',
  },
};

/** What to do about a migration in a state; undefined for what is as it should be. */
export function remedyFor(state: MigrationState): string | undefined {
  if (state === 'applied') return undefined;
  return state === 'pending' ? 'npx mytx deploy' : refusals[state].remedy;
}

/** The most serious one first. */
const order = ['duplicated', 'ahead', 'late', 'edited', 'renamed', 'deleted'] as const;

/**
 * @throws DeployError MIGRATION_DUPLICATED, DATABASE_AHEAD, MIGRATION_LATE, MIGRATION_EDITED, MIGRATION_RENAMED,
 * MIGRATION_DELETED
 */
export function refuseDiverged(
  { all }: Comparison,
  { includeLate = false, accept = [] }: { includeLate?: boolean; accept?: readonly Acceptable[] },
): void {
  const accepted = new Set<string>([...accept, ...(includeLate ? ['late'] : [])]);
  for (const state of order) {
    const found = all.filter((migration) => migration.state === state);
    if (found.length > 0 && !accepted.has(state)) throw refusal(state, found);
  }
}

/** @throws DeployError MIGRATION_DUPLICATED, where which of two files is meant can't be told */
export function refuseDuplicated({ all }: Comparison): void {
  const found = all.filter(({ state, migration }) => state === 'duplicated' && migration);
  if (found.length > 0) throw refusal('duplicated', found);
}

function refusal(state: (typeof order)[number], found: readonly ComparedMigration[]): DeployError {
  const { code, says, remedy } = refusals[state];
  const migrations = found.map(({ name }) => name);
  return new DeployError({
    code,
    message: `${says(migrations.join(', '))}; nothing was applied`,
    hint: remedy,
    details: { state, migrations },
  });
}

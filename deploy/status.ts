// What of a project's migrations a database has. Reads only, and needs no right but to read the history.

import { compare, type MigrationState } from './comparison.ts';
import { type HistoryTable, readHistory } from './history.ts';
import { readMigrations } from './migrations.ts';
import { hashPlan } from './plan-hash.ts';
import { remedyFor } from './refusals.ts';
import type { DeploySession } from './session.ts';
import { unfinishedMigrations } from './steps/ledger.ts';

export interface MigrationStatus {
  name: string;
  state: MigrationState;
  /** When it was generated, as ISO 8601. */
  generatedAt: string;
  /** Of one that was begun and not ended: how many of its steps are done. */
  stepsDone?: number;
  /** What to do about it; null where there is nothing to do. */
  remedy: string | null;
}

export interface StatusReport {
  migrations: MigrationStatus[];
  /** How many are in which state; without those that none is in. */
  counts: Partial<Record<MigrationState, number>>;
  /** Everything is applied, and as it is in the files. */
  isUpToDate: boolean;
  /** Something is neither applied nor simply pending. */
  isDiverged: boolean;
  /** Of the pending migrations and the database: what `deploy --confirm` asks for. Null where nothing is pending. */
  planHash: string | null;
}

export interface StatusOptions {
  folder: string;
  history?: HistoryTable;
}

/**
 * @param session undefined for a database that is not there yet
 * @throws DeployError MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE, LEDGER_UNREADABLE
 */
export async function readStatus(
  session: DeploySession | undefined,
  { folder, history }: StatusOptions,
): Promise<StatusReport> {
  const comparison = compare(readMigrations(folder), session ? await readHistory(session, history) : []);
  const isPending = comparison.pending.length > 0;
  const unfinished = session && isPending ? await unfinishedMigrations(session) : new Map();
  const migrations = comparison.all.map(({ name, state, createdAt }): MigrationStatus => {
    const begun = unfinished.get(`${name} ${createdAt}`);
    return {
      name,
      state,
      generatedAt: new Date(createdAt).toISOString(),
      ...(begun && (state === 'pending' || state === 'late') ? { stepsDone: begun.done } : {}),
      remedy: remedyFor(state) ?? null,
    };
  });
  const counts: StatusReport['counts'] = {};
  for (const { state } of migrations) counts[state] = (counts[state] ?? 0) + 1;
  const isDiverged = migrations.some(({ state }) => state !== 'applied' && state !== 'pending');
  return {
    migrations,
    counts,
    isUpToDate: migrations.every(({ state }) => state === 'applied'),
    isDiverged,
    planHash: session && isPending ? await hashPlan(session, comparison) : null,
  };
}

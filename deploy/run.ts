// What the steps of one deploy share: its two sessions, its patience, and who is told.

import { setTimeout as sleep } from 'node:timers/promises';
import type { OnEvent } from './events.ts';
import { commitLock, stopIfAsked } from './lock.ts';
import type { DeploySession, PostgresFailure } from './session.ts';

export interface Patience {
  /** How long a statement waits for a lock, with all who come behind it in the line; 500 unless given. */
  lockTimeoutMs: number;
  /** For how long a statement that did not get its lock is tried again; 120,000 unless given. */
  lockRetryMs: number;
  /** A backfill waits while a replica is further behind than so many bytes of the log; 64 MB unless given. */
  replicaLagBytes: number;
}

export interface Run extends Patience {
  /** Where the changes run. */
  session: DeploySession;
  /** Where the deploy lock is, and from where is looked on; the same one on an embedded database, which has one session. */
  lock: DeploySession;
  /** The server process of `session`. */
  pid: number;
  /** Stops the run between two steps, or two batches. */
  signal: AbortSignal | undefined;
  onEvent: OnEvent;
}

/** Where a run is. */
export interface Place {
  migration: string;
  step: number;
}

const firstPauseMs = 100;
const longestPauseMs = 2000;

/** SQLSTATEs behind which the same again may succeed: no lock within lock_timeout, a deadlock, a conflict. */
const isLockFailure = ({ code }: PostgresFailure): boolean => /^(55P03|40P01|40001)$/.test(code ?? '');

/**
 * Runs work in a transaction, and all of it again where a lock was not to be had: between two tries whoever waited behind
 * it gets through. The time zone is UTC, because a change from `timestamp` to `timestamptz` means what it is.
 */
export async function inTransaction(run: Run, place: Place, work: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + run.lockRetryMs;
  for (let attempt = 1; ; attempt += 1) {
    stopIfAsked(run);
    try {
      await run.session.script(
        `begin isolation level read committed; set local time zone 'UTC'; set local lock_timeout = ${Math.round(run.lockTimeoutMs)}; ${commitLock}`,
      );
      await work();
      await run.session.script('commit');
      return;
    } catch (error) {
      const blockers = isLockFailure(error as PostgresFailure) ? await findBlockers(run) : [];
      await run.session.script('rollback').catch(() => {}); // a broken session has rolled back already
      if (!isLockFailure(error as PostgresFailure) || performance.now() >= untilMs) throw error;
      await pauseForLock(run, place, attempt, blockers);
    }
  }
}

async function pauseForLock(run: Run, place: Place, attempt: number, blockers: number[]): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random());
  run.onEvent({ type: 'lock-retry', ...place, attempt, pauseMs: Math.round(pauseMs), blockers });
  await sleep(pauseMs, undefined, { signal: run.signal }).catch(() => {});
}

/** Sessions that are in a transaction for long: of those that hold a lock the likely ones. */
async function findBlockers({ lock, session }: Run): Promise<number[]> {
  if (lock === session) return [];
  const rows = await lock
    .query(
      `select pid::text from pg_stat_activity
       where datname = current_database() and xact_start < now() - interval '400 ms' and pid <> pg_backend_pid()
         and backend_type = 'client backend'
       order by xact_start limit 5`,
    )
    .catch(() => []);
  return rows.map(({ pid }) => Number(pid));
}

/** The deploy lock goes with its session: where that broke, another deploy may be under way. */
export async function holdsLock({ lock }: Run): Promise<void> {
  await lock.query('select 1');
}

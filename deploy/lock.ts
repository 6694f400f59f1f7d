// One deploy at a time: an advisory lock, polled. Waiting inside pg_advisory_lock() would hold a snapshot that
// CREATE INDEX CONCURRENTLY of the lock's owner waits for, which hangs for ever on PostgreSQL 15 to 18.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError } from './errors.ts';
import type { DeploySession } from './session.ts';

/** `hashtext('mytx_deploy')`-like, but fixed: the two keys of the lock that every deploy of this engine takes. */
const lockKeys = '1836676216, 1684369516'; // "mytx", "depl"
const pollMs = 100;

export interface LockOptions {
  /** How long to wait for another deploy; 60,000 unless given. */
  lockWaitMs?: number;
  /** Stops the wait. */
  signal?: AbortSignal;
  /** Called about once a second while another process holds the lock. */
  onLockWait?(holder: { pid: number | undefined; waitedMs: number }): void;
}

/**
 * Runs `work` while this session holds the deploy lock.
 * @throws DeployError MIGRATION_LOCK_HELD when another deploy held it all the time
 */
export async function withDeployLock<T>(
  session: DeploySession,
  { lockWaitMs = 60_000, onLockWait, signal }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await takeLock(session, lockWaitMs, onLockWait, signal);
  try {
    return await work();
  } finally {
    // A session that broke has lost the lock already.
    await session.query(`select pg_advisory_unlock(${lockKeys})`).catch(() => {});
  }
}

/**
 * What each transaction of a deploy takes first: it waits, as long as `lock_timeout` lets it, for one of an earlier run
 * whose COMMIT is still under way, though its process is dead and its deploy lock is gone. What is looked at behind it stays.
 */
export const commitLock = 'select pg_advisory_xact_lock(1836676216, 1668246889)'; // "mytx", "comi"

/** For a pooler in transaction mode: it would take the lock in one session, leave it there, and do the rest in others. */
export function poolerRefused(target: string, isProven: boolean): DeployError {
  const mode = isProven ? 'in transaction mode' : 'and may be in transaction mode';
  return new DeployError({
    code: 'POOLER_REFUSED',
    message: `${target} is a pooler ${mode}: a schema change needs a session of its own, for its lock`,
    hint: 'Run this with the server’s own host and port in POSTGRES_URL, without pgbouncer=true. Nothing was changed.',
    details: { target },
  });
}

async function takeLock(
  session: DeploySession,
  lockWaitMs: number,
  onLockWait: LockOptions['onLockWait'],
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = performance.now();
  let saidAt = 0;
  for (;;) {
    const [row] = await session.query(`select pg_try_advisory_lock(${lockKeys})::text as taken`);
    if (row?.taken === 'true') return;
    stopIfAsked({ signal });
    const waitedMs = performance.now() - start;
    if (waitedMs >= lockWaitMs) throw lockHeld(await findHolder(session), waitedMs);
    if (onLockWait && waitedMs - saidAt >= 1000) {
      saidAt = waitedMs;
      onLockWait({ pid: await findHolder(session), waitedMs });
    }
    await sleep(pollMs * (0.5 + Math.random()));
  }
}

async function findHolder(session: DeploySession): Promise<number | undefined> {
  const [classid, objid] = lockKeys.split(', ');
  const [row] = await session.query(
    `select pid::text from pg_locks where locktype = 'advisory' and granted
      and classid = ${classid} and objid = ${objid} and objsubid = 2 limit 1`,
  );
  return row?.pid ? Number(row.pid) : undefined;
}

function lockHeld(pid: number | undefined, waitedMs: number): DeployError {
  return new DeployError({
    code: 'MIGRATION_LOCK_HELD',
    message: `another deploy${pid === undefined ? '' : ` (server process ${pid})`} held the lock for ${Math.round(waitedMs / 1000)} s`,
    hint: 'Wait for it and run this again. If it hangs, look at it in pg_stat_activity and end it with pg_terminate_backend(pid).',
    details: { pid, waitedMs: Math.round(waitedMs) },
  });
}

/** @throws DeployError DEPLOY_STOPPED */
export function stopIfAsked({ signal }: { signal?: AbortSignal | undefined }): void {
  if (!signal?.aborted) return;
  throw new DeployError({
    code: 'DEPLOY_STOPPED',
    message: 'stopped between two steps, because it was asked to: what was done before stays',
    hint: 'Run the same command again: it goes on where this one stopped.',
  });
}

// One process owns an embedded database at a time. Two at once lose acknowledged writes (PGlite has no lock of its
// own: electric-sql/pglite#1106), so the second is refused, by a file that holds the owner's process id.
// Never takes a file away from a process that is alive.

import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConnectionError } from '../errors.ts';

const attempts = 50;
const abandonedAfterMs = 10_000;

/** Gives the folder up again; may be called more than once. */
export type ReleaseOwnership = () => void;

/**
 * Makes this process the owner of the embedded database in `folder`, or throws EMBEDDED_IN_USE with the owner's pid.
 * The file goes when the process exits; one left behind by a process that was killed is taken over.
 */
export function takeOwnership(folder: string): ReleaseOwnership {
  mkdirSync(folder, { recursive: true });
  const lockPath = resolve(folder, 'owner.pid');
  const ownPath = join(folder, `owner.pid.${process.pid}`);
  writeFileSync(ownPath, `${process.pid}\n`);
  try {
    claim(lockPath, ownPath, folder);
  } finally {
    rmSync(ownPath, { force: true });
  }
  const owned = ownedByThisProcess();
  owned.add(lockPath);
  const release = (): void => {
    if (!owned.delete(lockPath)) return;
    process.off('exit', release);
    if (readOwner(lockPath) === process.pid) rmSync(lockPath, { force: true });
  };
  process.once('exit', release);
  return release;
}

function claim(lockPath: string, ownPath: string, folder: string): void {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      linkSync(ownPath, lockPath); // atomic: fails where the file is there
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readOwner(lockPath);
    if (owner !== undefined && isAlive(owner, lockPath)) throw inUse(folder, owner);
    if (owner !== undefined) removeStale(lockPath, owner);
  }
  throw inUse(folder, readOwner(lockPath));
}

/**
 * Takes away the file of a dead owner. One process at a time may: two that both saw the dead one could otherwise
 * take away what the faster of them has put in its place.
 */
function removeStale(lockPath: string, deadOwner: number): void {
  const turn = `${lockPath}.takeover`;
  if (!takeTurn(turn)) return;
  try {
    if (readOwner(lockPath) === deadOwner) rmSync(lockPath, { force: true });
  } finally {
    rmSync(turn, { recursive: true, force: true });
  }
}

/** Makes the folder that stands for the turn. One that is older than a process needs it was left by a killed one. */
function takeTurn(turn: string): boolean {
  try {
    mkdirSync(turn);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const age = Date.now() - (statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > abandonedAfterMs) rmSync(turn, { recursive: true, force: true });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  return false;
}

function readOwner(lockPath: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(lockPath, 'utf8'), 10);
    return Number.isNaN(pid) ? 0 : pid;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The files that this process put there, also where a bundler or hot reload loads this module twice. */
function ownedByThisProcess(): Set<string> {
  const key = Symbol.for('mytx-ai.owned');
  const places = globalThis as Record<symbol, unknown>;
  places[key] ??= new Set();
  return places[key] as Set<string>;
}

/** In a container every run may have the same pid: our own is an owner only if we are. */
function isAlive(pid: number, lockPath: string): boolean {
  if (pid <= 0) return false;
  if (pid === process.pid) return ownedByThisProcess().has(lockPath);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // alive, but another user's
  }
}

function inUse(folder: string, owner: number | undefined): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_IN_USE',
    `the embedded database in ${folder} is in use by process ${owner ?? 'unknown'}`,
    'Stop that process, or set POSTGRES_URL to a PostgreSQL server, which many processes can use at once.',
    { pid: owner, folder },
  );
}

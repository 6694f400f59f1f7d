// One process owns an embedded database at a time. Two at once lose acknowledged writes (PGlite has no lock of its
// own: electric-sql/pglite#1106), so the second is refused, by a file (owner-file.ts) that says who the first is.
// Never takes a file away from a process that is alive, and never lets one go on that is not the owner any more.

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError } from '../errors.ts';
import { beatMs, judge, type OwnerFile, readOwnerFile, silenceMs, type Verdict, writeFacts } from './owner-file.ts';
import { beginOf, thisPlace } from './process-facts.ts';
import { findSocketUrl, removeSocket } from './socket-folder.ts';

const attempts = 50;
const abandonedAfterMs = 10_000;
const trustedMs = 200;

export interface Ownership {
  /** Looks at the file, unless it was looked at in the last `trustMs` (200). @throws ConnectionError EMBEDDED_LOST */
  assertKept(trustMs?: number): void;
  /** Gives the folder up again, and takes the socket away; may be called more than once. */
  release(): void;
}

export interface OwnershipOptions {
  /** The folder of the socket that others come in through, for the file. */
  socketFolder?: string;
  /** The file that says who the owner is; `owner.pid` in the folder unless given. */
  lockFile?: string;
  /** What another process is told to do that comes meanwhile; to come in, or to stop the owner, unless given. */
  hint?: string;
}

/**
 * Makes this process the owner of the embedded database in `folder`. The file goes when the process exits; one left
 * behind by a process that was killed is taken over.
 * @throws ConnectionError EMBEDDED_IN_USE with the owner's pid, in milliseconds; seconds later where the owner may be
 * on another machine and is silent
 */
export async function takeOwnership(
  folder: string,
  { socketFolder, lockFile = join(folder, 'owner.pid'), hint }: OwnershipOptions = {},
): Promise<Ownership> {
  const lockPath = resolve(lockFile);
  mkdirSync(dirname(lockPath), { recursive: true });
  const ownPath = `${lockPath}.${process.pid}.${randomUUID().slice(0, 8)}`;
  const begunAt = beginOf(process.pid);
  const text = writeFacts(process.pid, {
    token: randomUUID(),
    ...thisPlace(),
    ...(begunAt ? { begunAt } : {}),
    startedAt: new Date().toISOString(),
    ...(socketFolder ? { socketFolder } : {}),
  });
  writeFileSync(ownPath, text);
  try {
    await claim(lockPath, ownPath, (owner) => inUse(folder, owner, hint));
  } finally {
    rmSync(ownPath, { force: true });
  }
  return new HeldOwnership(folder, lockPath, text, socketFolder);
}

class HeldOwnership implements Ownership {
  private lookedAtMs = performance.now();
  private lost: ConnectionError | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly folder: string,
    private readonly lockPath: string,
    private readonly text: string,
    private readonly socketFolder: string | undefined,
  ) {
    const { held, onExit } = heldByThisProcess();
    if (held.size === 0) process.once('exit', onExit);
    held.set(lockPath, this);
    this.timer = setInterval(() => this.beat(), beatMs).unref();
  }

  assertKept(trustMs = trustedMs): void {
    if (performance.now() - this.lookedAtMs >= trustMs) this.look();
    if (this.lost) throw this.lost;
  }

  release(): void {
    const { held, onExit } = heldByThisProcess();
    if (held.get(this.lockPath) !== this) return;
    held.delete(this.lockPath);
    if (held.size === 0) process.off('exit', onExit);
    clearInterval(this.timer);
    if (readOwnerFile(this.lockPath)?.text !== this.text) return; // another one's, and so is the socket
    if (this.socketFolder) removeSocket(this.socketFolder);
    rmSync(this.lockPath, { force: true });
  }

  private beat(): void {
    this.look();
    if (this.lost) {
      clearInterval(this.timer);
      return;
    }
    const now = new Date();
    try {
      utimesSync(this.lockPath, now, now);
    } catch {
      // Gone since, which the next look finds; or a disk that refuses, and then the statements fail too.
    }
  }

  private look(): void {
    try {
      const found = readOwnerFile(this.lockPath);
      this.lookedAtMs = performance.now();
      if (found?.text !== this.text) this.lost ??= ownershipLost(this.folder, found);
    } catch {
      // It can't be read now (too many open files, say): that says nothing of who it names. The next statement looks again.
    }
  }
}

async function claim(
  lockPath: string,
  ownPath: string,
  refusal: (owner: OwnerFile | undefined) => ConnectionError,
): Promise<void> {
  const here = thisPlace();
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      linkSync(ownPath, lockPath); // atomic: fails where the file is there
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readOwnerFile(lockPath);
    if (!owner) continue;
    const verdict = judgeOwn(owner, lockPath) ?? judge(owner, here);
    if (verdict === 'alive' || (verdict === 'silent' && (await showsLife(lockPath, owner)))) throw refusal(owner);
    await removeStale(lockPath, owner);
  }
  throw refusal(readOwnerFile(lockPath));
}

/** Where it can't be told when a process began, our own id is an owner only if we are. */
function judgeOwn({ pid, facts }: OwnerFile, lockPath: string): Verdict | undefined {
  if (pid !== process.pid || facts?.begunAt !== undefined) return undefined;
  return heldByThisProcess().held.has(lockPath) ? 'alive' : 'dead';
}

/** Watches the file for longer than an owner needs for three beats. */
async function showsLife(lockPath: string, { text, heardAtMs }: OwnerFile): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < beatMs * 3.5; waitedMs += beatMs / 4) {
    await sleep(beatMs / 4);
    const found = readOwnerFile(lockPath);
    if (found?.text !== text) return false; // another one's now, or gone: judged anew
    if (found.heardAtMs !== heardAtMs) return true;
  }
  return false;
}

/**
 * Takes away the file of a dead owner. One process at a time may: two that both saw the dead one could otherwise
 * take away what the faster of them has put in its place.
 */
async function removeStale(lockPath: string, dead: OwnerFile): Promise<void> {
  const turn = `${lockPath}.takeover`;
  if (!(await takeTurn(turn))) return;
  try {
    if (readOwnerFile(lockPath)?.text === dead.text) rmSync(lockPath, { force: true });
  } finally {
    rmSync(turn, { recursive: true, force: true });
  }
}

/** Makes the folder that stands for the turn. One that is older than a process needs it was left by a killed one. */
async function takeTurn(turn: string): Promise<boolean> {
  try {
    mkdirSync(turn);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const age = Date.now() - (statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > abandonedAfterMs) rmSync(turn, { recursive: true, force: true });
  await sleep(20);
  return false;
}

interface Held {
  /** What this process owns, by the path of its file. */
  held: Map<string, Ownership>;
  onExit(): void;
}

/** One for a process, also where a bundler or hot reload loads this module twice. */
function heldByThisProcess(): Held {
  const key = Symbol.for('mytx-ai.owned');
  const places = globalThis as Record<symbol, unknown>;
  places[key] ??= newHeld();
  return places[key] as Held;
}

function newHeld(): Held {
  const held = new Map<string, Ownership>();
  return {
    held,
    onExit(): void {
      for (const ownership of [...held.values()]) ownership.release();
    },
  };
}

function inUse(folder: string, owner: OwnerFile | undefined, hint: string | undefined): ConnectionError {
  const { facts, pid = 0, heardAtMs = 0 } = owner ?? {};
  const isElsewhere = facts !== undefined && facts.host !== thisPlace().host;
  const url = isElsewhere ? undefined : findSocketUrl(facts?.socketFolder);
  const silentMs = Math.max(0, Math.round(Date.now() - heardAtMs));
  const since = facts
    ? ` since ${facts.startedAt}${isElsewhere ? ` on ${facts.host}` : ''}, last heard from ${Math.round(silentMs / 1000)} s ago`
    : '';
  return new ConnectionError(
    'EMBEDDED_IN_USE',
    `the embedded database in ${folder} is in use by process ${pid || 'unknown'}${since}`,
    hint ?? hintFor(pid, isElsewhere, url),
    {
      pid,
      folder,
      ...(facts ? { startedAt: facts.startedAt, host: facts.host, silentMs } : {}),
      ...(url ? { url } : {}),
    },
  );
}

function hintFor(pid: number, isElsewhere: boolean, url: string | undefined): string {
  if (pid === process.pid && !isElsewhere) {
    return 'It is this process that has it open: use that database, or close it first.';
  }
  if (url) return `Come in through its owner: POSTGRES_URL='${url}'. Or stop that process.`;
  const wait = isElsewhere
    ? ` One that was killed there is taken over ${silenceMs / 1000} s after it was last heard from.`
    : '';
  return `Stop that process, or set POSTGRES_URL to a PostgreSQL server, which many processes can use at once.${wait}`;
}

function ownershipLost(folder: string, found: OwnerFile | undefined): ConnectionError {
  const reason = found ? `process ${found.pid || 'unknown'} took it over` : 'its file owner.pid was removed';
  return new ConnectionError(
    'EMBEDDED_LOST',
    `the embedded database in ${folder} is not this process’s any more: ${reason}`,
    'Nothing more is sent to it. Close the database and open it again.',
    { folder, ...(found?.pid ? { pid: found.pid } : {}) },
  );
}

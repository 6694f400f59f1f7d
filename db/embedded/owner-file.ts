// The file that says who owns an embedded database, `.mytx/owner.pid`, and what it means.
//
//   4711
//   {"token":"…","host":"…","bootId":"…","pidNamespace":"pid:[4026531836]","begunAt":"183042","startedAt":"…","socketFolder":"…"}
//
// The first line is the process id, so that a person, a script and an older version can read it. The owner touches the
// file every two seconds: its time of change is when it was last heard from. Whether the owner is alive:
//
// - Its process id means something here (same boot, same container): gone, or begun at another time (the id was given
//   out again), it is dead. Otherwise it is alive, however long it was silent: a statement of the embedded database
//   blocks the timers of its process, and who is frozen (SIGSTOP) comes back. A living owner is never robbed.
// - The machine was started anew since, and the owner was last heard from before that: dead.
// - Another machine or container on the same folder: nobody here can see its processes. Heard from in the last minute,
//   it is alive. If not, the file is watched for some seconds more, because the clocks of two machines differ; a touch
//   in that time is a sign of life. An owner that was silent for longer finds, before its next statement, that the
//   file is another one's, and runs nothing any more (owner.ts).
// - An id alone, as older versions wrote it: alive where a process has that id.

import { readFileSync, statSync } from 'node:fs';
import { beginOf, bootedAtMs, isRunning, type Place } from './process-facts.ts';

export const beatMs = 2000;
/** How long an owner that can't be seen from here may be silent. */
export const silenceMs = 60_000;

/** What the second line holds. */
export interface OwnerFacts extends Place {
  /** Tells this claim from every other. */
  token: string;
  /** When the process began, as process-facts.ts has it. */
  begunAt?: string;
  /** When it became the owner. */
  startedAt: string;
  /** Where its socket is, or would be. */
  socketFolder?: string;
}

export interface OwnerFile {
  text: string;
  /** 0 where the file holds none. */
  pid: number;
  facts?: OwnerFacts;
  /** When it was last touched. */
  heardAtMs: number;
}

export type Verdict = 'alive' | 'dead' | 'silent';

export function writeFacts(pid: number, facts: OwnerFacts): string {
  return `${pid}\n${JSON.stringify(facts)}\n`;
}

/** The owner's file, or undefined where there is none. @throws what the system says where it can't be read */
export function readOwnerFile(path: string): OwnerFile | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    const heardAtMs = statSync(path).mtimeMs;
    const facts = parseFacts(text.split('\n')[1]);
    const pid = Number.parseInt(text, 10);
    return { text, pid: Number.isNaN(pid) ? 0 : pid, heardAtMs, ...(facts ? { facts } : {}) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseFacts(line: string | undefined): OwnerFacts | undefined {
  try {
    const facts = JSON.parse(line ?? '') as Partial<OwnerFacts>;
    const { token, host, bootId } = facts;
    return [token, host, bootId].every((fact) => typeof fact === 'string') ? (facts as OwnerFacts) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the owner is alive; 'silent' for one that can't be seen from here and was not heard from in the last minute. */
export function judge({ pid, facts, heardAtMs }: OwnerFile, here: Place): Verdict {
  if (!facts) return isRunning(pid) ? 'alive' : 'dead';
  const isSameBoot = facts.bootId === here.bootId;
  if (isSameBoot && facts.host === here.host && facts.pidNamespace === here.pidNamespace) {
    if (!isRunning(pid)) return 'dead';
    const begunAt = beginOf(pid);
    return begunAt !== undefined && facts.begunAt !== undefined && begunAt !== facts.begunAt ? 'dead' : 'alive';
  }
  if (!isSameBoot && facts.host === here.host && heardAtMs < bootedAtMs()) return 'dead';
  return Math.abs(Date.now() - heardAtMs) < silenceMs ? 'alive' : 'silent';
}

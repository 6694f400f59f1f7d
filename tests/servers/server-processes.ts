// The processes of a running PostgreSQL server as one: all are killed, frozen or let go on. Every one is a child of the
// postmaster and leads a session of its own, so that no signal to a process group would reach them all.
// It never signals a process that is not the postmaster or a child of it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export class ServerProcesses {
  readonly #postmaster: number;

  constructor(postmaster: number) {
    this.#postmaster = postmaster;
  }

  /** SIGSTOP. */
  async freeze(): Promise<void> {
    for (const pid of await this.#stopPostmaster()) signal(pid, 'SIGSTOP');
  }

  /** The postmaster first, so that it starts no other one meanwhile. @returns its children */
  async #stopPostmaster(): Promise<number[]> {
    signal(this.#postmaster, 'SIGSTOP');
    while (isRunning(this.#postmaster)) await sleep(1); // a signal takes a moment
    return childrenOf(this.#postmaster);
  }

  /** SIGCONT. The postmaster last: it would take a child that does not move for one that hangs. */
  thaw(): void {
    for (const pid of childrenOf(this.#postmaster)) signal(pid, 'SIGCONT');
    signal(this.#postmaster, 'SIGCONT');
  }

  /** SIGKILL; returns when every process is gone, for the next server refuses shared memory that is in use. */
  async kill(): Promise<void> {
    const children = await this.#stopPostmaster();
    for (const pid of [...children, this.#postmaster]) signal(pid, 'SIGKILL');
    while (children.some(isAlive)) await sleep(5);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended by itself
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return stateOf(pid) !== 'Z'; // a process that nobody has waited for yet holds nothing any more
}

/** Whether it goes on after SIGSTOP; without /proc that can't be seen. */
function isRunning(pid: number): boolean {
  return ['R', 'S', 'D'].includes(stateOf(pid) ?? '');
}

function childrenOf(parent: number): number[] {
  return listProcesses()
    .filter(({ parentPid }) => parentPid === parent)
    .map(({ pid }) => pid);
}

interface ListedProcess {
  pid: number;
  parentPid: number;
}

function listProcesses(): ListedProcess[] {
  if (!existsSync('/proc/self/stat')) return listWithPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parentPid: Number(readStat(name)[1] ?? 0) }));
}

function listWithPs(): ListedProcess[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parentPid] = line.trim().split(/\s+/).map(Number);
    return { pid: pid as number, parentPid: parentPid as number };
  });
}

function stateOf(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? readStat(String(pid))[0] : undefined;
}

/** State, parent and what follows in /proc/<pid>/stat, behind a name that may hold anything. */
function readStat(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return []; // it has ended
  }
}

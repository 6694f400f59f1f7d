// What tells one process from another: its id alone does not, because ids are given out again, after a reboot and in
// every container. And which processes have a folder open. Never throws: what can't be found out is undefined.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { sep } from 'node:path';

/** Where a process runs: ids can be compared only where both are the same. */
export interface Place {
  host: string;
  /** Another one after each start of the machine. */
  bootId: string;
  /** Of a Linux process: a container has one of its own. */
  pidNamespace?: string;
}

/** The place of this process. */
export function thisPlace(): Place {
  const pidNamespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return { host: hostname(), bootId: bootId(), ...(pidNamespace ? { pidNamespace } : {}) };
}

/** When this machine was started. */
export function bootedAtMs(): number {
  return Date.now() - uptime() * 1000;
}

/** When a process of this place began, as a text that no later process with its id has; undefined: can't be told. */
export function beginOf(pid: number): string | undefined {
  if (process.platform === 'linux') return statOf(pid)?.startedAt;
  if (process.platform === 'win32') return undefined;
  const env = { LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = spawnSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env });
  return stdout?.trim() || undefined;
}

/** Whether a process with this id is there; one that has ended and was not waited for is not. */
export function isRunning(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: there, but another user's
  }
  return process.platform !== 'linux' || !/[ZX]/.test(statOf(pid)?.state ?? '');
}

/**
 * The processes that have a file of a folder open, this one among them, as far as this user may see them: none of other
 * users' and of other containers'. Takes milliseconds on Linux. Undefined: can't be told.
 */
export function holdersOf(folder: string): number[] | undefined {
  const path = attempt(() => realpathSync(folder));
  if (path === undefined) return [];
  if (process.platform === 'linux') return holdersInProc(path + sep);
  return process.platform === 'win32' ? undefined : holdersByLsof(path);
}

function holdersInProc(prefix: string): number[] | undefined {
  const pids = attempt(() => readdirSync('/proc').filter((name) => /^\d+$/.test(name)));
  const hasOpen = (pid: string): boolean =>
    (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).some((file) =>
      attempt(() => readlinkSync(`/proc/${pid}/fd/${file}`))?.startsWith(prefix),
    );
  return pids?.filter(hasOpen).map(Number);
}

/** As macOS has it. Exits with 1 where it finds none. */
export function holdersByLsof(folder: string): number[] | undefined {
  const { stdout, error } = spawnSync('lsof', ['-w', '-t', '+D', folder], { encoding: 'utf8' });
  return error ? undefined : stdout.split('\n').filter(Boolean).map(Number);
}

/** The third and the twenty-second field of /proc/<pid>/stat; the second is a name in brackets, which may hold anything. */
function statOf(pid: number): { state: string; startedAt: string } | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields?.[0], fields?.[19]];
  return state && startedAt ? { state, startedAt } : undefined;
}

function bootId(): string {
  const id = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  if (id) return id;
  const { stdout } = spawnSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }); // macOS
  return stdout?.trim() || String(Math.round(bootedAtMs() / 60_000));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

// What the benches share: a server of their own that syncs as one in production does, times taken in turn, and what is
// said of the machine.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { migrate } from '../db/opening.ts';
import { findInstallations, isFound } from '../tests/servers/installations.ts';
import { type RunningServer, startServer } from '../tests/servers/server.ts';

/** Where and when a result was measured. */
export interface Machine {
  /** The day, UTC. */
  date: string;
  node: string;
  postgres: number;
  cores: number;
}

export function describeMachine(server: RunningServer): Machine {
  const date = new Date().toISOString().slice(0, 10);
  return { date, node: process.version, postgres: server.version, cores: cpus().length };
}

/** A migrated PostgreSQL with fsync on, the oldest that is here. Stop it behind the bench. */
export async function startBenchServer(): Promise<{ server: RunningServer; url: string }> {
  const [installation] = findInstallations().filter(isFound);
  if (!installation) throw new Error('no PostgreSQL server is here to start: see tests/servers/installations.ts');
  const settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '256MB' };
  const server = await startServer(installation, { settings });
  const url = server.url('postgres');
  await migrate({ url });
  keepApart(server.pid);
  return { server, url };
}

/**
 * The server on the last core, the bench on the first. Left alone, the scheduler puts the process that a request wakes
 * now on the one, now on the other core, and a request takes 4 or 25 microseconds by chance, minutes at a time.
 */
function keepApart(serverPid: number): void {
  pin(serverPid, lastCore, '--all-tasks');
  keepOnFirstCore(process.pid);
}

const lastCore = `${cpus().length - 1}`;

/** The main thread of a process; its others go where there is room. */
export function keepOnFirstCore(pid: number): void {
  pin(pid, `0-${lastCore}`, '--all-tasks');
  pin(pid, '0');
}

/** With one core, or without taskset, nothing happens. */
function pin(pid: number, cores: string, ...which: string[]): void {
  if (cpus().length > 1) spawnSync('taskset', [...which, '--cpu-list', '--pid', cores, `${pid}`]);
}

const resultPath = (name: string): string => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

export function readResult<Result>(name: string): Result {
  return JSON.parse(readFileSync(resultPath(name), 'utf8')) as Result;
}

export function saveResult(name: string, result: unknown): void {
  mkdirSync(new URL('results', import.meta.url), { recursive: true });
  writeFileSync(resultPath(name), `${JSON.stringify(result)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The quarter and the three quarters of sorted values: half of them lie between. */
export function middleHalf(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] as number;
  return [at(0.25), at(0.75)];
}

/** How long `work` takes, in milliseconds. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

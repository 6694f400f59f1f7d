// Runs the real command line as a child process, compiled as the package has it, in a folder of its own, with an
// environment that names no database unless a test does. Every child that a test forgets is killed behind it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, inject } from 'vitest';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');
const compiled = inject('compiledCommand');

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface Running {
  readonly pid: number;
  /** Resolves when what was printed so far, on either stream, holds `text`; rejects when the process ends without. */
  until(text: string): Promise<void>;
  /** What was printed so far, on either stream. */
  printed(): string;
  /** Gives it some of its standard input, and no end of it. */
  feed(text: string): void;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  readonly ended: Promise<Ended>;
}

interface Place {
  folder: string;
  env?: Record<string, string>;
  /** Instead of the compiled command that of a checkout. */
  isSource?: boolean;
}

const children = new Set<ChildProcess>();
const folders: string[] = [];

/** Call once in a file: cleans up behind its tests. */
export function cleanUpCommands(): void {
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-cli-'));
  folders.push(folder);
  return folder;
}

/** Runs `mytx <args>` to its end. */
export function mytx(args: readonly string[], place: Place): Promise<Ended> {
  return startMytx(args, place).ended;
}

/** What is started as `mytx <args>`. */
export const commandLine = (args: readonly string[]): string[] => [process.execPath, compiled, ...args];

/** The same in a checkout, whose source is run as it is. */
export const sourceCommandLine = (args: readonly string[]): string[] => [
  process.execPath,
  ...['--import', tsx, main],
  ...args,
];

/** Starts `mytx <args>`. */
export function startMytx(args: readonly string[], { folder, env = {}, isSource = false }: Place): Running {
  const startMs = performance.now();
  const [node = '', ...line] = isSource ? sourceCommandLine(args) : commandLine(args);
  const child = spawn(node, line, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.add(child);
  child.stdin.on('error', () => {}); // it may end without having read all
  if (!args.includes('-')) child.stdin.end();
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      printed[name] += text;
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      children.delete(child);
      resolve({ exitCode, ...printed, durationMs: performance.now() - startMs });
    });
  });
  return {
    pid: child.pid as number,
    ended,
    printed: () => printed.stdout + printed.stderr,
    feed: (text) => void child.stdin.write(text),
    until: (text) => untilPrinted(child, () => printed.stdout + printed.stderr, text),
    end(signal): Promise<Ended> {
      child.kill(signal);
      return ended;
    },
  };
}

function untilPrinted(child: ChildProcess, all: () => string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (all().includes(text)) resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.on('close', () => reject(new Error(`ended without ${JSON.stringify(text)}:\n${all()}`)));
    look();
  });
}

/** The process that owns the embedded database of `folder`, or undefined. */
export function ownerOf(folder: string): number | undefined {
  const path = join(folder, '.mytx', 'owner.pid');
  return existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : undefined;
}

/** The numbers of the printed table of tables. */
export function printedRows(stdout: string): Record<string, number> {
  const rows = stdout.matchAll(/^([A-Z]\w+) +([\d,]+)$/gm);
  return Object.fromEntries([...rows].map(([, table, count]) => [table, Number(count?.replaceAll(',', ''))]));
}

export const rowsOfSample = {
  User: 3,
  Chat: 40,
  Message: 2_500,
  Memory: 30,
  Task: 24,
  Reservation: 6,
  ApiKey: 0,
  Protocol: 5,
  ProtocolVersion: 12,
};

// A copy of the project to run documented commands in: every file that git knows or would add, node_modules by a link,
// and an environment without a database of its own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const projectFolder = join(import.meta.dirname, '..', '..');

export interface ProjectCopy {
  folder: string;
  /** Runs a shell command in the copy's folder, without a keyboard. */
  run(command: string, env?: Record<string, string>): Promise<CommandResult>;
  /** Runs `work` while `npm start` has the embedded database of the copy open, with the URL that it prints. */
  whileStarted(work: (url: string) => Promise<void>): Promise<void>;
  remove(): void;
}

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** Both, as a reader of the terminal sees them. */
  output: string;
}

export function copyProject(): ProjectCopy {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-copy-')));
  for (const path of projectFiles()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(projectFolder, path), join(folder, path));
  }
  symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    run: (command, env = {}) => run(command, folder, env),
    whileStarted: (work) => whileStarted(folder, work),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Files of the project, by their paths from its folder, also those that are not committed yet. */
export function projectFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8' });
  const files = listed.split('\0').filter((path) => path !== '');
  return [...new Set(files)].filter((path) => existsSync(join(projectFolder, path))).sort();
}

function run(command: string, cwd: string, extra: Record<string, string>): Promise<CommandResult> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
    cwd,
    env: { ...environment(), ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result: CommandResult = { exitCode: null, stdout: '', stderr: '', output: '' };
  const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    result[stream] += chunk;
    result.output += chunk;
  };
  child.stdout.on('data', collect('stdout'));
  child.stderr.on('data', collect('stderr'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ ...result, exitCode }));
  });
}

async function whileStarted(cwd: string, work: (url: string) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'start'], {
    cwd,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  try {
    while (!printed.includes('ready; ')) await Promise.race([once(child.stdout, 'data'), ended.then(endedEarly)]);
    await work(/psql '(.*)'/.exec(printed)?.[1] ?? '');
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}

function endedEarly(): never {
  throw new Error('npm start ended before it was ready');
}

/** This process's, without what would choose a database or change what commands print. */
function environment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(POSTGRES_|PG|MYTX_|VITEST|NODE_ENV$|npm_)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1', npm_config_loglevel: 'error' };
}

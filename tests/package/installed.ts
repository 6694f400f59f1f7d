// The package as a user has it: packed, and installed without install scripts in an empty folder.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { copyProject, projectFolder } from '../docs/project-copy.ts';

export const root: string = projectFolder;

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, with no database in its environment. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, node }: { cwd: string; env?: Record<string, string>; node?: string },
): Promise<Ran> {
  const { POSTGRES_URL: _url, NODE_OPTIONS: _options, VITEST: _vitest, NODE_ENV: _mode, ...inherited } = process.env;
  const path = node ? { PATH: `${dirname(node)}${delimiter}${inherited.PATH}` } : {};
  const options = { cwd, env: { ...inherited, ...path, ...env }, maxBuffer: 64 << 20, timeout: 240_000 };
  return new Promise((resolve) => {
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const exitCode = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
      resolve({ exitCode, stdout, stderr });
    });
  });
}

async function runOrThrow(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, args, { cwd });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}:\n${stderr}\n${stdout}`);
  return stdout;
}

export interface InstalledPackage {
  tarball: string;
  /** An application's folder with the package in its node_modules. */
  folder: string;
  /** A new, empty folder that finds the same node_modules. */
  newFolder(): string;
  remove(): void;
}

/**
 * Packs the project, which builds it, and installs the tarball with what it depends on. It is built in a copy: test files
 * that run side by side must not build into one folder.
 */
export async function installPackage(): Promise<InstalledPackage> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-package-')));
  const copy = copyProject();
  await runOrThrow('npm', ['pack', '--pack-destination', place], copy.folder).finally(copy.remove);
  const tarball = join(place, readdirSync(place).find((name) => name.endsWith('.tgz')) as string);
  const folder = join(place, 'application');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true }));
  await runOrThrow('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], folder);
  return {
    tarball,
    folder,
    newFolder: () => mkdtempSync(join(folder, 'run-')),
    remove: () => rmSync(place, { recursive: true, force: true }),
  };
}

/** Another version of Node from npm, where there is one for this machine; or why there is none. */
export async function installNode(version: number, place: string): Promise<string | { missing: string }> {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(place, `node-${version}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{}');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`];
  const { exitCode, stderr } = await run('npm', args, { cwd: folder });
  if (exitCode !== 0) return { missing: `npm has no ${name}@${version} here: ${stderr.split('\n').at(-3)}` };
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  const { stdout } = await run(node, ['--version'], { cwd: folder });
  return stdout.startsWith(`v${version}.`) ? node : { missing: `${name}@${version} does not run here` };
}

/** The files of the package that is installed, without its dependencies. */
export function listFiles(installed: InstalledPackage): string[] {
  const folder = join(installed.folder, 'node_modules', 'mytx-ai');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

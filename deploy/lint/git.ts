// What git knows of a project: the files of a version, and which files are others since. Reads only: nothing of the
// repository changes, not even its index.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { DeployError } from '../errors.ts';

/**
 * The folder that git has the files of `folder` in.
 * @throws DeployError GIT_UNREADABLE
 */
export async function topFolder(folder: string): Promise<string> {
  return resolve((await git(folder, ['rev-parse', '--show-toplevel'])).toString().trimEnd());
}

/** As `topFolder`; undefined where there is no git, or no repository. */
export async function findTopFolder(folder: string): Promise<string | undefined> {
  return topFolder(folder).catch(() => undefined);
}

/**
 * The files of a folder that are others than in a version, or not in it; absolute.
 * @throws DeployError GIT_UNREADABLE
 */
export async function changedSince(ref: string, folder: string): Promise<string[]> {
  const commit = await commitOf(ref, folder);
  const top = await topFolder(folder);
  const changed = await git(folder, ['diff', '--name-only', '-z', '--diff-filter=d', commit, '--', '.']);
  const untracked = await git(folder, ['ls-files', '--others', '--exclude-standard', '--full-name', '-z', '--', '.']);
  return [changed, untracked].flatMap((list) => namesIn(list).map((name) => join(top, name)));
}

/**
 * Writes the files of a version that a pattern takes into a folder.
 * @throws DeployError GIT_UNREADABLE
 */
export async function writeVersion(ref: string, top: string, wanted: RegExp, into: string): Promise<void> {
  const entries = namesIn(await git(top, ['ls-tree', '-r', '-z', await commitOf(ref, top)]))
    .map((line) => /^100\d+ blob (\w+)\t(.*)$/s.exec(line))
    .filter((match) => match !== null && wanted.test(match[2] as string)) as RegExpExecArray[];
  const blobs = await git(top, ['cat-file', '--batch'], entries.map(([, id]) => `${id}\n`).join(''));
  let at = 0;
  for (const [, , path = ''] of entries) {
    const lineEnd = blobs.indexOf('\n', at);
    const size = Number(blobs.toString('latin1', at, lineEnd).split(' ')[2]);
    const file = join(into, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, blobs.subarray(lineEnd + 1, lineEnd + 1 + size));
    at = lineEnd + 1 + size + 1;
  }
}

async function commitOf(ref: string, folder: string): Promise<string> {
  const commit = await git(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]).catch(
    (error: unknown) => {
      if (error instanceof DeployError && error.details.exitCode === 1) return undefined;
      throw error;
    },
  );
  if (commit) return commit.toString().trim();
  throw unreadable(
    `git has no commit ${JSON.stringify(ref).slice(0, 120)} here`,
    'Name a commit, tag or branch that is there. In a pipeline, which has the last commit alone, fetch it first: git fetch --depth=1 origin <branch>:<branch>',
  );
}

const namesIn = (list: Buffer): string[] =>
  list
    .toString()
    .split('\0')
    .filter((name) => name !== '');

async function git(folder: string, args: readonly string[], input = ''): Promise<Buffer> {
  const child = spawn('git', args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done, failed) => child.once('error', failed).once('close', done));
  child.stdin.on('error', () => {}); // it ended without reading: its exit code says why
  child.stdin.end(input);
  const [output, said, exitCode] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]).catch(
    (error: NodeJS.ErrnoException) => {
      throw unreadable(`git can't be run (${error.code})`, 'Install git, or leave out --since and --deployed.');
    },
  );
  if (exitCode === 0) return output;
  const [line = ''] = said.split('\n');
  throw unreadable(
    `git ${args[0]} failed: ${line.slice(0, 200) || `exit code ${exitCode}`}`,
    'Run this in a project that git has, or leave out --since and --deployed.',
    exitCode,
  );
}

function unreadable(message: string, hint: string, exitCode?: number | null): DeployError {
  return new DeployError({ code: 'GIT_UNREADABLE', message, hint, details: { exitCode } });
}

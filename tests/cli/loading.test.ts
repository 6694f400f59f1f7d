// What is loaded before a verb runs: the names of the verbs, and nothing that they need. Told of the source, whose files
// have names that say what they are; what of the package is loaded is looked at in tests/package.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../docs/project-copy.ts';
import { cleanUpCommands, newFolder, sourceCommandLine } from './command.ts';
import { modulesLoadedBy } from './loaded-modules.ts';

cleanUpCommands();
const cwd = newFolder();

function loadedBy(...words: string[]): string[] {
  const [, ...args] = sourceCommandLine(words);
  return modulesLoadedBy(args, { cwd, root: projectFolder });
}

const always = [
  'cli/exit-codes.ts',
  'cli/main.ts',
  'cli/option-values.ts',
  'cli/program.ts',
  'cli/verb.ts',
  'commander',
  'package.json',
];

test.each([['--help'], ['--version'], ['start --help'], ['help restore'], ['strat'], ['seed --messages none']])(
  'mytx %s loads no driver, no parser and nothing of db/',
  (line) => {
    expect(loadedBy(...line.split(' '))).toEqual(always);
  },
);

test('a completion adds what it answers with', () => {
  const completion = ['cli/completion.ts', 'cli/offers.ts'];
  expect(loadedBy('completion', 'bash')).toEqual([...completion, ...always].sort());
  expect(loadedBy('complete', '--', 'st')).toEqual([...completion, ...always].sort());
});

test('a verb that is run loads what it needs', () => {
  const loaded = loadedBy('restore', 'latest', '--yes');
  expect(loaded).toEqual(expect.arrayContaining([...always, 'cli/restore.ts', 'db/snapshots.ts', 'drizzle-orm']));
});

test('bin/mytx.js of a checkout runs the source, which nobody has built', () => {
  const bin = join(projectFolder, 'bin', 'mytx.js');
  expect(modulesLoadedBy([bin, 'snapshot', '--help'], { cwd, root: projectFolder })).toEqual([
    'bin/mytx.js',
    ...always,
  ]);
  expect(execFileSync(process.execPath, [bin, 'completion', 'bash'], { cwd, encoding: 'utf8' })).toContain('mytx');
});

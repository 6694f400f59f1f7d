// The completion of a command line: what is offered where, and that each shell that is here offers it.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findOffers } from '../../cli/offers.ts';
import { buildProgram } from '../../cli/program.ts';
import { cleanUpCommands, commandLine, mytx, newFolder } from './command.ts';

cleanUpCommands();
const program = buildProgram();
const wordsOf = (...words: string[]): string[] => findOffers(program, words).words.map(([word]) => word);

describe('what is offered', () => {
  test('every verb that the help has, with its description', () => {
    const verbs = program.createHelp().visibleCommands(program);
    expect(wordsOf('')).toEqual(verbs.map((verb) => verb.name()));
    expect(findOffers(program, ['star']).words).toEqual([['start', expect.stringContaining('open the database')]]);
  });

  test.each([
    ['the verbs that begin so', ['re'], ['rewrite', 'reset', 'restore']],
    ['no verb behind a verb', ['start', ''], []],
    ['the flags of the program', ['--'], ['--version', '--help']],
    ['the flags of a verb', ['export', '--'], ['--output', '--stdout', '--include-secrets', '--json', '--help']],
    ['the flags that begin so', ['start', '--o'], ['--once']],
    ['no flag that is there already', ['restore', '--yes', '--list', 'latest', '--'], ['--json', '--help']],
    ['nor one with its value', ['export', '--output=a', '--'], ['--stdout', '--include-secrets', '--json', '--help']],
    ['the choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['the choices that begin so', ['completion', 'z'], ['zsh']],
    ['nothing behind the last argument', ['completion', 'zsh', ''], []],
    ['nothing for a value that is a number', ['seed', '--messages', ''], []],
    ['verbs behind help', ['help', 'sn'], ['snapshot']],
  ])('%s', (_, words, offered) => {
    expect(wordsOf(...words)).toEqual(offered);
  });

  test.each([
    [['import', ''], true],
    [['export', '--output', ''], true],
    [['export', '--output', '=', 'd'], true],
    [['export', '--output=d'], true],
    [['import', 'a', ''], false],
    [['export', ''], false],
    [['seed', '--messages', ''], false],
    [['sta'], false],
  ])('%j: files too is %s', (words, takesFiles) => {
    expect(findOffers(program, words).takesFiles).toBe(takesFiles);
  });
});

/** A folder with a command mytx, as a shell finds it. */
const place = newFolder();
const inPlace = { cwd: place, encoding: 'utf8', env: { PATH: `${place}:${process.env.PATH}`, HOME: place } } as const;

beforeAll(() => {
  const words = commandLine([]).map((word) => `'${word}'`);
  writeFileSync(join(place, 'mytx'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(join(place, 'mytx'), 0o755);
});

const whyNot = (shell: string): string | undefined =>
  spawnSync(shell, ['--version']).status === 0 ? undefined : `there is no ${shell} here`;

const typedCommand = '$(touch ran)';

test('bash offers it, without bash-completion, and runs nothing that was typed', ({ skip }) => {
  const reason = whyNot('bash');
  if (reason) skip(reason);
  // Twice, as where a profile is read again.
  const script = `set -u
    for time in 1 2; do source <(mytx completion bash); done
    complete -p mytx
    ask() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _mytx mytx "\${!#}"; echo "\${COMPREPLY[*]-}"; }
    ask mytx star
    ask mytx export --
    ask mytx completion ''
    ask mytx import '${typedCommand}' --
    ask mytx import "it's" --`;
  const printed = execFileSync('bash', ['--noprofile', '--norc', '-c', script], { ...inPlace, stdio: 'pipe' });
  expect(printed.trimEnd().split('\n')).toEqual([
    'complete -F _mytx mytx',
    'start',
    '--output --stdout --include-secrets --json --help',
    'bash zsh fish',
    '--json --help',
    '--json --help',
  ]);
  expect(existsSync(join(place, 'ran'))).toBe(false);
});

test('fish offers it, with what it means', ({ skip }) => {
  const reason = whyNot('fish');
  if (reason) skip(reason);
  writeFileSync(join(place, 'dana.jsonl'), '');
  const ask = [
    'mytx sta',
    'mytx completion ',
    'mytx import da',
    'mytx export --output=da',
    `mytx import ${typedCommand} `,
  ];
  const asked = ask.map((line) => `complete -C '${line}'`).join('\n');
  const printed = execFileSync('fish', ['--no-config', '-c', `mytx completion fish | source\n${asked}`], inPlace);
  expect(printed.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^start\topen the database/),
    'bash',
    'fish',
    'zsh',
    'dana.jsonl',
    '--output=dana.jsonl',
  ]);
  expect(existsSync(join(place, 'ran'))).toBe(false);
});

test('zsh reads the script, and registers it', ({ skip }) => {
  const reason = whyNot('zsh');
  if (reason) skip(reason);
  const script = 'autoload -Uz compinit; compinit -u -D; source <(mytx completion zsh); print -r -- $_comps[mytx]';
  expect(execFileSync('zsh', ['-f', '-c', script], inPlace).trimEnd()).toBe('_mytx');
});

test('a shell that it does not know exits 2, and names those that it knows', async () => {
  const { exitCode, stdout, stderr } = await mytx(['completion', 'tcsh'], { folder: place });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('Allowed choices are bash, zsh, fish.');
});

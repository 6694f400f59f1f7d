// Does what an example's README says, block by block, in a copy of the project.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type Block, readBlocks } from '../docs/markdown.ts';
import type { ProjectCopy } from '../docs/project-copy.ts';

/** The blocks of examples/<name>/README.md. */
export function readExample(copy: ProjectCopy, name: string): Block[] {
  return readBlocks(readFileSync(join(copy.folder, 'examples', name, 'README.md'), 'utf8'));
}

/** Applies the blocks that create or edit a file. */
export function applyEdits(copy: ProjectCopy, blocks: readonly Block[]): void {
  for (const { options, text, line } of blocks) {
    if (options.create) createFile(join(copy.folder, options.create), text);
    else if (options.run) createFile(join(copy.folder, options.run), text);
    else if (options.edit) editFile(join(copy.folder, options.edit), text, `line ${line}`);
  }
}

/** Runs the lines of the `bash` blocks. */
export async function runCommands(
  copy: ProjectCopy,
  blocks: readonly Block[],
  env: Record<string, string> = {},
): Promise<void> {
  const commands = blocks.filter(({ language }) => language === 'bash').flatMap(({ text }) => text.trim().split('\n'));
  for (const command of commands) await runOne(copy, command, env);
}

/** Runs the scripts of the `run=` blocks, and compares what they print with the comments beside each console.log. */
export async function runScripts(
  copy: ProjectCopy,
  blocks: readonly Block[],
  env: Record<string, string> = {},
): Promise<void> {
  for (const { options, text } of blocks) {
    if (!options.run) continue;
    const expected = [...text.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment);
    const output = await runOne(copy, `npx tsx ${options.run}`, env);
    expect(output.trim().split('\n')).toEqual(expected);
  }
}

async function runOne(copy: ProjectCopy, command: string, env: Record<string, string>): Promise<string> {
  const { exitCode, stdout, output } = await copy.run(command, env);
  if (exitCode !== 0) throw new Error(`${command}: exit ${exitCode}\n${output}`);
  return stdout;
}

function createFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A diff without line numbers: its lines with ` ` and `-` must stand in the file once, in a row. */
function editFile(file: string, diff: string, place: string): void {
  const lines = diff.trimEnd().split('\n');
  const sideOf = (mark: string): string =>
    lines
      .filter((line) => line.startsWith(mark) || line.startsWith(' '))
      .map((line) => line.slice(1))
      .join('\n');
  const text = readFileSync(file, 'utf8');
  const pieces = text.split(`${sideOf('-')}\n`);
  expect(pieces.length - 1, `the edit of ${file} (${place}) fits in how many places`).toBe(1);
  writeFileSync(file, pieces.join(`${sideOf('+')}\n`));
}

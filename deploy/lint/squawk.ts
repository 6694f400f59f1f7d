// squawk, the linter for PostgreSQL whose binary comes from npm: run once for all files that run in one transaction, and once
// for those that run in steps. It reads the files themselves, and a copy only of those that it would take for something else.
// None of what it finds is left out here.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { optInRules } from './rules.ts';
import type { LintedFile, Span } from './source.ts';

/** What squawk found. */
export interface SquawkFinding extends Span {
  file: LintedFile;
  /** Without `squawk/`. */
  rule: string;
  message: string;
  help: string | undefined;
}

export interface SquawkOptions {
  /** The version of the server, such as 15. */
  version: number;
  /** Rules that it looks for only where it is asked to. */
  include: readonly string[];
}

/** Why squawk can't be run here. */
export class SquawkMissing extends Error {}

/** As its JSON has them: lines from 0, columns in bytes. */
interface RawFinding {
  file: string;
  line: number;
  column: number;
  line_end: number;
  column_end: number;
  message: string;
  help: string | null;
  rule_name: string;
}

const runMs = 60_000;

/** @throws SquawkMissing where it is not installed or can't be started */
export async function runSquawk(files: readonly LintedFile[], options: SquawkOptions): Promise<SquawkFinding[]> {
  if (files.length === 0) return [];
  const binary = findBinary();
  const whole = files.filter(({ isWhole }) => isWhole);
  const inSteps = files.filter(({ isWhole }) => !isWhole);
  const found = await Promise.all([runOnce(binary, whole, true, options), runOnce(binary, inSteps, false, options)]);
  return found.flat();
}

function findBinary(): string {
  const platform = `@squawk-cli/${process.platform}-${process.arch}`;
  try {
    // The package of the platform is beside squawk-cli, or below it.
    const cli = createRequire(createRequire(import.meta.url).resolve('squawk-cli/package.json'));
    const folder = dirname(cli.resolve(`${platform}/package.json`));
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'squawk.exe' : 'squawk');
    if (existsSync(binary)) return binary;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
  }
  throw new SquawkMissing(`squawk could not be run: the package ${platform} is not installed`);
}

async function runOnce(
  binary: string,
  files: readonly LintedFile[],
  isInTransaction: boolean,
  options: SquawkOptions,
): Promise<SquawkFinding[]> {
  if (files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), 'mytx-lint-'));
  try {
    writeFileSync(join(folder, 'settings.toml'), ''); // else it takes a .squawk.toml of any folder above
    const byPath = new Map(files.map((file, number) => [pathForSquawk(file, join(folder, `${number}.sql`)), file]));
    const found: SquawkFinding[] = [];
    for (const paths of inCommandLines([...byPath.keys()])) {
      const raw = await run(binary, folder, [...argumentsFor(isInTransaction, options), ...paths.map(asPattern)]);
      found.push(...raw.map((one) => toFinding(one, fileAt(byPath, one.file))));
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Its own; that of a copy where squawk would read the text as another one. */
function pathForSquawk({ path, text }: LintedFile, copy: string): string {
  const changed = forSquawk(text);
  if (changed === text) return resolve(path); // it runs in another folder
  writeFileSync(copy, changed);
  return copy;
}

/** It takes a path for a pattern. */
const asPattern = (path: string): string => path.replace(/[*?[\]]/g, '[$&]');

/** What Windows takes in one command, in characters; others take more. */
const commandLength = 24_000;

function inCommandLines(paths: readonly string[]): string[][] {
  const lines: string[][] = [[]];
  let length = 0;
  for (const path of paths) {
    length += asPattern(path).length + 3; // a space, and quotation marks
    if (length > commandLength && lines.at(-1)?.length) {
      lines.push([]);
      length = asPattern(path).length + 3;
    }
    lines.at(-1)?.push(path);
  }
  return lines;
}

function fileAt(byPath: ReadonlyMap<string, LintedFile>, path: string): LintedFile {
  const file = byPath.get(path);
  if (!file) throw new SquawkMissing(`squawk found something in ${path}, which it was not asked about`);
  return file;
}

/** Drizzle's breakpoint ends a statement, which squawk takes for a comment: of the same length, so that no place moves. */
function forSquawk(text: string): string {
  const breakpoint = '--> statement-breakpoint';
  const parts = text.split(breakpoint);
  return parts
    .map((part, n) => {
      if (n === parts.length - 1) return part;
      return part + (part.trimEnd().endsWith(';') ? breakpoint : breakpoint.replace('-->', ';--'));
    })
    .join('');
}

function argumentsFor(isInTransaction: boolean, { version, include }: SquawkOptions): string[] {
  return [
    '--config=settings.toml',
    '--reporter=json',
    `--pg-version=${version}`,
    isInTransaction ? '--assume-in-transaction' : '--no-assume-in-transaction',
    ...optInRules.filter((rule) => include.includes(rule)).map((rule) => `--include=${rule}`),
  ];
}

async function run(binary: string, folder: string, args: readonly string[]): Promise<RawFinding[]> {
  const child = spawn(binary, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: runMs,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
  try {
    const [output] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
    return JSON.parse(output) as RawFinding[];
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? `it ended with ${child.signalCode ?? child.exitCode}`;
    throw new SquawkMissing(`squawk could not be run: ${reason}`);
  }
}

function toFinding(raw: RawFinding, file: LintedFile): SquawkFinding {
  const lines = file.text.split('\n');
  const offsetOf = (line: number, column: number): number => {
    const before = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
    return (
      before +
      Buffer.from(lines[line] ?? '')
        .subarray(0, column)
        .toString().length
    );
  };
  return {
    file,
    start: offsetOf(raw.line, raw.column),
    end: offsetOf(raw.line_end, raw.column_end),
    rule: raw.rule_name,
    message: raw.message,
    help: raw.help ?? undefined,
  };
}

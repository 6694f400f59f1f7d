// Runs the project's own drizzle-kit, in a process of its own. It asks its questions on a terminal alone: this is one for
// it, which reads what is asked off its screen and presses the keys that the answer needs.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { DeployError } from '../errors.ts';
import type { RenameAnswer, RenameQuestion } from './answers.ts';

export interface DrizzleKitRun {
  /** The folder of the project, in which drizzle-kit runs. */
  root: string;
  configFile: string;
  /** Flags such as `--name add_age`. */
  flags: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Throws where there is no answer: then drizzle-kit is ended, which has written nothing by then. */
  answer(question: RenameQuestion): Promise<RenameAnswer>;
  /** Each line that drizzle-kit says, without colours. */
  onMessage(line: string): void;
}

/** How long drizzle-kit may say nothing at all. */
const silenceMs = 120_000;

/** A question is on the screen when nothing has been added to it for so long. */
const settledMs = 80;

/**
 * What runs in drizzle-kit's process before it: a pipe that looks like a terminal. It is in raw mode while a question is
 * on the screen; at other times it must not keep the process alive.
 */
const terminal = `
  for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, 'isTTY', { value: true });
  process.stdout.columns = 1000;
  process.stdin.setRawMode = (isRaw) => (isRaw ? process.stdin.ref() : process.stdin.unref());
`;

/** @throws DeployError GENERATE_FAILED with what drizzle-kit said; what `answer` throws */
export async function runDrizzleKit(run: DrizzleKitRun): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(terminal)}`,
      findDrizzleKit(run.root),
      'generate',
      `--config=${relative(run.root, run.configFile)}`,
      ...run.flags,
    ],
    {
      cwd: run.root,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...run.env, NO_COLOR: '1', FORCE_COLOR: '0', TERM: 'dumb' },
    },
  );
  const screen = new Screen(run.onMessage);
  let failure: unknown;
  let settle: NodeJS.Timeout | undefined;
  const silence = setTimeout(() => child.kill('SIGKILL'), silenceMs);
  const stopAt = (error: unknown): void => {
    failure = error;
    child.kill('SIGKILL');
  };
  const look = (): void => {
    const asked = screen.takeQuestion();
    if (!asked) return;
    run.answer(asked).then((answer) => {
      const place = answer === null ? 0 : asked.candidates.indexOf(answer) + 1;
      child.stdin.write(`${'\u001b[B'.repeat(place)}\r`);
    }, stopAt);
  };
  child.stdin.on('error', () => {}); // it ended: its exit code says how
  child.stdout.on('data', (chunk: Buffer) => {
    silence.refresh();
    screen.add(chunk.toString());
    clearTimeout(settle);
    settle = setTimeout(look, settledMs);
  });
  child.stderr.on('data', (chunk: Buffer) => screen.add(chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  }).finally(() => {
    clearTimeout(silence);
    clearTimeout(settle);
  });
  screen.end();
  if (failure !== undefined) throw failure;
  if (code !== 0) throw generateFailed(screen.lines, `exit code ${code ?? 'none, it was ended'}`);
}

/** @throws DeployError GENERATE_FAILED where the project has none */
function findDrizzleKit(root: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', 'drizzle-kit', 'bin.cjs');
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) {
      throw new DeployError({
        code: 'GENERATE_FAILED',
        message: `there is no drizzle-kit in ${root} or a folder above it`,
        hint: 'Install it: npm install --save-dev drizzle-kit',
      });
    }
  }
}

export function generateFailed(lines: readonly string[], how: string): DeployError {
  return new DeployError({
    code: 'GENERATE_FAILED',
    message: [
      'drizzle-kit generated nothing, and said:',
      ...lines.slice(-20).map((line) => `  ${line}`),
      `(${how})`,
    ].join('\n'),
    hint: 'Correct what it names and run the same command again.',
    details: { lines },
  });
}

/** A question with its options, and nothing behind it: one that was answered is followed by what comes of it. */
const question =
  /Is (?<name>[^\n]+?) (?<entity>\w+)(?: in (?<table>[^\n]+?) table)? created or renamed from another \w+\?\n(?<options>(?:(?:❯| ) [+~] [^\n]*(?:\n(?!$))?)+)$/;

/** What drizzle-kit has written: lines to pass on, and a question that it draws anew at each key. */
class Screen {
  readonly lines: string[] = [];
  private text = '';
  private readonly onMessage: (line: string) => void;

  constructor(onMessage: (line: string) => void) {
    this.onMessage = onMessage;
  }

  add(chunk: string): void {
    this.text += stripVTControlCharacters(chunk).replaceAll('\r', '\n');
  }

  /** The question at the end of what was written; what stands before it is passed on. */
  takeQuestion(): RenameQuestion | undefined {
    const found = question.exec(this.text);
    if (!found?.groups) {
      this.passOn(this.text.lastIndexOf('\n') + 1);
      return undefined;
    }
    const { name = '', entity = '', table, options = '' } = found.groups;
    const candidates = [...options.matchAll(/~ (?<from>.+?) › /g)].map(({ groups }) => groups?.from as string);
    this.passOn(found.index);
    this.text = '';
    const named = (one: string): string => (table === undefined ? one : `${table}.${one}`);
    return { entity, name: named(name), candidates: candidates.map(named) };
  }

  end(): void {
    this.passOn(this.text.length);
  }

  private passOn(end: number): void {
    for (const line of this.text.slice(0, end).split('\n')) {
      const said = line.trimEnd();
      if (said === '') continue;
      this.lines.push(said);
      this.onMessage(said);
    }
    this.text = this.text.slice(end);
  }
}

// Runs a command line on a terminal of its own, with somebody who answers: the program script of util-linux makes one.

import { spawn, spawnSync } from 'node:child_process';
import { commandLine } from './command.ts';

export interface Dialogue {
  exitCode: number | null;
  /** What was on the terminal, without its control sequences. */
  screen: string;
}

/** Why there is no terminal here; null where there is one. */
export function whyNoTerminal(): string | null {
  const { stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' });
  return stdout?.includes('util-linux') ? null : 'needs the program script of util-linux, which makes a terminal';
}

/** Runs `mytx <args>` in `folder`, and types `keys` when it asks something. */
export function answerMytx(args: readonly string[], folder: string, keys: string): Promise<Dialogue> {
  const line = commandLine(args).map((word) => `'${word}'`);
  const child = spawn('script', ['-qec', line.join(' '), '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  let hasAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (hasAnswered || !screen.includes('[y/N]')) return;
    hasAnswered = true;
    child.stdin.write(keys);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, screen: withoutControls(screen) }));
  });
}

function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to go
  return text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '').replaceAll('\r', '');
}

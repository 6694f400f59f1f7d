// Another process, for tests of what happens between processes: runs a piece of code, is listened to, and ended.
// Every one that a test forgets is killed behind it.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';

const root = new URL('../../../', import.meta.url);
const neighbours = new Set<Neighbour>();

/** Call once in a file: kills behind its tests what is still there. */
export function endNeighbours(): void {
  afterAll(async () => {
    await Promise.all([...neighbours].map((neighbour) => neighbour.end('SIGKILL')));
  });
}

export class Neighbour {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  #hasEnded = false;

  /**
   * @param code TypeScript's subset that is JavaScript, with `load(path)` for a file of the project; it runs in a module
   * @param env beside that of this process
   */
  constructor(code: string, env: Record<string, string> = {}) {
    const script = `const load = (path) => import(new URL(path, ${JSON.stringify(root.href)}).href);\n${code}`;
    this.#child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: root,
      env: { ...process.env, ...env },
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name].setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
      });
    }
    this.#child.stdin.on('error', () => {}); // it has ended
    neighbours.add(this);
    this.#ended = once(this.#child, 'close').then(([exitCode, signal]) => {
      this.#hasEnded = true;
      neighbours.delete(this);
      return { exitCode, signal };
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Waits until it has printed a text. @throws with what it printed, when it ends without */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.#hasEnded) throw new Error(`ended without ${JSON.stringify(text)}:\n${this.stdout}${this.stderr}`);
      await Promise.race([once(this.#child.stdout, 'data'), this.#ended]);
    }
  }

  /** Sends it a line on stdin. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, which a signal brings about where one is given. */
  end(signal?: NodeJS.Signals): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
    if (signal && !this.#hasEnded) this.#child.kill(signal);
    return this.#ended;
  }
}

/** Runs a piece of code to its end. @returns what it printed @throws when it fails */
export async function runNeighbour(code: string, env: Record<string, string> = {}): Promise<string> {
  const neighbour = new Neighbour(code, env);
  const { exitCode } = await neighbour.end();
  if (exitCode !== 0) throw new Error(`exit ${exitCode}:\n${neighbour.stdout}${neighbour.stderr}`);
  return neighbour.stdout.trim();
}

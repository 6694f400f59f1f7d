// Starts embedded-owner.ts, follows what it says, and kills it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CallFigures } from './call-meter.ts';
import type { Findings } from './ledger-replay.ts';
import { seed } from './plan.ts';
import type { WorkloadFigures } from './workload.ts';

export type OwnerLine =
  | { phase: 'opening' | 'creating' | 'migrating' | 'answered' }
  | { phase: 'replayed'; findings: Findings }
  | { phase: 'writing'; calls: CallFigures; writes: WorkloadFigures };

export interface OwnerArguments {
  folder: string;
  ledger: string;
  /** What the mix of its calls depends on, beside the seed. */
  purpose: string;
  snapshotFile?: string;
}

const script = fileURLToPath(new URL('embedded-owner.ts', import.meta.url));

export class OwnerProcess {
  readonly lines: OwnerLine[] = [];
  /** From the start of the process to the first answer of the database. */
  answeredAfterMs: number | undefined;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';
  #listeners: (() => void)[] = [];
  #hasEnded = false;

  constructor({ folder, ledger, purpose, snapshotFile }: OwnerArguments) {
    const startMs = performance.now();
    const args = [folder, ledger, purpose, ...(snapshotFile ? [snapshotFile] : [])];
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MYTX_FAULT_SEED: String(seed) },
    });
    this.#child.stderr?.on('data', (bytes) => {
      this.#errors += bytes;
    });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (text) => {
      const line = parse(text);
      if (!line) return; // the seed, or a line that was torn
      this.lines.push(line);
      if (line.phase === 'answered') this.answeredAfterMs = performance.now() - startMs;
      this.#notify();
    });
    this.#ended = Promise.all([once(this.#child, 'close'), once(lines, 'close')]).then(() => {
      this.#hasEnded = true;
      this.#notify();
    });
  }

  #notify(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  /** Waits until it says so. @throws when it ends before, with what it wrote to stderr */
  async reach(phase: OwnerLine['phase']): Promise<void> {
    while (!this.lines.some((line) => line.phase === phase)) {
      if (this.#hasEnded) throw new Error(`the owner ended before it was ${phase}:\n${this.#errors}`);
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  last<Phase extends OwnerLine['phase']>(phase: Phase): Extract<OwnerLine, { phase: Phase }> | undefined {
    return this.lines.findLast((line) => line.phase === phase) as Extract<OwnerLine, { phase: Phase }> | undefined;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function parse(text: string): OwnerLine | undefined {
  try {
    return JSON.parse(text) as OwnerLine;
  } catch {
    return undefined;
  }
}

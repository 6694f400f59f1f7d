// What was promised: a file with one line of JSON for each write that was acknowledged, or refused with an error that
// says that nothing was written. A line counts only when it is on disk (fsync, several lines at once), so that what
// follows an acknowledgement, a read of one's own write, always comes after its line.
// It knows nothing of the database: ledger-replay.ts compares the two.

import { closeSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** A write of the workload: whose, where, and the texts by which it is found again. Each text is used once. */
export type Write =
  | { kind: 'append'; userId: string; chatId: string; texts: string[]; rowIds: string[] }
  | { kind: 'save'; userId: string; chatId: string; texts: string[] }
  | { kind: 'memory'; userId: string; text: string; id: string }
  | { kind: 'task'; userId: string; text: string; id: string }
  | { kind: 'update'; userId: string; id: string; text: string; version: number }
  /** A task and a memory in one transaction. */
  | { kind: 'pair'; userId: string; text: string; taskId: string; memoryId: string };

export interface Line {
  /** `unknown`: the caller was told that it may or may not be written, and could not find out. */
  outcome: 'acknowledged' | 'refused' | 'unknown';
  write: Write;
  /** What the answer promised: the positions of appended messages. */
  positions?: number[];
}

const sync = promisify(fdatasync);

export class Ledger {
  readonly #file: number;
  #waiting: (() => void)[] = [];
  #syncing: Promise<void> | undefined;

  constructor(readonly path: string) {
    this.#file = openSync(path, 'a');
    writeSync(this.#file, '\n'); // behind a line that may be torn
  }

  /** Resolves when the line is on disk. */
  async add(line: Line): Promise<void> {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#syncing ??= this.#syncAll();
    });
  }

  async #syncAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const written = this.#waiting;
      this.#waiting = [];
      await sync(this.#file);
      for (const resolve of written) resolve();
    }
    this.#syncing = undefined;
  }

  async close(): Promise<void> {
    await this.#syncing;
    closeSync(this.#file);
  }
}

/** The lines of a ledger. One that was torn when its writer was killed counted for nobody. */
export function readLedger(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => parse(line) ?? []);
}

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

// A process that reads in one way, for as long as it is told, and says how often: what is compiled for one way is not
// what another one needs, and an application has one.

import { fork } from 'node:child_process';
import { keepOnFirstCore } from './harness.ts';
import type { ReadRows } from './read-rows.ts';

export interface ReaderOptions {
  url: string;
  /** `base` is the driver alone. */
  way: 'base' | 'ours' | 'spec';
  rows: ReadRows;
  /** What this package sends for each read. */
  statements: string[];
  /** How long it reads each time. */
  readMs: number;
}

export interface Reader {
  /** Calls of the read with this number, in a millisecond. */
  rate(read: number): Promise<number>;
  close(): void;
}

export async function openReader(options: ReaderOptions): Promise<Reader> {
  const env = { ...process.env, BENCH_READER: JSON.stringify(options) };
  const child = fork(new URL('read-process.ts', import.meta.url), { execArgv: ['--import', 'tsx'], env });
  let settle: { resolve(value: number): void; reject(error: Error): void } | undefined;
  child.on('message', (rate) => settle?.resolve(rate as number));
  child.on('exit', (code) => settle?.reject(new Error(`the process that reads by ${options.way} ended with ${code}`)));
  const answer = (): Promise<number> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
  await answer();
  keepOnFirstCore(child.pid as number);
  return {
    rate(read): Promise<number> {
      child.send(read);
      return answer();
    },
    close: () => child.disconnect(),
  };
}

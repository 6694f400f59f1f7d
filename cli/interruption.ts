// Ctrl-C and its kin, as an AbortSignal: a command stops at its next step and closes what it has open.
// A second Ctrl-C ends the process at once.

import { exitCodes } from './exit-codes.ts';

/** The reason of an aborted signal. */
export class Interrupted extends Error {
  readonly code = 'INTERRUPTED';
  readonly hint = 'Run the same command again; what was not finished is rolled back.';

  constructor() {
    super('interrupted before it was done');
    this.name = 'Interrupted';
  }
}

/** npm, tsx and the terminal all pass one Ctrl-C on: what comes within this time is the same one. */
const sameMs = 1000;

/** Listens from now on, instead of ending at once. */
export function listenForInterruption(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs: number | undefined;
  const listener = (): void => {
    if (firstAtMs !== undefined) {
      if (performance.now() - firstAtMs > sameMs) process.exit(exitCodes.interrupted);
      return;
    }
    firstAtMs = performance.now();
    controller.abort(new Interrupted());
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, listener);
  return controller.signal;
}

/** For a command that may end at any point: says so and ends at once. */
export function endAtInterruption(text: string): void {
  listenForInterruption().addEventListener('abort', () => {
    console.error(text);
    process.exit(exitCodes.interrupted);
  });
}

/** Keeps the process alive until the interruption. */
export function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 2 ** 30); // neither database keeps an idle process alive for certain
    signal.addEventListener('abort', () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
}

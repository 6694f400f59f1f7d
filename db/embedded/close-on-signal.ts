// Ctrl-C and its kin close the embedded databases of a process before it ends by the signal, as it would have without
// them. An application that listens for a signal itself decides instead. One listener, however many databases are open.

import { setTimeout as sleep } from 'node:timers/promises';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long a transaction that is under way may keep the process: what it has not committed then is rolled back. */
const longestMs = 5000;
/** npm, tsx and the terminal all pass one Ctrl-C on: what comes within this time is the same one. */
const sameMs = 1000;

interface Shared {
  closings: Set<() => Promise<void>>;
  listener: NodeJS.SignalsListener;
}

/** Calls `close` when the process gets one of the signals. @returns what ends that */
export function closeOnSignal(close: () => Promise<void>): () => void {
  const { closings, listener } = sharedByProcess();
  if (closings.size === 0) for (const signal of signals) process.prependListener(signal, listener);
  closings.add(close);
  return (): void => {
    if (!closings.delete(close) || closings.size > 0) return;
    for (const signal of signals) process.off(signal, listener);
  };
}

/** One for a process, also where a bundler or hot reload loads this module twice. */
function sharedByProcess(): Shared {
  const key = Symbol.for('mytx-ai.closings');
  const places = globalThis as Record<symbol, unknown>;
  places[key] ??= newShared();
  return places[key] as Shared;
}

function newShared(): Shared {
  const closings = new Set<() => Promise<void>>();
  let firstAtMs: number | undefined;
  const endBy = (signal: NodeJS.Signals): void => {
    for (const name of signals) process.off(name, listener);
    process.kill(process.pid, signal);
  };
  const closeAndEnd = async (signal: NodeJS.Signals): Promise<void> => {
    const stop = new AbortController();
    const closed = Promise.allSettled([...closings].map((close) => close()));
    // The timer also keeps the process alive meanwhile.
    await Promise.race([closed, sleep(longestMs, undefined, { signal: stop.signal }).catch(() => {})]);
    stop.abort();
    endBy(signal);
  };
  const listener = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) {
      // Out of the way, before they are called: the package signal-exit ends a process only where nobody else listens.
      process.off(signal, listener);
      return;
    }
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      void closeAndEnd(signal);
    } else if (performance.now() - firstAtMs > sameMs) {
      endBy(signal);
    }
  };
  return { closings, listener };
}

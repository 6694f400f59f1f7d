// Values from a transaction to whoever iterates over them: the transaction goes on when the next one is asked for, and
// ends when nobody asks any more. Holds one value.

import { AsyncLocalStorage } from 'node:async_hooks';
import { ConnectionError } from '../errors.ts';

/** Gives a value away. @returns true when the next one is asked for, false when there will be no more asking */
export type Give<T> = (value: T) => Promise<boolean>;

/** Longer than a transaction may stand idle on a server, the caller's own work included. */
export const patienceMs = 60_000;

/**
 * Runs `produce`, in the context of this call, from the first value that is asked for.
 * @throws ConnectionError DEADLINE_EXCEEDED where a value lies for a minute and the next one is not asked for
 */
export function handOver<T>(produce: (give: Give<T>) => Promise<void>): AsyncGenerator<T, void, void> {
  const inContext = AsyncLocalStorage.snapshot();
  return iterate((give) => inContext(produce, give));
}

async function* iterate<T>(produce: (give: Give<T>) => Promise<void>): AsyncGenerator<T, void, void> {
  const counter = new Counter<T>();
  const ended = produce((value) => counter.put(value)).then(
    () => counter.close(),
    (error: unknown) => counter.close(error),
  );
  try {
    for (;;) {
      const taken = await counter.take();
      if (!taken) return;
      yield taken.value;
    }
  } finally {
    counter.leave();
    await ended;
  }
}

/** Two sides of one place: one puts a value there and waits, the other takes it and comes back for the next. */
class Counter<T> {
  private lying: { value: T } | undefined;
  private isClosed = false;
  private isLeft = false;
  private failure: unknown;
  private onPut: (() => void) | undefined;
  private onAsked: ((goesOn: boolean) => void) | undefined;

  async put(value: T): Promise<boolean> {
    if (this.isLeft) return false;
    this.lying = { value };
    this.onPut?.();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<boolean>((resolve, reject) => {
        this.onAsked = resolve;
        timer = setTimeout(() => reject(notAsked()), patienceMs);
      });
    } finally {
      clearTimeout(timer);
      this.onAsked = undefined;
    }
  }

  /** Undefined at the end. */
  async take(): Promise<{ value: T } | undefined> {
    if (!this.lying) this.onAsked?.(true); // the one before was taken
    while (!this.lying && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.onPut = resolve;
      });
    }
    const taken = this.lying;
    this.lying = undefined;
    if (!taken && this.failure !== undefined) throw this.failure;
    return taken;
  }

  close(failure?: unknown): void {
    this.failure = failure;
    this.isClosed = true;
    if (failure !== undefined) this.lying = undefined;
    this.onPut?.();
  }

  leave(): void {
    this.isLeft = true;
    this.onAsked?.(false);
  }
}

function notAsked(): ConnectionError {
  return new ConnectionError(
    'DEADLINE_EXCEEDED',
    `nobody asked for the next lines of an export for ${patienceMs / 1000} s, and its transaction was ended`,
    'Take the lines as they come, into a file where the reader is slow, and call again.',
  );
}

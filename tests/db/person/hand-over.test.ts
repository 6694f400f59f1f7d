// Values handed over one at a time, without a database.

import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { handOver, patienceMs } from '../../../db/person/hand-over.ts';

afterEach(() => void vi.useRealTimers());

test('the next value is made when it is asked for, in the context of the call', async () => {
  const made: number[] = [];
  const context = new AsyncLocalStorage<string>();
  const values = context.run('of the call', () =>
    handOver<string>(async (give) => {
      for (let n = 0; n < 3; n += 1) {
        made.push(n);
        if (!(await give(`${n} ${context.getStore()}`))) return;
      }
    }),
  );
  expect(made).toEqual([]);
  for (let n = 0; n < 3; n += 1) {
    expect(await values.next()).toEqual({ done: false, value: `${n} of the call` });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(made).toHaveLength(n + 1);
  }
  expect(await values.next()).toEqual({ done: true, value: undefined });
});

test('a failure behind some values comes behind them', async () => {
  const values = handOver<number>(async (give) => {
    await give(1);
    throw new Error('no more');
  });
  expect(await values.next()).toEqual({ done: false, value: 1 });
  await expect(values.next()).rejects.toThrow('no more');
});

test('who stops asking ends it, and waits for its end', async () => {
  let hasEnded = false;
  const values = handOver<number>(async (give) => {
    while (await give(1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    hasEnded = true;
  });
  for await (const _ of values) break;
  expect(hasEnded).toBe(true);
});

test('a value that lies for a minute ends it', async () => {
  vi.useFakeTimers();
  let outcome: unknown;
  const values = handOver<number>(async (give) => {
    await give(1).catch((error: unknown) => {
      outcome = error;
      throw error;
    });
  });
  await values.next();
  await vi.advanceTimersByTimeAsync(patienceMs - 1);
  expect(outcome).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(outcome).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  await expect(values.next()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
});

// How many faults are injected, and from which seed. MYTX_LONG=1 (npm run test:long:faults) means at least 200 instead
// of 50; MYTX_FAULT_SEED=<number> repeats the order of the faults, their lengths and the mix of calls. What the clock
// and the scheduler add is not repeated: a failure is looked for with the same seed and more runs.

export const isLong: boolean = process.env.MYTX_LONG === '1';

/** One for all files of a run: vitest.config.ts chooses it where none is given. */
export const seed: number = Number(process.env.MYTX_FAULT_SEED);

console.info(`MYTX_FAULT_SEED=${seed}`);

/** A number from 0 to 1, exclusive of 1. */
export type Random = () => number;

/** The same numbers for the same seed and purpose (mulberry32). */
export function randomFor(purpose: string): Random {
  let state = seed;
  for (const character of purpose) state = Math.imul(state ^ character.charCodeAt(0), 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number between the two. */
export function between(random: Random, [least, most]: readonly [number, number]): number {
  return least + random() * (most - least);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** The same things in another order. */
export function shuffle<T>(random: Random, list: readonly T[]): T[] {
  const keyed = list.map((one) => ({ one, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}

// How often and from which seed generated tests run. MYTX_LONG=1 (npm run test:long) means many more runs;
// MYTX_SEED=<number> repeats a run. fast-check prints seed and path of a counterexample; the seed is printed always.

export const isLong: boolean = process.env.MYTX_LONG === '1';

export const seed: number = Number(process.env.MYTX_SEED ?? Math.floor(Math.random() * 2 ** 31));

console.info(`MYTX_SEED=${seed}`);

interface Runs {
  numRuns: number;
  seed: number;
  /** Milliseconds after which no other run begins, on a machine that is slow. It is no failure. */
  interruptAfterTimeLimit: number;
}

/** Parameters of fc.assert: `usual` runs, or `long` with MYTX_LONG=1. */
export function runs(usual: number, long: number): Runs {
  return { numRuns: isLong ? long : usual, seed, interruptAfterTimeLimit: isLong ? 540_000 : 25_000 };
}

/** For a test of such runs: what the last run and the shrinking of a counterexample may take on top. */
export const propertyTimeoutMs: number = isLong ? 600_000 : 120_000;

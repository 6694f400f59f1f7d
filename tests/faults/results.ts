// What the injections of one file came to, by fault: printed at the end of every run and, in the long run, written to
// tests/faults/results/, from which `npm run docs:reliability` makes docs/reliability.md. No host name, path or text of
// an error goes into it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Injection, type InjectionResult, type Timeline, zeroFigures } from './injection.ts';
import { isLong, seed } from './plan.ts';

export const resultsFolder: string = fileURLToPath(new URL('results', import.meta.url));

export interface FaultResults {
  name: string;
  sentence: string;
  injections: number;
  calls: number;
  acknowledged: number;
  unknownThenSettled: number;
  failed: Record<string, number>;
  /** Each of `zeroFigures`, summed up. */
  zero: Record<(typeof zeroFigures)[number], number>;
  slowestPercent?: number;
  recoveryMs?: { median: number; most: number };
  connectsIn10s?: number;
  repeated?: number;
  /** Of the longest injection. */
  timeline?: Timeline;
}

export interface EngineResults {
  /** `PostgreSQL 18.4`, `Embedded (PGlite 0.5.8)`. */
  engine: string;
  node: string;
  /** The day, as `2026-01-31`. */
  date: string;
  seed: number;
  /** Milliseconds in which the test process itself did not run, left out of every comparison with a deadline. */
  stalledMs: number;
  faults: FaultResults[];
}

export class ResultBook {
  readonly #results = new Map<string, { injection: Injection; results: InjectionResult[] }>();

  constructor(
    private readonly injections: readonly Injection[],
    /** How many injections are to come. */
    private readonly planned: number,
  ) {}

  /** Whether every planned injection was made: not where a part of the tests was run. */
  get isComplete(): boolean {
    return [...this.#results.values()].reduce((sum, { results }) => sum + results.length, 0) === this.planned;
  }

  add(injection: Injection, result: InjectionResult): void {
    const entry = this.#results.get(injection.name) ?? { injection, results: [] };
    entry.results.push(result);
    this.#results.set(injection.name, entry);
  }

  summary(): FaultResults[] {
    const names = [...new Set(this.injections.map(({ name }) => name))];
    return names.flatMap((name) => {
      const entry = this.#results.get(name);
      return entry ? [sumUp(entry.injection, entry.results)] : [];
    });
  }

  /** Prints the figures and, in the long run, writes them. */
  close(file: string, engine: string, stalledMs: number): void {
    const faults = this.summary();
    console.table(
      Object.fromEntries(
        faults.map(({ name, sentence: _, timeline: __, failed, zero, recoveryMs, ...rest }) => [
          name,
          { ...rest, recovery: recoveryMs?.most, wrong: Object.values(zero).reduce((sum, count) => sum + count, 0) },
        ]),
      ),
    );
    if (!isLong || !this.isComplete) return;
    const date = new Date().toISOString().slice(0, 10);
    const results: EngineResults = {
      engine,
      node: process.version,
      date,
      seed,
      stalledMs: Math.round(stalledMs),
      faults,
    };
    mkdirSync(resultsFolder, { recursive: true });
    writeFileSync(join(resultsFolder, `${file}.json`), `${JSON.stringify(results, null, 2)}\n`);
  }
}

function sumUp({ name, sentence }: Injection, results: readonly InjectionResult[]): FaultResults {
  const sum = (read: (result: InjectionResult) => number): number =>
    results.reduce((total, result) => total + read(result), 0);
  const failed: Record<string, number> = {};
  for (const result of results) {
    for (const [code, count] of Object.entries(result.failed)) failed[code] = (failed[code] ?? 0) + count;
  }
  const recoveries = results.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((one, other) => one - other);
  return {
    name,
    sentence,
    injections: results.length,
    calls: sum(({ calls }) => calls),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    unknownThenSettled: sum(({ unknownThenSettled }) => unknownThenSettled),
    failed: Object.fromEntries(Object.entries(failed).sort()),
    zero: Object.fromEntries(
      zeroFigures.map((figure) => [figure, sum((result) => result[figure])]),
    ) as FaultResults['zero'],
    ...most('slowestPercent', results),
    ...(recoveries.length === 0
      ? {}
      : {
          recoveryMs: {
            median: recoveries[Math.floor((recoveries.length - 1) / 2)] as number,
            most: recoveries.at(-1) as number,
          },
        }),
    ...most('connectsIn10s', results),
    ...most('repeated', results),
    ...longestTimeline(results),
  };
}

function longestTimeline(results: readonly InjectionResult[]): { timeline?: Timeline } {
  const length = ({ acknowledged }: Timeline): number => acknowledged.length;
  const [timeline] = results.flatMap((result) => result.timeline ?? []).sort((a, b) => length(b) - length(a));
  return timeline ? { timeline } : {};
}

function most<Name extends 'slowestPercent' | 'connectsIn10s' | 'repeated'>(
  name: Name,
  results: readonly InjectionResult[],
): Partial<Record<Name, number>> {
  const values = results.flatMap((result) => result[name] ?? []);
  return values.length === 0 ? {} : ({ [name]: Math.max(...values) } as Record<Name, number>);
}

// npm run bench:testing-kit: how long the testing kit takes to make a test database, to empty it and to close it, on a
// server that syncs and embedded. Milliseconds, because its promise is one that people wait for.

import { parseArgs } from 'node:util';
import * as kit from '../db/testing/index.ts';
import { createTestDatabase, type TestDatabaseOptions } from '../db/testing/index.ts';
import { describeMachine, type Machine, median, saveResult, startBenchServer, timeOf } from './harness.ts';

interface KitTimes {
  /** Medians, in milliseconds. */
  nextMs: number;
  resetMs: number;
  closeMs: number;
}

export interface KitResult extends Machine {
  server: KitTimes;
  embedded: KitTimes;
}

const rounds = 15;

const help = `npm run bench:testing-kit [-- options]

  --json  print the result as JSON
  --save  write bench/results/testing-kit.json, which docs/benchmarks.md is made of

Example:
  npm run bench:testing-kit -- --save && npm run docs:benchmarks`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const { server, url } = await startBenchServer();
  try {
    const result: KitResult = {
      ...describeMachine(server),
      server: await measure({ url }),
      embedded: await measure({}),
    };
    if (values.save) saveResult('testing-kit', result);
    console.log(JSON.stringify(result, null, values.json ? undefined : 2));
  } finally {
    await server.stop();
  }
}

async function measure(options: TestDatabaseOptions): Promise<KitTimes> {
  const times: Record<'next' | 'reset' | 'close', number[]> = { next: [], reset: [], close: [] };
  await (await createTestDatabase(options)).close(); // the first makes what the next ones start from
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    const database = await createTestDatabase(options);
    times.next.push(performance.now() - startMs);
    for (let i = 0; i < 3; i += 1) {
      await database.run(fillTables);
      times.reset.push(await timeOf(() => database.reset()));
    }
    times.close.push(await timeOf(() => database.close()));
  }
  const round = (values: readonly number[]): number => Math.round(median(values));
  return {
    nextMs: round(times.next),
    resetMs: round(times.reset),
    closeMs: round(times.close),
  };
}

/** A row in every table. */
async function fillTables(): Promise<void> {
  for (const [name, create] of Object.entries(kit)) {
    if (/^createTest(?!Database)/.test(name)) await (create as () => Promise<unknown>)();
  }
}

if (process.argv[1] === import.meta.filename) await main();

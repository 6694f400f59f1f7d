// npm run bench:saturation: more callers than connections, for a minute. 32 callers ask one prepared `select` after the
// other, first of this package's pool, then of the stock driver's (postgres.js), on pools of 4 and of 10. What counts is
// what a pool still does at the end: the driver's own queue slows down while it is never empty.
// Starts a server of its own, and prints queries a second. Figures compare within one run only.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { createDatabase, execute } from '../db/database.ts';
import { migrate } from '../db/opening.ts';
import { findInstallations, isFound } from '../tests/servers/installations.ts';
import { startServer } from '../tests/servers/server.ts';

/** What one run found. Counts are queries in each second, from the first to the last. */
export interface SaturationResult {
  /** The day of the run, UTC. */
  date: string;
  node: string;
  postgres: number;
  cores: number;
  callers: number;
  seconds: number;
  pools: { size: number; ours: number[]; stock: number[] }[];
}

export const resultFile: string = fileURLToPath(new URL('results/saturation.json', import.meta.url));

const callers = 32;
const warmUpSeconds = 2;

const help = `npm run bench:saturation [-- options]

  --seconds <n>   how long each load lasts: 60 unless given, at least 20
  --pools <list>  sizes of the pool: 4,10 unless given
  --json          print the result as JSON
  --save          write bench/results/saturation.json, which docs/benchmarks.md is made of

Examples:
  npm run bench:saturation
  npm run bench:saturation -- --seconds 20 --pools 4
  npm run bench:saturation -- --save && npm run docs:benchmarks`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      pools: { type: 'string', default: '4,10' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const seconds = Number(values.seconds);
  const sizes = values.pools.split(',').map(Number);
  if (!Number.isInteger(seconds) || seconds < 20)
    throw new Error(`--seconds ${values.seconds}: a whole number from 20`);
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) throw new Error(`--pools ${values.pools}: like 4,10`);
  const result = await measure(seconds, sizes);
  if (values.save) writeFileSync(resultFile, `${JSON.stringify(result)}\n`);
  console.log(values.json ? JSON.stringify(result) : render(result));
}

async function measure(seconds: number, sizes: readonly number[]): Promise<SaturationResult> {
  const [installation] = findInstallations().filter(isFound);
  if (!installation) throw new Error('no PostgreSQL server is here to start: see tests/servers/installations.ts');
  const server = await startServer(installation);
  const pools: SaturationResult['pools'] = [];
  try {
    const url = server.url('postgres');
    await migrate({ url });
    for (const size of sizes) {
      console.error(`pool of ${size}: this package, ${seconds} s`);
      const ours = await loadOurs(url, size, seconds);
      console.error(`pool of ${size}: the stock driver, ${seconds} s`);
      pools.push({ size, ours, stock: await loadStock(url, size, seconds) });
    }
  } finally {
    await server.stop();
  }
  const date = new Date().toISOString().slice(0, 10);
  return { date, node: process.version, postgres: installation.version, cores: cpus().length, callers, seconds, pools };
}

async function loadOurs(url: string, poolSize: number, seconds: number): Promise<number[]> {
  const database = await createDatabase({ url, poolSize });
  try {
    return await database.run(() => load((n) => execute('select $1::int4', [n], true), seconds));
  } finally {
    await database.close();
  }
}

async function loadStock(url: string, max: number, seconds: number): Promise<number[]> {
  const sql = postgres(url, { max, fetch_types: false });
  try {
    return await load((n) => sql`select ${n}::int4`, seconds);
  } finally {
    await sql.end();
  }
}

/** Keeps every caller asking, and counts the answers of each second behind the warm-up. */
async function load(ask: (n: number) => PromiseLike<unknown>, seconds: number): Promise<number[]> {
  const answers: number[] = Array.from({ length: seconds }, () => 0);
  const startMs = performance.now() + warmUpSeconds * 1000;
  const endMs = startMs + seconds * 1000;
  const call = async (): Promise<void> => {
    for (let n = 0; ; n += 1) {
      await ask(n);
      const nowMs = performance.now();
      if (nowMs >= endMs) return;
      const second = Math.floor((nowMs - startMs) / 1000);
      if (second >= 0) answers[second] = (answers[second] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return answers;
}

/** What the first and the last ten seconds say of one pool. */
export interface Comparison {
  size: number;
  /** Queries a second, over ten seconds. */
  oursFirst: number;
  oursLast: number;
  stockFirst: number;
  stockLast: number;
}

export function compare({ pools }: SaturationResult): Comparison[] {
  return pools.map(({ size, ours, stock }) => ({
    size,
    oursFirst: mean(ours.slice(0, 10)),
    oursLast: mean(ours.slice(-10)),
    stockFirst: mean(stock.slice(0, 10)),
    stockLast: mean(stock.slice(-10)),
  }));
}

function mean(counts: readonly number[]): number {
  return Math.round(counts.reduce((sum, count) => sum + count, 0) / counts.length);
}

function render(result: SaturationResult): string {
  const lines = compare(result).map(({ size, oursFirst, oursLast, stockFirst, stockLast }) =>
    [
      `pool of ${size}:`,
      `  this package  ${oursFirst}/s in the first ten seconds, ${oursLast}/s in the last: ${(oursLast / oursFirst).toFixed(2)}`,
      `  stock driver  ${stockFirst}/s in the first ten seconds, ${stockLast}/s in the last: ${(stockLast / stockFirst).toFixed(2)}`,
      `  in the last ten seconds ${(oursLast / stockLast).toFixed(2)} times the stock driver`,
    ].join('\n'),
  );
  return [`${result.callers} callers, ${result.seconds} s, PostgreSQL ${result.postgres}`, ...lines].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

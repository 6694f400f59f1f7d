// npm run bench:pooler: what a PgBouncer in transaction mode costs. One caller and eight ask for a user by e-mail, in
// turns without a pooler and by way of one. Starts a server and a PgBouncer of its own. Figures compare within a run.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDatabase, db } from '../db/database.ts';
import { migrate } from '../db/opening.ts';
import { getUser } from '../db/queries.ts';
import { user } from '../db/schema.ts';
import { findInstallations, isFound } from '../tests/servers/installations.ts';
import { findPgBouncer, startPgBouncer } from '../tests/servers/pgbouncer.ts';
import { startServer } from '../tests/servers/server.ts';

export interface PoolerResult {
  /** The day of the run, UTC. */
  date: string;
  node: string;
  postgres: number;
  pgbouncer: string;
  cores: number;
  /** Medians of the rounds: calls by way of the pooler, to calls without one in the same round. */
  ratios: { callers: number; ratio: number }[];
}

export const resultFile: string = fileURLToPath(new URL('results/pooler.json', import.meta.url));

const email = 'dana@example.com';
const rounds = 9;
const roundMs = 1000;

const help = `npm run bench:pooler [-- options]

  --json  print the result as JSON
  --save  write bench/results/pooler.json, which docs/benchmarks.md is made of

Example:
  npm run bench:pooler -- --save && npm run docs:benchmarks`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const result = await measure();
  if (values.save) writeFileSync(resultFile, `${JSON.stringify(result)}\n`);
  console.log(values.json ? JSON.stringify(result) : render(result));
}

async function measure(): Promise<PoolerResult> {
  const [installation] = findInstallations().filter(isFound);
  if (!installation) throw new Error('no PostgreSQL server is here to start: see tests/servers/installations.ts');
  const binary = findPgBouncer();
  if ('missing' in binary) throw new Error(`no PgBouncer is here to start: ${binary.missing}`);
  const server = await startServer(installation);
  try {
    const url = server.url('postgres');
    await migrate({ url });
    const pooler = await startPgBouncer({ serverUrl: url, settings: { default_pool_size: 10 } });
    try {
      const ratios = await compareWays(url, `${pooler.url('postgres')}?pgbouncer=true`);
      return {
        date: new Date().toISOString().slice(0, 10),
        node: process.version,
        postgres: installation.version,
        pgbouncer: binary.version,
        cores: cpus().length,
        ratios,
      };
    } finally {
      await pooler.stop();
    }
  } finally {
    await server.stop();
  }
}

async function compareWays(direct: string, pooled: string): Promise<PoolerResult['ratios']> {
  const [without, by] = [await createDatabase({ url: direct }), await createDatabase({ url: pooled })];
  try {
    await without.run(() => db.insert(user).values({ id: crypto.randomUUID(), email }));
    const ratios: PoolerResult['ratios'] = [];
    for (const callers of [1, 8]) {
      const found: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        console.error(`${callers} ${callers === 1 ? 'caller' : 'callers'}, round ${round + 1} of ${rounds}`);
        const calls = await without.run(() => load(callers));
        found.push((await by.run(() => load(callers))) / calls);
      }
      ratios.push({ callers, ratio: found.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number });
    }
    return ratios;
  } finally {
    await by.close();
    await without.close();
  }
}

/** How many calls are answered in a round. */
async function load(callers: number): Promise<number> {
  let calls = 0;
  const endMs = performance.now() + roundMs;
  const call = async (): Promise<void> => {
    for (; performance.now() < endMs; calls += 1) await getUser(email);
  };
  await Promise.all(Array.from({ length: callers }, call));
  return calls;
}

function render({ ratios, postgres, pgbouncer }: PoolerResult): string {
  const lines = ratios.map(({ callers, ratio }) => `  ${callers} at once: ${ratio.toFixed(2)}`);
  return [`calls by way of PgBouncer ${pgbouncer}, PostgreSQL ${postgres}, to calls without`, ...lines].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

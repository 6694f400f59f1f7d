// npm run estimates:measure: twelve changes on tables of three sizes, on the oldest and the newest PostgreSQL: how long mytx
// plan says that each takes, and how long it takes. Writes bench/results/plan-estimates.json, of which npm run docs:planning
// makes a table. It starts servers and takes some minutes.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { type EstimateResult, measureEstimates } from '../tests/deploy/operations/estimate-measurement.ts';
import { findInstallations, isFound } from '../tests/servers/installations.ts';
import { startServer } from '../tests/servers/server.ts';

const file = fileURLToPath(new URL('../bench/results/plan-estimates.json', import.meta.url));
const sizes = [20_000, 200_000, 1_000_000];

const results: EstimateResult[] = [];
for (const installation of findInstallations()) {
  if (!isFound(installation)) throw new Error(`PostgreSQL ${installation.version}: ${installation.missing}`);
  const server = await startServer(installation);
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
  try {
    for (const rows of sizes) {
      results.push(...(await measureEstimates(sql, rows)).map((one) => ({ version: installation.version, ...one })));
      console.log(`measured PostgreSQL ${installation.version}, ${rows} rows`);
    }
  } finally {
    await sql.end();
    await server.stop();
  }
}
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);

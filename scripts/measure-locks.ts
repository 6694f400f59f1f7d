// npm run locks:measure: deploy/operations/measured-locks.json, measured on every PostgreSQL server that is on this machine.
// It starts servers, which takes half a minute: it is no check of CI, where tests/deploy/operations measures again.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import type { MeasuredOperation } from '../deploy/operations/locks.ts';
import { type OperationId, operations } from '../deploy/operations/operations.ts';
import { type Measured, measureOperations } from '../tests/deploy/operations/measurement.ts';
import { findEveryInstallation, isFound } from '../tests/servers/installations.ts';
import { startServer } from '../tests/servers/server.ts';

const file = fileURLToPath(new URL('../deploy/operations/measured-locks.json', import.meta.url));

const byVersion = new Map<number, Map<OperationId, Measured>>();
for (const installation of findEveryInstallation()) {
  if (!isFound(installation)) throw new Error(`PostgreSQL ${installation.version}: ${installation.missing}`);
  const server = await startServer(installation);
  const open = (max: number): postgres.Sql => postgres(server.url('postgres'), { max, onnotice: () => {} });
  const [own, other] = [open(1), open(4)];
  try {
    byVersion.set(installation.version, await measureOperations({ own, other }, installation.version));
    console.log(`measured PostgreSQL ${installation.version}`);
  } finally {
    await Promise.all([own.end(), other.end()]);
    await server.stop();
  }
}

const measured = Object.keys(operations).map((id) => [id, collect(id as OperationId)] as const);
const known = measured.filter(([, versions]) => versions.length > 0);
writeFileSync(file, JSON.stringify(Object.fromEntries(known)));
execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'inherit' });

/** Versions on which it is the same are one entry. */
function collect(id: OperationId): MeasuredOperation[] {
  const entries: MeasuredOperation[] = [];
  for (const [version, found] of byVersion) {
    const one = found.get(id);
    if (!one) continue;
    const same = entries.find(({ versions: _, ...other }) => JSON.stringify(other) === JSON.stringify(one));
    if (same) same.versions.push(version);
    else entries.push({ versions: [version], ...one });
  }
  return entries;
}

// mytx health: says how the database of the environment is, without changing it. Asked in db/health.ts. Exit code 1 where
// row-level security lacks something.

import { type HealthReport, inspectDatabase } from '../db/health.ts';
import { exitCodes } from './exit-codes.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';
import { renderTable } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface HealthFlags {
  json?: boolean;
}

type HealthData = Omit<HealthReport, 'target' | 'warnings'>;

export async function health({ json = false }: HealthFlags): Promise<void> {
  endAtInterruption('interrupted; nothing was changed');
  let isLacking = false;
  const exitCode = await runVerb('health', { json }, async (voice): Promise<HealthData> => {
    const target = targetOfEnvironment();
    voice.nameTarget(target.target);
    const { target: _target, warnings, ...data } = await inspectDatabase(target);
    for (const warning of warnings) voice.warn(warning);
    isLacking = data.rowSecurity?.isReady === false;
    const end = isLacking ? 'healthy, but for row-level security' : 'healthy';
    voice.say(...renderHealth(data), ...renderRowSecurity(data), ...renderReplicas(data, voice.stream), end);
    return data;
  });
  if (exitCode === exitCodes.done && isLacking) process.exitCode = exitCodes.failed;
}

function renderHealth({ engine, latencyMs, pool, pending }: HealthData): string[] {
  const schema =
    pending.length === 0 ? 'up to date' : `lacks ${pending.join(', ')}; applied when the database is opened`;
  return [
    `engine: ${engine}`,
    `latency: ${latencyMs} ms`,
    `connections: ${pool.open} open of ${pool.size}, ${pool.waiting} callers wait`,
    `schema: ${schema}`,
  ];
}

/** What is missing as SQL, to be run as it is. */
function renderRowSecurity({ rowSecurity }: HealthData): string[] {
  if (!rowSecurity) return [];
  if (rowSecurity.isReady) return ['row-level security: ready'];
  const gaps = rowSecurity.missing.flatMap(({ what, statement }) => [`-- ${what}`, `${statement};`]);
  return ["row-level security: not ready; an administrator, or the tables' owner, runs:", '', ...gaps, ''];
}

function renderReplicas({ replicas = [] }: HealthData, stream: NodeJS.WriteStream): string[] {
  if (replicas.length === 0) return [];
  const rows = replicas.map(({ target, isUsable, lagMs, problem }) => [
    target,
    isUsable ? 'used' : `not used: ${problem ?? 'not known yet'}`,
    lagMs === null ? '' : `${Math.round(lagMs)} ms`,
  ]);
  return ['', ...renderTable(['replica', 'reads', 'behind at most'], rows, stream), ''];
}

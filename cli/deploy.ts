// mytx deploy: brings a database up to a project's migrations, as db/deployment.ts does it.

import { relative } from 'node:path';
import {
  type Acceptable,
  deploy as bringUp,
  type DeployEvent,
  type DeployReport,
  findDeployTarget,
} from '../db/deployment.ts';
import { type TargetFlags, targetFlags } from './deploy-target.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';

export interface DeployFlags extends TargetFlags {
  confirm?: string;
  includeLate?: boolean;
  accept?: Acceptable[];
  lockWait?: number;
  lockTimeout?: number;
}

export async function deploy(flags: DeployFlags): Promise<void> {
  const signal = listenForInterruption();
  await runVerb('deploy', flags, async (voice): Promise<Omit<DeployReport, 'target' | 'warnings'>> => {
    const target = await findDeployTarget(targetFlags(flags));
    voice.nameTarget(target.isProtected ? `${target.name} (protected)` : target.name);
    const { confirm, includeLate, accept, lockWait, lockTimeout } = flags;
    const {
      target: _target,
      warnings,
      ...report
    } = await bringUp({
      ...target,
      signal,
      onEvent: (event) => tell(voice, event),
      ...(confirm === undefined ? {} : { confirm }),
      ...(includeLate === undefined ? {} : { includeLate }),
      ...(accept === undefined ? {} : { accept }),
      ...(lockWait === undefined ? {} : { lockWaitMs: 1000 * lockWait }),
      ...(lockTimeout === undefined ? {} : { lockTimeoutMs: lockTimeout }),
    });
    for (const warning of [...warnings, ...report.notes]) voice.warn(warning);
    const { applied, total } = report;
    voice.say(
      applied.length === 0
        ? `nothing to do: all ${total} migrations are applied`
        : `applied ${applied.length} of ${total} migrations`,
    );
    return report;
  });
}

function tell(voice: Voice, event: DeployEvent): void {
  if (event.type === 'progress') voice.progress.count(event);
  else if (event.type === 'lint') tellLint(voice, event);
  else if (remarks.has(event.type)) voice.remark(textOf(event));
  else voice.say(textOf(event));
}

/** Errors are in what the deploy fails with; of squawk's warnings, which know nothing of this database, the number is told. */
function tellLint(voice: Voice, { findings, errors, warnings }: Extract<DeployEvent, { type: 'lint' }>): void {
  const ours = findings.filter(({ severity, rule }) => severity === 'warning' && !rule.startsWith('squawk/'));
  for (const { file, region, rule, message } of ours) {
    voice.say(
      `warning: ${file === null ? '' : `${relative(process.cwd(), file)}:${region?.line}: `}${rule}: ${message}`,
    );
  }
  if (errors === 0) voice.say(`lint: no errors, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`);
}

/** What is said in passing. */
const remarks = new Set<DeployEvent['type']>(['lock-wait', 'lock-retry', 'throttle']);

function textOf(event: Exclude<DeployEvent, { type: 'progress' | 'lint' }>): string {
  switch (event.type) {
    case 'lock-wait':
      return `waiting for another deploy (server process ${event.pid ?? 'unknown'}), ${seconds(event.waitedMs)}`;
    case 'migration':
      return `applying ${event.name} (${event.number} of ${event.of})${event.steps > 1 ? `, ${event.steps} steps` : ''}`;
    case 'step':
      return `  step ${event.step} of ${event.of}${event.isResumed ? ', resumed' : ''}: ${event.statement.slice(0, 100)}`;
    case 'lock-retry':
      return `  no lock within lock_timeout: try ${event.attempt + 1} in ${event.pauseMs} ms${blockersOf(event.blockers)}`;
    case 'throttle':
      return `  ${event.why}: waiting ${event.pauseMs} ms`;
    case 'repair':
      return `  ${event.what}`;
    case 'step-done':
      return `  step ${event.step} done, ${seconds(event.tookMs)}`;
    case 'migration-done':
      return `applied ${event.name}, ${seconds(event.tookMs)}`;
  }
}

function blockersOf(pids: readonly number[]): string {
  return pids.length === 0 ? '' : ` (in a transaction: server process ${pids.join(', ')})`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

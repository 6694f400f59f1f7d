// mytx status: what of a project's migrations a database has, as db/deployment.ts says it. Exit code 0 where all agrees, 2
// where some are pending, 1 where anything is wrong.

import { type DatabaseStatus, findDeployTarget, status as readStatus } from '../db/deployment.ts';
import { type TargetFlags, targetFlags } from './deploy-target.ts';
import { exitCodes } from './exit-codes.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';
import { faint, renderTable } from './table.ts';

type StatusData = Omit<DatabaseStatus, 'target'>;

export async function status(flags: TargetFlags): Promise<void> {
  endAtInterruption('interrupted; nothing was changed');
  let data: StatusData | undefined;
  const exitCode = await runVerb('status', flags, async (voice): Promise<StatusData> => {
    const target = await findDeployTarget(targetFlags(flags));
    voice.nameTarget(target.isProtected ? `${target.name} (protected)` : target.name);
    const { target: _target, ...found } = await readStatus(target);
    const others =
      found.environment !== null && target.environment !== undefined && found.environment !== target.environment;
    if (others) voice.warn(`the database says that it is "${found.environment}"`);
    data = found;
    voice.say(...render(found, voice.stream));
    return found;
  });
  if (exitCode !== exitCodes.done || !data || data.isUpToDate) return;
  process.exitCode = data.isDiverged ? exitCodes.failed : exitCodes.needsAnswer;
}

function render({ migrations, counts, isUpToDate, planHash }: StatusData, stream: NodeJS.WriteStream): string[] {
  const shown = migrations.filter(({ state }) => state !== 'applied');
  const applied = counts.applied ?? 0;
  const head = applied === 0 ? 'nothing is applied' : `${applied} applied, the newest ${newestApplied(migrations)}`;
  if (isUpToDate) return [head, 'up to date'];
  const rows = shown.map(({ state, name, generatedAt, stepsDone }) => [
    stepsDone === undefined ? state : `${state}, ${stepsDone} steps done`,
    name,
    generatedAt.slice(0, 10),
  ]);
  const remedies = [...new Map(shown.map(({ state, remedy }) => [state, remedy]))];
  return [
    head,
    '',
    ...renderTable(['state', 'migration', 'generated'], rows, stream),
    '',
    ...remedies.map(([state, remedy]) => `${state}: ${remedy}`),
    ...(planHash === null
      ? []
      : [faint(`plan ${planHash}: npx mytx deploy --confirm ${planHash} applies this and nothing else`, stream)]),
  ];
}

function newestApplied(migrations: StatusData['migrations']): string {
  return migrations.findLast(({ state }) => state === 'applied')?.name ?? '';
}

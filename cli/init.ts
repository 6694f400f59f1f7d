// mytx init: adds the data layer to the project in the current folder. Says first what it would do to which file, and
// asks; what that is, is decided in init/plan.ts.

import { diffLines } from '../init/line-diff.ts';
import { type Plan, planInit, refuseObstacles, writesOf } from '../init/plan.ts';
import { describeProject } from '../init/project.ts';
import type { Step } from '../init/step.ts';
import { writeFiles } from '../init/write-files.ts';
import { askToGoOn } from './confirmation.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';

export interface InitFlags {
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

interface InitData {
  project: { language: string; framework: 'next' | null; packageManager: string };
  plan: PlannedFile[];
  /** Paths of the files that were written now. */
  written: string[];
  notes: readonly string[];
  /** What is left to run, in this order. */
  commands: readonly string[];
}

interface PlannedFile {
  path: string;
  action: Step['action'];
  reason?: string;
  byHand?: readonly string[];
  diff?: readonly string[];
}

export async function init({ yes = false, dryRun = false, json = false }: InitFlags): Promise<void> {
  endAtInterruption('interrupted; run the same command again: it goes on from what there is');
  await runVerb('init', { json }, async (voice): Promise<InitData> => {
    const plan = planInit({ folder: process.cwd() });
    const { folder, language, next, packageManager } = plan.project;
    voice.nameTarget(`${folder} (${describeProject(plan.project)})`);
    voice.say('', ...plan.steps.flatMap(renderStep), ...plan.notes.map((note) => `note    ${note}`));
    refuseObstacles(plan);
    const written = dryRun ? [] : await writeConfirmed(voice, plan, yes);
    if (dryRun) voice.say('', 'nothing was written: this was a dry run');
    voice.say('', ...renderCommands(plan));
    return {
      project: { language, framework: next ? 'next' : null, packageManager },
      plan: plan.steps.map(describeStep),
      written,
      notes: plan.notes,
      commands: plan.commands.map(({ command }) => command),
    };
  });
}

async function writeConfirmed(voice: Voice, plan: Plan, yes: boolean): Promise<string[]> {
  const writes = writesOf(plan);
  if (writes.length === 0) {
    voice.say('', 'nothing to do: every file is there');
    return [];
  }
  const files = writes.length === 1 ? 'this file' : `these ${writes.length} files`;
  if (!yes) await askToGoOn(`Write ${files}?`, '--yes');
  const written = writeFiles(plan.project.folder, writes);
  voice.say('', `written: ${written.length} file${written.length === 1 ? '' : 's'}`);
  return written;
}

function renderStep(step: Step): string[] {
  const { path, reason, diff = [], byHand = [] } = describeStep(step);
  const line = `${step.action.padEnd(8)}${path}${reason ? `: ${reason}` : ''}`;
  return [line, ...[...diff, ...byHand].map((one) => `          ${one}`)];
}

function describeStep(step: Step): PlannedFile {
  const { path, action } = step;
  if (step.action === 'create') return { path, action };
  if (step.action === 'change') return { path, action, diff: diffLines(step.before, step.text) };
  return { path, action, reason: step.reason, ...(step.action === 'refuse' ? { byHand: step.byHand } : {}) };
}

function renderCommands({ commands }: Plan): string[] {
  const width = Math.max(...commands.map(({ command }) => command.length));
  return ['next, in this order:', ...commands.map(({ command, why }) => `  ${command.padEnd(width)}  ${why}`)];
}

// mytx plan: what a deploy would do, as db/deployment.ts says it, in a table that is read in a minute. Exit code 0 where
// nothing is pending, 2 where something is: the plan informs, and refuses nothing.

import { styleText } from 'node:util';
import {
  findDeployTarget,
  type PlannedStatement,
  type PlannedStep,
  type PlanReport,
  plan as readPlan,
} from '../db/deployment.ts';
import { type TargetFlags, targetFlags } from './deploy-target.ts';
import { exitCodes } from './exit-codes.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';
import { faint, renderTable } from './table.ts';

type PlanData = Omit<PlanReport, 'target'>;

const columns = 100;
const longestLocks = 34;

export async function plan(flags: TargetFlags): Promise<void> {
  endAtInterruption('interrupted; nothing was changed');
  let data: PlanData | undefined;
  const exitCode = await runVerb('plan', flags, async (voice): Promise<PlanData> => {
    const target = await findDeployTarget(targetFlags(flags));
    voice.nameTarget(target.isProtected ? `${target.name} (protected)` : target.name);
    const { target: _target, ...found } = await readPlan(target);
    data = found;
    voice.say(...render(found, voice.stream));
    if (found.migrations.length > 0 && !found.seesEveryTransaction) {
      voice.warn('how long transactions of other roles are open is not visible to this role (pg_read_all_stats)');
    }
    return found;
  });
  if (exitCode === exitCodes.done && data && data.migrations.length > 0) process.exitCode = exitCodes.needsAnswer;
}

function render({ migrations, estimate, risk, hash }: PlanData, stream: NodeJS.WriteStream): string[] {
  if (migrations.length === 0) return ['nothing is pending'];
  const count = migrations.reduce(
    (sum, { steps }) => sum + steps.reduce((all, step) => all + step.statements.length, 0),
    0,
  );
  const summary = `${migrations.length} pending, ${count} statements, ${rangeText(estimate)}, highest risk: ${risk}`;
  return [
    inRiskColour(summary, risk, stream),
    ...migrations.flatMap(({ name, state, isWhole, steps }) => [
      '',
      `${name}${state === 'pending' ? '' : ` (${state})`}`,
      ...steps.flatMap((step) => renderStep(step, isWhole ? undefined : steps.length, stream)),
    ]),
    '',
    ...(hash === null
      ? []
      : [faint(`plan ${hash}: npx mytx deploy --confirm ${hash} applies this and nothing else`, stream)]),
  ];
}

const kinds = { transaction: 'a transaction', alone: 'outside of a transaction', backfill: 'in batches' } as const;

function renderStep(
  { number, kind, isDone, statements }: PlannedStep,
  of: number | undefined,
  stream: NodeJS.WriteStream,
): string[] {
  const head = of === undefined ? 'one transaction' : `step ${number} of ${of}, ${kinds[kind]}`;
  if (isDone) return [`  ${head}: done`];
  const facts = statements.map((statement) => [
    shorten(locksText(statement), longestLocks),
    workText(statement),
    timeText(statement),
    statement.risk,
  ]);
  const room = roomFor(facts);
  const rows = statements.map(({ line, sql }, index) => [String(line), shorten(sql, room), ...(facts[index] ?? [])]);
  const table = renderTable(header, rows, stream);
  return [
    `  ${head}`,
    ...table.map(
      (line, index) => `    ${inRiskColour(line, index === 0 ? 'none' : statements[index - 1]?.risk, stream)}`,
    ),
    ...statements
      .filter(({ reasons }) => reasons.length > 0)
      .flatMap(({ line, reasons }) => wrap(`line ${line}: ${reasons.join('; ')}`, '    ')),
  ];
}

const header = ['line', 'statement', 'locks', 'does', 'takes', 'risk'];

/** How much of a statement there is room for, beside what is said of it. */
function roomFor(facts: readonly string[][]): number {
  const widths = header.slice(2).map((name, i) => Math.max(name.length, ...facts.map((row) => row[i]?.length ?? 0)));
  return columns - '    line    '.length - widths.reduce((sum, width) => sum + width + 2, 0);
}

function shorten(text: string, length: number): string {
  const oneLine = text.replaceAll(/\s+/g, ' ').trim();
  return oneLine.length > length ? `${oneLine.slice(0, length - 1)}…` : oneLine;
}

function locksText({ locks }: PlannedStatement): string {
  const others = locks.filter(({ isNew }) => !isNew);
  if (others.length === 0) return locks.length === 0 ? '-' : 'new tables alone';
  const modes = [...new Set(others.map(({ mode }) => mode))];
  const parts = modes.map((mode) => {
    const names = others.filter((lock) => lock.mode === mode).map(({ relation }) => relation.replace(/^public\./, ''));
    return `${names.join(', ')} ${mode}`;
  });
  return parts.join('; ');
}

function workText({ rewrites, builds, scans }: PlannedStatement): string {
  if (rewrites.length > 0) return 'rewrites';
  if (builds.length > 0) return 'indexes';
  return scans.length > 0 ? 'reads' : '-';
}

function timeText({ estimate, isInstant }: PlannedStatement): string {
  if (estimate === null) return 'unknown';
  return isInstant ? 'instant' : rangeText(estimate);
}

function rangeText({ from, to }: { from: number; to: number }): string {
  if (to < 0.1) return 'under 0.1 s';
  const [unit, size] = to < 120 ? ['s', 1] : to < 7200 ? ['min', 60] : ['h', 3600];
  const digits = to / size < 10 ? 1 : 0;
  return `${(from / size).toFixed(digits)}-${(to / size).toFixed(digits)} ${unit}`;
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}  `;
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

function inRiskColour(text: string, risk: string | undefined, stream: NodeJS.WriteStream): string {
  const colour = risk === 'high' ? 'red' : risk === 'medium' ? 'yellow' : undefined;
  return colour === undefined ? text : styleText(colour, text, { stream });
}

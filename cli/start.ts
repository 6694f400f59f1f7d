// mytx start: opens the database of the environment, up to date and with the sample assistant where it is empty,
// says what it did, and stays up until Ctrl-C. Everything that is decided is decided in db/development.ts.

import { closeDatabase } from '../db/database.ts';
import { type StartReport, startDevelopment, type Target } from '../db/development.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { listenForInterruption, untilInterrupted } from './interruption.ts';
import type { Progress } from './progress.ts';
import { runVerb, tellFailure, type Voice } from './run-verb.ts';
import { faint, renderTable } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface StartFlags {
  once?: boolean;
  json?: boolean;
}

type StartData = Omit<StartReport, 'target' | 'warnings'>;

export async function start({ once = false, json = false }: StartFlags): Promise<void> {
  const signal = listenForInterruption();
  let progress: Progress | undefined;
  try {
    const exitCode = await runVerb('start', { json, signal }, async (voice) => {
      progress = voice.progress;
      const data = await makeReady(voice, signal, once);
      if (once) await closeDatabase();
      else voice.say('', ...readyLines(data));
      return data;
    });
    if (once || exitCode !== exitCodes.done) return;
    await untilInterrupted(signal);
  } finally {
    await closeAndTell(progress);
  }
  (json ? process.stderr : process.stdout).write('closed\n');
}

/** A snapshot may be missing from a database that is closed. */
async function closeAndTell(progress: Progress | undefined): Promise<void> {
  try {
    await closeDatabase();
    progress?.clear();
  } catch (error) {
    if (!progress) throw error;
    process.exitCode = exitCodeOf(tellFailure(error, progress).code);
  }
}

async function makeReady(voice: Voice, signal: AbortSignal, once: boolean): Promise<StartData> {
  const target = targetOfEnvironment();
  voice.nameTarget(target.target);
  if (target.restriction !== null) voice.say(`note: ${target.restriction}`);
  const sayStopping = (): void => voice.remark('stopping after the step under way; Ctrl-C again stops at once');
  signal.addEventListener('abort', sayStopping);
  const report = await startDevelopment(target, { onProgress: voice.progress.say, signal, socket: !once });
  signal.removeEventListener('abort', sayStopping);
  const { target: _target, warnings, ...data } = report;
  for (const warning of warnings) voice.warn(warning);
  voice.say(...renderReport(target, report, voice.stream));
  return data;
}

function renderReport(target: Target, report: StartReport, stream: NodeJS.WriteStream): string[] {
  const { applied, tables } = report;
  return [
    `migrations: ${applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`}`,
    ...renderSample(target, report),
    '',
    ...renderTable(
      ['table', 'rows'],
      tables.map(({ table, rows }) => [table, rows]),
      stream,
    ),
    '',
    ...renderNextSteps(stream),
  ];
}

function renderSample({ restriction }: Target, { sample, signIn }: StartReport): string[] {
  if (restriction !== null) return [];
  return sample === null ? ['sample: not loaded, there are users already'] : sampleLines(sample, signIn);
}

/** What was loaded, and how to sign in to it. */
export function sampleLines(sample: NonNullable<StartReport['sample']>, signIn: StartReport['signIn']): string[] {
  const counts = Object.entries(sample).map(([kind, rows]) => `${rows.toLocaleString('en-US')} ${kind}`);
  return [
    `sample: loaded ${counts.join(', ')}`,
    ...(signIn ? [`sign in: ${signIn.email}, password ${signIn.password}`] : []),
  ];
}

function renderNextSteps(stream: NodeJS.WriteStream): string[] {
  const steps = [
    ['db/queries.ts', 'what your code imports, such as getUser and saveChat'],
    ['npx drizzle-kit generate', 'writes the migration, after a change of db/schema.ts'],
    ['npx tsx db/migrate.ts', 'applies it'],
    ['npm run db:reset', 'drops every table and applies the migrations anew'],
    ['README.md, docs/', 'more'],
  ] as const;
  return [faint('next steps', stream), ...steps.map(([what, why]) => `  ${what.padEnd(26)}${why}`)];
}

function readyLines({ engine, socketUrl }: StartData): string[] {
  if (engine === 'server') return ['ready; Ctrl-C ends this'];
  return [
    ...(socketUrl ? [`meanwhile, in another terminal: psql '${socketUrl}'`] : []),
    ...(socketUrl ? [`or before any of these commands: export POSTGRES_URL='${socketUrl}'`] : []),
    'ready; Ctrl-C closes the database',
  ];
}

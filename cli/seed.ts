// mytx seed: loads the sample assistant into the database of the environment, with as many messages as are wanted.
// Which database may have it is decided in db/development.ts.

import { closeDatabase } from '../db/database.ts';
import { type SeedReport, seedDevelopment } from '../db/development.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { sampleLines } from './start.ts';
import { targetOfEnvironment } from './target.ts';

export interface SeedFlags {
  messages?: number;
  json?: boolean;
}

type SeedData = Omit<SeedReport, 'target' | 'warnings' | 'socketUrl'>;

export async function seed({ messages, json = false }: SeedFlags): Promise<void> {
  const signal = listenForInterruption();
  await runVerb('seed', { json, signal }, async (voice) => {
    signal.addEventListener('abort', () => voice.remark('stopping: what was loaded is rolled back'));
    try {
      return await loadAndSay(voice, signal, messages);
    } finally {
      await closeDatabase();
    }
  });
}

async function loadAndSay(voice: Voice, signal: AbortSignal, messages: number | undefined): Promise<SeedData> {
  const target = targetOfEnvironment();
  voice.nameTarget(target.target);
  const report = await seedDevelopment(target, {
    onProgress: voice.progress.say,
    onCount: (counted) => voice.progress.count({ what: 'messages', ...counted }),
    signal,
    ...(messages === undefined ? {} : { messages }),
  });
  const { target: _target, warnings, socketUrl: _noGuests, ...data } = report;
  for (const warning of warnings) voice.warn(warning);
  voice.say(...renderReport(data));
  return data;
}

function renderReport({ applied, sample, signIn, seconds, messagesPerSecond }: SeedData): string[] {
  if (sample === null) return ['nothing to do: there are users already'];
  return [
    `migrations: ${applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`}`,
    ...sampleLines(sample, signIn),
    `time: ${seconds.toFixed(1)} s, ${messagesPerSecond.toLocaleString('en-US')} messages a second`,
  ];
}

// mytx reset: drops every table of the migrations and applies them anew, in development. What may be reset is
// decided in deploy/reset.ts, before anything is dropped.

import { reset as resetDatabase } from '../db/opening.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { targetOfEnvironment } from './target.ts';

export interface ResetFlags {
  json?: boolean;
}

interface ResetData {
  dropped: string[];
  applied: string[];
}

export async function reset({ json = false }: ResetFlags): Promise<void> {
  // Tables are dropped in one transaction: ending at once leaves all of them or none.
  endAtInterruption('interrupted; run it again to be sure of the result');
  await runVerb('reset', { json }, resetAndSay);
}

async function resetAndSay(voice: Voice): Promise<ResetData> {
  const { target, options } = targetOfEnvironment();
  voice.nameTarget(target);
  const { dropped, applied } = await resetDatabase({ ...options, onProgress: voice.progress.say });
  voice.say(
    dropped.length === 0 ? 'dropped: nothing, there were no tables' : `dropped: ${dropped.map(plainName).join(', ')}`,
    `applied: ${applied.join(', ')}`,
    'next: npm start loads the sample assistant again',
  );
  return { dropped, applied };
}

/** `"public"."Chat"` as people call it. */
function plainName(table: string): string {
  return table.replace(/^"public"\./, '').replaceAll('"', '');
}

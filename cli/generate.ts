// mytx generate: a migration by drizzle-kit, rewritten, as db/generation.ts does it.

import { relative } from 'node:path';
import { type GenerateReport, generate as generateFiles, type RewrittenFile } from '../db/generation.ts';
import { chooseRename } from './choose-rename.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';

export interface GenerateFlags {
  name?: string;
  custom?: boolean;
  rename?: string[];
  create?: string[];
  answers?: string;
  /** Of --no-rewrite; commander has it under the name of what it takes away. */
  target?: number;
  config?: string;
  json?: boolean;
}

export async function generate(flags: GenerateFlags & { rewrite?: boolean }): Promise<void> {
  endAtInterruption('interrupted; drizzle-kit writes at its end');
  await runVerb('generate', flags, async (voice): Promise<GenerateReport> => {
    const { answers, target, json: _json, ...options } = flags;
    const report = await generateFiles({
      ...options,
      ...(answers === undefined ? {} : { answersFile: answers }),
      ...(target === undefined ? {} : { version: target }),
      ...(chooseRename ? { ask: chooseRename } : {}),
      onMessage: (line) => voice.say(`drizzle-kit: ${line}`),
    });
    for (const file of report.files) voice.say('', ...describeFile(file));
    if (report.files.length > 0) voice.say('', 'next: read the SQL, then npx mytx plan and npx mytx deploy');
    return report;
  });
}

/** What became of a file, for people. */
export function describeFile({ file, changes, explanations, planFolder, isForMytxOnly }: RewrittenFile): string[] {
  const path = relative(process.cwd(), file);
  return [
    changes.length === 0 ? `${path}: nothing in it had to be rewritten` : `${path}, rewritten so that nobody waits:`,
    ...changes.map(({ what, why }) => `  ${what}: ${why}`),
    ...(explanations.length > 0 ? ['left as it is:'] : []),
    ...explanations.map(({ what, why }) => `  ${what}: ${why}`),
    ...(planFolder === null
      ? []
      : [`in two deploys nothing of it breaks: ${relative(process.cwd(), planFolder)}/README.md`]),
    ...(isForMytxOnly ? ['only mytx deploy can run it: Drizzle’s migrate() has no CONCURRENTLY'] : []),
  ];
}

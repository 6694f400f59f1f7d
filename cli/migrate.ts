// mytx migrate: applies the pending migrations, as db/migrate.ts does.

import { migrate as applyPending, type MigrateReport } from '../db/opening.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';
import { targetOfEnvironment } from './target.ts';

export interface MigrateFlags {
  json?: boolean;
}

export async function migrate({ json = false }: MigrateFlags): Promise<void> {
  endAtInterruption('interrupted; a migration that was not finished is not there');
  await runVerb('migrate', { json }, async (voice): Promise<Omit<MigrateReport, 'target' | 'warnings'>> => {
    const { target: name, options } = targetOfEnvironment();
    voice.nameTarget(name);
    const {
      target: _target,
      warnings,
      ...report
    } = await applyPending(
      { ...options, onProgress: voice.progress.say },
      {
        onMigration: ({ name: migration, number, of }) => voice.say(`applying ${migration} (${number} of ${of})`),
        onLockWait: ({ pid, waitedMs }) =>
          voice.remark(
            `waiting for another deploy (server process ${pid ?? 'unknown'}), ${Math.round(waitedMs / 1000)} s`,
          ),
      },
    );
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

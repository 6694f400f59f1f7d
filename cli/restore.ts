// mytx restore: puts a snapshot into the place of the embedded database, or lists them. Asks first, on a terminal; what
// may be restored, and how nothing is lost by it, is decided in db/snapshots.ts.

import {
  findSnapshot,
  listSnapshots,
  type RestoreReport,
  restoreSnapshot,
  type Snapshot,
  snapshotFolderOf,
} from '../db/snapshots.ts';
import { askToGoOn } from './confirmation.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { megabytes, renderTable } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface RestoreFlags {
  list?: boolean;
  yes?: boolean;
  json?: boolean;
}

export async function restore(name: string | undefined, { list, yes, json = false }: RestoreFlags): Promise<void> {
  endAtInterruption('interrupted; the database is the old one or the new one, whole, and the next command says which');
  await runVerb('restore', { json }, async (voice): Promise<{ snapshots: Snapshot[] } | RestoreReport> => {
    const target = targetOfEnvironment();
    voice.nameTarget(target.target);
    const folder = snapshotFolderOf(target);
    if (list || name === undefined) return sayList(voice, folder);
    if (!yes) await askToGoOn(questionOf(findSnapshot({ folder, name }), name), '--yes');
    return restoreAndSay(voice, folder, name);
  });
}

async function sayList(voice: Voice, folder: string): Promise<{ snapshots: Snapshot[] }> {
  const snapshots = await listSnapshots({ folder });
  if (snapshots.length === 0) {
    voice.say('there are no snapshots yet; one is taken when the database is closed, or by: npx mytx snapshot');
    return { snapshots };
  }
  const rows = snapshots.map((one) => [
    one.name,
    one.age,
    megabytes(one.bytes),
    one.rows,
    `${one.postgresql}`,
    one.lastMigration ?? `${one.migrations}`,
    one.reason,
    one.damage ? `damaged: ${one.damage}` : 'whole',
  ]);
  const header = ['snapshot', 'age', 'size', 'rows', 'PostgreSQL', 'last migration', 'taken', 'files'];
  voice.say(...renderTable(header, rows, voice.stream), '', 'next: npx mytx restore latest, or a name');
  return { snapshots };
}

function questionOf(found: Snapshot | null, name: string): string {
  const what = found
    ? `${found.name} (${found.age} old, ${found.rows.toLocaleString('en-US')} rows)`
    : `the snapshot ${name}`;
  return `Put ${what} into the place of the database? The one that is there is kept beside it.`;
}

async function restoreAndSay(voice: Voice, folder: string, name: string): Promise<RestoreReport> {
  const report = await restoreSnapshot({ folder, name, onProgress: voice.progress.say });
  const { restored, keptIn } = report;
  voice.say(
    `restored: ${restored.name}, ${restored.age} old, ${restored.rows.toLocaleString('en-US')} rows`,
    keptIn
      ? `kept: the database that was there, in ${keptIn}; delete it when you do not need it`
      : 'kept: nothing, there was no database',
    'next: npm start opens it',
  );
  return report;
}

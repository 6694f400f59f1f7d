// mytx snapshot: takes a snapshot of the embedded database now. What that is, is decided in db/snapshots.ts.

import { type Snapshot, snapshotFolderOf, takeSnapshot } from '../db/snapshots.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';
import { megabytes } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface SnapshotFlags {
  json?: boolean;
}

export async function snapshot({ json = false }: SnapshotFlags): Promise<void> {
  endAtInterruption('interrupted; a snapshot that was not finished is not there');
  await runVerb('snapshot', { json }, async (voice): Promise<Snapshot> => {
    const target = targetOfEnvironment();
    voice.nameTarget(target.target);
    const taken = await takeSnapshot({ folder: snapshotFolderOf(target), onProgress: voice.progress.say });
    voice.say(
      `snapshot: ${taken.name}, ${megabytes(taken.bytes)}, ${taken.rows.toLocaleString('en-US')} rows`,
      `file: ${taken.file} (and the same as SQL: ${taken.sqlFile})`,
      `next: npx mytx restore ${taken.name} goes back to it`,
    );
    return taken;
  });
}

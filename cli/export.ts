// mytx export: everything of a person, as a file that only this user may read, or on stdout. What is in it, and how it is
// read, is decided in db/person/.

import { closeDatabase, openDatabase, withDeadline } from '../db/database.ts';
import { exportUserToFile, type WrittenExport, writeExport } from '../db/person/export-file.ts';
import { findPerson } from '../db/person/find-person.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { megabytes } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface ExportFlags {
  output?: string;
  stdout?: boolean;
  includeSecrets?: boolean;
  json?: boolean;
}

interface ExportData extends WrittenExport {
  userId: string;
  /** Null for stdout. */
  file: string | null;
  includesSecrets: boolean;
}

export async function exportPerson(user: string, flags: ExportFlags): Promise<void> {
  const { json = false, stdout = false } = flags;
  const signal = listenForInterruption();
  await runVerb('export', { json, signal, resultOnStdout: json || stdout }, async (voice) => {
    const { target, options } = targetOfEnvironment();
    voice.nameTarget(target);
    try {
      await openDatabase({ ...options, onProgress: voice.progress.say, socket: false });
      return await withDeadline({ signal }, () => writeAndSay(voice, user, flags));
    } finally {
      await closeDatabase();
    }
  });
}

async function writeAndSay(voice: Voice, user: string, flags: ExportFlags): Promise<ExportData> {
  const { userId } = await findPerson(user);
  const includesSecrets = flags.includeSecrets ?? false;
  const file = flags.stdout ? null : (flags.output ?? `person-${userId}.jsonl`);
  const startMs = performance.now();
  const how = {
    userId,
    includeSecrets: includesSecrets,
    onProgress: (counted: { done: number; total: number }): void =>
      voice.progress.count({ what: 'rows', ...counted, elapsedMs: performance.now() - startMs }),
  };
  const written = await (file === null ? writeExport(process.stdout, how) : exportUserToFile(file, how));
  voice.say(
    `exported: ${written.lines.toLocaleString('en-US')} lines, ${megabytes(written.bytes)}, of the user ${userId}`,
    includesSecrets
      ? 'secrets: the hash of the password and the digests of API keys are in it; keep it as safe as the database'
      : 'secrets: none; whoever is imported from it has no password and no API keys',
    ...(file === null ? [] : [`file: ${file}`, `next: npx mytx import ${file}, where this person is not`]),
  );
  return { userId, file, includesSecrets, ...written };
}

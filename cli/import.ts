// mytx import: a person from a file of mytx export, or from stdin. What is refused, and that nothing of it stays then, is
// decided in db/person/.

import { createReadStream, statSync } from 'node:fs';
import { closeDatabase, openDatabase, withDeadline } from '../db/database.ts';
import { type ImportReport, importUser } from '../db/person/import.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { targetOfEnvironment } from './target.ts';

export interface ImportFlags {
  json?: boolean;
}

export async function importPerson(file: string, { json = false }: ImportFlags): Promise<void> {
  const signal = listenForInterruption();
  await runVerb('import', { json, signal }, async (voice) => {
    const { target, options } = targetOfEnvironment();
    voice.nameTarget(target);
    const pieces = file === '-' ? readStdin(signal) : readCounted(voice, file);
    try {
      await openDatabase({ ...options, onProgress: voice.progress.say, socket: false });
      return await withDeadline({ signal }, () => importAndSay(voice, pieces));
    } finally {
      await closeDatabase();
    }
  });
}

async function importAndSay(voice: Voice, pieces: AsyncIterable<Uint8Array>): Promise<ImportReport> {
  const report = await importUser(pieces);
  const { userId, rows, keysLeftOut } = report;
  voice.say(
    `imported: the user ${userId}`,
    `rows: ${Object.entries(rows)
      .map(([table, count]) => `${table} ${count.toLocaleString('en-US')}`)
      .join(', ')}`,
  );
  if (keysLeftOut > 0) voice.warn(`${keysLeftOut} API keys are left out: the file has no secrets; issue new ones`);
  return report;
}

/** Whoever writes into it may be silent for long: Ctrl-C does not wait for them. */
function readStdin(signal: AbortSignal): AsyncIterable<Uint8Array> {
  signal.addEventListener('abort', () => process.stdin.destroy());
  return process.stdin;
}

/** @throws at once where there is no such file */
function readCounted(voice: Voice, file: string): AsyncIterable<Uint8Array> {
  const total = Math.ceil(statSync(file).size / 1000);
  return countPieces(voice, file, total);
}

async function* countPieces(voice: Voice, file: string, total: number): AsyncGenerator<Uint8Array, void, void> {
  const startMs = performance.now();
  let bytes = 0;
  for await (const piece of createReadStream(file)) {
    yield piece;
    bytes += piece.length;
    voice.progress.count({ what: 'kB', done: Math.floor(bytes / 1000), total, elapsedMs: performance.now() - startMs });
  }
}

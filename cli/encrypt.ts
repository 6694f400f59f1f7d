// mytx encrypt: encrypts with the current key what is encrypted with another one, or not at all. What is due, and how it is
// done beside those who write, is decided in db/encryption/.

import { closeDatabase } from '../db/database.ts';
import { describeLeft, type EncryptDatabaseReport, encryptDatabase } from '../db/encryption/encrypt-database.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { renderTable } from './table.ts';
import { targetOfEnvironment } from './target.ts';

export interface EncryptFlags {
  dryRun?: boolean;
  rowsPerSecond?: number;
  json?: boolean;
}

type EncryptData = Pick<EncryptDatabaseReport, 'keyId' | 'columns' | 'isComplete'> & { isDryRun: boolean };

export async function encrypt({ dryRun = false, rowsPerSecond, json = false }: EncryptFlags): Promise<void> {
  const signal = listenForInterruption();
  await runVerb('encrypt', { json, signal }, async (voice) => {
    signal.addEventListener('abort', () => voice.remark('stopping: what is encrypted stays so, run it again to go on'));
    try {
      return await encryptAndSay(voice, signal, dryRun, rowsPerSecond);
    } finally {
      await closeDatabase();
    }
  });
}

async function encryptAndSay(
  voice: Voice,
  signal: AbortSignal,
  isDryRun: boolean,
  rowsPerSecond: number | undefined,
): Promise<EncryptData> {
  const { target, options } = targetOfEnvironment();
  voice.nameTarget(target);
  const startMs = performance.now();
  const { keyId, columns, isComplete, warnings } = await encryptDatabase(
    { ...options, onProgress: voice.progress.say },
    {
      isDryRun,
      signal,
      ...(rowsPerSecond === undefined ? {} : { rowsPerSecond }),
      onProgress: ({ column, done, total }) =>
        voice.progress.count({ what: `rows of ${column}`, done, total, elapsedMs: performance.now() - startMs }),
    },
  );
  for (const warning of warnings) voice.warn(warning);
  const data = { keyId, columns, isComplete, isDryRun };
  voice.say(...renderReport(data, voice.stream));
  return data;
}

function renderReport({ keyId, columns, isDryRun }: EncryptData, stream: NodeJS.WriteStream): string[] {
  const rows = columns.map(({ column, rows, rewritten }) => [column, rows, rewritten] as const);
  const left = columns.flatMap(describeLeft);
  return [
    `key: ${keyId}`,
    '',
    ...renderTable(['column', 'rows', isDryRun ? 'to encrypt' : 'encrypted now'], rows, stream),
    '',
    ...left.map((line) => `left: ${line}`),
    isDryRun ? 'nothing was written: this was a dry run' : 'done: everything is encrypted with this key',
  ];
}

// mytx erase: removes everything of a person, after a yes. What that is, and what stands in its way, is decided in
// db/person/.

import { closeDatabase, openDatabase, withDeadline } from '../db/database.ts';
import { type EraseReport, eraseUser } from '../db/person/erase.ts';
import { type FoundPerson, findPerson } from '../db/person/find-person.ts';
import { askToGoOn } from './confirmation.ts';
import { listenForInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { targetOfEnvironment } from './target.ts';

export interface EraseFlags {
  yes?: boolean;
  json?: boolean;
}

export async function erasePerson(user: string, { yes = false, json = false }: EraseFlags): Promise<void> {
  const signal = listenForInterruption();
  await runVerb('erase', { json, signal }, async (voice) => {
    const { target, options } = targetOfEnvironment();
    voice.nameTarget(target);
    try {
      await openDatabase({ ...options, onProgress: voice.progress.say, socket: false });
      return await withDeadline({ signal }, () => eraseAndSay(voice, user, yes));
    } finally {
      await closeDatabase();
    }
  });
}

async function eraseAndSay(
  voice: Voice,
  user: string,
  isConfirmed: boolean,
): Promise<EraseReport & { userId: string }> {
  const person = await findPerson(user);
  if (!isConfirmed) await askToGoOn(questionOf(person), '--yes');
  const { userId } = person;
  const report = await eraseUser({
    userId,
    onProgress: ({ table }) => voice.progress.say(`erasing the rows of ${table}`),
  });
  voice.say(
    `erased: the user ${userId}`,
    `rows: ${listOf(report.rows)}`,
    'what stays: the record that it was done, and backups and exports that were made before (docs/personal-data.md)',
  );
  return { userId, ...report };
}

function questionOf({ userId, rows }: FoundPerson): string {
  return `Erase the user ${userId} with all there is (${listOf(rows)})? There is no way back but a backup.`;
}

function listOf(rows: Record<string, number>): string {
  const named = Object.entries(rows).filter(([, count]) => count > 0);
  return named.map(([table, count]) => `${table} ${count.toLocaleString('en-US')}`).join(', ') || 'none';
}

// A process of the rotation's test, with the keys that its environment has: rotates to the current one until it is killed
// or done, or writes memories of its user until it is told to stop, and says what it wrote.

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../db/database.ts';
import { reencrypt } from '../../../db/encryption/reencrypt.ts';
import { saveMemory, updateMemory } from '../../../db/memories.ts';

/** What the process is told. */
export type Order = { rotate: true } | { write: { userId: string; ids: string[] } } | 'stop';

/** How many values were rewritten so far; the report of a rotation; or the last text of each memory. */
export type Answer =
  | 'ready'
  | { rewritten: number }
  | { isComplete: boolean }
  | { written: [id: string, text: string][] };

const say = (answer: Answer): void => void process.send?.(answer);
let hasToStop = false;

async function rotate(): Promise<void> {
  const { isComplete } = await reencrypt({ onProgress: ({ rewritten }) => say({ rewritten }) });
  say({ isComplete });
}

/** Changes memories of the rows that are being rotated, and adds some. */
async function write(userId: string, ids: string[]): Promise<void> {
  const written = new Map<string, string>();
  for (let n = 0; !hasToStop; n += 1) {
    const text = `written by ${userId}, ${n}`;
    const id = ids[randomInt(ids.length)] as string;
    const rows =
      n % 4 === 0 ? await saveMemory({ userId, content: text }) : await updateMemory({ id, userId, content: text });
    for (const row of rows) written.set(row.id, text);
    await sleep(5);
  }
  say({ written: [...written] });
}

process.on('message', (order: Order) => {
  if (order === 'stop') hasToStop = true;
  else void ('rotate' in order ? rotate() : write(order.write.userId, order.write.ids));
});
process.on('disconnect', () => process.exit(0));

await openDatabase({ url: process.env.TEST_URL as string, poolSize: 4 });
say('ready');

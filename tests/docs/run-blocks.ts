// Runs the blocks of the documents in one process, one after another, each with a user and a chat of its own; prints
// what each wrote, as one JSON line. docs.test.ts starts it in a copy of the project.
// Arguments: a file with the list of blocks, a file with the snapshot of a migrated database.

import { randomUUID } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { format } from 'node:util';
import { sql } from 'drizzle-orm';
import { closeDatabase, createUser, db, openDatabase, saveChat } from '../../db/index.ts';

export interface BlockToRun {
  /** The page and line, for messages. */
  name: string;
  /** The module, or the file of SQL. */
  file: string;
  /** Whether it begins without an open database. */
  isClosed: boolean;
}

export interface BlockResult {
  name: string;
  printed: string[];
  error?: string;
}

declare global {
  /** What a block may use without declaring it. */
  var given: { userId: string; chatId: string };
}

const [listFile = '', snapshotFile = ''] = process.argv.slice(2);
const snapshot = new Blob([readFileSync(snapshotFile)]);
let printed: string[] = [];
for (const method of ['log', 'error'] as const) {
  console[method] = (...values: unknown[]): void => void printed.push(format(...values));
}

for (const block of JSON.parse(readFileSync(listFile, 'utf8')) as BlockToRun[]) {
  printed = [];
  const result: BlockResult = { name: block.name, printed };
  try {
    await run(block);
  } catch (error) {
    result.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  writeSync(1, `${JSON.stringify(result)}\n`);
}
await closeDatabase();

async function run({ file, isClosed }: BlockToRun): Promise<void> {
  if (isClosed) await closeDatabase();
  else await prepare();
  if (file.endsWith('.sql')) await db.execute(sql.raw(readFileSync(file, 'utf8')));
  else await import(file);
  if (isClosed) await closeDatabase();
}

/** A database with a user and an empty chat; the one that is open, where a block has left it so. */
async function prepare(): Promise<void> {
  await openDatabase({ folder: 'memory', snapshot }).catch((error: { code?: string }) => {
    if (error.code !== 'DATABASE_OPEN') throw error;
  });
  const [user] = await createUser(`${randomUUID()}@example.com`, 'x');
  const chatId = randomUUID();
  const userId = user?.id ?? '';
  await saveChat({ id: chatId, messages: [], userId });
  globalThis.given = { userId, chatId };
}

// exportUser: everything of a person as lines of JSON, as of one moment. docs/personal-data.md describes the lines.

import { createHash } from 'node:crypto';
import { requireBoolean, requireId, requireObject } from '../arguments.ts';
import { recordEvent } from '../audit.ts';
import { execute, transaction } from '../database.ts';
import { NotFoundError, PersonDataError } from '../errors.ts';
import { endLine, headerLine, type RowCounts } from './format.ts';
import { type Give, handOver } from './hand-over.ts';
import { findOtherTables } from './other-tables.ts';
import { personTables } from './person-tables.ts';
import { countRowsOf, readRows } from './read-rows.ts';

export interface ExportOptions {
  userId: string;
  /** The hash of the password and the digests of API keys too; false unless given. Needed to move a person, not to inform one. */
  includeSecrets?: boolean;
  /** Told how many rows were read, of how many, from none on. */
  onProgress?(progress: { done: number; total: number }): void;
}

/**
 * Everything of a person, as lines of JSON, each with its line feed: what `importUser` reads. All of it is as of one
 * moment, in one transaction, which goes on as lines are taken and holds a few megabytes. The embedded database does
 * nothing else meanwhile. That it was exported is on record before the first line is given.
 *
 * @throws NotFoundError USER_NOT_FOUND; PersonDataError EXPORT_REFUSED inside a transaction of another kind (asUser is one)
 * @throws ConnectionError DEADLINE_EXCEEDED where the next line is not taken for a minute
 * @example for await (const line of exportUser({ userId })) response.write(line);
 */
export function exportUser(args: ExportOptions): AsyncIterable<string> {
  const { userId, includeSecrets = false, onProgress } = requireObject('exportUser', args);
  const who = {
    userId: requireId('userId', userId),
    includesSecrets: requireBoolean('includeSecrets', includeSecrets),
  };
  return oneByOne(handOver((give) => exportInto(give, who, onProgress)));
}

async function* oneByOne(batches: AsyncGenerator<string[], void, void>): AsyncGenerator<string, void, void> {
  for await (const lines of batches) yield* lines;
}

interface Who {
  userId: string;
  includesSecrets: boolean;
}

async function exportInto(give: Give<string[]>, who: Who, onProgress: ExportOptions['onProgress']): Promise<void> {
  await transaction(() => recordExport(who));
  // Lines that were given can't be taken back: it is run once, whatever it meets. It writes nothing, and meets nobody.
  await transaction(() => giveLines(give, who, onProgress), { isolationLevel: 'repeatable read', maxAttempts: 1 });
}

async function recordExport({ userId, includesSecrets }: Who): Promise<void> {
  const { rows } = await execute('select from "User" where id = $1::uuid', [userId], true);
  if (rows.length === 0) {
    throw new NotFoundError(
      'USER_NOT_FOUND',
      'userId is not the id of a user',
      'Take the id of a user: getUser(email) finds one by address.',
    );
  }
  await recordEvent('user.exported', userId, { includesSecrets });
}

async function giveLines(
  give: Give<string[]>,
  { userId, includesSecrets }: Who,
  onProgress: ExportOptions['onProgress'],
): Promise<void> {
  await requireOneMoment();
  const counts = await countRowsOf(personTables, userId);
  const total = sumOf(counts);
  const otherTables = (await findOtherTables()).map(({ name }) => name);
  const hash = createHash('sha256');
  const giveHashed = (lines: string[]): Promise<boolean> => {
    for (const line of lines) hash.update(line);
    return give(lines);
  };
  onProgress?.({ done: 0, total });
  if (!(await giveHashed([headerLine({ exportedAt: await readMoment(), userId, includesSecrets, otherTables })])))
    return;
  let done = 0;
  for (const table of personTables) {
    for await (const lines of readRows(table, userId, includesSecrets)) {
      done += lines.length;
      onProgress?.({ done, total });
      if (!(await giveHashed(lines))) return;
    }
  }
  await give([endLine({ rows: counts, sha256: hash.digest('hex') })]);
}

async function readMoment(): Promise<string> {
  const { rows } = await execute('select transaction_timestamp()::timestamptz(3)', [], true);
  return new Date(rows[0]?.[0] as string).toISOString();
}

/** Where each statement sees another moment, messages would come without their chats. */
async function requireOneMoment(): Promise<void> {
  const { rows } = await execute(`select current_setting('transaction_isolation')`, [], true);
  const level = rows[0]?.[0] as string;
  if (level === 'repeatable read' || level === 'serializable') return;
  throw new PersonDataError(
    'EXPORT_REFUSED',
    `exportUser was called inside a transaction whose isolation level is ${level}; it needs repeatable read`,
    "Call it outside of transaction() and asUser(), or inside transaction(fn, { isolationLevel: 'repeatable read' }).",
    { isolationLevel: level },
  );
}

function sumOf(counts: RowCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

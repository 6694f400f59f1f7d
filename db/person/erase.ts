// eraseUser: removes everything of a person, in one transaction, and leaves on record that it was done. Never leaves a part:
// where the application has rows of this person that do not go with them, nothing is erased, and the table is named.

import { requireId, requireObject } from '../arguments.ts';
import { recordEvent } from '../audit.ts';
import type { StatementResult } from '../connection/connection.ts';
import { sqlStateOf } from '../connection/failure.ts';
import { execute, transaction } from '../database.ts';
import { PersonDataError, StatementError } from '../errors.ts';
import type { RowCounts } from './format.ts';
import { findOtherTables, tablesWithRowsOf } from './other-tables.ts';
import { derivedTables, personTables, quoted } from './person-tables.ts';
import { countAgainBelow } from './statistics.ts';

export interface EraseOptions {
  userId: string;
  /** Told of each table when its turn comes. */
  onProgress?(progress: { table: string }): void;
}

export interface EraseReport {
  /** False: there is no such person, and nothing was done. */
  wasThere: boolean;
  /** How many rows of each table were deleted. Tables of the application's own that went with them are not counted. */
  rows: RowCounts;
}

/**
 * Deletes everything of a person: the user, chats, messages, memories, tasks, reservations, protocols, API keys, what search
 * knows of them, and rows of the application's own tables that go with these (`on delete cascade`). What stays is the event
 * in the audit table, with a keyed digest of the id. In one transaction: all of it, or nothing.
 *
 * @throws PersonDataError ERASE_REFUSED where a table of the application's own has rows of the person that would stay
 * @example const { wasThere, rows } = await eraseUser({ userId });
 */
export async function eraseUser(args: EraseOptions): Promise<EraseReport> {
  const { userId, onProgress } = requireObject('eraseUser', args);
  const id = requireId('userId', userId);
  return transaction(async () => {
    const { rows: found } = await lock('"User"', 'id', id);
    if (found.length === 0) return { wasThere: false, rows: {} };
    await lock('"Chat"', '"userId"', id);
    const rows = await eraseRows(id, onProgress);
    await refuseLeftovers(id);
    await recordEvent('user.erased', id, rows);
    return { wasThere: true, rows };
  });
}

/** What refers to these rows can't be added by others behind this: they wait, and find nobody. */
function lock(table: string, column: string, userId: string): Promise<StatementResult> {
  return execute(`select from ${table} where ${column} = $1::uuid for update`, [userId], true, { userId });
}

async function eraseRows(userId: string, onProgress: EraseOptions['onProgress']): Promise<RowCounts> {
  const tables = [...derivedTables, ...[...personTables].reverse()];
  const rows: RowCounts = {};
  for (const table of tables) {
    onProgress?.({ table: table.name });
    rows[table.name] = table.name === 'Message' ? await eraseMessages(userId) : await eraseTable(table, userId);
  }
  return rows;
}

function eraseTable({ name, userColumn }: { name: string; userColumn: string }, userId: string): Promise<number> {
  return run(`delete from ${quoted(name)} where ${quoted(userColumn)} = $1::uuid`, [userId], userId);
}

/** So many messages are deleted in one statement, each of which has a deadline, unless one chat has more. */
const messagesAtOnce = 50_000;

/** Whole chats: a message can't go before those that follow it. */
const chatsInParts = `select array_agg(id)::text, sum(messages)::int
from (
  select "chatId" as id, count(*) as messages, sum(count(*)) over (order by "chatId") / $2::integer as part
  from "Message"
  where "userId" = $1::uuid
  group by "chatId"
) chats
group by ceil(part)
order by ceil(part)`;

async function eraseMessages(userId: string): Promise<number> {
  const { rows: parts } = await execute(chatsInParts, [userId, messagesAtOnce], false);
  // A table that was just filled: whether a message has children would be looked for in its whole chat.
  const total = parts.reduce((sum, [, messages]) => sum + (messages as number), 0);
  await countAgainBelow('Message', total);
  let erased = 0;
  for (const [chatIds] of parts) {
    const statement = 'delete from "Message" where "userId" = $1::uuid and "chatId" = any($2::uuid[])';
    erased += await run(statement, [userId, chatIds], userId);
  }
  return erased;
}

async function run(statement: string, params: unknown[], userId: string): Promise<number> {
  try {
    return (await execute(statement, params, false, { userId })).count;
  } catch (error) {
    if (sqlStateOf(error) !== '23503' || !(error instanceof StatementError)) throw error;
    throw refused([String(error.details.table)], 'refers to them', error);
  }
}

/** Behind the deletion: what went with the person's rows is gone by now. */
async function refuseLeftovers(userId: string): Promise<void> {
  const left = await tablesWithRowsOf(await findOtherTables(), userId);
  if (left.length > 0) throw refused(left, 'has their id');
}

function refused(tables: string[], how: string, cause?: unknown): PersonDataError {
  return new PersonDataError(
    'ERASE_REFUSED',
    `nothing was erased: ${tables.join(', ')} ${how}, and rows there would stay`,
    'Delete these rows in the same transaction(), before eraseUser, or give the table a foreign key to "User" with on delete cascade.',
    { tables },
    cause,
  );
}

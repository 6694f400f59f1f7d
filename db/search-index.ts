// The index of search, for those who keep it: workers that bring it up to date, and who wants it gone.

import { optionalId, requireId, requireObject } from './arguments.ts';
import { indexSome } from './search/indexing.ts';
import { memorySource } from './search/memory-source.ts';
import { messageSource } from './search/message-source.ts';
import type { Source } from './search/source.ts';
import { statement } from './statement.ts';

/** How many there were to index. */
export interface IndexedCounts {
  messages: number;
  memories: number;
}

const usersBehind = statement(
  `select id
from "User"
where id > $1::uuid
order by id
limit 100`,
  ([id]) => id as string,
);

/**
 * Brings the index of search up to date: of one user, or of all. Search does it for a user too, when more than 256
 * messages or memories are not in it; a worker that calls this now and then spares it that. Safe to run twice at once,
 * and to stop at any moment.
 *
 * @returns how many messages and memories were indexed
 * @example await indexForSearch({ userId });
 */
export async function indexForSearch(args: { userId?: string }): Promise<IndexedCounts> {
  const userId = optionalId('userId', requireObject('indexForSearch', args).userId);
  if (userId !== undefined) return indexUser(userId);
  const counts: IndexedCounts = { messages: 0, memories: 0 };
  for (let behind = '00000000-0000-0000-0000-000000000000'; ; ) {
    const users = await usersBehind.run(behind);
    for (const id of users) {
      const { messages, memories } = await indexUser(id);
      counts.messages += messages;
      counts.memories += memories;
    }
    const last = users.at(-1);
    if (last === undefined) return counts;
    behind = last;
  }
}

async function indexUser(userId: string): Promise<IndexedCounts> {
  return { messages: await indexAll(messageSource, userId), memories: await indexAll(memorySource, userId) };
}

/** Ends when there is nothing left, or what is left is being written by others: the next call finds it. */
async function indexAll<Row>(source: Source<Row>, userId: string): Promise<number> {
  let count = 0;
  for (let inVain = 0; inVain < 3; ) {
    const { documents, isWritten } = await indexSome(source, userId);
    if (documents === 0) return count;
    if (isWritten) count += documents;
    inVain = isWritten ? 0 : inVain + 1;
  }
  return count;
}

const dropIndex = statement(
  `with dropped as (
  delete from "SearchSegment"
  where "userId" = $1::uuid
), chats as (
  update "Chat"
  set "indexedCount" = 0
  where "userId" = $1::uuid and "indexedCount" > 0
)
update "Memory"
set search_digest = null
where user_id = $1::uuid and search_digest is not null`,
  (row) => row,
  1,
);

/**
 * Takes all that search knows of a user's texts out of its index, which is made anew when they are searched or indexed
 * again. What was deleted or changed leaves the index by itself, but late: when its segment is merged with others.
 *
 * @example await dropSearchIndex({ userId });
 */
export async function dropSearchIndex(args: { userId: string }): Promise<void> {
  await dropIndex.run(requireId('userId', requireObject('dropSearchIndex', args).userId));
}

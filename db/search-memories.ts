// Search in what the assistant was asked to remember (db/search/ is how).

import { optionalLimit, optionalOffset, requireId, requireObject, requireText } from './arguments.ts';
import type { Page } from './cursor.ts';
import { readFor } from './database.ts';
import { textLimits } from './limits.ts';
import { getMemoriesByUserId } from './memories.ts';
import type { ArrayArguments } from './newest-first.ts';
import type { Memory } from './schema.ts';
import { findNewest } from './search/find.ts';
import { type FoundMemory, memorySource } from './search/memory-source.ts';
import { parseQuery, wholeText } from './search/query.ts';
import { type Snippet, snippetOf } from './search/snippet.ts';
import { readRankedPage } from './search/windows.ts';

/** A memory that was found. */
export interface MemoryMatch extends Memory, Snippet {}

/**
 * A page of a user's memories that contain every word of a query: as `searchMessages` does it.
 * @param query 1 to 16 words, 1,000 characters at most
 * @param limit 1 to 100; 20 unless given
 * @throws InvalidArgumentError INVALID_TEXT
 * @example const { items } = await searchMemories({ userId, query: 'peanut allergy' });
 */
export async function searchMemories(args: {
  userId: string;
  query: string;
  limit?: number;
  cursor?: string | null;
}): Promise<Page<MemoryMatch>> {
  const { userId, query, limit, cursor } = requireObject('searchMemories', args);
  const owner = requireId('userId', userId);
  const parsed = parseQuery(query);
  const rows = optionalLimit(limit, { fallback: 20, max: 100 });
  return readFor(owner, async () => {
    const page = await readRankedPage('searchMemories', memorySource, {
      userId: owner,
      query: parsed,
      limit: rows,
      cursor,
    });
    const items = page.items.map(({ row, text }) => ({ ...toMemory(row), ...snippetOf(text, parsed.terms) }));
    return { items, nextCursor: page.nextCursor };
  });
}

/**
 * The user's memories that contain a text, in any case, newest first. `%`, `_` and `\` stand for themselves.
 * @param contentQuery up to 1,000 characters; '' finds all
 * @example await findMemoriesByContent({ userId, contentQuery: 'peanut' });
 */
export async function findMemoriesByContent(args: ArrayArguments & { contentQuery: string }): Promise<Memory[]> {
  const { contentQuery, ...rest } = requireObject('findMemoriesByContent', args);
  const wanted = requireText('contentQuery', contentQuery, { min: 0, max: textLimits.contentQuery });
  if (wanted === '') return getMemoriesByUserId(rest);
  const userId = requireId('userId', rest.userId);
  const limit = optionalLimit(rest.limit, { fallback: 1000, max: 10_000 });
  const offset = optionalOffset(rest.offset);
  const { matches } = await readFor(userId, () =>
    findNewest(memorySource, userId, wholeText(wanted), {}, offset + limit),
  );
  return matches.slice(offset).map(({ row }) => toMemory(row));
}

function toMemory({ id, userId, content, createdAt }: FoundMemory): Memory {
  return { id, userId, content, createdAt };
}

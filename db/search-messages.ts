// Search in what was said: the messages of a user's chats, as far as they are visible (db/search/ is how).

import { optionalLimit, requireId, requireObject } from './arguments.ts';
import type { Page } from './cursor.ts';
import { readFor } from './database.ts';
import type { MessagePlace } from './messages.ts';
import type { Match } from './search/find.ts';
import { type FoundMessage, messageBody, messageSource } from './search/message-source.ts';
import { parseQuery } from './search/query.ts';
import { type Snippet, snippetOf } from './search/snippet.ts';
import { readRankedPage } from './search/windows.ts';

/** A message that was found. */
export interface MessageMatch extends MessagePlace, Snippet {
  chatId: string;
  /** As it was saved. */
  message: Record<string, unknown>;
}

/**
 * A page of a user's messages that contain every word of a query, anywhere in a word and in any case; of the newest 100
 * the best first, then of the 100 before. What is between quotation marks must stand together; `%` and `_` stand for
 * themselves. Messages of branches that are not visible are not found.
 *
 * @param query 1 to 16 words, 1,000 characters at most
 * @param limit 1 to 100; 20 unless given
 * @returns with each message a piece of its text around the first match, and where in it the words are
 * @throws InvalidArgumentError INVALID_TEXT for a query that is longer, or has no word or too many
 * @example const { items } = await searchMessages({ userId, query: 'lisbon "window seat"' });
 */
export async function searchMessages(args: {
  userId: string;
  query: string;
  limit?: number;
  cursor?: string | null;
}): Promise<Page<MessageMatch>> {
  const { userId, query, limit, cursor } = requireObject('searchMessages', args);
  const owner = requireId('userId', userId);
  const parsed = parseQuery(query);
  const rows = optionalLimit(limit, { fallback: 20, max: 100 });
  return readFor(owner, async () => {
    const page = await readRankedPage('searchMessages', messageSource, {
      userId: owner,
      query: parsed,
      limit: rows,
      cursor,
    });
    const items: MessageMatch[] = [];
    for (const match of page.items) items.push(...(await toMessageMatch(owner, match, parsed.terms)));
    return { items, nextCursor: page.nextCursor };
  });
}

/** None of one that was deleted meanwhile. */
async function toMessageMatch(
  userId: string,
  { text, row: { body: kept, ...place } }: Match<FoundMessage>,
  terms: readonly string[],
): Promise<MessageMatch[]> {
  const body = kept ?? (await messageBody.run(userId, place.chatId, place.id))[0];
  if (body === undefined) return [];
  return [{ ...place, message: JSON.parse(body) as Record<string, unknown>, ...snippetOf(text, terms) }];
}

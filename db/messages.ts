// Messages one by one: appended, completed, listed.

import { optionalLimit, requireId, requireObject } from './arguments.ts';
import { decodeCursor, encodeCursor, type Page } from './cursor.ts';
import { execute, readFor, transaction } from './database.ts';
import { InvalidArgumentError } from './errors.ts';
import { limits } from './limit-settings.ts';
import { type EncodedMessage, encodeMessage, encodeMessages, requireMessages, withSortedKeys } from './message-body.ts';
import { chatFull } from './message-limits.ts';
import { type ChatKey, findAndLockChat, lockChat, newRows, readPreview, toColumns } from './message-writing.ts';
import { repeatable } from './outcome.ts';
import { readMoment, statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

/** Where a message is in its chat's tree. */
export interface MessagePlace {
  id: string;
  /** The message before it; null for the first. */
  parentId: string | null;
  /** From 0. */
  position: number;
  role: string | null;
  createdAt: Date;
}

/** A message of a list. */
export interface MessageItem extends MessagePlace {
  /** As it was saved. */
  message: Record<string, unknown>;
  /** The ids of the messages that stand for one another at this place, this one too, oldest first. */
  siblings: string[];
}

function readPlace(row: unknown[]): MessagePlace {
  return {
    id: row[0] as string,
    parentId: row[1] as string | null,
    position: row[2] as number,
    role: row[3] as string | null,
    createdAt: readMoment(row[4]),
  };
}

/**
 * A body as `jsonb`, which does not mind the order of keys but can't hold every escape: before that, an escaped
 * backslash gets a letter behind it, and the backslash of any other `\u` is escaped, so that no two texts meet.
 */
const comparable = (body: string): string =>
  String.raw`replace(replace(${body}::text, '\\', '\\b'), '\u', '\\u')::jsonb`;

/**
 * Takes the chat's row, if it is still as this statement sees it, and puts the messages that are not on the path
 * yet behind its end. Gives the place of each message, known or new; fewer when the chat was not as seen, or would
 * have more messages than `$8`.
 * A row that has the id given for a new one was written by the same call before, wherever its path is now.
 */
export const append = statement(
  `with given as materialized (
  select new_row.*, $1::uuid as "chatId", $2::uuid as "userId"
  from ${newRows(3)}
), known as (
  select distinct on (n) n, id, "parentId", position, role, "createdAt"
  from (
    select given.n, true as is_repeated, m.id, m."parentId", m.position, m.role, m."createdAt"
    from given
    -- lateral with an offset: one look into the index for each message, where a join may read the whole chat
    cross join lateral (
      select *
      from "Message"
      where "userId" = given."userId" and "chatId" = given."chatId" and id = given.id
      offset 0
    ) m
    union all
    select given.n, false, m.id, m."parentId", m.position, m.role, m."createdAt"
    from given
    cross join lateral (
      select *
      from "Message"
      where "ownIdHash" = given.hash::bigint and "chatId" = given."chatId"
      offset 0
    ) m
    where m."userId" = given."userId" and m.active and case
      when m.body::text = given.body::text then true
      else ${comparable('m.body')} = ${comparable('given.body')}
    end
  ) found
  order by n, is_repeated desc, position desc
), fresh as (
  select given.*, row_number() over (order by n) - 1 as step
  from given
  where not exists (select 1 from known where known.n = given.n)
), chat as (
  update "Chat" c
  set
    "messageCount" = c."messageCount" + (select count(*) from fresh)::integer,
    "headId" = (select id from fresh order by n desc limit 1),
    revision = c.revision + 1,
    preview = coalesce(
      c.preview,
      (
        select previews.preview
        from json_array_elements_text($7::json) with ordinality as previews (preview, n)
        join fresh using (n)
        where previews.preview is not null
        order by n
        limit 1
      )
    ),
    "updatedAt" = now()
  from "Chat" seen, (select "chatId", "userId" from given limit 1) key
  where c.id = key."chatId" and c."userId" = key."userId"
    and seen.id = c.id and seen.revision = c.revision
    and (select count(*) from fresh) between 1 and $8::integer - seen."messageCount"
  returning c.id, c."userId", seen."messageCount" as base, seen."headId" as head
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    fresh.id,
    chat."userId",
    chat.id,
    coalesce(lag(fresh.id) over (order by fresh.n), chat.head),
    chat.base + fresh.step,
    fresh.role,
    fresh.hash::bigint,
    fresh.body,
    clock_timestamp()
  from fresh, chat
  returning id, "parentId", position, role, "createdAt"
)
select id, "parentId", position, role, "createdAt", n
from known
union all
select written.*, fresh.n
from written
join fresh on fresh.id = written.id
order by 6`,
  readPlace,
  2,
);

/**
 * Puts messages behind the end of a chat's active path: one statement, whatever the length of the chat. A message
 * that is on the path already with the same own `id` and the same body is returned, not repeated.
 *
 * @param rowIds ids for the rows, one for each message; makes it safe to repeat a call whose outcome is unknown
 *   (the error's `details.repeatWith` has them)
 * @returns the place of each message, in the order given
 * @throws NotFoundError CHAT_NOT_FOUND; InvalidArgumentError INVALID_MESSAGE; LimitError CHAT_FULL
 * @example await appendMessages({ chatId, userId, messages: [{ role: 'user', content: 'Hello' }] });
 */
export async function appendMessages(args: {
  chatId: string;
  userId: string;
  messages: readonly object[];
  rowIds?: readonly string[];
}): Promise<MessagePlace[]> {
  const { chatId, userId, messages, rowIds } = requireObject('appendMessages', args);
  const key = requireKey(chatId, userId);
  const list = requireMessages(messages);
  const encoded = encodeMessages(list);
  const ids = optionalRowIds(rowIds, encoded.length) ?? encoded.map(uuidv7);
  if (encoded.length === 0) {
    await transaction(() => lockChat(key, 'chatId'));
    return [];
  }
  return repeatable({ rowIds: ids }, () => write(key, ids, encoded));
}

/** Writes each different message once, and gives every message given its place. */
async function write(
  key: ChatKey,
  ids: readonly string[],
  messages: readonly EncodedMessage[],
): Promise<MessagePlace[]> {
  const { distinct, indexOf } = withoutRepeats(messages);
  const chosen = distinct.map((i) => messages[i] as EncodedMessage);
  const params = [
    key.chatId,
    key.userId,
    ...toColumns(
      distinct.map((i) => ids[i] as string),
      chosen,
    ),
    JSON.stringify(chosen.map(({ preview }) => preview)),
    limits().chatMessages,
  ];
  const places = await append.run(...params);
  const all =
    places.length === chosen.length ? places : await transaction(() => appendLocked(key, params, chosen.length));
  return indexOf.map((i) => all[i] as MessagePlace);
}

/** With the row taken the chat is as seen: what is not written now is too much for it. */
async function appendLocked(key: ChatKey, params: unknown[], count: number): Promise<MessagePlace[]> {
  const { messageCount } = await lockChat(key, 'chatId');
  const places = await append.run(...params);
  if (places.length < count) throw chatFull(messageCount, count - places.length);
  return places;
}

/** The same own id and body twice in one call is one message, as it would be in two calls. */
function withoutRepeats(messages: readonly EncodedMessage[]): { distinct: number[]; indexOf: number[] } {
  const distinct: number[] = [];
  const seen = new Map<string, number>();
  const indexOf = messages.map(({ ownIdHash, text }, i) => {
    const same = ownIdHash === null || messages.length === 1 ? undefined : withSortedKeys(text);
    const before = same === undefined ? undefined : seen.get(same);
    if (before !== undefined) return before;
    if (same !== undefined) seen.set(same, distinct.length);
    return distinct.push(i) - 1;
  });
  return { distinct, indexOf };
}

export function requireKey(chatId: unknown, userId: unknown): ChatKey {
  return { chatId: requireId('chatId', chatId), userId: requireId('userId', userId) };
}

export function optionalRowIds(rowIds: unknown, count: number): string[] | undefined {
  if (rowIds === undefined) return undefined;
  const ids = Array.isArray(rowIds) ? Array.from(rowIds, (id, i) => requireId(`rowIds[${i}]`, id)) : [];
  if (Array.isArray(rowIds) && ids.length === count && new Set(ids).size === count) return ids;
  throw new InvalidArgumentError(
    'INVALID_ARGUMENT',
    'rowIds',
    `must be an array of ${count} different UUIDs, one for each message`,
    'Leave rowIds out, or pass details.repeatWith of the error as it came.',
  );
}

export const listPage = statement(
  `select
  m.id, m."parentId", m.position, m.role, m."createdAt", m.body,
  case
    when m."parentId" is null then array_to_json(array(
      select s.id
      from "Message" s
      where s."userId" = $2::uuid and s."chatId" = $1::uuid and s."parentId" is null
      order by s."createdAt", s.id
    ))
    else array_to_json(array(
      select s.id
      from "Message" s
      where s."userId" = $2::uuid and s."chatId" = $1::uuid and s."parentId" = m."parentId"
      order by s."createdAt", s.id
    ))
  end
from "Message" m
where m."userId" = $2::uuid and m."chatId" = $1::uuid and m.active and m.position < $3::integer
order by m.position desc
limit $4::integer`,
  (row): MessageItem => ({
    ...readPlace(row),
    message: JSON.parse(row[5] as string) as Record<string, unknown>,
    siblings: JSON.parse(row[6] as string) as string[],
  }),
);

/**
 * A page of a chat's active path: the newest page first, ascending within a page. Empty when the chat is not there.
 * @param limit 1 to 1,000; 50 unless given
 * @example
 * const { items, nextCursor } = await listMessages({ chatId, userId, limit: 50 });
 * const older = await listMessages({ chatId, userId, limit: 50, cursor: nextCursor });
 */
export async function listMessages(args: {
  chatId: string;
  userId: string;
  limit?: number;
  cursor?: string | null;
}): Promise<Page<MessageItem>> {
  const { chatId, userId, limit, cursor } = requireObject('listMessages', args);
  const key = requireKey(chatId, userId);
  const rows = optionalLimit(limit, { fallback: 50, max: 1000 });
  const [before = 2_147_483_647] = decodeCursor('messages', cursor, isPosition) ?? [];
  const found = await readFor(key.userId, () => listPage.run(key.chatId, key.userId, before, rows + 1));
  const items = found.slice(0, rows).reverse();
  const oldest = items[0];
  return { items, nextCursor: found.length > rows && oldest ? encodeCursor('messages', [oldest.position]) : null };
}

function isPosition(keys: unknown[]): boolean {
  const [position] = keys;
  return keys.length === 1 && Number.isInteger(position) && Math.abs(position as number) <= 2_147_483_647;
}

/**
 * Changes a body in place, if the chat is still as this statement sees it. A row whose role is or becomes `user`
 * only with `$7`, under the chat's lock: the preview may depend on it.
 */
export const replaceBody = statement(
  `with old as (
  select position
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
    and ($7::boolean or role is distinct from 'user')
), chat as (
  update "Chat" c
  set
    revision = c.revision + 1,
    digest = case when old.position < c."digestCount" then null else c.digest end,
    "digestCount" = case when old.position < c."digestCount" then 0 else c."digestCount" end,
    "indexedCount" = least(c."indexedCount", old.position),
    "updatedAt" = now()
  from old, "Chat" seen
  where c.id = $1::uuid and c."userId" = $2::uuid
    and seen.id = c.id and seen.revision = c.revision
  returning c.id, c."userId"
)
update "Message" m
set body = $4::json, role = $5::text, "ownIdHash" = $6::bigint
from chat
where m."userId" = chat."userId" and m."chatId" = chat.id and m.id = $3::uuid
returning m.id, m."parentId", m.position, m.role, m."createdAt"`,
  readPlace,
  2,
);

/**
 * Replaces a message in place: an answer that is still streaming is appended early and completed by this.
 * @param id of the row, from `appendMessages` or `listMessages`
 * @returns its place, `[]` when it is not there
 * @throws InvalidArgumentError INVALID_MESSAGE
 */
export async function updateMessage(args: {
  chatId: string;
  userId: string;
  id: string;
  message: object;
}): Promise<MessagePlace[]> {
  const { chatId, userId, id, message } = requireObject('updateMessage', args);
  const key = requireKey(chatId, userId);
  const { text, role, ownIdHash } = encodeMessage(message, 'message');
  const params = [key.chatId, key.userId, requireId('id', id), text, role, ownIdHash];
  if (role !== 'user') {
    const written = await replaceBody.run(...params, false);
    if (written.length > 0) return written;
  }
  return transaction(async () => {
    if (!(await findAndLockChat(key))) return [];
    const written = await replaceBody.run(...params, true);
    if (written.length > 0) await refreshPreview(key);
    return written;
  });
}

const setPreview = `update "Chat"
set preview = $3::text
where id = $1::uuid and "userId" = $2::uuid`;

async function refreshPreview(key: ChatKey): Promise<void> {
  await execute(setPreview, [key.chatId, key.userId, await readPreview(key)], true, { userId: key.userId });
}

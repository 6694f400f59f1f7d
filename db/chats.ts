// Conversations as wholes: read, listed, renamed, deleted. What is inside is messages.ts, save-chat.ts, branches.ts.

import { and, eq, sql } from 'drizzle-orm';
import { optionalId, optionalLimit, optionalOffset, requireId, requireObject, requireText } from './arguments.ts';
import type { Page } from './cursor.ts';
import { db, readFor } from './database.ts';
import { NotFoundError } from './errors.ts';
import { textLimits } from './limits.ts';
import { afterCursor, type ListArguments, newestFirst, readPage } from './newest-first.ts';
import { type Chat, type ChatSummary, chat } from './schema.ts';
import { readMoment, type Statement, statement } from './statement.ts';

/** The columns of a ChatSummary, for hand-written statements. */
export const summaryColumns = 'id, "userId", title, preview, "messageCount", "createdAt", "updatedAt"';

/** As many nulls: for rows of a union that are not the chat's. */
export const noSummary = summaryColumns.replaceAll(/"?\w+"?/g, 'null');

const summaryFields = {
  id: chat.id,
  userId: chat.userId,
  title: chat.title,
  preview: chat.preview,
  messageCount: chat.messageCount,
  createdAt: chat.createdAt,
  updatedAt: chat.updatedAt,
};

/** Reads the columns of `summaryColumns`. */
export function readSummary(row: unknown[]): ChatSummary {
  return {
    id: row[0] as string,
    userId: row[1] as string,
    title: row[2] as string | null,
    preview: row[3] as string | null,
    messageCount: row[4] as number,
    createdAt: readMoment(row[5]),
    updatedAt: readMoment(row[6]),
  };
}

/**
 * One chat: a row with its columns, and one for each message. Joining 500 messages to one text costs the server four
 * times what reading them does (0.44 ms, 0.10 ms). No order is asked for, which would be a sort: a message says its place.
 */
const chatRows = (condition: string, ownerOf: string): Statement<unknown[]> =>
  statement(
    `select ${summaryColumns}, null::json as body, null::integer as position
from "Chat"
where ${condition}
union all
select ${noSummary}, body, position
from "Message"
where "userId" = ${ownerOf} and "chatId" = $1::uuid and active`,
    (row) => row,
  );
const chatById = chatRows('id = $1::uuid', '(select "userId" from "Chat" where id = $1::uuid)');
const chatByIdOfUser = chatRows('id = $1::uuid and "userId" = $2::uuid', '$2::uuid');

function toChat(rows: readonly unknown[][]): Chat | undefined {
  let summary: ChatSummary | undefined;
  const messages: unknown[] = [];
  for (const row of rows) {
    if (row[0] !== null) summary = readSummary(row);
    else messages[row[8] as number] = JSON.parse(row[7] as string);
  }
  return summary && { ...summary, messages };
}

/** Many chats: the active path of each as one JSON array. */
const chatsOfUser = statement(
  `select ${summaryColumns.replaceAll(/"?\w+"?/g, 'c.$&')},
  (
    select coalesce(json_agg(m.body), '[]')
    from (
      select body
      from "Message"
      where "userId" = c."userId" and "chatId" = c.id and active
      order by position
    ) m
  )
from "Chat" c
where c."userId" = $1::uuid
order by c."createdAt" desc, c.id desc
limit $2::integer offset $3::integer`,
  (row): Chat => ({ ...readSummary(row), messages: JSON.parse(row[7] as string) as unknown }),
);

const byId = eq(chat.id, sql.placeholder('id'));
const ofUser = eq(chat.userId, sql.placeholder('userId'));

const firstPage = db
  .select(summaryFields)
  .from(chat)
  .where(ofUser)
  .orderBy(...newestFirst(chat))
  .limit(sql.placeholder('limit'))
  .prepare('chats_first_page');
const nextPage = db
  .select(summaryFields)
  .from(chat)
  .where(and(ofUser, afterCursor(chat)))
  .orderBy(...newestFirst(chat))
  .limit(sql.placeholder('limit'))
  .prepare('chats_next_page');
const rename = db
  .update(chat)
  .set({ title: sql`${sql.placeholder('title')}::text`, updatedAt: sql`now()` })
  .where(and(byId, ofUser))
  .returning(summaryFields)
  .prepare('chat_rename');
const remove = db.delete(chat).where(byId).returning(summaryFields).prepare('chat_delete');
const removeOfUser = db.delete(chat).where(and(byId, ofUser)).returning(summaryFields).prepare('chat_delete_of_user');
const removeAll = db.delete(chat).where(ofUser).prepare('chats_delete');

/** The error for a chat that is not there, or not there for this user. */
export function chatNotFound(argument: string): NotFoundError {
  return new NotFoundError(
    'CHAT_NOT_FOUND',
    `${argument} is not the id of a chat of this user`,
    'Create the chat with saveChat({ id, messages, userId }), or use an id from listChats.',
  );
}

/**
 * A chat with all messages of its active path, each as it was saved; undefined when it is not there.
 * With `userId` only that user's.
 * @example const chat = await getChatById({ id: chatId, userId });
 */
export async function getChatById(args: { id: string; userId?: string }): Promise<Chat | undefined> {
  const { id, userId } = requireObject('getChatById', args);
  const chatId = requireId('id', id);
  const owner = optionalId('userId', userId);
  const rows =
    owner === undefined ? await chatById.run(chatId) : await readFor(owner, () => chatByIdOfUser.run(chatId, owner));
  return toChat(rows);
}

/**
 * A user's chats with all their messages, newest first. For a list without messages use `listChats`.
 * @param limit 1 to 1,000; 100 unless given
 */
export async function getChatsByUserId(args: { id: string; limit?: number; offset?: number }): Promise<Chat[]> {
  const { id, limit, offset } = requireObject('getChatsByUserId', args);
  const userId = requireId('id', id);
  const rows = optionalLimit(limit, { fallback: 100, max: 1000 });
  const passedOver = optionalOffset(offset);
  return readFor(userId, () => chatsOfUser.run(userId, rows, passedOver));
}

/** A page of a user's chats, created last first: title, preview, message count and times, without messages. */
export async function listChats(args: ListArguments): Promise<Page<ChatSummary>> {
  return readPage('chats', requireObject('listChats', args), firstPage, nextPage);
}

/** Sets a chat's title; null takes it away. @returns the row written, `[]` when it is not there */
export async function renameChat(args: { id: string; userId: string; title: string | null }): Promise<ChatSummary[]> {
  const { id, userId, title } = requireObject('renameChat', args);
  return rename.execute({
    id: requireId('id', id),
    userId: requireId('userId', userId),
    title: title === null ? null : requireText('title', title, { max: textLimits.chatTitle }),
  });
}

/** Deletes a chat with its messages. With `userId` only that user's. @returns the row deleted, `[]` when it was not there */
export async function deleteChatById(args: { id: string; userId?: string }): Promise<ChatSummary[]> {
  const { id, userId } = requireObject('deleteChatById', args);
  const values = { id: requireId('id', id), userId: optionalId('userId', userId) };
  return (values.userId === undefined ? remove : removeOfUser).execute(values);
}

/** Deletes all chats of a user with their messages, in one statement. @returns how many there were */
export async function deleteAllChats(args: { userId: string }): Promise<number> {
  const { userId } = requireObject('deleteAllChats', args);
  const { count } = await removeAll.execute({ userId: requireId('userId', userId) });
  return count;
}

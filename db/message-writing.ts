// What all writers of messages share: the lock of a chat, the state of its active path, and the one statement that
// moves the path's end. Every change grows the chat's `revision`, so that a plan made from what was read before is
// refused. The chat's row is always taken before rows of its messages.

import { chatNotFound, readSummary, summaryColumns } from './chats.ts';
import { execute } from './database.ts';
import { type EncodedMessage, previewOf } from './message-body.ts';
import type { ChatSummary } from './schema.ts';
import { statement } from './statement.ts';

/** The id of the chat and of the user it belongs to. */
export interface ChatKey {
  chatId: string;
  userId: string;
}

/** Where the active path ends, and how much of it the digest covers. */
export interface PathState {
  messageCount: number;
  headId: string | null;
  revision: number;
  /** In hexadecimal. */
  digest: string | null;
  digestCount: number;
}

/** The columns of a PathState, in the order `readPathState` takes them. */
export const pathColumns = ['"messageCount"', '"headId"', 'revision', `encode(digest, 'hex')`, '"digestCount"'];

export function readPathState(row: unknown[]): PathState {
  return {
    messageCount: row[0] as number,
    headId: row[1] as string | null,
    revision: row[2] as number,
    digest: row[3] as string | null,
    digestCount: row[4] as number,
  };
}

const lock = statement(
  `select ${pathColumns.join(', ')}
from "Chat"
where id = $1::uuid and "userId" = $2::uuid
for update`,
  readPathState,
);

/** Takes the chat's row until the transaction ends; undefined when it is not there. */
export async function findAndLockChat({ chatId, userId }: ChatKey): Promise<PathState | undefined> {
  const [state] = await lock.run(chatId, userId);
  return state;
}

/** Takes the chat's row until the transaction ends. @throws NotFoundError CHAT_NOT_FOUND */
export async function lockChat(key: ChatKey, argument: string): Promise<PathState> {
  const state = await findAndLockChat(key);
  if (!state) throw chatNotFound(argument);
  return state;
}

/** New messages as parameters: ids, and JSON arrays of roles, hashes and bodies. What all of them may be together is checked before. */
export function toColumns(
  ids: readonly string[],
  messages: readonly EncodedMessage[],
): [string, string, string, string] {
  return [
    `{${ids.join(',')}}`,
    JSON.stringify(messages.map(({ role }) => role)),
    JSON.stringify(messages.map(({ ownIdHash }) => ownIdHash)),
    `[${messages.map(({ text }) => text).join(',')}]`,
  ];
}

/**
 * New messages as rows, from four parameters. `json_array_elements` keeps each text as it is,
 * U+0000 included, which any operator that looks inside would refuse.
 */
export function newRows(firstParameter: number): string {
  const [ids, roles, hashes, bodies] = [0, 1, 2, 3].map((i) => `$${firstParameter + i}`);
  return `rows from (
    unnest(${ids}::uuid[]),
    json_array_elements_text(${roles}::json),
    json_array_elements_text(${hashes}::json),
    json_array_elements(${bodies}::json)
  ) with ordinality as new_row (id, role, hash, body, n)`;
}

/** Where the active path is to end, and what becomes part of it. */
export interface PathEnd {
  /** The revision that the plan was made from. */
  revision: number;
  /** The position of the first new message. */
  from: number;
  /** The message before it. */
  parentId: string | null;
  ids: readonly string[];
  messages: readonly EncodedMessage[];
  digest: string | null;
  digestCount: number;
  preview: string | null;
  /** How many messages from the beginning on are the same as before: search has to read those behind again. */
  unchangedCount: number;
  /** A message of the path that gets another body. */
  completed?: { id: string; message: EncodedMessage };
}

/** Moves the end of the path and writes new messages behind it; no row where the revision is another one. */
export const writePathEnd = statement(
  `with chat as (
  update "Chat"
  set
    "messageCount" = $4::integer + json_array_length($8::json),
    "headId" = coalesce(($7::uuid[])[json_array_length($8::json)], $5::uuid),
    revision = revision + 1,
    digest = decode($11::text, 'hex'),
    "digestCount" = $12::integer,
    preview = $13::text,
    "indexedCount" = least("indexedCount", $17::integer),
    "updatedAt" = now()
  where id = $1::uuid and "userId" = $2::uuid and revision = $3::integer
  returning ${summaryColumns}
), completed as (
  update "Message" m
  set body = $14::json, role = $15::text, "ownIdHash" = $16::bigint
  from chat
  where m."userId" = chat."userId" and m."chatId" = chat.id and m.id = $6::uuid
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    new_row.id,
    chat."userId",
    chat.id,
    coalesce(lag(new_row.id) over (order by n), $5::uuid),
    $4::integer + n - 1,
    new_row.role,
    new_row.hash::bigint,
    new_row.body,
    clock_timestamp()
  from chat, ${newRows(7)}
)
select ${summaryColumns}
from chat`,
  readSummary,
  2,
);

/** Runs `writePathEnd`. */
export function moveEnd({ chatId, userId }: ChatKey, end: PathEnd): Promise<ChatSummary[]> {
  const { completed } = end;
  return writePathEnd.run(
    chatId,
    userId,
    end.revision,
    end.from,
    end.parentId,
    completed?.id ?? null,
    ...toColumns(end.ids, end.messages),
    end.digest,
    end.digestCount,
    end.preview,
    completed?.message.text ?? null,
    completed?.message.role ?? null,
    completed?.message.ownIdHash ?? null,
    end.unchangedCount,
  );
}

const deactivate = `update "Message"
set active = false
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position >= $3::integer`;

/** Takes the messages from a position on off the active path; they stay as a branch. */
export async function deactivateFrom({ chatId, userId }: ChatKey, position: number): Promise<void> {
  await execute(deactivate, [chatId, userId, position], true, { userId });
}

const firstOfUser = statement(
  `select body
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and role = 'user'
order by position
limit 1`,
  ([body]) => JSON.parse(body as string) as unknown,
);

/** The preview of the chat as its active path is now. */
export async function readPreview({ chatId, userId }: ChatKey): Promise<string | null> {
  return previewOf(await firstOfUser.run(chatId, userId));
}

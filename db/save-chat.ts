// saveChat: the application hands over the whole history, and only what is new or changed is sent and written.
// The chat's row has a digest of the messages it held at the last save but the newest one; where it fits what is
// handed over, the few messages behind it are all that must be compared. Where it does not, all are.

import { requireId, requireObject } from './arguments.ts';
import { trySaveTurn, turnOf } from './chat-turn.ts';
import { chatNotFound, readSummary, summaryColumns } from './chats.ts';
import { transaction } from './database.ts';
import {
  type EncodedMessage,
  encodeMessages,
  hasSameOwnId,
  isSameMessage,
  previewOf,
  requireMessages,
} from './message-body.ts';
import { type ChatKey, deactivateFrom, lockChat, moveEnd, newRows, toColumns } from './message-writing.ts';
import { named, userMissing } from './outcome.ts';
import { PathDigest } from './path-digest.ts';
import type { ChatSummary } from './schema.ts';
import { statement } from './statement.ts';
import { findIdAt, readPath, type StoredMessage, type StoredPath, withHead } from './stored-path.ts';
import { uuidv7 } from './uuid.ts';

/** Any unique index may meet the same chat of another transaction first: none is named, or that would be 23505. */
export const insertChat = statement(
  `with chat as (
  insert into "Chat" (id, "userId", "messageCount", "headId", digest, "digestCount", preview)
  values (
    $1::uuid,
    $2::uuid,
    json_array_length($4::json),
    ($3::uuid[])[json_array_length($4::json)],
    decode($7::text, 'hex'),
    $8::integer,
    $9::text
  )
  on conflict do nothing
  returning ${summaryColumns}
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    new_row.id,
    chat."userId",
    chat.id,
    lag(new_row.id) over (order by n),
    n - 1,
    new_row.role,
    new_row.hash::bigint,
    new_row.body,
    clock_timestamp()
  from chat, ${newRows(3)}
)
select ${summaryColumns}
from chat`,
  readSummary,
  2,
);

const summary = statement(
  `select ${summaryColumns}
from "Chat"
where id = $1::uuid and "userId" = $2::uuid and revision = $3::integer`,
  readSummary,
);

/**
 * Saves a chat as its whole list of messages, and creates it where it is not there. What is equal at the beginning
 * stays; what differs behind it is kept as a branch; a shorter list only ends the visible path earlier.
 * The last stored message, given again with the same own `id`, is completed in place (an answer that was streaming).
 *
 * @param messages any JSON objects, with or without ids; they come back as JSON.parse(JSON.stringify(message))
 * @returns the chat's row, without messages
 * @throws NotFoundError CHAT_NOT_FOUND when the id belongs to a chat of somebody else; USER_NOT_FOUND
 * @throws InvalidArgumentError INVALID_MESSAGE, INVALID_ID; LimitError CHAT_FULL
 * @example await saveChat({ id: chatId, messages: [...history, answer], userId });
 */
export async function saveChat(args: { id: string; messages: unknown; userId: string }): Promise<ChatSummary[]> {
  const { id, messages, userId } = requireObject('saveChat', args);
  const key = { chatId: requireId('id', id), userId: requireId('userId', userId) };
  const list = requireMessages(messages);
  return (await saveOptimistically(key, list)) ?? (await transaction(() => saveLocked(key, list)));
}

/** In one round trip or two; undefined when the chat changed in between, or a branch is needed. */
async function saveOptimistically(key: ChatKey, list: readonly unknown[]): Promise<ChatSummary[] | undefined> {
  const turn = turnOf(list);
  const { saved, stored } = turn ? await trySaveTurn(key, list, turn) : { stored: await readPath(key) };
  if (saved) return [saved];
  if (!stored) {
    const created = await create(key, list);
    return created.length > 0 ? created : undefined;
  }
  const plan = await makePlan(key, stored, list, turn?.digests);
  if (plan.branchesAt !== undefined) return undefined;
  const written = await carryOut(key, plan);
  return written.length > 0 ? written : undefined;
}

async function saveLocked(key: ChatKey, list: readonly unknown[]): Promise<ChatSummary[]> {
  await lockChat(key, 'id');
  const stored = await readPath(key);
  if (!stored) throw chatNotFound('id');
  return carryOut(key, await makePlan(key, stored, list));
}

async function carryOut(key: ChatKey, { branchesAt, end }: Plan): Promise<ChatSummary[]> {
  const isUnchanged = branchesAt === undefined && end.messages.length === 0 && end.completed === undefined;
  if (isUnchanged) return summary.run(key.chatId, key.userId, end.revision);
  if (branchesAt !== undefined) await deactivateFrom(key, branchesAt);
  return moveEnd(key, end);
}

async function create({ chatId, userId }: ChatKey, list: readonly unknown[]): Promise<ChatSummary[]> {
  const { messages, digest, digestCount, preview } = encodeNewChat(list);
  const columns = toColumns(messages.map(uuidv7), messages);
  return named(insertChat.run(chatId, userId, ...columns, digest, digestCount, preview), userMissing);
}

/** What a chat is stored as that is not there yet. */
export interface NewChat {
  messages: EncodedMessage[];
  /** Of all messages but the last, in hexadecimal; null where there is none. */
  digest: string | null;
  digestCount: number;
  preview: string | null;
}

/** Checks and encodes the whole list of a chat that is not there yet. */
export function encodeNewChat(list: readonly unknown[]): NewChat {
  const messages = encodeMessages(list);
  const digested = PathDigest.ofNone();
  for (const { text } of messages.slice(0, -1)) digested.add(text);
  return { messages, digest: digested.value(), digestCount: digested.count, preview: previewOf(list) };
}

interface Plan {
  /** The position from which stored messages leave the active path. */
  branchesAt?: number;
  end: Parameters<typeof moveEnd>[1];
}

/** @param known digests of beginnings of the list, which need not be made again */
async function makePlan(
  key: ChatKey,
  tail: StoredPath,
  list: readonly unknown[],
  known: readonly PathDigest[] = [],
): Promise<Plan> {
  const { state } = tail;
  const { digestCount } = state;
  let digested = known.find(({ count }) => count === digestCount)?.copy() ?? PathDigest.ofFirst(list, digestCount);
  let stored = tail.messages;
  if (digested?.value() !== state.digest) {
    digested = PathDigest.ofNone();
    stored = (await withHead(key, tail)).messages;
  }
  const base = digested.count;
  const next = encodeMessages(list.slice(base), base);
  const equal = countEqual(stored, next);

  const differing = stored[equal];
  const replacement = next[equal];
  const isCompletion =
    differing !== undefined &&
    replacement !== undefined &&
    differing.position === state.messageCount - 1 &&
    hasSameOwnId(differing.text, replacement.text);
  const kept = isCompletion ? equal + 1 : equal;
  const from = base + kept;
  const messages = next.slice(kept);

  for (const { text } of next.slice(0, list.length - 1 - base)) digested.add(text);
  const plan: Plan = {
    end: {
      revision: state.revision,
      from,
      parentId: from === state.messageCount ? state.headId : (stored[kept - 1]?.id ?? (await findIdAt(key, from - 1))),
      ids: messages.map(uuidv7),
      messages,
      digest: digested.value(),
      digestCount: digested.count,
      preview: previewOf(list),
      unchangedCount: base + equal,
    },
  };
  if (isCompletion) plan.end.completed = { id: differing.id, message: replacement };
  else if (differing) plan.branchesAt = differing.position;
  return plan;
}

function countEqual(stored: readonly StoredMessage[], next: readonly EncodedMessage[]): number {
  let equal = 0;
  for (; equal < stored.length && equal < next.length; equal += 1) {
    if (!isSameMessage((stored[equal] as StoredMessage).text, (next[equal] as EncodedMessage).text)) break;
  }
  return equal;
}

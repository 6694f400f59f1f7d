// saveChat: the application hands over the whole history, and only what is new or changed is sent and written.
// The chat's row has a digest of the messages it held at the last save but the newest one; where it fits what is
// handed over, the few messages behind it are all that must be compared. Where it does not, all are.

import { createHash, type Hash } from 'node:crypto';
import { requireId, requireObject } from './arguments.ts';
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
import {
  type ChatKey,
  deactivateFrom,
  lockChat,
  moveEnd,
  newRows,
  type PathState,
  pathColumns,
  readPathState,
  toColumns,
} from './message-writing.ts';
import { named, userMissing } from './outcome.ts';
import type { ChatSummary } from './schema.ts';
import { statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

interface StoredMessage {
  position: number;
  id: string;
  text: string;
}

/** The path's state, repeated on each row, and the messages behind the digest (none: one row with nulls). */
export const readTail = statement(
  `select ${pathColumns.map((column) => column.replace(/"\w+"|\b(revision|digest)\b/, 'c.$&')).join(', ')}, m.position, m.id, m.body
from "Chat" c
left join "Message" m
  on m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
where c.id = $1::uuid and c."userId" = $2::uuid
order by m.position`,
  (row) => ({ state: readPathState(row), message: row[5] === null ? undefined : readStored(row.slice(5)) }),
);

const readHead = statement(
  `select position, id, body
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position < $3::integer
order by position`,
  readStored,
);

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

const idAt = statement(
  `select id
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position = $3::integer`,
  ([id]) => id as string,
);

const summary = statement(
  `select ${summaryColumns}
from "Chat"
where id = $1::uuid and "userId" = $2::uuid and revision = $3::integer`,
  readSummary,
);

function readStored([position, id, body]: unknown[]): StoredMessage {
  return { position: position as number, id: id as string, text: body as string };
}

/**
 * Saves a chat as its whole list of messages, and creates it where it is not there. What is equal at the beginning
 * stays; what differs behind it is kept as a branch; a shorter list only ends the visible path earlier.
 * The last stored message, given again with the same own `id`, is completed in place (an answer that was streaming).
 *
 * @param messages any JSON objects, with or without ids; they come back as JSON.parse(JSON.stringify(message))
 * @returns the chat's row, without messages
 * @throws NotFoundError CHAT_NOT_FOUND when the id belongs to a chat of somebody else; USER_NOT_FOUND
 * @throws InvalidArgumentError INVALID_MESSAGE, INVALID_ID
 * @example await saveChat({ id: chatId, messages: [...history, answer], userId });
 */
export async function saveChat(args: { id: string; messages: unknown; userId: string }): Promise<ChatSummary[]> {
  const { id, messages, userId } = requireObject('saveChat', args);
  const key = { chatId: requireId('id', id), userId: requireId('userId', userId) };
  const list = requireMessages(messages);
  return (await saveOptimistically(key, list)) ?? (await transaction(() => saveLocked(key, list)));
}

/** In two round trips, or undefined when the chat changed in between or a branch is needed. */
async function saveOptimistically(key: ChatKey, list: readonly unknown[]): Promise<ChatSummary[] | undefined> {
  const stored = await read(key);
  if (!stored) {
    const created = await create(key, list);
    return created.length > 0 ? created : undefined;
  }
  const plan = await makePlan(key, stored, list);
  if (plan.branchesAt !== undefined) return undefined;
  const written = await carryOut(key, plan);
  return written.length > 0 ? written : undefined;
}

async function saveLocked(key: ChatKey, list: readonly unknown[]): Promise<ChatSummary[]> {
  await lockChat(key, 'id');
  const stored = await read(key);
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
  const messages = encodeMessages(list);
  const digested = new PathDigest();
  for (const { text } of messages.slice(0, -1)) digested.add(text);
  return named(
    insertChat.run(
      chatId,
      userId,
      ...toColumns(messages.map(uuidv7), messages),
      digested.value(),
      digested.count,
      previewOf(list),
    ),
    userMissing,
  );
}

interface StoredPath {
  state: PathState;
  /** Messages from `state.digestCount` on. */
  tail: StoredMessage[];
}

async function read({ chatId, userId }: ChatKey): Promise<StoredPath | undefined> {
  const rows = await readTail.run(chatId, userId);
  const first = rows[0];
  return first && { state: first.state, tail: rows.flatMap(({ message }) => message ?? []) };
}

interface Plan {
  /** The position from which stored messages leave the active path. */
  branchesAt?: number;
  end: Parameters<typeof moveEnd>[1];
}

async function makePlan(key: ChatKey, { state, tail }: StoredPath, list: readonly unknown[]): Promise<Plan> {
  let digested = digestOf(list, state.digestCount);
  let stored = tail;
  if (digested?.value() !== state.digest) {
    digested = new PathDigest();
    stored = [...(await readHead.run(key.chatId, key.userId, state.digestCount)), ...tail];
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
    },
  };
  if (isCompletion) plan.end.completed = { id: differing.id, message: replacement };
  else if (differing) plan.branchesAt = differing.position;
  return plan;
}

async function findIdAt({ chatId, userId }: ChatKey, position: number): Promise<string | null> {
  if (position < 0) return null;
  const [id] = await idAt.run(chatId, userId, position);
  return id ?? null;
}

function countEqual(stored: readonly StoredMessage[], next: readonly EncodedMessage[]): number {
  let equal = 0;
  for (; equal < stored.length && equal < next.length; equal += 1) {
    if (!isSameMessage((stored[equal] as StoredMessage).text, (next[equal] as EncodedMessage).text)) break;
  }
  return equal;
}

/** The digest of the first `count` messages; undefined when there are fewer, or one can't be written as JSON. */
function digestOf(list: readonly unknown[], count: number): PathDigest | undefined {
  if (list.length < count) return undefined;
  if (count === 0) return new PathDigest();
  try {
    return new PathDigest().addAll(JSON.stringify(list.slice(0, count)).slice(1, -1), count);
  } catch {
    return undefined; // encodeMessage says which one it is
  }
}

/** SHA-256 of messages' JSON texts, joined by commas: of a whole array at once, or one by one. */
class PathDigest {
  count = 0;
  private readonly hash: Hash = createHash('sha256');

  addAll(texts: string, count: number): this {
    this.hash.update(this.count === 0 ? texts : `,${texts}`);
    this.count += count;
    return this;
  }

  add(text: string): void {
    this.addAll(text, 1);
  }

  /** In hexadecimal; null of no message. */
  value(): string | null {
    return this.count === 0 ? null : this.hash.copy().digest('hex');
  }
}

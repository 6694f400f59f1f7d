// The tree of a chat's messages: a branch begun at any message, and the choice of the branch that is visible.

import { requireId, requireObject } from './arguments.ts';
import { execute, transaction } from './database.ts';
import { NotFoundError } from './errors.ts';
import { encodeMessages, previewOf, requireMessages } from './message-body.ts';
import { requireRoom } from './message-limits.ts';
import {
  type ChatKey,
  deactivateFrom,
  lockChat,
  moveEnd,
  type PathEnd,
  type PathState,
  readPreview,
} from './message-writing.ts';
import { type MessagePlace, optionalRowIds, requireKey } from './messages.ts';
import { idTaken, repeatable } from './outcome.ts';
import type { ChatSummary } from './schema.ts';
import { readMoment, statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

interface PathRow {
  id: string;
  position: number;
  active: boolean;
}

const readPathRow = ([id, position, active]: unknown[]): PathRow => ({
  id: id as string,
  position: position as number,
  active: active as boolean,
});

/** A message and those before it, up to the first that is on the active path already; deepest first. */
const upToActive = statement(
  `with recursive up as (
  select id, "parentId", position, active
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
  union all
  select before.id, before."parentId", before.position, before.active
  from up
  join "Message" before
    on before."userId" = $2::uuid and before."chatId" = $1::uuid and before.id = up."parentId"
  where not up.active
)
select id, position, active
from up
order by position desc`,
  readPathRow,
  2,
);

/** The newest child of a message, its newest child, and so on. */
const newestBelow = statement(
  `with recursive down as (
  select id, position, active
  from "Message"
  where "userId" = $2::uuid and "chatId" = $1::uuid and id = $3::uuid
  union all
  select child.id, child.position, child.active
  from down
  cross join lateral (
    select id, position, active
    from "Message"
    where "userId" = $2::uuid and "chatId" = $1::uuid and "parentId" = down.id
    order by "createdAt" desc, id desc
    limit 1
  ) child
)
select id, position, active
from down
where id <> $3::uuid
order by position`,
  readPathRow,
  2,
);

const activate = `update "Message"
set active = true
where "userId" = $2::uuid and "chatId" = $1::uuid and id = any($3::uuid[]) and not active`;

const places = statement(
  `select id, "parentId", position, role, "createdAt"
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and id = any($3::uuid[])
order by position`,
  (row): MessagePlace => ({
    id: row[0] as string,
    parentId: row[1] as string | null,
    position: row[2] as number,
    role: row[3] as string | null,
    createdAt: readMoment(row[4]),
  }),
);

/**
 * Begins another branch behind a message and makes it the active path: an edited question, a second answer.
 * What was active behind that message stays as a branch.
 *
 * @param parentId the row behind which the branch begins; null for another beginning of the chat
 * @param rowIds ids for the rows; makes it safe to repeat a call whose outcome is unknown
 * @returns the places of the new messages
 * @throws NotFoundError CHAT_NOT_FOUND, MESSAGE_NOT_FOUND; InvalidArgumentError INVALID_MESSAGE
 * @throws LimitError CHAT_FULL when the path would have more messages than a chat may have
 * @throws ConflictError ID_TAKEN when some of rowIds are those of other messages of the chat
 */
export async function branchFrom(args: {
  chatId: string;
  userId: string;
  parentId: string | null;
  messages: readonly object[];
  rowIds?: readonly string[];
}): Promise<MessagePlace[]> {
  const { chatId, userId, parentId, messages, rowIds } = requireObject('branchFrom', args);
  const key = requireKey(chatId, userId);
  const parent = parentId === null ? null : requireId('parentId', parentId);
  const list = requireMessages(messages);
  const encoded = encodeMessages(list);
  const ids = optionalRowIds(rowIds, encoded.length) ?? encoded.map(uuidv7);
  const idArray = `{${ids.join(',')}}`;

  return repeatable({ rowIds: ids }, () =>
    transaction(async () => {
      const state = await lockChat(key, 'chatId');
      const repeated = rowIds ? await places.run(key.chatId, key.userId, idArray) : [];
      if (ids.length > 0 && repeated.length === ids.length) return repeated;
      if (repeated.length > 0) throw idTaken('rowIds');
      const { position, meets } = parent === null ? { position: -1, meets: -1 } : await makeActive(key, parent);
      requireRoom(position + 1, ids.length);
      await deactivateFrom(key, position + 1);
      const from = { from: position + 1, parentId: parent, ids, messages: encoded };
      await finish(key, state, meets, from, list);
      return places.run(key.chatId, key.userId, idArray);
    }),
  );
}

/**
 * Makes the branch with this message the active path: the messages before it, itself, and behind it the newest
 * answer at each place.
 * @returns the chat's row
 * @throws NotFoundError CHAT_NOT_FOUND, MESSAGE_NOT_FOUND
 */
export async function selectBranch(args: {
  chatId: string;
  userId: string;
  messageId: string;
}): Promise<ChatSummary[]> {
  const { chatId, userId, messageId } = requireObject('selectBranch', args);
  const key = requireKey(chatId, userId);
  const target = requireId('messageId', messageId);
  return transaction(async () => {
    const state = await lockChat(key, 'chatId');
    const { position, meets } = await makeActive(key, target);
    const below = await newestBelow.run(key.chatId, key.userId, target);
    const firstNew = below.find(({ active }) => !active)?.position ?? position + 1 + below.length;
    await deactivateFrom(key, firstNew);
    await setActive(key, below);
    const end = below.at(-1) ?? { id: target, position };
    return finish(key, state, meets === position ? firstNew - 1 : meets, {
      from: end.position + 1,
      parentId: end.id,
      ids: [],
      messages: [],
    });
  });
}

/** Makes the path from the beginning to a message active. `meets`: the last position that was active before. */
async function makeActive(key: ChatKey, target: string): Promise<{ position: number; meets: number }> {
  const path = await upToActive.run(key.chatId, key.userId, target);
  const row = path[0];
  if (!row) {
    throw new NotFoundError(
      'MESSAGE_NOT_FOUND',
      'there is no message with this id in the chat',
      'Use the id of an item of listMessages, or one of its siblings.',
    );
  }
  const meets = path.find(({ active }) => active)?.position ?? -1;
  if (meets < row.position) {
    await deactivateFrom(key, meets + 1);
    await setActive(key, path);
  }
  return { position: row.position, meets };
}

async function setActive({ chatId, userId }: ChatKey, rows: readonly PathRow[]): Promise<void> {
  const ids = rows.filter(({ active }) => !active).map(({ id }) => id);
  if (ids.length > 0) await execute(activate, [chatId, userId, `{${ids.join(',')}}`], true, { userId });
}

/** Moves the chat's end; the digest stays where the path up to it has not changed. */
async function finish(
  key: ChatKey,
  { revision, digest, digestCount }: PathState,
  unchangedUpTo: number,
  end: Pick<PathEnd, 'from' | 'parentId' | 'ids' | 'messages'>,
  added: readonly unknown[] = [],
): Promise<ChatSummary[]> {
  const isDigestGood = digestCount <= Math.min(unchangedUpTo + 1, end.from);
  return moveEnd(key, {
    ...end,
    revision,
    digest: isDigestGood ? digest : null,
    digestCount: isDigestGood ? digestCount : 0,
    unchangedCount: Math.min(unchangedUpTo + 1, end.from),
    preview: (await readPreview(key)) ?? previewOf(added),
  });
}

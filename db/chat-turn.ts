// saveChat in one round trip, for what nearly every save is: the chat as it was saved, and a turn behind it. Sends
// the turn with the digests that the beginning may have, and writes what is not there yet if one of them fits. If none
// does, nothing is written, and the answer is what must be compared.

import { createHash } from 'node:crypto';
import { noSummary, readSummary, summaryColumns } from './chats.ts';
import { type EncodedMessage, encodeMessages, previewOf } from './message-body.ts';
import { SaveSize } from './message-limits.ts';
import { type ChatKey, newRows, toColumns } from './message-writing.ts';
import { PathDigest } from './path-digest.ts';
import type { ChatSummary } from './schema.ts';
import { statement } from './statement.ts';
import { type StoredPath, tailColumns, tailRows, toStoredPath } from './stored-path.ts';
import { uuidv7 } from './uuid.ts';

/** A longer turn is not sent before it is known what of it is new. */
const most = { messages: 16, characters: 32 * 1024 };

/** The end of a list of messages, which may be new. */
interface Turn {
  /** The position of the first one. */
  from: number;
  messages: EncodedMessage[];
  /** SHA-256 of the text of the message before it, in hexadecimal; null where there is none. */
  before: string | null;
  /** Of the beginnings of the list, from one message before the turn to all but the last. */
  digests: PathDigest[];
}

/** The messages from the last one of the user on, two at least; undefined where that is much. Checks the whole list. */
export function turnOf(list: readonly unknown[]): Turn | undefined {
  const ofUser = list.findLastIndex(isOfUser);
  const from = Math.max(0, list.length - ofUser > most.messages ? list.length - 2 : Math.min(ofUser, list.length - 2));
  const size = new SaveSize();
  const digest = PathDigest.ofFirst(list, Math.max(0, from - 1), size);
  if (!digest || list.length === 0) return undefined;
  const first = digest.count;
  const encoded = encodeMessages(list.slice(first), first, size);
  const messages = encoded.slice(from - first);
  if (messages.reduce((sum, { text }) => sum + text.length, 0) > most.characters) return undefined;
  const digests = [digest.copy()];
  for (const { text } of encoded.slice(0, -1)) {
    digest.add(text);
    digests.push(digest.copy());
  }
  const before =
    from === first
      ? null
      : createHash('sha256')
          .update((encoded[0] as EncodedMessage).text)
          .digest('hex');
  return { from, messages, before, digests };
}

/** A message that throws when it is asked is found out where it is encoded. */
function isOfUser(message: unknown): boolean {
  try {
    return (message as { role?: unknown } | null | undefined)?.role === 'user';
  } catch {
    return false;
  }
}

const summaryCount = summaryColumns.split(',').length;
const nulls = (count: number): string => Array.from({ length: count }, () => 'null').join(', ');

/** What is stored behind the digest must be at its place in the turn, or be the one message before it. */
export const writeTurn = statement(
  `with given as materialized (
  select new_row.*, $7::integer + n - 1 as position
  from ${newRows(3)}
), seen as (
  select c.*
  from "Chat" c
  join unnest($9::integer[], $10::text[]) as expected (count, digest)
    on expected.count = c."digestCount" and decode(expected.digest, 'hex') is not distinct from c.digest
  where c.id = $1::uuid and c."userId" = $2::uuid
    and c."messageCount" between $7::integer and $7::integer + json_array_length($6::json) - 1
    and (
      select coalesce(bool_and(
        case m.position
          when $7::integer - 1 then sha256(convert_to(m.body::text, 'UTF8')) = decode($8::text, 'hex')
          else coalesce(m.body::text = (select given.body::text from given where given.position = m.position), false)
        end
      ), true)
      from "Message" m
      where m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
    )
), chat as (
  update "Chat" c
  set
    "messageCount" = $7::integer + json_array_length($6::json),
    "headId" = ($3::uuid[])[json_array_length($6::json)],
    revision = c.revision + 1,
    digest = decode($11::text, 'hex'),
    "digestCount" = $12::integer,
    preview = $13::text,
    "updatedAt" = now()
  from seen
  where c.id = $1::uuid and c."userId" = $2::uuid and c.revision = seen.revision
  returning ${summaryColumns.replaceAll(/"?\w+"?/g, 'c.$&')}, seen."messageCount" as base, seen."headId" as head
), written as (
  insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, "createdAt")
  select
    given.id,
    chat."userId",
    chat.id,
    coalesce(lag(given.id) over (order by given.n), chat.head),
    given.position,
    given.role,
    given.hash::bigint,
    given.body,
    clock_timestamp()
  from given, chat
  where given.position >= chat.base
)
select ${summaryColumns}, ${nulls(tailColumns.length)}
from chat
union all
select ${noSummary}, ${tailColumns.join(', ')}
${tailRows} and not exists (select from chat)
order by ${summaryCount + tailColumns.indexOf('m.position') + 1}`,
  (row) => row,
  2,
);

/** What came of a turn that was sent: the chat's row, or how its path is stored; neither where it is not there. */
export interface TurnOutcome {
  saved?: ChatSummary;
  stored?: StoredPath | undefined;
}

/** Writes what of the turn is new, if the chat is as the list says up to there. */
export async function trySaveTurn(
  { chatId, userId }: ChatKey,
  list: readonly unknown[],
  { from, messages, before, digests }: Turn,
): Promise<TurnOutcome> {
  const end = digests.at(-1);
  const rows = await writeTurn.run(
    chatId,
    userId,
    ...toColumns(messages.map(uuidv7), messages),
    from,
    before,
    `{${digests.map(({ count }) => count).join(',')}}`,
    `{${digests.map((digest) => digest.value() ?? 'null').join(',')}}`,
    end?.value() ?? null,
    end?.count ?? 0,
    previewOf(list),
  );
  const [first] = rows;
  if (typeof first?.[0] === 'string') return { saved: readSummary(first) };
  return { stored: toStoredPath(rows.map((row) => row.slice(summaryCount))) };
}

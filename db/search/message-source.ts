// Messages as search has them: those of the active paths. A chat's `indexedCount` says how many from its beginning are
// indexed. What changes one of these lowers it in the same statement; appending leaves it where it is, and so costs nothing.

import { execute } from '../database.ts';
import type { MessagePlace } from '../messages.ts';
import { readMoment, statement } from '../statement.ts';
import { textOfMessage } from './message-text.ts';
import {
  documentParams,
  firstSegments,
  noSegment,
  placeColumns,
  placesOfDocuments,
  segmentColumns,
  segmentParams,
  segmentRows,
  toLocated,
  toSegment,
  writeSegmentRows,
} from './segment-rows.ts';
import {
  type Document,
  type Located,
  type NewSegment,
  pageRows,
  type Source,
  type State,
  type Unindexed,
} from './source.ts';

export interface FoundMessage extends MessagePlace {
  chatId: string;
  /** Its JSON text, where it is short. */
  body: string | undefined;
}

type MessageDocument = Document<FoundMessage>;

/** How large a body may be that is read with others, as it is stored: the others are read one at a time. */
const readTogetherBytes = 64 * 1024;
/** How long a body may be that is kept until it is known whether it is shown. */
const keptLength = 16 * 1024;

const messageColumns = (m: string): string =>
  `${m}."chatId", ${m}.id, ${m}."parentId", ${m}.position, ${m}.role, ${m}."createdAt",
  case when pg_column_size(${m}.body) <= ${readTogetherBytes} then ${m}.body end`;

const noMessage =
  'null::uuid, null::uuid, null::uuid, null::integer, null::varchar, null::timestamptz, null::json, null::integer, null::integer';

/** $3 and $4 are the place behind which to go on. */
export const messageState = statement(
  `${segmentRows('message', noMessage)}
union all
select ${noSegment}, unindexed.*
from (
  select ${messageColumns('m')}, c.revision, c."indexedCount"
  from "Chat" c
  cross join lateral (
    select *
    from "Message"
    where "userId" = $1::uuid and "chatId" = c.id and active
      and position >= c."indexedCount" and (c.id > (select $3::uuid) or position > (select $4::integer))
    order by position
    limit ${pageRows}
  ) m
  where c."userId" = $1::uuid and c.id >= (select $3::uuid) and c."indexedCount" < c."messageCount"
  order by c.id, m.position
  limit ${pageRows}
) unindexed`,
  (row) => row,
);

/** The documents of segments with their messages, as far as they are there; the offset: one look into the index for each. */
export const messagesAt = statement(
  `select place.*, ${messageColumns('m')}
from ${placesOfDocuments}
left join lateral (
  select *
  from "Message"
  where "userId" = $1::uuid and "chatId" = place.id and position = place.position and active
  offset 0
) m on true`,
  (row) => row,
);

/** One body, however large. */
export const messageBody = statement(
  `select body
from "Message"
where "userId" = $1::uuid and "chatId" = $2::uuid and id = $3::uuid`,
  ([body]) => body as string,
);

/** A chat that somebody else writes to at this moment is passed over: it is indexed the next time. */
const writeSegment = `with free as (
  select c.id, given.until
  from unnest($9::uuid[], $10::integer[], $11::integer[], $12::integer[]) as given (id, revision, start, until)
  join "Chat" c on c.id = given.id
  where c."userId" = $1::uuid and c.revision = given.revision and c."indexedCount" = given.start
  for no key update of c skip locked
), advanced as (
  update "Chat" c
  set "indexedCount" = free.until
  from free
  where c.id = free.id and c."userId" = $1::uuid
  returning c.id
), ${writeSegmentRows('message', 'exists (select from advanced)')}`;

export const messageSource: Source<FoundMessage> = {
  kind: 'message',

  async readState(userId, grams, { id, position }, until): Promise<State<FoundMessage>> {
    const rows = await messageState.run(
      userId,
      `{${grams.join(',')}}`,
      id,
      position,
      until ?? 'infinity',
      firstSegments(grams),
    );
    const unindexed: Unindexed<FoundMessage>[] = [];
    for (const row of rows) {
      if (row[0] !== null) continue;
      const message = await toDocument(userId, row.slice(segmentColumns));
      unindexed.push({ ...message, state: { revision: row.at(-2), start: row.at(-1) } satisfies ChatState });
    }
    return { segments: rows.filter(([segmentId]) => segmentId !== null).map(toSegment), unindexed };
  },

  async readAt(userId, documents): Promise<Located<FoundMessage>[]> {
    const located: Located<FoundMessage>[] = [];
    for (const row of await messagesAt.run(userId, ...documentParams(documents))) {
      const isThere = row[placeColumns] !== null;
      located.push(toLocated(documents, row, isThere ? await toDocument(userId, row.slice(placeColumns)) : undefined));
    }
    return located;
  },

  async writeSegment(segment: NewSegment, documents): Promise<boolean> {
    const chats = new Map<string, ChatState & { until: number }>();
    for (const { id, position, state } of documents) {
      const { start, revision } = chats.get(id) ?? (state as ChatState);
      chats.set(id, { start, revision, until: position + 1 });
    }
    const list = [...chats];
    const params = [
      list.map(([id]) => id),
      list.map(([, { revision }]) => revision),
      list.map(([, { start }]) => start),
      list.map(([, { until }]) => until),
    ].map((values) => `{${values.join(',')}}`);
    const { count } = await execute(writeSegment, [...segmentParams(segment), ...params], true, {
      userId: segment.userId,
    });
    return count > 0;
  },
};

interface ChatState {
  revision: unknown;
  start: unknown;
}

async function toDocument(userId: string, row: readonly unknown[]): Promise<MessageDocument> {
  const [chatId, id, parentId, position, role, createdAt, together] = row as [
    string,
    string,
    string | null,
    number,
    string | null,
    string,
    string | null,
  ];
  const body = together ?? (await messageBody.run(userId, chatId, id))[0] ?? '{}';
  const message = { chatId, id, parentId, position, role, createdAt: readMoment(createdAt) };
  return {
    atMs: message.createdAt.getTime(),
    id: chatId,
    position,
    text: textOfMessage(JSON.parse(body) as Record<string, unknown>),
    row: { ...message, body: body.length <= keptLength ? body : undefined },
  };
}

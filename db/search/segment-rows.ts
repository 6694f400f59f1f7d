// The rows of segments and their blocks, as parts of statements. They are found by the primary keys alone, with nothing but
// equality: what row-level security leaves an index for.

import { readMoment, statement } from '../statement.ts';
import { uuidv7 } from '../uuid.ts';
import { entryOf, isEntry, listAt } from './blocks.ts';
import { mostGrams } from './grams.ts';
import { type Place, placeBytes, placesOfBlock } from './places.ts';
import type { Document, FoundSegment, Kind, Located, NewSegment, SegmentDocument } from './source.ts';

/** The columns of `segmentRows`, and as many nulls: for rows of a union that are none. */
export const segmentColumns = 5;
export const noSegment = 'null::uuid, null::integer, null::timestamptz, null::timestamptz, null::text';

/** How many lists are looked for at first, each in the newest segments: one takes 2 µs, to ask again 200. */
const firstLists = 24;

/**
 * How many segments are looked into at first, the newest. Of what is frequent they have enough; what is long is rare, and it
 * takes less time to look into all of them at once.
 */
export const firstSegments = (grams: readonly number[]): number =>
  grams.length < mostGrams ? Math.floor(firstLists / Math.max(1, grams.length)) : 2 ** 31 - 1;

/**
 * A list that one of eight documents is in, or more, which then is a bit for each, is read of a segment only where there are
 * fewer others than this. It is long and finds least: of 28 queries of two words with all six grams, 4 had more to look at.
 */
const enoughLists = 4;
const isLong = 'octet_length(list.bytes) >= s.documents / 8';
const joined = `string_agg(int4send(list.gram) || int4send(octet_length(list.bytes)) || list.bytes, '')`;

/**
 * The lists of grams ($2, one or more, none twice) of a segment `s`, if it has all of them, in one text: each its gram, its
 * length and its bytes. (In rows of their own, as hexadecimal digits, they took a third of a search's time; their whole
 * blocks are three times as long as they are.) An array that the planner can't see into, as here, leaves it one plan for
 * all: made anew each time it took half of the time. Each block is found by itself, in a subquery that the planner does not
 * dissolve: else it takes all blocks of a segment where most are small, and under row-level security always, since `&` is
 * not leakproof.
 */
const listsOfSegment = (condition: string): string => `left join lateral (
  select encode(
    coalesce(${joined} filter (where not ${isLong}), '') || case
      when count(*) filter (where not ${isLong}) < ${enoughLists} then coalesce(${joined} filter (where ${isLong}), '') else '' end,
    'base64'
  ) as lists
  from (
    select block.gram, ${listAt('block.entry', 'block.bytes')} as bytes
    from (
      select wanted.gram, block.bytes || ''::bytea as bytes, ${entryOf('wanted.gram', 'block.bytes')} as entry
      from unnest((select $2::integer[])) wanted (gram)
      cross join lateral (
        select bytes
        from "SearchBlock"
        where "userId" = $1::uuid and "segmentId" = s.id and number = wanted.gram & ((1 << s."gramBits") - 1)
        offset 0
      ) block
      where ${condition}
      offset 0
    ) block
    where ${isEntry('block.entry', 'block.bytes')}
    offset 0
  ) list
  having count(*) = cardinality((select $2::integer[])) and count(*) > 0
) l on true`;

/** Where the bytes of a list begin in the text of them. */
const headBytes = 8;

function readLists(text: string): Map<number, Uint8Array> {
  const all = Buffer.from(text, 'base64');
  const lists = new Map<number, Uint8Array>();
  for (let at = 0; at < all.length; ) {
    const end = at + headBytes + all.readInt32BE(at + 4);
    lists.set(all.readInt32BE(at), all.subarray(at + headBytes, end));
    at = end;
  }
  return lists;
}

/**
 * Of a user's ($1) segments with documents until a time ($5) the newest, $6 of them, with lists, without those that lack
 * a gram ($2); and the others, with none. `others` are columns behind.
 */
export const segmentRows = (kind: Kind, others: string): string => `select
  s.id, s.documents, s."oldestAt", s."newestAt", l.lists,
  ${others}
from (
  select *, row_number() over (order by "newestAt" desc) <= (select $6::integer) as "isFirst"
  from "SearchSegment"
  where "userId" = $1::uuid and kind = '${kind}' and "oldestAt" <= (select $5::timestamptz)
) s
${listsOfSegment('s."isFirst"')}
where l.lists is not null or not s."isFirst"`;

export function toSegment([id, documents, oldestAt, newestAt, lists]: readonly unknown[]): FoundSegment {
  return {
    id: id as string,
    documents: documents as number,
    oldestMs: readMoment(oldestAt).getTime(),
    newestMs: readMoment(newestAt).getTime(),
    lists: lists === null ? undefined : readLists(lists as string),
  };
}

/** The lists of segments ($3), none of one that does not have all grams; no row where a segment is gone. */
export const listsOf = statement(
  `select s.id, l.lists
from unnest((select $3::uuid[])) wanted (id)
join "SearchSegment" s on s."userId" = $1::uuid and s.id = wanted.id
${listsOfSegment('true')}`,
  ([segmentId, lists]) => ({
    segmentId: segmentId as string,
    lists: lists === null ? new Map<number, Uint8Array>() : readLists(lists as string),
  }),
);

/** Writes a segment where `condition` is true: parameters from $1 on, as `segmentParams` gives them. */
export const writeSegmentRows = (kind: Kind, condition: string): string => `segment as (
  insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
  select $1::uuid, $2::uuid, '${kind}', $3::integer, $4::integer, $5::timestamptz, $6::timestamptz
  where ${condition}
  returning "userId", id
)
insert into "SearchBlock" ("userId", "segmentId", number, bytes)
select segment."userId", segment.id, given.number, given.bytes
from segment, unnest($7::integer[], $8::bytea[]) as given (number, bytes)`;

export function segmentParams({ userId, documents, gramBits, oldestMs, newestMs, blocks }: NewSegment): unknown[] {
  const numbers = [...blocks.keys()].sort((a, b) => a - b);
  return [
    userId,
    uuidv7(),
    documents,
    gramBits,
    new Date(oldestMs),
    new Date(newestMs),
    `{${numbers.join(',')}}`,
    `{${numbers.map((number) => `"\\\\x${(blocks.get(number) as Buffer).toString('hex')}"`).join(',')}}`,
  ];
}

/** How large a segment is. */
export interface SegmentSize {
  id: string;
  documents: number;
  gramBits: number;
}

/** All segments of a user. */
export const segmentsOfUser = statement(
  `select id, documents, "gramBits"
from "SearchSegment"
where "userId" = $1::uuid and kind = $2::text`,
  ([id, documents, gramBits]): SegmentSize => ({
    id: id as string,
    documents: documents as number,
    gramBits: gramBits as number,
  }),
);

/** Where documents are, $2 their segments and $3 their numbers: rows of `ordinal, id, position, "atMs"`. */
export const placesOfDocuments = `(
  select wanted.ordinal::integer as ordinal, place.*
  from unnest((select $2::uuid[]), (select $3::integer[])) with ordinality as wanted ("segmentId", document, ordinal)
  cross join lateral (
    select
      encode(substr(bytes, 1 + first, ${placeBytes.id}), 'hex')::uuid as id,
      ('x' || encode(substr(bytes, ${1 + placeBytes.id} + first, ${placeBytes.position}), 'hex'))::bit(32)::integer as position,
      ('x' || encode(substr(bytes, ${1 + placeBytes.id + placeBytes.position} + first, ${placeBytes.atMs}), 'hex'))::bit(64)::bigint as "atMs"
    from (select *, ${placeBytes.all} * (wanted.document % ${placesOfBlock}) as first from "SearchBlock") b
    where "userId" = $1::uuid and "segmentId" = wanted."segmentId" and number = -1 - wanted.document / ${placesOfBlock}
    offset 0
  ) place
) place`;
export const placeColumns = 4;

/** The parameters $2 and $3 of `placesOfDocuments`. */
export function documentParams(documents: readonly SegmentDocument[]): [segmentIds: string, numbers: string] {
  return [
    `{${documents.map(({ segmentId }) => segmentId).join(',')}}`,
    `{${documents.map(({ document }) => document).join(',')}}`,
  ];
}

/** @param documents those that were asked for @param found what is at the place now */
export function toLocated<Row>(
  documents: readonly SegmentDocument[],
  [ordinal, id, position, atMs]: readonly unknown[],
  found: Document<Row> | undefined,
): Located<Row> {
  const { segmentId } = documents[(ordinal as number) - 1] as SegmentDocument;
  const place: Place = { id: id as string, position: position as number, atMs: Number(atMs) };
  const isSame = found?.atMs === place.atMs; // of another time is another message
  return { segmentId, place, document: isSame ? found : undefined };
}

/** Of segments the number of the document from which on all are newer than a time, $3 in milliseconds, to a block. */
export const documentsUntil = statement(
  `select "segmentId", ${placesOfBlock} * -min(number)
from "SearchBlock"
where "userId" = $1::uuid and "segmentId" = any($2::uuid[]) and number < 0
  and ('x' || encode(substr(bytes, ${placeBytes.all - placeBytes.atMs + 1}, ${placeBytes.atMs}), 'hex'))::bit(64)::bigint <= $3::bigint
group by "segmentId"`,
  ([segmentId, end]) => ({ segmentId: segmentId as string, end: Number(end) }),
);

/** Takes segments until the transaction ends; fewer where somebody else merged some. */
export const lockSegments = statement(
  `select id
from "SearchSegment"
where "userId" = $1::uuid and id = any($2::uuid[])
order by id
for update`,
  ([id]) => id as string,
);

export const deleteSegments = statement(
  `delete from "SearchSegment"
where "userId" = $1::uuid and id = any($2::uuid[])`,
  (row) => row,
  1,
);

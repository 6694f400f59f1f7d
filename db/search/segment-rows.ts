// The rows of segments and their blocks, as parts of statements. They are found by the primary keys alone, with nothing but
// equality: what row-level security leaves an index for.

import { readMoment, statement } from '../statement.ts';
import { uuidv7 } from '../uuid.ts';
import type { FoundSegment, Kind, NewSegment } from './source.ts';

/** The columns of `segmentRows`, and as many nulls: for rows of a union that are none. */
export const segmentColumns = 7;
export const noSegment =
  'null::uuid, null::integer, null::integer, null::timestamptz, null::timestamptz, null::integer, null::bytea';

/** The blocks of a user's segments that may have grams: $1 is the user's id, $2 the grams. `others` are columns behind. */
export const segmentRows = (kind: Kind, others: string): string => `select
  s.id, s.documents, s."gramBits", s."oldestAt", s."newestAt", b.number, b.bytes,
  ${others}
from "SearchSegment" s
cross join lateral (
  select distinct gram & ((1 << s."gramBits") - 1) as number
  from unnest($2::integer[]) gram
) wanted
join "SearchBlock" b on b."userId" = s."userId" and b."segmentId" = s.id and b.number = wanted.number
where s."userId" = $1::uuid and b."userId" = $1::uuid and s.kind = '${kind}'`;

export function toSegments(rows: readonly unknown[][]): FoundSegment[] {
  const segments = new Map<string, FoundSegment>();
  for (const row of rows) {
    const id = row[0] as string;
    const segment = segments.get(id) ?? {
      id,
      documents: row[1] as number,
      gramBits: row[2] as number,
      oldestMs: readMoment(row[3]).getTime(),
      newestMs: readMoment(row[4]).getTime(),
      blocks: new Map<number, Uint8Array>(),
    };
    segments.set(id, segment);
    segment.blocks.set(row[5] as number, row[6] as Uint8Array);
  }
  return [...segments.values()];
}

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

/** Some blocks of some segments. */
export const blocksAt = statement(
  `select b."segmentId", b.number, b.bytes
from unnest($2::uuid[], $3::integer[]) as wanted (id, number)
join "SearchBlock" b on b."segmentId" = wanted.id and b.number = wanted.number
where b."userId" = $1::uuid`,
  ([segmentId, number, bytes]) => ({
    segmentId: segmentId as string,
    number: number as number,
    bytes: bytes as Uint8Array,
  }),
);

/** The blocks that say what the documents of segments are. */
export const placeBlocks = statement(
  `select bytes
from "SearchBlock"
where "userId" = $1::uuid and "segmentId" = any($2::uuid[]) and number < 0`,
  ([bytes]) => bytes as Uint8Array,
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

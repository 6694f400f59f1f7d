// Memories as search has them. `search_digest` is the digest of the text that is indexed: where `content` has another one,
// the index has an older text, or none. An encrypted memory is never indexed, for its words would lie open beside it: it is
// decrypted in each search.

import { execute } from '../database.ts';
import { findInEncrypted, mayBeEncrypted, readContent } from '../encrypted-memories.ts';
import type { Memory } from '../schema.ts';
import { readMoment, statement } from '../statement.ts';
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
import { type Document, type Located, type NewSegment, pageRows, type Source, type State } from './source.ts';

export interface FoundMemory extends Memory {
  /** MD5 of its content, as PostgreSQL has it; '' where it is not asked for. */
  digest: string;
}

const columns = 'content, created_at, md5(content)';

/** As the partial index has it: what is not indexed, and may be. */
const isUnindexed = 'search_digest is distinct from md5(content)::uuid and content_index is null';

/**
 * $3 is the id behind which to go on, or with $4 below 0 at which. In the order of the partial index, which no other one has:
 * in that of the id alone all memories are read, by their primary key (95 ms among 50,000).
 */
export const memoryState = statement(
  `${segmentRows('memory', 'null::text, null::timestamptz, null::text, null::uuid')}
union all
select ${noSegment}, unindexed.*
from (
  select ${columns}, id
  from "Memory"
  where user_id = $1::uuid and id >= (select $3::uuid) and (id > (select $3::uuid) or (select $4::integer) < 0) and ${isUnindexed}
  order by content_index, id
  limit ${pageRows}
) unindexed`,
  (row) => row,
);

/** The documents of segments with their memories, as far as they are there, and not encrypted; digests where $4 says so. */
export const memoriesAt = statement(
  `select place.*, m.*
from ${placesOfDocuments}
left join lateral (
  select content, created_at, case when $4::boolean then md5(content) end
  from "Memory"
  where id = place.id and user_id = $1::uuid and content_index is null
  offset 0
) m on true`,
  (row) => row,
);

/** A memory that somebody else writes at this moment is passed over. */
const writeSegment = `with free as (
  select m.id, given.digest
  from unnest($9::uuid[], $10::text[]) as given (id, digest)
  join "Memory" m on m.id = given.id
  where m.user_id = $1::uuid and md5(m.content) = given.digest and m.content_index is null
  for no key update of m skip locked
), advanced as (
  update "Memory" m
  set search_digest = free.digest::uuid
  from free
  where m.id = free.id and m.user_id = $1::uuid
  returning m.id
), ${writeSegmentRows('memory', 'exists (select from advanced)')}`;

/** What is indexed with another text than the one given is not indexed any more. */
const forgetOthers = `update "Memory" m
set search_digest = null
from unnest($2::uuid[], $3::text[]) as given (id, digest)
where m.id = given.id and m.user_id = $1::uuid and m.search_digest <> given.digest::uuid`;

export const memorySource: Source<FoundMemory> = {
  kind: 'memory',

  async readState(userId, grams, { id, position }, until): Promise<State<FoundMemory>> {
    const rows = await memoryState.run(
      userId,
      `{${grams.join(',')}}`,
      id,
      position,
      until ?? 'infinity',
      firstSegments(grams),
    );
    return {
      segments: rows.filter(([segmentId]) => segmentId !== null).map(toSegment),
      unindexed: rows
        .filter(([segmentId]) => segmentId === null)
        .map((row) => ({
          ...toDocument(userId, row.at(-1) as string, row, segmentColumns),
          state: undefined,
        })),
    };
  },

  async readHidden(userId, isWanted): Promise<Document<FoundMemory>[]> {
    const found = mayBeEncrypted() ? await findInEncrypted(userId, isWanted) : [];
    return found.map((memory) => documentOf({ ...memory, digest: '' }));
  },

  async readAt(userId, documents, isToIndex = false): Promise<Located<FoundMemory>[]> {
    const rows = await memoriesAt.run(userId, ...documentParams(documents), isToIndex);
    return rows.map((row) => {
      const isThere = row[placeColumns] !== null;
      return toLocated(documents, row, isThere ? toDocument(userId, row[1] as string, row, placeColumns) : undefined);
    });
  },

  async writeSegment(segment: NewSegment, documents): Promise<boolean> {
    const { count } = await execute(writeSegment, [...segmentParams(segment), ...digestsOf(documents)], true, {
      userId: segment.userId,
    });
    return count > 0;
  },

  async keepInStep(userId, documents): Promise<void> {
    await execute(forgetOthers, [userId, ...digestsOf(documents)], true, { userId });
  },
};

function digestsOf(documents: readonly Document<FoundMemory>[]): [ids: string, digests: string] {
  return [`{${documents.map(({ id }) => id).join(',')}}`, `{${documents.map(({ row }) => row.digest).join(',')}}`];
}

/** @param from where its columns begin */
function toDocument(userId: string, id: string, row: readonly unknown[], from: number): Document<FoundMemory> {
  return documentOf({
    id,
    userId,
    content: readContent(row[from]),
    createdAt: readMoment(row[from + 1]),
    digest: (row[from + 2] as string | null) ?? '',
  });
}

function documentOf(row: FoundMemory): Document<FoundMemory> {
  return { atMs: row.createdAt.getTime(), id: row.id, position: 0, text: row.content, row };
}

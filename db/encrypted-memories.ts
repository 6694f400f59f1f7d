// Memories where there are encryption keys: what is stored of a text, and how one is found among rows of which some are
// encrypted, under one key or another, and some are not (yet, or any more). No plaintext is sent to compare with: of what
// may be stored as plaintext the digest that its unique index has, of what is encrypted the blind index.

import { createHash } from 'node:crypto';
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { db, readFor, transaction } from './database.ts';
import { blindIndexesOf } from './encryption/blind-index.ts';
import { encryptsMemories, isInTransition } from './encryption/settings.ts';
import { EncryptionError } from './errors.ts';
import { searchedMemoryLimit } from './limits.ts';
import { afterCursor, newestFirst } from './newest-first.ts';
import { type Memory, memories } from './schema.ts';
import { secrets } from './secrets.ts';
import { readMoment, statement } from './statement.ts';

/** Whether a memory may be there that is encrypted, and can be read. */
export function mayBeEncrypted(): boolean {
  return secrets().encryptionKeys.length > 0;
}

interface StoredMemory {
  content: string;
  contentIndex: Buffer | null;
}

/** What the two columns of a memory hold for a text. */
export function storedMemory(userId: string, content: string): StoredMemory {
  const stored = memories.content.mapToDriverValue(content) as string;
  const isEncrypted = encryptsMemories();
  return { content: stored, contentIndex: isEncrypted ? (indexesOf(userId, content)[0] as Buffer) : null };
}

function indexesOf(userId: string, content: string): Buffer[] {
  return blindIndexesOf(memories.contentIndex, content, { userId });
}

/**
 * The user's rows with a text, however it is stored: `$2` its blind indexes, `$3` its MD5 or null. Two statements, so that
 * each has its index, also under row-level security, where `md5` may be in the way of one.
 */
const sameText = (columns: string): string => `select ${columns}
  from "Memory"
  where user_id = $1::uuid and content_index = any($2::bytea[])
  union all
  select ${columns}
  from "Memory"
  where user_id = $1::uuid and content_index is null and $3::text is not null and md5(content) = $3::text`;

function sameTextParams(userId: string, content: string): [string, string, string | null] {
  const literals = indexesOf(userId, content).map((digest) => `"\\\\x${digest.toString('hex')}"`);
  // Where plaintext is not read, none is looked for.
  const md5 = !encryptsMemories() || isInTransition() ? createHash('md5').update(content).digest('hex') : null;
  return [userId, `{${literals.join()}}`, md5];
}

const insertOrFind = statement(
  `with found as (
  ${sameText('id, user_id, content, created_at')}
  limit 1
), written as (
  insert into "Memory" (id, user_id, content, content_index)
  select $4::uuid, $1::uuid, $5::text, $6::bytea
  where not exists (select 1 from found)
  on conflict do nothing
  returning id, user_id, content, created_at
)
select id, user_id, content, created_at
from written
union all
select id, user_id, content, created_at
from found`,
  readMemory,
  1,
);

const changeContent = statement(
  `with same as (
  ${sameText('id')}
), other as (
  select 1
  from same
  where id <> $4::uuid
  limit 1
), written as (
  update "Memory"
  set content = $5::text, content_index = $6::bytea
  where id = $4::uuid and user_id = $1::uuid and not exists (select 1 from other)
  returning id, user_id, content, created_at
)
select id, user_id, content, created_at
from written
union all
select null, null, null, null
from other`,
  (row) => (row[0] === null ? null : readMemory(row)),
  1,
);

/** The text of a memory, from what is stored of it. */
export function readContent(stored: unknown): string {
  return memories.content.mapFromDriverValue(stored as string) as string;
}

function readMemory([id, userId, content, createdAt]: unknown[]): Memory {
  return {
    id: id as string,
    userId: userId as string,
    content: readContent(content),
    createdAt: readMoment(createdAt),
  };
}

/** Writes the row or finds the one with the same text. @returns `[]` where another row was in the way meanwhile */
export function insertOrFindEncrypted(values: { id: string; userId: string; content: string }): Promise<Memory[]> {
  const { id, userId, content } = values;
  const stored = storedMemory(userId, content);
  return insertOrFind.run(...sameTextParams(userId, content), id, stored.content, stored.contentIndex);
}

/** Changes the text of a memory. @returns null where the user has this text in another row */
export async function changeEncrypted(values: {
  id: string;
  userId: string;
  content: string;
}): Promise<Memory[] | null> {
  const { id, userId, content } = values;
  const stored = storedMemory(userId, content);
  const params = sameTextParams(userId, content);
  const rows = await changeContent.run(...params, id, stored.content, stored.contentIndex);
  return rows.includes(null) ? null : (rows as Memory[]);
}

const encryptedOfUser = and(eq(memories.userId, sql.placeholder('userId')), isNotNull(memories.contentIndex));
const columns = { id: memories.id, userId: memories.userId, content: memories.content, createdAt: memories.createdAt };
const counted = db
  .select({ rows: sql<number>`count(*)::integer` })
  .from(
    db
      .select({ id: memories.id })
      .from(memories)
      .where(encryptedOfUser)
      .limit(searchedMemoryLimit + 1)
      .as('some'),
  )
  .prepare('memories_encrypted_count');
const firstOnes = db
  .select(columns)
  .from(memories)
  .where(encryptedOfUser)
  .orderBy(...newestFirst(memories))
  .limit(sql.placeholder('limit'))
  .prepare('memories_encrypted_first');
const nextOnes = db
  .select(columns)
  .from(memories)
  .where(and(encryptedOfUser, afterCursor(memories)))
  .orderBy(...newestFirst(memories))
  .limit(sql.placeholder('limit'))
  .prepare('memories_encrypted_next');

/** Decrypted at once: some milliseconds, in which nothing else runs. */
const batchRows = 500;

/**
 * Those of a user's encrypted memories whose text is one that is wanted, newest first; each one is decrypted.
 * @throws EncryptionError TOO_MANY_ENCRYPTED where the user has more than 10,000 of them
 */
export function findInEncrypted(userId: string, isWanted: (content: string) => boolean): Promise<Memory[]> {
  return readFor(userId, async () => {
    const [{ rows } = { rows: 0 }] = await counted.execute({ userId });
    if (rows > searchedMemoryLimit) throw tooMany();
    const found: Memory[] = [];
    let batch = rows === 0 ? [] : await firstOnes.execute({ userId, limit: batchRows });
    for (let last = batch.at(-1); last; last = batch.at(-1)) {
      found.push(...batch.filter(({ content }) => isWanted(content)));
      if (batch.length < batchRows) break;
      const { id, createdAt } = last;
      batch = await nextOnes.execute({ userId, limit: batchRows, id, createdAt: createdAt.toISOString() });
    }
    return found;
  });
}

const ownersOfLetters = statement(
  `select distinct "userId"
from "SearchSegment"
where "userId" > $1::uuid and kind = 'memory'
order by "userId"
limit 1000`,
  ([userId]) => userId as string,
);
const deleteLetters = statement(
  `delete from "SearchSegment" where "userId" = $1::uuid and kind = 'memory'`,
  () => null,
  1,
);
const unmarkLetters = statement(
  `update "Memory"
set search_digest = null
where user_id = $1::uuid and search_digest is not null`,
  () => null,
  1,
);

/** Takes the letters of memories out of the index of the search: they are from before their rows were encrypted. */
export async function forgetMemoryLetters(): Promise<void> {
  let last = '00000000-0000-0000-0000-000000000000';
  for (let owners = [last]; owners.length > 0; ) {
    owners = await ownersOfLetters.run(last);
    for (const userId of owners) {
      await transaction(async () => {
        await deleteLetters.run(userId);
        await unmarkLetters.run(userId);
      });
      last = userId;
    }
  }
}

function tooMany(): EncryptionError {
  return new EncryptionError(
    'TOO_MANY_ENCRYPTED',
    `the user has more than ${searchedMemoryLimit.toLocaleString('en-US')} encrypted memories, each of which would have to be decrypted`,
    'Page through them with listMemories, or keep fewer: a database can’t search in what it can’t read.',
    { limit: searchedMemoryLimit },
  );
}

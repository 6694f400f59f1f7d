// What the assistant was asked to remember: a text, once for each user.

import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { optionalId, requireId, requireObject, requireText } from './arguments.ts';
import type { Page } from './cursor.ts';
import { db } from './database.ts';
import {
  changeEncrypted,
  insertOrFindEncrypted,
  mayBeEncrypted,
  readContent,
  storedMemory,
} from './encrypted-memories.ts';
import { ConflictError } from './errors.ts';
import { textLimits } from './limits.ts';
import {
  type ArrayArguments,
  afterCursor,
  type ListArguments,
  newestFirst,
  readArray,
  readPage,
} from './newest-first.ts';
import { idTaken, named, repeatable, userMissing } from './outcome.ts';
import { type Memory, memories } from './schema.ts';
import { readMoment, statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

const { contentIndex: _contentIndex, searchDigest: _searchDigest, ...columns } = getTableColumns(memories);
const ofUser = eq(memories.userId, sql.placeholder('userId'));
const oneOfUser = and(eq(memories.id, sql.placeholder('id')), ofUser);
/** Writes the row or finds the one with the same text; the unique index is on the digest, the text itself decides. */
const insertOrFind = statement(
  `with written as (
  insert into "Memory" (id, user_id, content)
  values ($1::uuid, $2::uuid, $3::text)
  on conflict do nothing
  returning id, user_id, content, created_at
)
select id, user_id, content, created_at
from written
union all
select id, user_id, content, created_at
from "Memory"
where user_id = $2::uuid and md5(content) = md5($3::text) and content = $3::text
  and not exists (select 1 from written)`,
  ([id, userId, content, createdAt]): Memory => ({
    id: id as string,
    userId: userId as string,
    content: readContent(content),
    createdAt: readMoment(createdAt),
  }),
  2,
);
const allOfUser = db
  .select(columns)
  .from(memories)
  .where(ofUser)
  .orderBy(...newestFirst(memories))
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('memories_of_user');
const firstPage = db
  .select(columns)
  .from(memories)
  .where(ofUser)
  .orderBy(...newestFirst(memories))
  .limit(sql.placeholder('limit'))
  .prepare('memories_first_page');
const nextPage = db
  .select(columns)
  .from(memories)
  .where(and(ofUser, afterCursor(memories)))
  .orderBy(...newestFirst(memories))
  .limit(sql.placeholder('limit'))
  .prepare('memories_next_page');
const changeContent = db
  .update(memories)
  .set({ content: sql`${sql.placeholder('content')}`, contentIndex: null })
  .where(oneOfUser)
  .returning(columns)
  .prepare('memory_update');
const removeMemory = db.delete(memories).where(oneOfUser).returning(columns).prepare('memory_delete');

/**
 * Remembers a text. The same text again, for the same user, returns the row there is.
 * @param id of the new row; makes it safe to repeat a call whose outcome is unknown
 * @throws NotFoundError USER_NOT_FOUND; ConflictError ID_TAKEN when the id is that of another memory
 * @throws InvalidArgumentError INVALID_TEXT (1 to 10,000 characters)
 * @example const [memory] = await saveMemory({ userId, content: 'Is allergic to peanuts' });
 */
export async function saveMemory(args: { userId: string; content: string; id?: string }): Promise<Memory[]> {
  const { userId, content, id } = requireObject('saveMemory', args);
  const values = {
    id: optionalId('id', id) ?? uuidv7(),
    userId: requireId('userId', userId),
    content: requireText('content', content, { max: textLimits.memoryContent }),
  };
  return repeatable({ id: values.id }, () => save(values));
}

/**
 * Neither written nor found: what was in the way came or went while the statement ran. Then another one, which sees
 * it; after ten it is another row's id that is in the way.
 */
async function save(values: { id: string; userId: string; content: string }): Promise<Memory[]> {
  const write = mayBeEncrypted() ? insertOrFindEncrypted : insertOrFindPlain;
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const rows = await named(write(values), userMissing);
    if (rows.length > 0) return rows;
  }
  throw idTaken('id');
}

function insertOrFindPlain({
  id,
  userId,
  content,
}: {
  id: string;
  userId: string;
  content: string;
}): Promise<Memory[]> {
  return insertOrFind.run(id, userId, storedMemory(userId, content).content);
}

/** A user's memories, newest first. @example const all = await getMemoriesByUserId({ userId }); */
export async function getMemoriesByUserId(args: ArrayArguments): Promise<Memory[]> {
  return readArray(allOfUser, requireObject('getMemoriesByUserId', args));
}

/** A page of a user's memories, newest first. */
export async function listMemories(args: ListArguments): Promise<Page<Memory>> {
  return readPage('memories', requireObject('listMemories', args), firstPage, nextPage);
}

/**
 * Changes the text of a memory. @returns the row written, `[]` when it is not there
 * @throws ConflictError MEMORY_EXISTS when the user has this text in another row
 */
export async function updateMemory(args: { id: string; userId: string; content: string }): Promise<Memory[]> {
  const { id, userId, content } = requireObject('updateMemory', args);
  const values = {
    id: requireId('id', id),
    userId: requireId('userId', userId),
    content: requireText('content', content, { max: textLimits.memoryContent }),
  };
  const rows = await named(mayBeEncrypted() ? changeEncrypted(values) : changePlain(values), { '23505': memoryExists });
  if (rows === null) throw memoryExists();
  return rows;
}

function changePlain({ id, userId, content }: { id: string; userId: string; content: string }): Promise<Memory[]> {
  return changeContent.execute({ id, userId, content: storedMemory(userId, content).content });
}

function memoryExists(cause?: unknown): ConflictError {
  return new ConflictError(
    'MEMORY_EXISTS',
    'the user has a memory with this text already',
    'Delete one of the two with deleteMemoryById, or write another text.',
    cause,
  );
}

/** Forgets a memory. @returns the row deleted, `[]` when it was not there */
export async function deleteMemoryById(args: { id: string; userId: string }): Promise<Memory[]> {
  const { id, userId } = requireObject('deleteMemoryById', args);
  return removeMemory.execute({ id: requireId('id', id), userId: requireId('userId', userId) });
}

// Keys to the assistant's API, as the original application keeps them: a bcrypt hash that the caller made.

import { verify } from '@node-rs/bcrypt';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { describe, optionalId, requireId, requireObject, requireText } from './arguments.ts';
import { db } from './database.ts';
import { ConflictError, InvalidArgumentError } from './errors.ts';
import { textLimits } from './limits.ts';
import { type ArrayArguments, newestFirst, readArray } from './newest-first.ts';
import { named, userMissing } from './outcome.ts';
import { type ApiKey, apiKey } from './schema.ts';
import { uuidv7 } from './uuid.ts';

/** A key as its checker sees it: never with the hash. */
export type ValidApiKey = Omit<ApiKey, 'hashedKey'>;

const insertKey = db
  .insert(apiKey)
  .values({
    id: sql.placeholder('id'),
    userId: sql.placeholder('userId'),
    hashedKey: sql.placeholder('hashedKey'),
    name: sql.placeholder('name'),
  })
  .returning()
  .prepare('api_key_insert');
const allOfUser = db
  .select()
  .from(apiKey)
  .where(eq(apiKey.userId, sql.placeholder('userId')))
  .orderBy(...newestFirst(apiKey))
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('api_keys_of_user');
const removeKey = db
  .delete(apiKey)
  .where(and(eq(apiKey.id, sql.placeholder('id')), eq(apiKey.userId, sql.placeholder('userId'))))
  .returning({ id: apiKey.id })
  .prepare('api_key_delete');
const hashesByUse = db
  .select({ id: apiKey.id, hashedKey: apiKey.hashedKey })
  .from(apiKey)
  .orderBy(sql`${apiKey.lastUsedAt} desc nulls last`, apiKey.id)
  .prepare('api_key_hashes');
const { hashedKey: _hashedKey, ...columnsToShow } = getTableColumns(apiKey);
const recordById = db
  .select(columnsToShow)
  .from(apiKey)
  .where(eq(apiKey.id, sql.placeholder('id')))
  .prepare('api_key_record');
const touchKey = db
  .update(apiKey)
  .set({ lastUsedAt: sql`now()` })
  .where(eq(apiKey.id, sql.placeholder('id')))
  .returning({ userId: apiKey.userId })
  .prepare('api_key_touch');
const touchKeyOfUser = db
  .update(apiKey)
  .set({ lastUsedAt: sql`now()` })
  .where(and(eq(apiKey.id, sql.placeholder('id')), eq(apiKey.userId, sql.placeholder('userId'))))
  .prepare('api_key_touch_of_user');

/**
 * A user's keys, newest first. The rows hold the hash: do not send them to a browser.
 * @param limit 1 to 10,000; 1,000 unless given
 */
export async function getApiKeysByUserId(
  userId: string,
  { limit, offset }: { limit?: number; offset?: number } = {},
): Promise<ApiKey[]> {
  const args: ArrayArguments = { userId };
  if (limit !== undefined) args.limit = limit;
  if (offset !== undefined) args.offset = offset;
  return readArray(allOfUser, args);
}

/**
 * Stores a key that the caller made, as the bcrypt hash of it.
 * @throws ConflictError KEY_TAKEN when this hash is there already; NotFoundError USER_NOT_FOUND
 */
export async function createApiKeyRecord(args: { userId: string; hashedKey: string; name: string }): Promise<ApiKey[]> {
  const { userId, hashedKey, name } = requireObject('createApiKeyRecord', args);
  const values = {
    id: uuidv7(),
    userId: requireId('userId', userId),
    hashedKey: requireText('hashedKey', hashedKey, { max: textLimits.apiKeyHash }),
    name: requireText('name', name, { max: textLimits.apiKeyName }),
  };
  return named(insertKey.execute(values), {
    ...userMissing,
    '23505': (cause) =>
      new ConflictError('KEY_TAKEN', 'this hash is stored already', 'Make a new key and hash it anew.', cause),
  });
}

/** Deletes a user's key. @returns how many there were: 1, or 0 when it was not there */
export async function deleteApiKeyByIdAndUserId(keyId: string, userId: string): Promise<number> {
  const deleted = await removeKey.execute({ id: requireId('keyId', keyId), userId: requireId('userId', userId) });
  return deleted.length;
}

/**
 * The key's record, or null. Compares with every stored hash until one fits, last used first: about 60 ms of one
 * core for each, off the event loop. A key that is deleted meanwhile is null.
 */
export async function findValidApiKey(rawKey: string): Promise<ValidApiKey | null> {
  if (typeof rawKey !== 'string') {
    throw new InvalidArgumentError(
      rawKey === undefined ? 'MISSING_ARGUMENT' : 'INVALID_ARGUMENT',
      'rawKey',
      `is ${describe(rawKey)}; it must be a text`,
      'Pass the key as the caller of your API sent it.',
    );
  }
  // bcrypt reads 72 bytes, and repeats what ends with a U+0000: a longer or another key would fit.
  if (rawKey === '' || rawKey.includes('\0') || Buffer.byteLength(rawKey) > 72) return null;
  // All of them at once: between pages a key that is used would move to the front, and be passed over.
  for (const { id, hashedKey } of await hashesByUse.execute()) {
    if (await verify(rawKey, hashedKey)) return (await recordById.execute({ id }))[0] ?? null;
  }
  return null;
}

/**
 * Notes that a key was used now. With `userId` only that user's. A key that is not there is not an error: it may have
 * been deleted meanwhile.
 */
export async function updateApiKeyLastUsed(keyId: string, userId?: string): Promise<void> {
  const values = { id: requireId('keyId', keyId), userId: optionalId('userId', userId) };
  await (values.userId === undefined ? touchKey : touchKeyOfUser).execute(values);
}

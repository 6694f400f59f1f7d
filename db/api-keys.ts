// Keys to the assistant's API, as the original application keeps them: a bcrypt hash that the caller made.

import { verify } from '@node-rs/bcrypt';
import { and, asc, eq, gt, or, type SQL, sql } from 'drizzle-orm';
import { describe, requireId, requireObject, requireText } from './arguments.ts';
import { db } from './database.ts';
import { ConflictError, InvalidArgumentError } from './errors.ts';
import { textLimits } from './limits.ts';
import { newestFirst } from './newest-first.ts';
import { named, userMissing } from './outcome.ts';
import { type ApiKey, apiKey } from './schema.ts';
import { uuidv7 } from './uuid.ts';

/** A key as its checker sees it: never with the hash. */
export type ValidApiKey = Omit<ApiKey, 'hashedKey'>;

const batchRows = 50;
/** Sorts keys that were never used behind all others. */
const never = '-infinity';

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
  .limit(1000)
  .prepare('api_keys_of_user');
const removeKey = db
  .delete(apiKey)
  .where(and(eq(apiKey.id, sql.placeholder('id')), eq(apiKey.userId, sql.placeholder('userId'))))
  .returning({ id: apiKey.id })
  .prepare('api_key_delete');
const touchKey = db
  .update(apiKey)
  .set({ lastUsedAt: sql`now()` })
  .where(eq(apiKey.id, sql.placeholder('id')))
  .prepare('api_key_touch');

/** A user's keys, newest first, at most 1,000. The rows hold the hash: do not send them to a browser. */
export async function getApiKeysByUserId(userId: string): Promise<ApiKey[]> {
  return allOfUser.execute({ userId: requireId('userId', userId) });
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
 * core for each, off the event loop.
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
  if (rawKey === '' || Buffer.byteLength(rawKey) > 72) return null; // bcrypt would compare the first 72 bytes only
  let after: SQL | undefined;
  for (;;) {
    const batch = await readBatch(after);
    for (const { hashedKey, ...record } of batch) {
      if (await fits(rawKey, hashedKey)) return record;
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchRows) return null;
    after = behind(last);
  }
}

const lastUse = sql`coalesce(${apiKey.lastUsedAt}, ${never}::timestamptz)`;

function readBatch(after: SQL | undefined): Promise<ApiKey[]> {
  return db.select().from(apiKey).where(after).orderBy(sql`${lastUse} desc`, asc(apiKey.id)).limit(batchRows);
}

function behind({ lastUsedAt, id }: ApiKey): SQL | undefined {
  const time = sql`${lastUsedAt?.toISOString() ?? never}::timestamptz`;
  return or(sql`${lastUse} < ${time}`, and(sql`${lastUse} = ${time}`, gt(apiKey.id, id)));
}

async function fits(rawKey: string, hashedKey: string): Promise<boolean> {
  try {
    return await verify(rawKey, hashedKey);
  } catch {
    return false; // not a bcrypt hash
  }
}

/** Notes that a key was used now. A key that is not there is not an error: it may have been deleted meanwhile. */
export async function updateApiKeyLastUsed(keyId: string): Promise<void> {
  await touchKey.execute({ id: requireId('keyId', keyId) });
}

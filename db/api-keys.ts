// Keys to the assistant's API: issued, rotated, revoked, listed, and the records of the original application, whose hash
// the caller made. Checking one is verify-api-key.ts; the key itself is nowhere but in what issueApiKey returns.

import { and, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import { digestOfKey } from './api-key-digest.ts';
import { envOfPrefix, isKeyEnv, makeKeyText } from './api-key-format.ts';
import { type ApiKeyRecord, type RateLimit, recordColumns, toRecord } from './api-key-record.ts';
import { requireScopes } from './api-key-scopes.ts';
import {
  describe,
  optionalId,
  optionalMoment,
  requireCount,
  requireId,
  requireObject,
  requireText,
} from './arguments.ts';
import { recordEvent } from './audit.ts';
import type { Page } from './cursor.ts';
import { db, transaction } from './database.ts';
import { ConflictError, InvalidArgumentError, NotFoundError } from './errors.ts';
import { textLimits } from './limits.ts';
import {
  type ArrayArguments,
  afterCursor,
  type ListArguments,
  newestFirst,
  readArray,
  readPage,
} from './newest-first.ts';
import { named, userMissing } from './outcome.ts';
import { type ApiKey, apiKey } from './schema.ts';
import { uuidv7 } from './uuid.ts';

const { id, userId, hashedKey, name, createdAt, lastUsedAt } = getTableColumns(apiKey);
const columns = { id, userId, hashedKey, name, createdAt, lastUsedAt };
const ofUser = eq(apiKey.userId, sql.placeholder('userId'));
const oneOfUser = and(eq(apiKey.id, sql.placeholder('id')), ofUser);
const insertLegacy = db
  .insert(apiKey)
  .values({
    id: sql.placeholder('id'),
    userId: sql.placeholder('userId'),
    hashedKey: sql.placeholder('hashedKey'),
    name: sql.placeholder('name'),
  })
  .returning(columns)
  .prepare('api_key_insert_legacy');
const insertIssued = db
  .insert(apiKey)
  .values({
    id: sql.placeholder('id'),
    userId: sql.placeholder('userId'),
    hashedKey: sql.placeholder('digest'),
    name: sql.placeholder('name'),
    prefix: sql.placeholder('prefix'),
    pepperId: sql.placeholder('pepperId'),
    scopes: sql.placeholder('scopes'),
    expiresAt: sql`${sql.placeholder('expiresAt')}::timestamptz`,
    rateLimit: sql.placeholder('rateLimit'),
    rateWindowSeconds: sql.placeholder('rateWindowSeconds'),
  })
  .returning(recordColumns)
  .prepare('api_key_insert');
const allOfUser = db
  .select(columns)
  .from(apiKey)
  .where(ofUser)
  .orderBy(...newestFirst(apiKey))
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('api_keys_of_user');
const firstPage = db
  .select(recordColumns)
  .from(apiKey)
  .where(ofUser)
  .orderBy(...newestFirst(apiKey))
  .limit(sql.placeholder('limit'))
  .prepare('api_keys_first_page');
const nextPage = db
  .select(recordColumns)
  .from(apiKey)
  .where(and(ofUser, afterCursor(apiKey)))
  .orderBy(...newestFirst(apiKey))
  .limit(sql.placeholder('limit'))
  .prepare('api_keys_next_page');
const oneRecord = db.select(recordColumns).from(apiKey).where(oneOfUser).prepare('api_key_record');
const isValid = and(
  isNull(apiKey.revokedAt),
  sql`(${apiKey.expiresAt} is null or ${apiKey.expiresAt} > statement_timestamp())`,
);
const lockValid = db
  .select(recordColumns)
  .from(apiKey)
  .where(and(oneOfUser, isValid))
  .for('no key update')
  .prepare('api_key_lock');
// Cut to the column's milliseconds: rounded up, a grace of 0 would end in half a millisecond.
const endKey = db
  .update(apiKey)
  .set({
    expiresAt: sql`least(
      ${apiKey.expiresAt},
      date_trunc('milliseconds', statement_timestamp()) + make_interval(secs => ${sql.placeholder('graceSeconds')}::int)
    )`,
  })
  .where(oneOfUser)
  .prepare('api_key_end');
const revokeKey = db
  .update(apiKey)
  .set({ revokedAt: sql`statement_timestamp()` })
  .where(and(oneOfUser, isNull(apiKey.revokedAt)))
  .returning(recordColumns)
  .prepare('api_key_revoke');
const removeKey = db.delete(apiKey).where(oneOfUser).returning({ id: apiKey.id }).prepare('api_key_delete');
const isDue = sql`(${apiKey.lastUsedAt} is null or ${apiKey.lastUsedAt} <= statement_timestamp() - interval '1 minute')`;
const touchKey = db
  .update(apiKey)
  .set({ lastUsedAt: sql`statement_timestamp()` })
  .where(and(eq(apiKey.id, sql.placeholder('id')), isDue))
  .returning({ userId: apiKey.userId })
  .prepare('api_key_touch');
const touchKeyOfUser = db
  .update(apiKey)
  .set({ lastUsedAt: sql`statement_timestamp()` })
  .where(and(oneOfUser, isDue))
  .prepare('api_key_touch_of_user');

/** A key that was just made. */
export interface IssuedApiKey {
  /** The key itself. It is nowhere else: show it to its owner now. */
  key: string;
  record: ApiKeyRecord;
}

/**
 * Makes a key. Only a digest of it is stored.
 * @param scopes what it may do, in words of the application's; none unless given, and then it opens only what needs none
 * @param expiresAt for ever unless given
 * @param rateLimit without bound unless given
 * @param env a word in the key that tells keys of one place from those of another; `live` unless given
 * @throws NotFoundError USER_NOT_FOUND; InvalidArgumentError
 * @example
 * const { key, record } = await issueApiKey({ userId, name: 'Laptop', scopes: ['chats:read'] });
 * console.log(key); // mytx_live_8xQ…
 */
export async function issueApiKey(args: {
  userId: string;
  name: string;
  scopes?: readonly string[];
  expiresAt?: Date | null;
  rateLimit?: RateLimit | null;
  env?: string;
}): Promise<IssuedApiKey> {
  const { userId: owner, name: label, scopes, expiresAt, rateLimit, env = 'live' } = requireObject('issueApiKey', args);
  const word = requireEnv(env);
  const values = {
    userId: requireId('userId', owner),
    name: requireText('name', label, { max: textLimits.apiKeyName }),
    scopes: requireScopes(scopes),
    expiresAt: optionalMoment('expiresAt', expiresAt) ?? null,
    rateLimit: requireRateLimit(rateLimit),
  };
  return transaction(async () => {
    const issued = await insert(values, word);
    await recordEvent('api_key.issued', values.userId, { keyId: issued.record.id });
    return issued;
  });
}

interface NewKey {
  userId: string;
  name: string;
  scopes: string[];
  /** ISO text. */
  expiresAt: string | null;
  rateLimit: RateLimit | null;
}

async function insert({ rateLimit, ...values }: NewKey, env: string): Promise<IssuedApiKey> {
  const { key, prefix } = makeKeyText(env);
  const limits = { rateLimit: rateLimit?.limit ?? null, rateWindowSeconds: rateLimit?.windowSeconds ?? null };
  const row = { id: uuidv7(), ...values, ...limits, ...digestOfKey(key), prefix };
  const [written] = await named(insertIssued.execute(row), userMissing);
  return { key, record: toRecord(written as NonNullable<typeof written>) };
}

/**
 * Makes another key with the same name, scopes, expiry and rate limit. The old one lives on for the grace period, but
 * not beyond its own expiry. One that was rotated before hands on the end that it has since: rotate the newest.
 * @param graceSeconds 0 to 31,622,400 (366 days); 86,400 (a day) unless given. For a key that others know, 0
 * @throws NotFoundError KEY_NOT_FOUND where the user has no such key, or it is revoked or expired
 * @example const { key } = await rotateApiKey({ id: record.id, userId, graceSeconds: 3600 });
 */
export async function rotateApiKey(args: { id: string; userId: string; graceSeconds?: number }): Promise<IssuedApiKey> {
  const { id: keyId, userId: owner, graceSeconds = 86_400 } = requireObject('rotateApiKey', args);
  const place = { id: requireId('id', keyId), userId: requireId('userId', owner) };
  const grace = requireCount('graceSeconds', graceSeconds, 0, mostSeconds);
  return transaction(async () => {
    const [row] = await lockValid.execute(place);
    if (!row) throw keyNotFound();
    const { name: label, prefix, scopes, expiresAt, rateLimit } = toRecord(row);
    await endKey.execute({ ...place, graceSeconds: grace });
    const copied = { name: label, scopes, expiresAt: expiresAt?.toISOString() ?? null, rateLimit };
    const issued = await insert({ userId: place.userId, ...copied }, envOfPrefix(prefix) ?? 'live');
    await recordEvent('api_key.rotated', place.userId, { keyId: place.id, newKeyId: issued.record.id });
    return issued;
  });
}

function keyNotFound(): NotFoundError {
  return new NotFoundError(
    'KEY_NOT_FOUND',
    'id is not the id of a valid API key of this user',
    'Take an id of listApiKeys whose key is neither revoked nor expired, or issue a new key with issueApiKey.',
  );
}

/**
 * Ends a key: no check that begins behind this call lets it through. Its record stays.
 * @returns the record, also of one that was revoked before; `[]` when it is not there
 * @example await revokeApiKey({ id: record.id, userId });
 */
export async function revokeApiKey(args: { id: string; userId: string }): Promise<ApiKeyRecord[]> {
  const { id: keyId, userId: owner } = requireObject('revokeApiKey', args);
  const place = { id: requireId('id', keyId), userId: requireId('userId', owner) };
  const rows = await transaction(async () => {
    const revoked = await revokeKey.execute(place);
    if (revoked.length === 0) return oneRecord.execute(place);
    await recordEvent('api_key.revoked', place.userId, { keyId: place.id });
    return revoked;
  });
  return rows.map(toRecord);
}

/** A page of a user's keys, newest first, without digests, the revoked and expired ones too. */
export async function listApiKeys(args: ListArguments): Promise<Page<ApiKeyRecord>> {
  const { items, nextCursor } = await readPage('apiKeys', requireObject('listApiKeys', args), firstPage, nextPage);
  return { items: items.map(toRecord), nextCursor };
}

/**
 * A user's keys, newest first. The rows hold the hash or digest: do not send them to a browser (`listApiKeys` has none).
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
 * Stores a key that the caller made, as the bcrypt hash of it: as the original application does. New keys are made with
 * `issueApiKey`.
 * @throws ConflictError KEY_TAKEN when this hash is there already; NotFoundError USER_NOT_FOUND
 */
export async function createApiKeyRecord(args: { userId: string; hashedKey: string; name: string }): Promise<ApiKey[]> {
  const { userId: owner, hashedKey: hash, name: label } = requireObject('createApiKeyRecord', args);
  const values = {
    id: uuidv7(),
    userId: requireId('userId', owner),
    hashedKey: requireText('hashedKey', hash, { max: textLimits.apiKeyHash }),
    name: requireText('name', label, { max: textLimits.apiKeyName }),
  };
  const write = async (): Promise<ApiKey[]> => {
    const rows = await insertLegacy.execute(values);
    await recordEvent('api_key.issued', values.userId, { keyId: values.id });
    return rows;
  };
  return named(transaction(write), {
    ...userMissing,
    '23505': (cause) =>
      new ConflictError('KEY_TAKEN', 'this hash is stored already', 'Make a new key and hash it anew.', cause),
  });
}

/** Deletes a user's key. @returns how many there were: 1, or 0 when it was not there */
export async function deleteApiKeyByIdAndUserId(keyId: string, userId: string): Promise<number> {
  const place = { id: requireId('keyId', keyId), userId: requireId('userId', userId) };
  return transaction(async () => {
    const deleted = await removeKey.execute(place);
    if (deleted.length > 0) await recordEvent('api_key.deleted', place.userId, { keyId: place.id });
    return deleted.length;
  });
}

/**
 * Notes that a key was used now, once a minute at most. `findValidApiKey` and `verifyApiKey` do that themselves. With
 * `userId` only that user's. A key that is not there is not an error: it may have been deleted meanwhile.
 */
export async function updateApiKeyLastUsed(keyId: string, userId?: string): Promise<void> {
  const values = { id: requireId('keyId', keyId), userId: optionalId('userId', userId) };
  await (values.userId === undefined ? touchKey : touchKeyOfUser).execute(values);
}

const mostSeconds = 366 * 86_400;

function requireRateLimit(value: unknown): RateLimit | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') {
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      'rateLimit',
      `is ${describe(value)}; it must be { limit, windowSeconds }`,
      'Leave it out for a key without a limit.',
    );
  }
  const { limit, windowSeconds } = value as Partial<RateLimit>;
  return {
    limit: requireCount('rateLimit.limit', limit, 1, 1_000_000_000),
    windowSeconds: requireCount('rateLimit.windowSeconds', windowSeconds, 1, mostSeconds),
  };
}

function requireEnv(env: unknown): string {
  if (isKeyEnv(env)) return env;
  throw new InvalidArgumentError(
    'INVALID_ARGUMENT',
    'env',
    `is ${describe(env)}; it must be a word of 1 to 16 lower-case letters and digits`,
    'Pass a word such as live or test, or leave env out.',
  );
}

// API keys as the original application keeps them: a bcrypt hash that the caller made, which can only be compared with,
// one after the other. A key that is found is upgraded to a digest, which is looked up. What takes long is bounded: 50
// comparisons a call, few calls at once, and a key that was not found is not compared again for a minute.

import { createHmac, randomBytes } from 'node:crypto';
import { and, count, desc, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { digestOfKey } from './api-key-digest.ts';
import { kindOfKeyText, prefixOfForeignKey } from './api-key-format.ts';
import { updateApiKeyLastUsed } from './api-keys.ts';
import { optionalLimit, optionalOffset, requireObject } from './arguments.ts';
import { recordEvent } from './audit.ts';
import { db, transaction } from './database.ts';
import { ConflictError } from './errors.ts';
import { HashingLine } from './hashing-line.ts';
import { passwordByteLimit } from './limits.ts';
import { named } from './outcome.ts';
import { compareWithHash } from './passwords.ts';
import { type ApiKey, apiKey } from './schema.ts';
import { checkDigest, requireRawKey } from './verify-api-key.ts';

/** A key as its checker sees it: never with the hash. */
export type ValidApiKey = Omit<ApiKey, 'hashedKey'>;

/** Most comparisons of a call, about 60 ms of one core each. */
const reach = 50;

/** A shorter one may be somebody's words, which a fast digest would not protect: it stays as it is. */
const leastUpgradedLength = 20;

const isLegacy: SQL = isNull(apiKey.prefix);
const isOpen = and(
  isLegacy,
  isNull(apiKey.revokedAt),
  sql`(${apiKey.expiresAt} is null or ${apiKey.expiresAt} > statement_timestamp())`,
);
/** What begins otherwise is no hash of any library, and takes no place. */
const isBcrypt = sql`left(${apiKey.hashedKey}, 1) = '$'`;
const lastUsedFirst = [sql`${apiKey.lastUsedAt} desc nulls last`, apiKey.id];

const candidates = db
  .select({ id: apiKey.id, userId: apiKey.userId, hashedKey: apiKey.hashedKey })
  .from(apiKey)
  .where(and(isOpen, isBcrypt))
  .orderBy(...lastUsedFirst)
  .limit(reach)
  .prepare('legacy_api_keys_to_compare');
const shown = {
  ...{ id: apiKey.id, userId: apiKey.userId, name: apiKey.name },
  ...{ createdAt: apiKey.createdAt, lastUsedAt: apiKey.lastUsedAt },
};
const openKey = db
  .select(shown)
  .from(apiKey)
  .where(and(eq(apiKey.id, sql.placeholder('id')), isOpen))
  .prepare('legacy_api_key');
const upgradeKey = db
  .update(apiKey)
  .set({
    hashedKey: sql`${sql.placeholder('digest')}`,
    prefix: sql`${sql.placeholder('prefix')}`,
    pepperId: sql`${sql.placeholder('pepperId')}`,
  })
  .where(and(eq(apiKey.id, sql.placeholder('id')), eq(apiKey.hashedKey, sql.placeholder('hashedKey')), isLegacy))
  .returning({ userId: apiKey.userId })
  .prepare('legacy_api_key_upgrade');
const isComparable = sql`(${isBcrypt} and ${isOpen})`;
const listed = db
  .select({ ...shown, isComparable: sql<boolean>`${isComparable}` })
  .from(apiKey)
  .where(isLegacy)
  .orderBy(desc(isComparable), ...lastUsedFirst)
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('legacy_api_keys');
const counted = db
  .select({ total: count(), comparable: sql<string>`count(*) filter (where ${isComparable})`.mapWith(Number) })
  .from(apiKey)
  .where(isLegacy)
  .prepare('legacy_api_keys_count');

/**
 * The record of a key, new or old, or null where it does not open anything (any more). An old one is compared with 50
 * stored hashes at most, last used first, off the event loop; where it fits and is long enough to be random, it is
 * upgraded: from then on it costs one look-up. Keys that are not among the 50 are listed by `listLegacyApiKeys`.
 * @returns the record without the hash; `lastUsedAt` is the use before this one
 * @throws BusyError HASHING_BUSY where too many old keys are looked for at once
 * @example const record = await findValidApiKey(rawKey);
 */
export async function findValidApiKey(rawKey: string): Promise<ValidApiKey | null> {
  const kind = kindOfKeyText(requireRawKey(rawKey));
  if (kind === 'malformed') return null;
  // bcrypt reads 72 bytes, and repeats what ends with a U+0000: a longer or another key would fit.
  const canBeOld = rawKey !== '' && rawKey.isWellFormed() && !rawKey.includes('\0');
  if (!canBeOld || Buffer.byteLength(rawKey) > passwordByteLimit) return null;
  const found = await findByDigest(rawKey);
  if (found !== undefined || kind === 'key') return found ?? null;
  const match = await findByComparing(rawKey);
  if (match && rawKey.length < leastUpgradedLength) return useAsItIs(match.id);
  if (match) await upgrade(match, rawKey);
  // Also without a match: another caller may have upgraded it between the two looks.
  return (await findByDigest(rawKey)) ?? null;
}

/** Undefined where nobody has it, null where it is refused. */
async function findByDigest(rawKey: string): Promise<ValidApiKey | null | undefined> {
  const verdict = await checkDigest(rawKey, []);
  if (!verdict.ok) return verdict.reason === 'unknown' ? undefined : null;
  const { id, userId, name, createdAt, lastUsedAt } = verdict.record;
  return { id, userId, name, createdAt, lastUsedAt };
}

type Candidate = Pick<ApiKey, 'id' | 'userId' | 'hashedKey'>;

/** Not many at once: sign-ins are in the same line for the threads. */
const searches = new HashingLine({ maxConcurrent: 2, maxWaiting: 100 });

async function findByComparing(rawKey: string): Promise<Candidate | undefined> {
  // All of them at once: between pages a key that is used would move to the front, and be passed over.
  const open = await candidates.execute();
  const known = misses.of(rawKey);
  const unknown = open.filter(({ hashedKey }) => !known?.has(hashedKey));
  if (unknown.length === 0) return undefined;
  return searches.run(async () => {
    for (const candidate of unknown) {
      if (await compareWithHash(rawKey, candidate.hashedKey)) return candidate;
    }
    misses.add(rawKey, open);
    return undefined;
  });
}

/** Another process may upgrade or delete it at the same time: what is stored then is asked again. */
async function upgrade({ id, hashedKey }: Candidate, rawKey: string): Promise<void> {
  const { digest, pepperId } = digestOfKey(rawKey);
  const write = async (): Promise<void> => {
    const values = { id, hashedKey, digest, pepperId, prefix: prefixOfForeignKey(rawKey) };
    const [written] = await upgradeKey.execute(values);
    if (written) await recordEvent('api_key.upgraded', written.userId, { keyId: id });
  };
  await named(transaction(write), { '23505': takenMeanwhile }).catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error; // the same key in two records: the other one was faster
  });
}

function takenMeanwhile(cause: unknown): ConflictError {
  return new ConflictError('KEY_TAKEN', 'this key is stored already', 'Make a new key.', cause);
}

async function useAsItIs(id: string): Promise<ValidApiKey | null> {
  const [record] = await openKey.execute({ id });
  if (record) await updateApiKeyLastUsed(id);
  return record ?? null;
}

export interface LegacyApiKey extends ValidApiKey {
  /** `findValidApiKey` compares with it. */
  isWithinReach: boolean;
}

/**
 * The old keys of all users that nobody has used since they are upgraded at their first use: for who runs the
 * application. The first 50 are compared with in each call, last used first. Those behind them are not found: give their
 * owners others (`rotateApiKey`), or let the first ones be used. Nor is what is revoked, expired or no bcrypt hash, which
 * stands last.
 * @param limit 1 to 10,000; 1,000 unless given
 * @returns a page of them, how many there are, and how many of them `findValidApiKey` does not find
 * @example const { total, beyondReach } = await listLegacyApiKeys({ limit: 1 });
 */
export async function listLegacyApiKeys(args: {
  limit?: number;
  offset?: number;
}): Promise<{ items: LegacyApiKey[]; total: number; beyondReach: number }> {
  const { limit, offset } = requireObject('listLegacyApiKeys', args);
  const page = { limit: optionalLimit(limit, { fallback: 1000, max: 10_000 }), offset: optionalOffset(offset) };
  const rows = await listed.execute(page);
  const [all] = await counted.execute();
  const { total = 0, comparable = 0 } = all ?? {};
  const items = rows.map(({ isComparable: canBeCompared, ...row }, i) => ({
    ...row,
    isWithinReach: canBeCompared && page.offset + i < reach,
  }));
  return { items, total, beyondReach: total - Math.min(reach, comparable) };
}

/** Which hashes a key was compared with in vain, for a minute. Holds digests under a key of this process, never keys. */
class Misses {
  private readonly entries = new Map<string, { untilMs: number; hashes: ReadonlySet<string> }>();
  private readonly secret = randomBytes(32);

  of(rawKey: string): ReadonlySet<string> | undefined {
    const entry = this.entries.get(this.digest(rawKey));
    return entry && entry.untilMs > performance.now() ? entry.hashes : undefined;
  }

  add(rawKey: string, compared: readonly Candidate[]): void {
    const digest = this.digest(rawKey);
    this.entries.delete(digest); // so that it is the last one
    this.entries.set(digest, {
      untilMs: performance.now() + 60_000,
      hashes: new Set(compared.map(({ hashedKey }) => hashedKey)),
    });
    const oldest = this.entries.keys().next().value;
    if (this.entries.size > 1000 && oldest !== undefined) this.entries.delete(oldest);
  }

  private digest(rawKey: string): string {
    return createHmac('sha256', this.secret).update(rawKey).digest('base64');
  }
}

const misses = new Misses();

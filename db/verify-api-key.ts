// Checks an API key: one statement finds it by its digest and decides on expiry, revocation, scopes and rate limit by the
// server's clock. It writes where a limit counts, and the last use once a minute; it never writes back what it read, so
// that no check undoes a revocation.

import { digestsOfKey, type KeyDigest } from './api-key-digest.ts';
import { kindOfKeyText } from './api-key-format.ts';
import type { ApiKeyRecord } from './api-key-record.ts';
import { requireScopes } from './api-key-scopes.ts';
import { describe } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';
import { apiKey } from './schema.ts';
import { readMoment, statement } from './statement.ts';

/** Why a key was refused. */
export type ApiKeyRefusal =
  /** Not a key, by its text alone; no database was asked. */
  | { ok: false; reason: 'malformed' }
  /** Nobody's key: made up, or deleted. */
  | { ok: false; reason: 'unknown' }
  | { ok: false; reason: 'revoked' | 'expired'; keyId: string }
  | { ok: false; reason: 'missing_scope'; keyId: string; missingScopes: string[] }
  | { ok: false; reason: 'rate_limited'; keyId: string; retryAfterSeconds: number };

export type ApiKeyVerdict = { ok: true; record: ApiKeyRecord } | ApiKeyRefusal;

interface Found {
  record: ApiKeyRecord;
  pepperId: string | null;
  refusal: 'revoked' | 'expired' | 'missing_scope' | 'rate_limited' | null;
  retryAfterSeconds: number;
  wasCounted: boolean;
}

/**
 * `due` takes the lock of a key without a limit whose last use is to be noted, or lets another caller do it; only
 * callers of a key with a limit wait for one another. What decides is asked again of the row as it is when it is
 * locked. `statement_timestamp()`, because `now()` stands still in a transaction.
 */
const findAndCount = statement(
  `with found as (
  select id, "userId", name, prefix, scopes, "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit",
    "rateWindowSeconds", "pepperId",
    "windowStartedAt" + make_interval(secs => "rateWindowSeconds") as "windowEndsAt",
    case
      when "revokedAt" is not null then 'revoked'
      when "expiresAt" <= statement_timestamp() then 'expired'
      when not scopes @> $2::varchar[] then 'missing_scope'
      when "windowCount" >= "rateLimit"
        and "windowStartedAt" + make_interval(secs => "rateWindowSeconds") > statement_timestamp() then 'rate_limited'
    end as refusal
  from "ApiKey"
  where "hashedKey" = any($1::text[]) and prefix is not null
  limit 1
), due as (
  select key.id
  from found
  join "ApiKey" key on key.id = found.id
  where found.refusal is null
    and found."rateLimit" is null
    and (found."lastUsedAt" is null or found."lastUsedAt" <= statement_timestamp() - interval '1 minute')
    and (key."lastUsedAt" is null or key."lastUsedAt" <= statement_timestamp() - interval '1 minute')
  for no key update of key skip locked
), counted as (
  update "ApiKey" key
  set "lastUsedAt" = case
      when key."lastUsedAt" > statement_timestamp() - interval '1 minute' then key."lastUsedAt"
      else statement_timestamp()
    end,
    "windowStartedAt" = case
      when key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") > statement_timestamp()
        then key."windowStartedAt"
      when key."rateLimit" is not null then statement_timestamp()
    end,
    "windowCount" = case
      when key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") > statement_timestamp()
        then key."windowCount" + 1
      when key."rateLimit" is not null then 1
      else 0
    end
  from found
  where key.id = found.id
    and found.refusal is null
    and (found."rateLimit" is not null or exists (select from due))
    and key."revokedAt" is null
    and (key."expiresAt" is null or key."expiresAt" > statement_timestamp())
    and (
      key."rateLimit" is null
      or key."windowCount" < key."rateLimit"
      or key."windowStartedAt" + make_interval(secs => key."rateWindowSeconds") <= statement_timestamp()
    )
  returning key.id
)
select found.id, "userId", name, prefix, scopes, "createdAt", "lastUsedAt", "expiresAt", "revokedAt", "rateLimit",
  "rateWindowSeconds", "pepperId", refusal,
  ceil(extract(epoch from "windowEndsAt" - statement_timestamp()))::int, counted.id is not null
from found
left join counted on counted.id = found.id`,
  toFound,
  // Its owner need not see in lists at once that a key was used: a replica may go on answering.
  { userId: 'nobody' },
);

/** To the current pepper; where the key is as it was when it was found. */
const renewDigest = statement(
  `update "ApiKey"
set "hashedKey" = $3::text, "pepperId" = $4::varchar
where id = $1::uuid and "hashedKey" = $2::text`,
  () => undefined,
  { userId: 'nobody' },
);

function toFound(row: unknown[]): Found {
  const [id, userId, name, prefix, scopes, createdAt, lastUsedAt, expiresAt, revokedAt, limit, windowSeconds] = row;
  const [pepperId, refusal, retryAfter, wasCounted] = row.slice(11);
  const moment = (value: unknown): Date | null => (value === null ? null : readMoment(value));
  return {
    record: {
      id: id as string,
      userId: userId as string,
      name: name as string,
      prefix: prefix as string | null,
      scopes: apiKey.scopes.mapFromDriverValue(scopes as string) as string[],
      createdAt: readMoment(createdAt),
      lastUsedAt: moment(lastUsedAt),
      expiresAt: moment(expiresAt),
      revokedAt: moment(revokedAt),
      rateLimit: limit === null ? null : { limit: limit as number, windowSeconds: windowSeconds as number },
    },
    pepperId: pepperId as string | null,
    refusal: refusal as Found['refusal'],
    retryAfterSeconds: Math.max(1, (retryAfter as number | null) ?? 1),
    wasCounted: wasCounted as boolean,
  };
}

/** Array literals: base64url and the characters of a scope need no escapes within quotes. */
const textArray = (values: readonly string[]): string => `{${values.map((value) => `"${value}"`).join()}}`;

/**
 * Says whether a key opens what needs these scopes, and counts it as used. One statement; none for a text that is no
 * key. Revocation and expiry hold from the next call on; the rate limit is exact, whoever asks at once.
 * @param scopes all of which the key must have; none unless given
 * @returns `{ ok: true, record }`, whose `lastUsedAt` is the use before this one, to the minute; or `{ ok: false, reason }`
 * @throws InvalidArgumentError where `rawKey` is no text, or `scopes` are none
 * @example
 * const verdict = await verifyApiKey(request.headers.get('x-api-key') ?? '', { scopes: ['chats:read'] });
 * if (!verdict.ok) return new Response(verdict.reason, { status: verdict.reason === 'rate_limited' ? 429 : 401 });
 */
export async function verifyApiKey(
  rawKey: string,
  { scopes }: { scopes?: readonly string[] } = {},
): Promise<ApiKeyVerdict> {
  requireRawKey(rawKey);
  const wanted = requireScopes(scopes);
  if (kindOfKeyText(rawKey) !== 'key') return { ok: false, reason: 'malformed' };
  return checkDigest(rawKey, wanted);
}

export function requireRawKey(rawKey: unknown): string {
  if (typeof rawKey === 'string') return rawKey;
  throw new InvalidArgumentError(
    rawKey === undefined ? 'MISSING_ARGUMENT' : 'INVALID_ARGUMENT',
    'rawKey',
    `is ${describe(rawKey)}; it must be a text`,
    'Pass the key as the caller of your API sent it.',
  );
}

/** The same for a text of any form: keys that others made are found by their digest too, once they were upgraded. */
export async function checkDigest(rawKey: string, scopes: readonly string[]): Promise<ApiKeyVerdict> {
  const digests = digestsOfKey(rawKey);
  const digestsText = textArray(digests.map(({ digest }) => digest));
  for (let attempt = 1; ; attempt += 1) {
    const [found] = await findAndCount.run(digestsText, textArray(scopes));
    if (!found) return { ok: false, reason: 'unknown' };
    const { record, refusal, wasCounted } = found;
    // Not refused and not counted: others were faster while this call waited. What is true now, the next one sees.
    const isOvertaken = refusal === null && record.rateLimit !== null && !wasCounted;
    if (isOvertaken && attempt < 5) continue;
    if (isOvertaken || refusal !== null) return refuse(found, scopes);
    await keepPepperCurrent(found, digests);
    return { ok: true, record };
  }
}

function refuse({ record, refusal, retryAfterSeconds }: Found, scopes: readonly string[]): ApiKeyRefusal {
  const keyId = record.id;
  if (refusal === 'revoked' || refusal === 'expired') return { ok: false, reason: refusal, keyId };
  if (refusal === 'missing_scope') {
    const missingScopes = scopes.filter((scope) => !record.scopes.includes(scope));
    return { ok: false, reason: refusal, keyId, missingScopes };
  }
  return { ok: false, reason: 'rate_limited', keyId, retryAfterSeconds };
}

/** So that an old pepper can be given up when every key in use was used once. */
async function keepPepperCurrent({ record, pepperId }: Found, digests: readonly KeyDigest[]): Promise<void> {
  const [current] = digests as [KeyDigest];
  if (pepperId === current.pepperId) return;
  const stored = digests.find((one) => one.pepperId === pepperId);
  if (stored) await renewDigest.run(record.id, stored.digest, current.digest, current.pepperId);
}

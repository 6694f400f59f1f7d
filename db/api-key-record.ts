// An API key as it is shown to its owner and to who checks it: never with the digest.

import { getTableColumns, type InferSelectModel } from 'drizzle-orm';
import { apiKey } from './schema.ts';

export interface RateLimit {
  /** How many verifications are let through in a window: 1 to 1,000,000,000. */
  limit: number;
  /** How long a window is, from its first verification on: 1 to 31,622,400 (366 days). */
  windowSeconds: number;
}

type Row = InferSelectModel<typeof apiKey>;

export type ApiKeyRecord = Pick<
  Row,
  'id' | 'userId' | 'name' | 'prefix' | 'scopes' | 'createdAt' | 'lastUsedAt' | 'expiresAt' | 'revokedAt'
> & { rateLimit: RateLimit | null };

const { id, userId, name, prefix, scopes, createdAt, lastUsedAt, expiresAt, revokedAt, rateLimit, rateWindowSeconds } =
  getTableColumns(apiKey);

/** What a query selects or returns, for `toRecord`. */
export const recordColumns = {
  ...{ id, userId, name, prefix, scopes, createdAt, lastUsedAt, expiresAt, revokedAt, rateLimit, rateWindowSeconds },
};

type RecordRow = Pick<Row, keyof typeof recordColumns>;

export function toRecord({ rateLimit: limit, rateWindowSeconds: windowSeconds, ...shown }: RecordRow): ApiKeyRecord {
  return { ...shown, rateLimit: limit === null || windowSeconds === null ? null : { limit, windowSeconds } };
}

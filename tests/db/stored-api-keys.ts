// API keys as the original application stores them, and what the database holds of a key.

import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/bcrypt';
import { eq, sql } from 'drizzle-orm';
import { createApiKeyRecord, db } from '../../db/queries.ts';
import { type ApiKey, apiKey } from '../../db/schema.ts';

/** A key as the original application makes it. */
export const newRawKey = (): string => `mytx_${randomBytes(32).toString('hex')}`;

/** The cheapest there is. */
export const hashOf = (key: string): Promise<string> => hash(key, { cost: 4 });

export async function storeLegacy(
  userId: string,
  name: string,
  key: string = newRawKey(),
): Promise<{ key: string; record: ApiKey }> {
  const [record] = await createApiKeyRecord({ userId, hashedKey: await hashOf(key), name });
  return { key, record: record as ApiKey };
}

/** The whole row, with what no function shows. */
export async function rowOf(id: string): Promise<typeof apiKey.$inferSelect> {
  const row = await db.query.apiKey.findFirst({ where: eq(apiKey.id, id) });
  if (!row) throw new Error(`there is no key ${id}`);
  return row;
}

/** As if so many seconds had gone by since it was used, and since its window began. */
export async function letPass(id: string, seconds: number): Promise<void> {
  const earlier = sql`make_interval(secs => ${seconds}::int)`;
  await db
    .update(apiKey)
    .set({
      lastUsedAt: sql`${apiKey.lastUsedAt} - ${earlier}`,
      windowStartedAt: sql`${apiKey.windowStartedAt} - ${earlier}`,
      expiresAt: sql`${apiKey.expiresAt} - ${earlier}`,
    })
    .where(eq(apiKey.id, id));
}

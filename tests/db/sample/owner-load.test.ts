// Loading as an owner who is no superuser: COPY into the tables is refused there (row-level security is forced on them),
// and the rows are the same all the same.

import { sql } from 'drizzle-orm';
import { describe, expect, inject, test } from 'vitest';
import { createDatabase, execute } from '../../../db/database.ts';
import { db } from '../../../db/queries.ts';
import { loadScaledSample } from '../../../db/sample/load-scaled.ts';
import { newOwnedDatabase } from '../owned-database.ts';

/** More than one batch, and all that COPY and JSON write in their own ways. */
const messages = 6_001;

async function digestOfAll(): Promise<unknown> {
  const [row] = await db.execute(sql`
    select count(*)::int as messages, md5(string_agg(m::text, chr(10) order by m::text)) as rows
    from (
      select c.id, u.email, u."displayName", u."avatarUrl", c.title, c.preview, c."messageCount",
        encode(c.digest, 'hex') as digest, c."digestCount", c."updatedAt",
        position, active, role, "ownIdHash", body::text as text, m."createdAt"
      from "Message" m
      join "Chat" c on c.id = m."chatId"
      join "User" u on u.id = c."userId"
    ) m`);
  return row;
}

describe.each(inject('servers'))('on PostgreSQL $version', ({ url }) => {
  test('the rows are those that a superuser loads by COPY', { timeout: 120_000 }, async () => {
    const owned = await newOwnedDatabase(url);
    const superuser = await createDatabase({ url: owned.superuserUrl });
    const copied = await superuser.run(async () => {
      await loadScaledSample({ messages });
      const digest = await digestOfAll();
      await execute('truncate "User" cascade', [], false);
      return digest;
    });
    const owner = await createDatabase({ url: owned.url });
    await owner.run(async () => {
      const copy = execute('copy "Message" from stdin', [], false);
      await expect(copy).rejects.toMatchObject({ details: { sqlState: '0A000' } });
      expect(await loadScaledSample({ messages })).toMatchObject({ messages });
      expect(await digestOfAll()).toEqual(copied);
      expect(copied).toMatchObject({ messages });
    });
    await superuser.close();
    await owner.close();
    await owned.drop();
  });
});

// Adds a person with so many messages, as one statement makes them: chats of 1,000, whose last message has two versions.

import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { db } from '../../../db/database.ts';

/** Of each chat: 999 on the active path, and another one in the place of the last. */
const path = 999;

/** Messages of about 700 bytes, some of them not ASCII. @returns the id of the user */
export async function addLargePerson(messages: number): Promise<string> {
  const userId = randomUUID();
  const chats = messages / (path + 1);
  await db.execute(sql`insert into "User" (id, email) values (${userId}, ${`${userId.slice(0, 30)}@example.com`})`);
  await db.execute(sql`
    insert into "Chat" (id, "userId", "messageCount", "headId")
    select md5(${userId} || c)::uuid, ${userId}, ${path}::int, md5(${userId} || c || '-' || ${path - 1}::int)::uuid
    from generate_series(1, ${chats}::int) c`);
  await db.execute(sql`
    insert into "Message" (id, "userId", "chatId", "parentId", position, active, role, body)
    select
      md5(${userId} || c || '-' || n)::uuid,
      ${userId},
      md5(${userId} || c)::uuid,
      case when place > 0 then md5(${userId} || c || '-' || place - 1)::uuid end,
      place,
      n = place,
      'user',
      json_build_object('role', 'user', 'content', repeat(md5(n::text) || ' שלום ', 16))
    from generate_series(1, ${chats}::int) c, generate_series(0, ${path}::int) n, least(n, ${path - 1}::int) place
    order by c, n`);
  return userId;
}

// The way that the project's specification shows: a chat is one row with all messages in a JSON column, read by its id
// and rewritten as a whole on each save.

import { eq, type InferSelectModel } from 'drizzle-orm';
import { json, pgTable, timestamp, uuid } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

const wholeChat = pgTable('WholeChat', {
  id: uuid('id').primaryKey().notNull(),
  createdAt: timestamp('createdAt').notNull(),
  messages: json('messages').notNull(),
  userId: uuid('userId').notNull(),
});

export interface SpecWay {
  saveChat(chat: { id: string; messages: unknown; userId: string }): Promise<void>;
  getChatById(chat: { id: string }): Promise<{ messages: unknown } | undefined>;
  close(): Promise<void>;
}

export async function openSpecWay(url: string): Promise<SpecWay> {
  const sql = postgres(url, { onnotice: () => {} });
  const db = drizzle(sql);
  await sql`create table if not exists "WholeChat" (
    id uuid primary key, "createdAt" timestamp not null, messages json not null, "userId" uuid not null
  )`;
  const find = async (id: string): Promise<InferSelectModel<typeof wholeChat>[]> =>
    db.select().from(wholeChat).where(eq(wholeChat.id, id));
  return {
    async saveChat({ id, messages, userId }): Promise<void> {
      const stored = JSON.stringify(messages); // so it is a text inside the JSON column
      if ((await find(id)).length > 0) {
        await db.update(wholeChat).set({ messages: stored }).where(eq(wholeChat.id, id));
      } else {
        await db.insert(wholeChat).values({ id, createdAt: new Date(), messages: stored, userId });
      }
    },
    async getChatById({ id }): Promise<{ messages: unknown } | undefined> {
      const [row] = await find(id);
      return row && { messages: row.messages }; // Drizzle parses the text that is in the JSON
    },
    close: () => sql.end(),
  };
}

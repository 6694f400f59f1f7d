// The way that the project's specification shows: a chat is one row with all messages in a JSON column, read by its id
// and rewritten as a whole on each save; a list is all that there is; each query is built anew. Has tables of its own.

import { randomBytes, randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/bcrypt';
import { desc, eq } from 'drizzle-orm';
import { json, pgSchema, timestamp, uuid, varchar } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { callers } from './stage.ts';

const spec = pgSchema('spec_way');
const user = spec.table('User', {
  id: uuid('id').primaryKey().notNull().defaultRandom(),
  email: varchar('email', { length: 64 }).notNull(),
  password: varchar('password', { length: 64 }),
});
const chat = spec.table('Chat', {
  id: uuid('id').primaryKey().notNull(),
  createdAt: timestamp('createdAt').notNull(),
  messages: json('messages').notNull(),
  userId: uuid('userId').notNull(),
});
const memory = spec.table('Memory', {
  id: uuid('id').primaryKey().notNull().defaultRandom(),
  userId: uuid('user_id').notNull(),
  content: varchar('content').notNull(),
  createdAt: timestamp('created_at').notNull().defaultNow(),
});

const apiKey = spec.table('ApiKey', {
  id: uuid('id').primaryKey().notNull().defaultRandom(),
  hashedKey: varchar('hashedKey').notNull(),
});

const tables = `create schema if not exists spec_way;
create table if not exists spec_way."User" (
  id uuid primary key default gen_random_uuid(), email varchar(64) not null, password varchar(64)
);
create table if not exists spec_way."Chat" (
  id uuid primary key, "createdAt" timestamp not null, messages json not null, "userId" uuid not null
);
create table if not exists spec_way."Memory" (
  id uuid primary key default gen_random_uuid(), user_id uuid not null, content varchar not null,
  created_at timestamp not null default now()
);
create table if not exists spec_way."ApiKey" (id uuid primary key default gen_random_uuid(), "hashedKey" varchar not null);`;

export interface SpecWay {
  addUser(email: string): Promise<string>;
  getUser(email: string): Promise<unknown[]>;
  saveChat(chat: { id: string; messages: unknown; userId: string }): Promise<void>;
  getChatById(chat: { id: string }): Promise<{ messages: unknown } | undefined>;
  getChatsByUserId(user: { id: string }): Promise<unknown[]>;
  /** A page by LIMIT and OFFSET. */
  pageOfChats(user: { id: string; offset: number }): Promise<unknown[]>;
  saveMemory(memory: { userId: string; content: string }): Promise<void>;
  getMemoriesByUserId(user: { userId: string }): Promise<unknown[]>;
  /** Stores so many new keys, in the place of those there are. @returns the keys */
  addApiKeys(count: number, cost: number): Promise<string[]>;
  findValidApiKey(rawKey: string): Promise<unknown>;
  /** Many chats with no message, for a long list. */
  addEmptyChats(userId: string, count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openSpecWay(url: string): Promise<SpecWay> {
  const sql = postgres(url, { max: callers, onnotice: () => {} });
  const db = drizzle(sql);
  await sql.unsafe(tables).simple();
  return {
    async addUser(email): Promise<string> {
      const id = randomUUID();
      await db.insert(user).values({ id, email, password: null });
      return id;
    },
    getUser: async (email) => db.select().from(user).where(eq(user.email, email)),
    async saveChat({ id, messages, userId }): Promise<void> {
      const stored = JSON.stringify(messages); // so it is a text inside the JSON column
      if ((await db.select().from(chat).where(eq(chat.id, id))).length > 0) {
        await db.update(chat).set({ messages: stored }).where(eq(chat.id, id));
      } else {
        await db.insert(chat).values({ id, createdAt: new Date(), messages: stored, userId });
      }
    },
    async getChatById({ id }): Promise<{ messages: unknown } | undefined> {
      const [row] = await db.select().from(chat).where(eq(chat.id, id));
      return row && { messages: row.messages }; // Drizzle parses the text that is in the JSON
    },
    getChatsByUserId: async ({ id }) => db.select().from(chat).where(eq(chat.userId, id)).orderBy(desc(chat.createdAt)),
    pageOfChats: async ({ id, offset }) =>
      db.select().from(chat).where(eq(chat.userId, id)).orderBy(desc(chat.createdAt)).limit(20).offset(offset),
    async saveMemory({ userId, content }): Promise<void> {
      await db.insert(memory).values({ userId, content });
    },
    getMemoriesByUserId: async ({ userId }) =>
      db.select().from(memory).where(eq(memory.userId, userId)).orderBy(desc(memory.createdAt)),
    async addApiKeys(count, cost): Promise<string[]> {
      const keys = Array.from({ length: count }, () => `mytx_${randomBytes(32).toString('hex')}`);
      const rows = await Promise.all(keys.map(async (key) => ({ hashedKey: await hash(key, { cost }) })));
      await db.delete(apiKey);
      await db.insert(apiKey).values(rows);
      return keys;
    },
    async findValidApiKey(rawKey): Promise<unknown> {
      for (const row of await db.select().from(apiKey)) if (await verify(rawKey, row.hashedKey)) return row;
      return null;
    },
    async addEmptyChats(userId, count): Promise<void> {
      await sql`insert into spec_way."Chat" (id, "createdAt", messages, "userId")
        select gen_random_uuid(), now() - make_interval(secs => n), '[]', ${userId}
        from generate_series(1, ${count}::int) n`;
      await sql`analyze spec_way."Chat"`;
    },
    close: () => sql.end(),
  };
}

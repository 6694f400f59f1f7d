// The assistant's tables, their relations and row types. Every index and constraint has a name of its own.
// Rules that hold for each table (a test checks them in the catalogue): a row that belongs to a user carries
// the user's id; composite foreign keys keep it equal to the parent's; every foreign key has an index;
// time is timestamptz(3); a text has a limit. db/protocols-schema.ts holds the Protocol tables.

import { type InferSelectModel, relations, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { atMost, between1And, bytea, moment } from './columns.ts';
import { jsonLimits, textLimits } from './limits.ts';
import { protocols } from './protocols-schema.ts';
import type { FlightReservation } from './reservation-details.ts';
import type { TaskStatus } from './task-status.ts';
import { taskStatuses } from './task-status.ts';
import { uuidv7 } from './uuid.ts';

/** A person who talks to the assistant. `password` is a bcrypt hash, or null for who signs in another way. */
export const user = pgTable(
  'User',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    email: varchar('email', { length: textLimits.email }).notNull(),
    password: varchar('password', { length: 64 }),
    displayName: varchar('displayName', { length: textLimits.displayName }),
    avatarUrl: varchar('avatarUrl', { length: textLimits.avatarUrl }),
  },
  (table) => [uniqueIndex('User_email_key').on(sql`lower(${table.email})`)],
);

/**
 * A conversation. Its messages are rows of `message`; the columns below `title` say where the active path of
 * that tree ends, and are written only by the functions of db/queries.ts, always together with the messages.
 */
export const chat = pgTable(
  'Chat',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('userId').notNull(),
    title: text('title'),
    /** The beginning of the first message of the user on the active path; null where there is none yet. */
    preview: text('preview'),
    /** How many messages the active path has: the position of the next one. */
    messageCount: integer('messageCount').notNull().default(0),
    /** The last message of the active path. No foreign key: Message already refers to Chat. */
    headId: uuid('headId'),
    /** Grows with each change to the messages: what was read under an older revision may be out of date. */
    revision: integer('revision').notNull().default(0),
    /** SHA-256 of the JSON text of the first `digestCount` active messages, as the last saveChat sent them. */
    digest: bytea('digest'),
    digestCount: integer('digestCount').notNull().default(0),
    createdAt: moment('createdAt').notNull().defaultNow(),
    updatedAt: moment('updatedAt').notNull().defaultNow(),
  },
  (table) => [
    unique('Chat_userId_id_key').on(table.userId, table.id),
    index('Chat_userId_createdAt_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Chat_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check('Chat_title_check', atMost(table.title, textLimits.chatTitle)),
    check('Chat_preview_check', atMost(table.preview, textLimits.chatPreview)),
    check(
      'Chat_counts_check',
      sql`${table.messageCount} >= 0 and ${table.digestCount} between 0 and ${table.messageCount}`,
    ),
  ],
);

/**
 * A message: one node of its chat's tree. The rows with `active` are the path that is visible, one for each
 * position from 0 on. `body` is the message to the last character (type `json`: `jsonb` would lose U+0000 and
 * the order of keys); nothing searches inside it.
 */
export const message = pgTable(
  'Message',
  {
    id: uuid('id').notNull().$defaultFn(uuidv7),
    userId: uuid('userId').notNull(),
    chatId: uuid('chatId').notNull(),
    /** The message before this one; null for the first. */
    parentId: uuid('parentId'),
    /** Depth in the tree, from 0. */
    position: integer('position').notNull(),
    active: boolean('active').notNull().default(true),
    /** The message's `role`, where it has one that is a text. */
    role: varchar('role', { length: textLimits.messageRole }),
    /** The first 53 bits of SHA-256 of the message's own `id`, where it has one: finds a message sent twice. */
    ownIdHash: bigint('ownIdHash', { mode: 'number' }),
    body: json('body').$type<Record<string, unknown>>().notNull(),
    createdAt: moment('createdAt').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: 'Message_pkey', columns: [table.userId, table.chatId, table.id] }),
    uniqueIndex('Message_userId_chatId_position_key')
      .on(table.userId, table.chatId, table.position)
      .where(sql`${table.active}`),
    // Both begin with the column that tells rows apart. Where they began with the chat, PostgreSQL took them for the
    // primary key's work and read a chat of 10,000 messages for each message (deleting it took 7 s, now 0.1). Where the
    // chat stood behind the parent, it did so with statistics of an empty table: each message of a load read it all.
    // The first messages, which have no parent, stand in front: the newest parent is the end of the index then, whose
    // pages fill up, and are not split in two.
    index('Message_parentId_idx').on(table.parentId.nullsFirst()),
    index('Message_ownIdHash_chatId_idx').on(table.ownIdHash, table.chatId).where(sql`${table.ownIdHash} is not null`),
    foreignKey({
      name: 'Message_userId_chatId_fkey',
      columns: [table.userId, table.chatId],
      foreignColumns: [chat.userId, chat.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'Message_userId_chatId_parentId_fkey',
      columns: [table.userId, table.chatId, table.parentId],
      foreignColumns: [table.userId, table.chatId, table.id],
    }),
    check(
      'Message_position_check',
      sql`${table.position} >= 0 and (${table.position} = 0) = (${table.parentId} is null)`,
    ),
    check(
      'Message_body_check',
      sql`json_typeof(${table.body}) = 'object' and octet_length(${table.body}::text) <= ${sql.raw(String(jsonLimits.message))}`,
    ),
  ],
);

/** A flight that is being booked. The caller gives the id, so that saving it twice is safe. */
export const reservation = pgTable(
  'Reservation',
  {
    id: uuid('id').primaryKey().notNull(),
    createdAt: moment('createdAt').notNull().defaultNow(),
    details: jsonb('details').$type<FlightReservation>().notNull(),
    hasCompletedPayment: boolean('hasCompletedPayment').notNull().default(false),
    userId: uuid('userId').notNull(),
  },
  (table) => [
    index('Reservation_userId_createdAt_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Reservation_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete(
      'cascade',
    ),
    check('Reservation_details_check', sql`jsonb_typeof(${table.details}) = 'object'`),
  ],
);

/** Something the assistant was asked to remember. A user has a text once. */
export const memories = pgTable(
  'Memory',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('user_id').notNull(),
    content: text('content').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    // A btree holds keys up to 2,704 bytes, a memory may be longer: its digest stands for it.
    uniqueIndex('Memory_user_id_content_key').on(table.userId, sql`md5(${table.content})`),
    index('Memory_user_id_created_at_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Memory_user_id_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check('Memory_content_check', between1And(table.content, textLimits.memoryContent)),
  ],
);

/** Something to be done. */
export const tasks = pgTable(
  'Task',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('user_id').notNull(),
    description: text('description').notNull(),
    status: text('status').$type<TaskStatus>().notNull().default('pending'),
    dueAt: moment('due_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    /** When the status became what it is now. */
    statusChangedAt: moment('status_changed_at').notNull().defaultNow(),
  },
  (table) => [
    index('Task_user_id_created_at_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Task_user_id_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check('Task_description_check', between1And(table.description, textLimits.taskDescription)),
    check('Task_status_check', sql`${table.status} in (${sql.raw(taskStatuses.map((s) => `'${s}'`).join(', '))})`),
  ],
);

/** A key to the assistant's API. The key itself is never stored, only a hash of it. */
export const apiKey = pgTable(
  'ApiKey',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('userId').notNull(),
    hashedKey: text('hashedKey').notNull(),
    name: text('name').notNull(),
    createdAt: moment('createdAt').notNull().defaultNow(),
    lastUsedAt: moment('lastUsedAt'),
  },
  (table) => [
    unique('ApiKey_hashedKey_key').on(table.hashedKey),
    index('ApiKey_userId_createdAt_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'ApiKey_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check('ApiKey_name_check', between1And(table.name, textLimits.apiKeyName)),
    check('ApiKey_hashedKey_check', between1And(table.hashedKey, textLimits.apiKeyHash)),
  ],
);

export const userRelations = relations(user, ({ many }) => ({
  chats: many(chat),
  reservations: many(reservation),
  memories: many(memories),
  apiKeys: many(apiKey),
  tasks: many(tasks),
  protocols: many(protocols),
}));

export const chatRelations = relations(chat, ({ one, many }) => ({
  user: one(user, { fields: [chat.userId], references: [user.id] }),
  messages: many(message),
}));

export const messageRelations = relations(message, ({ one, many }) => ({
  chat: one(chat, { fields: [message.userId, message.chatId], references: [chat.userId, chat.id] }),
  user: one(user, { fields: [message.userId], references: [user.id] }),
  parent: one(message, {
    fields: [message.userId, message.chatId, message.parentId],
    references: [message.userId, message.chatId, message.id],
    relationName: 'children',
  }),
  children: many(message, { relationName: 'children' }),
}));

export const reservationRelations = relations(reservation, ({ one }) => ({
  user: one(user, { fields: [reservation.userId], references: [user.id] }),
}));

export const memoryRelations = relations(memories, ({ one }) => ({
  user: one(user, { fields: [memories.userId], references: [user.id] }),
}));

export const taskRelations = relations(tasks, ({ one }) => ({
  user: one(user, { fields: [tasks.userId], references: [user.id] }),
}));

export const apiKeyRelations = relations(apiKey, ({ one }) => ({
  user: one(user, { fields: [apiKey.userId], references: [user.id] }),
}));

/** The columns of a chat that an application reads: all but those that keep its messages in step. */
export type ChatSummary = Pick<
  InferSelectModel<typeof chat>,
  'id' | 'userId' | 'title' | 'preview' | 'messageCount' | 'createdAt' | 'updatedAt'
>;

export type User = InferSelectModel<typeof user>;
/** A chat with the messages of its active path, each as it was saved. */
export type Chat = ChatSummary & { messages: unknown };
export type Message = InferSelectModel<typeof message>;
export type Reservation = InferSelectModel<typeof reservation>;
export type Memory = InferSelectModel<typeof memories>;
export type Task = InferSelectModel<typeof tasks>;
export type ApiKey = InferSelectModel<typeof apiKey>;

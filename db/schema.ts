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
import { blindIndex } from './encryption/blind-index.ts';
import { encryptedJson, encryptedText } from './encryption/columns.ts';
import { encryptsMemories } from './encryption/settings.ts';
import { apiKeyScopeLimit, jsonLimits, textLimits } from './limits.ts';
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
    /** How many messages from the beginning of the active path search finds by its index; it reads those behind. */
    indexedCount: integer('indexedCount').notNull().default(0),
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
    details: encryptedJson<FlightReservation>('details').notNull(),
    hasCompletedPayment: boolean('hasCompletedPayment').notNull().default(false),
    userId: uuid('userId').notNull(),
  },
  (table) => [
    index('Reservation_userId_createdAt_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Reservation_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete(
      'cascade',
    ),
    // A string is ciphertext.
    check('Reservation_details_check', sql`jsonb_typeof(${table.details}) in ('object', 'string')`),
  ],
);

/** Something the assistant was asked to remember. A user has a text once. */
export const memories = pgTable(
  'Memory',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('user_id').notNull(),
    content: encryptedText('content', { isOn: encryptsMemories }).notNull(),
    /** Where `content` is encrypted, the keyed digest of the text: keeps it unique, and finds it again. */
    contentIndex: blindIndex('content_index', { of: 'content', perUser: 'userId' }),
    /** The digest of `content` as search has it in its index; null, or another one: it is not there yet. */
    searchDigest: uuid('search_digest'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    // A btree holds keys up to 2,704 bytes, a memory may be longer: its digest stands for it.
    uniqueIndex('Memory_user_id_content_key').on(table.userId, sql`md5(${table.content})`),
    uniqueIndex('Memory_user_id_content_index_key')
      .on(table.userId, table.contentIndex)
      .where(sql`${table.contentIndex} is not null`),
    index('Memory_user_id_created_at_id_idx').on(table.userId, table.createdAt, table.id),
    // What search has to read, because its index does not have it. Ciphertext never gets there. The second column is null in
    // all of it: no other index has this order, so that PostgreSQL, which takes all memories for unindexed, reads this one.
    index('Memory_unindexed_idx')
      .on(table.userId, table.contentIndex, table.id)
      .where(sql`${table.searchDigest} is distinct from md5(${table.content})::uuid and ${table.contentIndex} is null`),
    foreignKey({ name: 'Memory_user_id_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check(
      'Memory_content_check',
      sql`char_length(${table.content}) between 1 and ${sql.raw(String(textLimits.memoryContent))} or ${table.contentIndex} is not null and char_length(${table.content}) <= ${sql.raw(String(textLimits.encryptedMemory))}`,
    ),
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

/**
 * A key to the assistant's API. The key itself is never stored, only a digest of it. A row without `prefix` is a legacy
 * one, whose `hashedKey` is a bcrypt hash that the caller made.
 */
export const apiKey = pgTable(
  'ApiKey',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('userId').notNull(),
    hashedKey: text('hashedKey').notNull(),
    name: text('name').notNull(),
    createdAt: moment('createdAt').notNull().defaultNow(),
    /** To the minute: it is written once a minute at most. */
    lastUsedAt: moment('lastUsedAt'),
    /** The beginning of the key, to recognise it by. */
    prefix: varchar('prefix', { length: textLimits.apiKeyPrefix }),
    /** Which pepper `hashedKey` was made with; null for none. */
    pepperId: varchar('pepperId', { length: textLimits.keyId }),
    scopes: varchar('scopes', { length: textLimits.apiKeyScope }).array().notNull().default([]),
    expiresAt: moment('expiresAt'),
    revokedAt: moment('revokedAt'),
    /** How many verifications are let through in `rateWindowSeconds`; null for no limit. */
    rateLimit: integer('rateLimit'),
    rateWindowSeconds: integer('rateWindowSeconds'),
    /** When the window that counts now began, and how many were let through since. */
    windowStartedAt: moment('windowStartedAt'),
    windowCount: integer('windowCount').notNull().default(0),
  },
  (table) => [
    unique('ApiKey_hashedKey_key').on(table.hashedKey),
    index('ApiKey_userId_createdAt_id_idx').on(table.userId, table.createdAt, table.id),
    // The legacy ones, which have to be compared one by one.
    index('ApiKey_legacy_idx').on(table.id).where(sql`${table.prefix} is null`),
    foreignKey({ name: 'ApiKey_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete('cascade'),
    check('ApiKey_name_check', between1And(table.name, textLimits.apiKeyName)),
    check('ApiKey_hashedKey_check', between1And(table.hashedKey, textLimits.apiKeyHash)),
    check('ApiKey_scopes_check', sql`cardinality(${table.scopes}) <= ${sql.raw(String(apiKeyScopeLimit))}`),
    check(
      'ApiKey_rate_check',
      sql`(${table.rateLimit} is null) = (${table.rateWindowSeconds} is null) and ${table.rateLimit} >= 1 and ${table.rateWindowSeconds} >= 1`,
    ),
  ],
);

/**
 * Who did what to keys, passwords, exports and erasures. Rows are added, never changed. People stand in it as a keyed
 * digest of their id, with no foreign key: an erasure stays on record when the person is gone.
 */
export const auditEvent = pgTable(
  'AuditEvent',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    at: moment('at').notNull().defaultNow(),
    /** What was done, such as `api_key.revoked`. */
    action: varchar('action', { length: 64 }).notNull(),
    /** Whose data it was done to. */
    subject: bytea('subject').notNull(),
    /** Who did it: the user of the running `asUser`; null for the application itself. */
    actor: bytea('actor'),
    /** Ids and counts, never what somebody wrote. */
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    index('AuditEvent_subject_at_id_idx').on(table.subject, table.at, table.id),
    check('AuditEvent_details_check', sql`jsonb_typeof(${table.details}) = 'object'`),
  ],
);

/**
 * A run of up to 16,384 messages or memories that search finds by their letters (docs/search.md). What its blocks say is
 * checked against the rows before it is believed, so that one may be out of date, or gone, and no harm done.
 */
export const searchSegment = pgTable(
  'SearchSegment',
  {
    userId: uuid('userId').notNull(),
    id: uuid('id').notNull().$defaultFn(uuidv7),
    kind: varchar('kind', { length: 8 }).$type<'message' | 'memory'>().notNull(),
    documents: integer('documents').notNull(),
    /** Its letters are in 2 to the power of `gramBits` blocks. */
    gramBits: integer('gramBits').notNull(),
    /** When its first and last document were created. */
    oldestAt: moment('oldestAt').notNull(),
    newestAt: moment('newestAt').notNull(),
  },
  (table) => [
    primaryKey({ name: 'SearchSegment_pkey', columns: [table.userId, table.id] }),
    foreignKey({ name: 'SearchSegment_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete(
      'cascade',
    ),
    check('SearchSegment_kind_check', sql`${table.kind} in ('message', 'memory')`),
    check(
      'SearchSegment_counts_check',
      sql`${table.documents} between 1 and 16384 and ${table.gramBits} between 0 and 24`,
    ),
  ],
);

/**
 * A part of a segment, in a form of its own (db/search/). From 0 on: which documents have which letters. Below 0: what the
 * documents are.
 */
export const searchBlock = pgTable(
  'SearchBlock',
  {
    userId: uuid('userId').notNull(),
    segmentId: uuid('segmentId').notNull(),
    number: integer('number').notNull(),
    bytes: bytea('bytes').notNull(),
  },
  (table) => [
    primaryKey({ name: 'SearchBlock_pkey', columns: [table.userId, table.segmentId, table.number] }),
    foreignKey({
      name: 'SearchBlock_userId_segmentId_fkey',
      columns: [table.userId, table.segmentId],
      foreignColumns: [searchSegment.userId, searchSegment.id],
    }).onDelete('cascade'),
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
export type Memory = Omit<InferSelectModel<typeof memories>, 'contentIndex' | 'searchDigest'>;
export type Task = InferSelectModel<typeof tasks>;
/** A key as the original application has it: what is kept of its digest, when it was made and used. */
export type ApiKey = Pick<
  InferSelectModel<typeof apiKey>,
  'id' | 'userId' | 'hashedKey' | 'name' | 'createdAt' | 'lastUsedAt'
>;
export type AuditEvent = InferSelectModel<typeof auditEvent>;

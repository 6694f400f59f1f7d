// The Protocol tables: a protocol is a named list of parts that the assistant follows, and every version of it.
// Imports db/schema.ts, which imports this file: both only inside functions, so that either may load first.

import { type InferSelectModel, relations, sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { atMost, between1And, moment } from './columns.ts';
import { textLimits } from './limits.ts';
import { user } from './schema.ts';
import { uuidv7 } from './uuid.ts';

/** One step of a protocol. Fields beside `content` are kept as they come. */
export type ProtocolPart = { content: string; [field: string]: unknown };

/** A protocol as it stands now: equal to its newest version. */
export const protocols = pgTable(
  'Protocol',
  {
    id: uuid('id').primaryKey().notNull().defaultRandom().$defaultFn(uuidv7),
    userId: uuid('user_id').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    parts: jsonb('parts').$type<ProtocolPart[]>().notNull(),
    /** The number of the newest version, from 1. */
    version: integer('version').notNull().default(1),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    unique('Protocol_user_id_id_key').on(table.userId, table.id),
    index('Protocol_user_id_created_at_id_idx').on(table.userId, table.createdAt, table.id),
    foreignKey({ name: 'Protocol_user_id_fkey', columns: [table.userId], foreignColumns: [user.id] }).onDelete(
      'cascade',
    ),
    check('Protocol_name_check', between1And(table.name, textLimits.protocolName)),
    check('Protocol_description_check', atMost(table.description, textLimits.protocolDescription)),
    check('Protocol_parts_check', sql`jsonb_typeof(${table.parts}) = 'array'`),
  ],
);

/** What a protocol was at one version. Rows are added and, with their protocol, deleted; never changed. */
export const protocolVersions = pgTable(
  'ProtocolVersion',
  {
    userId: uuid('user_id').notNull(),
    protocolId: uuid('protocol_id').notNull(),
    version: integer('version').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    parts: jsonb('parts').$type<ProtocolPart[]>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: 'ProtocolVersion_pkey', columns: [table.userId, table.protocolId, table.version] }),
    foreignKey({
      name: 'ProtocolVersion_user_id_protocol_id_fkey',
      columns: [table.userId, table.protocolId],
      foreignColumns: [protocols.userId, protocols.id],
    }).onDelete('cascade'),
    check('ProtocolVersion_version_check', sql`${table.version} >= 1`),
    check('ProtocolVersion_name_check', between1And(table.name, textLimits.protocolName)),
    check('ProtocolVersion_description_check', atMost(table.description, textLimits.protocolDescription)),
    check('ProtocolVersion_parts_check', sql`jsonb_typeof(${table.parts}) = 'array'`),
  ],
);

export const protocolsRelations = relations(protocols, ({ one, many }) => ({
  user: one(user, { fields: [protocols.userId], references: [user.id] }),
  versions: many(protocolVersions),
}));

export const protocolVersionsRelations = relations(protocolVersions, ({ one }) => ({
  user: one(user, { fields: [protocolVersions.userId], references: [user.id] }),
  protocol: one(protocols, {
    fields: [protocolVersions.userId, protocolVersions.protocolId],
    references: [protocols.userId, protocols.id],
  }),
}));

export type Protocol = InferSelectModel<typeof protocols>;
export type ProtocolVersion = InferSelectModel<typeof protocolVersions>;

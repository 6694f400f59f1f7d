import { randomUUID } from 'node:crypto';
import {
  asc,
  createTableRelationsHelpers,
  desc,
  eq,
  extractTablesRelationalConfig,
  getTableName,
  is,
  One,
  sql,
  type TablesRelationalConfig,
} from 'drizzle-orm';
import { integer, json, jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { saveProtocol, updateProtocol } from '../../db/protocol-queries.ts';
import * as protocolsSchema from '../../db/protocols-schema.ts';
import {
  addTask,
  createApiKeyRecord,
  createReservation,
  createUser,
  db,
  getUser,
  saveChat,
  saveMemory,
  transaction,
} from '../../db/queries.ts';
import * as schema from '../../db/schema.ts';
import { everythingSaid } from './everything-said.ts';
import { flight } from './flight.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

const { chat, memories, message, reservation, tasks, user } = schema;
const { protocols, protocolVersions } = protocolsSchema;

const config: TablesRelationalConfig = extractTablesRelationalConfig(
  { ...schema, ...protocolsSchema },
  createTableRelationsHelpers,
).tables;

/** Every relation of both schema files, as [table, relation, the other table, whether it is one row]. */
const relations = Object.entries(config).flatMap(([table, { relations: ofTable }]) =>
  Object.entries(ofTable).map(
    ([name, relation]) => [table, name, keyOf(relation.referencedTableName), is(relation, One)] as const,
  ),
);

function keyOf(name: string): string {
  const found = Object.entries(config).find(([, { dbName }]) => dbName === name);
  if (!found) throw new Error(`no table ${name}`);
  return found[0];
}

type Found = Record<string, unknown>;
interface Query {
  findMany(options: object): Promise<Found[]>;
}
const queries = db.query as unknown as Record<string, Query>;
const queryOf = (table: string): Query => queries[table] as Query;

const chatId = randomUUID();
const question = { role: 'user', id: 'own-1', content: 'a\0b \uD83C 🍵', 'key\0': '5' };
const messages = [question, { id: 'own-2', role: 'assistant', content: 'Hi' }, { role: 'user', content: 'Bye' }];
let userId: string;

/** Rows in every table, of two users, so that a relation that holds too much shows. */
beforeAll(async () => {
  for (const id of [chatId, randomUUID()]) {
    userId = await newUser();
    await saveChat({ id, messages, userId });
    await saveChat({ id, messages: [question, { role: 'assistant', content: 'Another branch' }], userId });
    await saveMemory({ userId, content: 'tea' });
    await addTask({ userId, description: 'Renew the passport' });
    await createReservation({ id: randomUUID(), userId, details: flight });
    await createApiKeyRecord({ userId, hashedKey: `hash ${userId}`, name: 'Laptop' });
    const [protocol] = await saveProtocol({ userId, name: 'Evening', parts: [{ content: '5' }] });
    await updateProtocol({ id: protocol?.id ?? '', userId, name: 'Night' });
  }
  userId = (await db.query.chat.findFirst({ where: eq(chat.id, chatId) }))?.userId ?? '';
});

/** Rows as texts, for a comparison that does not mind their order. */
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** Tables that only functions of the package read. */
const withoutRelations = ['auditEvent', 'searchBlock', 'searchSegment'];

describe('every relation', () => {
  test('is known: those of all tables, and none is forgotten here', () => {
    expect(relations.length).toBeGreaterThanOrEqual(20);
    const related = new Set(relations.flatMap(([table, , other]) => [table, other]));
    expect([...related, ...withoutRelations].sort()).toEqual(Object.keys(config).sort());
  });

  test.each(relations)('%s.%s gives the rows of %s that it names', async (table, relation, other) => {
    const rows = await queryOf(table).findMany({ with: { [relation]: true } });
    expect(rows.length).toBeGreaterThan(0);
    const all = await queryOf(other).findMany({});
    const { fields, references, isOne } = columnsOf(table, relation);
    let given = 0;
    for (const row of rows) {
      const keys = fields.map((field) => row[field]);
      const expected = all.filter((one) => references.every((reference, i) => one[reference] === keys[i]));
      const actual = isOne ? [row[relation]].filter((one) => one !== null) : (row[relation] as Found[]);
      expect(sorted(actual)).toEqual(sorted(expected));
      given += actual.length;
    }
    expect(given, 'the data shows nothing of this relation').toBeGreaterThan(0);
  });

  test.each(relations)('%s.%s goes a level deeper into each relation of %s', async (table, relation, other) => {
    for (const deeper of Object.keys(config[other]?.relations ?? {})) {
      const rows = await queryOf(table).findMany({ with: { [relation]: { with: { [deeper]: true } } } });
      const expected = await queryOf(other).findMany({ with: { [deeper]: true } });
      const known = new Set(expected.map((row) => JSON.stringify(sortedInside(row, deeper))));
      const nested = rows.flatMap((row) => [row[relation] ?? []].flat() as Found[]);
      expect(nested.length).toBeGreaterThan(0);
      for (const row of nested) expect(known).toContain(JSON.stringify(sortedInside(row, deeper)));
    }
  });
});

function sortedInside(row: Found, relation: string): Found {
  const inside = row[relation];
  return Array.isArray(inside) ? { ...row, [relation]: sorted(inside) } : row;
}

/** The columns on both sides of a relation, by their names in the table objects. */
function columnsOf(table: string, name: string): { fields: string[]; references: string[]; isOne: boolean } {
  const relation = config[table]?.relations[name];
  if (!relation) throw new Error(`no relation ${table}.${name}`);
  const isOne = is(relation, One);
  if (is(relation, One) && relation.config) {
    const { fields, references } = relation.config;
    const other = keyOf(relation.referencedTableName);
    return {
      fields: fields.map((column) => keyOfColumn(table, column.name)),
      references: references.map((column) => keyOfColumn(other, column.name)),
      isOne,
    };
  }
  const other = keyOf(relation.referencedTableName);
  const [back] = Object.values(config[other]?.relations ?? {}).filter(
    (candidate) =>
      is(candidate, One) &&
      candidate.referencedTableName === getTableName(relation.sourceTable) &&
      candidate.relationName === relation.relationName,
  );
  const inverse = columnsOf(other, back?.fieldName ?? '');
  return { fields: inverse.references, references: inverse.fields, isOne };
}

function keyOfColumn(table: string, name: string): string {
  const found = Object.entries(config[table]?.columns ?? {}).find(([, column]) => column.name === name);
  if (!found) throw new Error(`no column ${table}.${name}`);
  return found[0];
}

describe('inside a relation', () => {
  test('a message’s body is as it was saved, to the last character', async () => {
    const found = await db.query.user.findFirst({
      where: eq(user.id, userId),
      with: { chats: { with: { messages: { where: eq(message.active, true), orderBy: asc(message.position) } } } },
    });
    const [first, second] = found?.chats[0]?.messages ?? [];
    expect(first?.body).toEqual(JSON.parse(JSON.stringify(question)));
    expect(second?.body).toEqual({ role: 'assistant', content: 'Another branch' });
    expect(first?.createdAt).toBeInstanceOf(Date);
  });

  test('parts, details and every column are as a plain select gives them', async () => {
    const found = await db.query.user.findFirst({
      where: eq(user.id, userId),
      with: { chats: true, reservations: true, memories: true, tasks: true, protocols: { with: { versions: true } } },
    });
    expect(found?.reservations).toEqual(await db.select().from(reservation).where(eq(reservation.userId, userId)));
    expect(found?.chats).toEqual(await db.select().from(chat).where(eq(chat.userId, userId)));
    expect(found?.memories).toEqual(await db.select().from(memories).where(eq(memories.userId, userId)));
    expect(found?.tasks).toEqual(await db.select().from(tasks).where(eq(tasks.userId, userId)));
    const versions = await db
      .select()
      .from(protocolVersions)
      .where(eq(protocolVersions.userId, userId))
      .orderBy(asc(protocolVersions.version));
    const [protocol] = await db.select().from(protocols).where(eq(protocols.userId, userId));
    expect(found?.protocols).toEqual([{ ...protocol, versions }]);
    expect(found?.protocols[0]?.parts).toEqual([{ content: '5' }]);
  });

  test('a message’s parent and children are those of the tree', async () => {
    const found = await db.query.message.findMany({
      where: eq(message.chatId, chatId),
      orderBy: [asc(message.position), asc(message.createdAt)],
      with: { parent: { columns: { id: true } }, children: { columns: { id: true }, orderBy: asc(message.createdAt) } },
    });
    const [root, old, fresh, bye] = found;
    expect(found.map(({ parent }) => parent?.id ?? null)).toEqual([null, root?.id, root?.id, old?.id]);
    expect(root?.children).toEqual([{ id: old?.id }, { id: fresh?.id }]);
    expect(old?.children).toEqual([{ id: bye?.id }]);
    expect(fresh?.children).toEqual([]);
  });

  test('the hash of an own id is exact', async () => {
    const plain = await db.query.message.findMany({ where: eq(message.chatId, chatId), orderBy: asc(message.id) });
    const found = await db.query.chat.findFirst({
      where: eq(chat.id, chatId),
      with: { messages: { orderBy: asc(message.id) } },
    });
    expect(found?.messages.map(({ ownIdHash }) => ownIdHash)).toEqual(plain.map(({ ownIdHash }) => ownIdHash));
  });

  test('where, order, limit and columns are followed', async () => {
    const found = await db.query.chat.findFirst({
      where: eq(chat.id, chatId),
      columns: { id: true },
      with: { messages: { columns: { position: true }, orderBy: desc(message.position), limit: 1 } },
    });
    expect(found).toEqual({ id: chatId, messages: [{ position: 2 }] });
  });

  test('a row without the other side has null', async () => {
    const first = await db.query.message.findFirst({ where: eq(message.position, 0), with: { parent: true } });
    expect(first?.parent).toBeNull();
  });
});

/** A table of an application's own. */
const notes = pgTable('Note', {
  id: uuid('id').primaryKey().defaultRandom(),
  rank: integer('rank'),
  body: json('body'),
  extra: jsonb('extra'),
});

describe('plain Drizzle', () => {
  beforeAll(async () => {
    await db.execute(sql`
      create table "Note" (id uuid primary key default gen_random_uuid(), rank integer, body json, extra jsonb)
    `);
  });

  test('writes without returning give an empty array that counts the rows written', async () => {
    const inserted = await db.insert(notes).values([{ rank: 1 }, { rank: 2 }, { rank: 3 }]);
    expect(Array.isArray(inserted)).toBe(true);
    expect([...inserted]).toEqual([]);
    expect(inserted.count).toBe(3);
    const updated = await db
      .update(notes)
      .set({ body: { a: 1 } })
      .where(sql`${notes.rank} > 1`);
    expect([[...updated], updated.count]).toEqual([[], 2]);
    const deleted = await db.delete(notes).where(eq(notes.rank, 1));
    expect([[...deleted], deleted.count]).toEqual([[], 1]);
    const nothing = await db.delete(notes).where(eq(notes.rank, 77));
    expect([[...nothing], nothing.count]).toEqual([[], 0]);
    expect(await db.$count(notes)).toBe(2);
    expect(await db.$count(notes, eq(notes.rank, 2))).toBe(1);
    await db.delete(notes);
  });

  test('writes with returning give the rows', async () => {
    const [row] = await db
      .insert(notes)
      .values({ rank: 1, body: { a: [1] } })
      .returning();
    expect(row).toEqual({ id: expect.any(String), rank: 1, body: { a: [1] }, extra: null });
    const updated = await db.update(notes).set({ rank: 2 }).where(eq(notes.rank, 1)).returning({ rank: notes.rank });
    expect(updated).toEqual([{ rank: 2 }]);
    expect(await db.delete(notes).returning()).toEqual([{ ...row, rank: 2 }]);
  });

  test('an upsert, a join, a group and a common table expression work', async () => {
    const id = randomUUID();
    for (const rank of [1, 2]) {
      await db.insert(notes).values({ id, rank }).onConflictDoUpdate({ target: notes.id, set: { rank } });
    }
    expect(await db.select().from(notes)).toMatchObject([{ id, rank: 2 }]);
    const joined = await db
      .select({ title: chat.title, email: user.email, count: sql<number>`count(*)::integer` })
      .from(chat)
      .innerJoin(user, eq(user.id, chat.userId))
      .leftJoin(message, eq(message.chatId, chat.id))
      .where(eq(chat.id, chatId))
      .groupBy(chat.title, user.email);
    expect(joined).toEqual([{ title: null, email: expect.stringContaining('@'), count: 4 }]);
    const both = await db.select().from(chat).leftJoin(notes, eq(notes.id, chat.id)).where(eq(chat.id, chatId));
    expect(both).toEqual([{ Chat: expect.objectContaining({ id: chatId }), Note: null }]);
    const ranked = db.$with('ranked').as(db.select({ rank: notes.rank }).from(notes));
    expect(await db.with(ranked).select().from(ranked)).toEqual([{ rank: 2 }]);
    await db.delete(notes);
  });

  test('execute gives rows as objects by column, JSON read once, and their count', async () => {
    const result = await db.execute(sql`
      select 1 as number, ${'two'}::text as text, '"5"'::json as json, '{"a": "5"}'::jsonb as jsonb,
        true as boolean, null::text as nothing
    `);
    expect([...result]).toEqual([
      { number: 1, text: 'two', json: '5', jsonb: { a: '5' }, boolean: true, nothing: null },
    ]);
    expect(result.count).toBe(1);
    const inserted = await db.execute(sql`insert into "Note" (rank) values (1), (2)`);
    expect([[...inserted], inserted.count]).toEqual([[], 2]);
    await db.delete(notes);
  });

  // Drizzle's own drivers give it parsed JSON, which it parses once more: "5" comes back as 5.
  test('a JSON string comes back as that string, whatever is in it', async () => {
    for (const value of ['5', 'null', '"quoted"', '{"a": 1}', 'text', '', 5, null, true, ['5'], { a: '5' }]) {
      const [row] = await db.insert(notes).values({ body: value, extra: value }).returning();
      expect([row?.body, row?.extra]).toEqual([value, value]);
      const [read] = await db
        .select()
        .from(notes)
        .where(eq(notes.id, row?.id ?? ''));
      expect([read?.body, read?.extra]).toEqual([value, value]);
      const [nested] = await db
        .select({ inside: { body: notes.body } })
        .from(notes)
        .where(eq(notes.id, row?.id ?? ''));
      expect(nested?.inside.body).toEqual(value);
    }
    await db.delete(notes);
  });

  test('its transactions are ours, and what is written inside is seen by queries of ours', async () => {
    const email = `${randomUUID().slice(0, 20)}@example.com`;
    const failing = db.transaction(async (tx) => {
      await tx.insert(user).values({ email });
      expect(await getUser(email)).toHaveLength(1);
      tx.rollback();
    });
    await expect(failing).rejects.toThrow();
    expect(await getUser(email)).toEqual([]);
    await transaction(async () => {
      await db.insert(user).values({ email });
      await db.transaction(async (tx) => tx.update(user).set({ displayName: 'Dana' }).where(eq(user.email, email)));
    });
    expect(await getUser(email)).toMatchObject([{ displayName: 'Dana' }]);
  });

  test('a prepared query runs again with other values', async () => {
    const prepared = db.query.user.findFirst({ where: eq(user.id, sql.placeholder('id')) }).prepare('any name');
    expect(await prepared.execute({ id: userId })).toMatchObject({ id: userId });
    expect(await prepared.execute({ id: randomUUID() })).toBeUndefined();
  });
});

describe('a failing Drizzle query', () => {
  const canary = 'canary-7c1b';
  const failures: [string, () => Promise<unknown>, object][] = [
    [
      'a text that is too long',
      () => db.insert(user).values({ email: `${canary}${'x'.repeat(100)}` }),
      { code: 'INVALID_VALUE', details: { sqlState: '22001' } },
    ],
    [
      'a row that is there',
      async () => {
        await db.insert(user).values({ email: canary });
        await db.insert(user).values({ email: canary.toUpperCase(), displayName: canary });
      },
      { code: 'CONSTRAINT_VIOLATED', details: { sqlState: '23505', constraint: 'User_email_key', table: 'User' } },
    ],
    [
      'a check',
      () => db.insert(tasks).values({ userId, description: canary, status: canary as 'pending' }),
      { code: 'CONSTRAINT_VIOLATED', details: { sqlState: '23514', constraint: 'Task_status_check' } },
    ],
    [
      'a parent that is not there',
      () => db.insert(memories).values({ userId: randomUUID(), content: canary }),
      { code: 'CONSTRAINT_VIOLATED', details: { sqlState: '23503', constraint: 'Memory_user_id_fkey' } },
    ],
    [
      'a value of another type',
      () => db.select().from(user).where(eq(user.id, canary)),
      { code: 'INVALID_VALUE', details: { sqlState: '22P02' } },
    ],
    [
      'a parameter that has no one notation',
      () => db.execute(sql`select ${sql.param({ [canary]: canary })}`),
      { code: 'STATEMENT_FAILED' },
    ],
    [
      'a column that is not there',
      () => db.execute(sql`select nothing from "User" where email = ${canary}`),
      { code: 'SCHEMA_BEHIND', details: { sqlState: '42703' } },
    ],
    [
      'a relational query',
      () => db.query.user.findMany({ where: eq(user.id, canary), with: { chats: true } }),
      { code: 'INVALID_VALUE' },
    ],
    ['a syntax error', () => db.execute(sql`selec ${canary}`), { code: 'STATEMENT_FAILED' }],
  ];

  test.each(failures)('%s: is an error of ours that says no value', async (_name, query, expected) => {
    const error = await query().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject(expected);
    expect(everythingSaid(error).toLowerCase()).not.toContain(canary);
  });

  test('a query of ours that fails says none either', async () => {
    const error = await createUser(`${canary}@x`, 'pw')
      .then(() => createUser(`${canary}@x`, canary))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EMAIL_TAKEN' });
    expect(everythingSaid(error)).not.toContain(canary);
  });
});

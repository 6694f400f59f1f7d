// The rules of the schema, read from the catalogue of this engine: a table that is added later is held to them too.
// Where a rule has an exception, it is listed here with its reason.

import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { saveProtocol } from '../../db/protocol-queries.ts';
import { appendMessages, db, saveChat } from '../../db/queries.ts';
import { type CatalogueConstraint, type CatalogueTable, indexedColumns, readCatalogue } from './catalogue.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

let catalogue: Record<string, CatalogueTable> = {};
beforeAll(async () => {
  catalogue = await readCatalogue();
});

/** Names the places where a rule does not hold, such as `Chat.title`. */
function where(
  list: 'columns' | 'constraints' | 'indexes',
  breaks: (item: never, table: CatalogueTable, name: string) => boolean,
) {
  return Object.entries(catalogue).flatMap(([name, table]) =>
    (table[list] as { name: string }[])
      .filter((item) => breaks(item as never, table, name))
      .map((item) => `${name}.${item.name}`),
  );
}

const userColumnOf = (table: CatalogueTable | undefined): string | undefined =>
  table?.columns.map(({ name }) => name).find((name) => name === 'userId' || name === 'user_id');
const foreignKeysOf = (table: CatalogueTable): CatalogueConstraint[] =>
  table.constraints.filter(({ kind }) => kind === 'foreign key');

/** Follows foreign keys from a table's user id to User.id. */
function isHeld(name: string, seen: readonly string[] = []): boolean {
  const table = catalogue[name] as CatalogueTable;
  const column = userColumnOf(table) ?? '';
  return foreignKeysOf(table).some(({ columns, references }) => {
    const referenced = references?.columns[columns.indexOf(column)];
    if (!references || referenced === undefined) return false;
    if (references.table === 'User') return referenced === 'id';
    const parent = references.table;
    return !seen.includes(parent) && referenced === userColumnOf(catalogue[parent]) && isHeld(parent, [...seen, name]);
  });
}

/** What is recorded of a person, without the person's id: it stays when the person is erased. */
const ofNobody = ['AuditEvent'];

test('every table but User carries the user’s id, required, and foreign keys hold it', () => {
  const tables = Object.keys(catalogue).filter((name) => name !== 'User' && !ofNobody.includes(name));
  expect(tables.length).toBeGreaterThanOrEqual(8);
  for (const name of tables) {
    const column = catalogue[name]?.columns.find((one) => one.name === userColumnOf(catalogue[name]));
    expect(column, `${name} has no userId or user_id`).toMatchObject({ type: 'uuid', notNull: true });
    expect(isHeld(name), `no foreign key path holds ${name}.${column?.name}`).toBe(true);
  }
});

test('deleting a user reaches every table by cascades', () => {
  const reached = new Set(['User']);
  for (let before = 0; before !== reached.size; ) {
    before = reached.size;
    for (const [name, table] of Object.entries(catalogue)) {
      const isReached = foreignKeysOf(table).some(
        ({ references }) => references?.onDelete === 'cascade' && reached.has(references.table),
      );
      if (isReached) reached.add(name);
    }
  }
  expect([...reached, ...ofNobody].sort()).toEqual(Object.keys(catalogue).sort());
});

test('every foreign key has an index that begins with its columns', () => {
  const lacking = where('constraints', ({ name, kind, columns }: CatalogueConstraint, { indexes }) => {
    const wanted = [...(indexedColumns[name] ?? columns)].sort();
    const isPrefix = (one: (string | null)[]): boolean =>
      JSON.stringify(one.slice(0, wanted.length).sort()) === JSON.stringify(wanted);
    return kind === 'foreign key' && !indexes.some(({ partial, columns: own }) => !partial && isPrefix(own));
  });
  expect(lacking).toEqual([]);
});

test('every constraint and index is named <table>_..._<kind>', () => {
  const ends = { 'primary key': 'pkey', unique: 'key', 'foreign key': 'fkey', check: 'check', exclusion: 'excl' };
  const hasForm = (name: string, table: string, end: string): boolean =>
    name.startsWith(`${table}_`) && name.endsWith(`_${end}`);
  expect(
    where('constraints', ({ name, kind }: CatalogueConstraint, _, table) => !hasForm(name, table, ends[kind])),
  ).toEqual([]);
  expect(
    where(
      'indexes',
      ({ name, unique }: { name: string; unique: boolean }, _, table) =>
        !(unique ? ['pkey', 'key'] : ['idx']).some((end) => hasForm(name, table, end)),
    ),
  ).toEqual([]);
});

test('every time is timestamptz(3)', () => {
  const times = where('columns', ({ type }: { type: string }) => /^(time|date|interval)/.test(type));
  expect(times.length).toBeGreaterThan(10);
  expect(
    where(
      'columns',
      ({ name, type }: { name: string; type: string }) =>
        (/^(time|date|interval)/.test(type) || /(At|_at)$/.test(name)) && type !== 'timestamp(3) with time zone',
    ),
  ).toEqual([]);
});

test('JSON is jsonb, but for the body of a message, which comes back to the last character', () => {
  expect(where('columns', ({ type }: { type: string }) => type === 'json')).toEqual(['Message.body']);
});

/** Texts without a limit of their length. */
const unlimited: Record<string, string> = {
  'Task.status': 'one of a closed set, by Task_status_check',
};

test('every text has a limit', () => {
  const lacking = where('columns', ({ name, type }: { name: string; type: string }, { constraints }) => {
    const isText = /^(text|character|citext|name|bpchar)/.test(type);
    const quoted = /^[a-z_]+$/.test(name) ? name : `"${name}"`;
    const isChecked = constraints.some(
      ({ kind, definition }) => kind === 'check' && definition.includes(`char_length(${quoted})`),
    );
    return isText && !/^character varying\(\d+\)(\[\])?$/.test(type) && !isChecked;
  });
  expect(lacking.sort()).toEqual(Object.keys(unlimited).sort());
});

/** Unique rules without the user's id: they would need one machine to see all users. */
const acrossUsers: Record<string, string> = {
  'ApiKey.ApiKey_hashedKey_key': 'a key is looked up before its user is known',
  'ApiKey.ApiKey_pkey': 'the id is the primary key of each table of the specification',
  'AuditEvent.AuditEvent_pkey': 'it belongs to no user',
  'Chat.Chat_pkey': 'the same',
  'Memory.Memory_pkey': 'the same',
  'Protocol.Protocol_pkey': 'the same',
  'Reservation.Reservation_pkey': 'the same',
  'Task.Task_pkey': 'the same',
  'User.User_email_key': 'an address is one user’s',
  'User.User_pkey': 'it is the user’s id',
};

test('a unique rule includes the user’s id', () => {
  const without = where(
    'indexes',
    ({ unique, columns }: { unique: boolean; columns: string[] }, table) =>
      unique && !columns.includes(userColumnOf(table) ?? 'none'),
  );
  expect(without.sort()).toEqual(Object.keys(acrossUsers).sort());
  for (const [table, { constraints }] of Object.entries(catalogue)) {
    if (!(`${table}.${table}_pkey` in acrossUsers)) continue;
    expect(constraints.find(({ kind }) => kind === 'primary key')?.columns).toEqual(['id']);
  }
});

test('there are no triggers, rules or functions', async () => {
  const found = await db.execute(sql`
    select tgname as name from pg_trigger where not tgisinternal
    union all
    select rulename from pg_rules where schemaname = 'public'
    union all
    select proname from pg_proc where pronamespace = 'public'::regnamespace
  `);
  expect([...found]).toEqual([]);
});

describe('a row with another user’s id than its parent’s is refused by', () => {
  const [chatId, segmentId] = [randomUUID(), randomUUID()];
  let [owner, other, protocolId, messageId] = ['', '', '', ''];

  beforeAll(async () => {
    [owner, other] = [await newUser(), await newUser()];
    await saveChat({ id: chatId, messages: [], userId: owner });
    const [place] = await appendMessages({ chatId, userId: owner, messages: [{ role: 'user', content: 'Hello' }] });
    messageId = place?.id ?? '';
    const [protocol] = await saveProtocol({ userId: owner, name: 'x', parts: [{ content: 'y' }] });
    protocolId = protocol?.id ?? '';
    await db.execute(sql`
      insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
      values (${owner}, ${segmentId}, 'message', 1, 0, now(), now())
    `);
  });

  const insertMessage = (userId: string, chat: string, parentId: string | null, position: number) =>
    db.execute(sql`
      insert into "Message" (id, "userId", "chatId", "parentId", position, active, body)
      values (${randomUUID()}, ${userId}, ${chat}, ${parentId}, ${position}, false, '{}')
    `);
  /** An insert that only this foreign key refuses, and the same one with the right user. */
  const inserts: Record<string, (userId: string) => Promise<unknown>> = {
    Message_userId_chatId_fkey: (userId) => insertMessage(userId, chatId, null, 0),
    Message_userId_chatId_parentId_fkey: async (userId) => {
      const ownChatId = userId === owner ? chatId : randomUUID();
      if (userId !== owner) await saveChat({ id: ownChatId, messages: [], userId });
      return insertMessage(userId, ownChatId, messageId, 1);
    },
    ProtocolVersion_user_id_protocol_id_fkey: (userId) =>
      db.execute(sql`
        insert into "ProtocolVersion" (user_id, protocol_id, version, name, parts)
        values (${userId}, ${protocolId}, 2, 'x', '[]')
      `),
    SearchBlock_userId_segmentId_fkey: (userId) =>
      db.execute(sql`
        insert into "SearchBlock" ("userId", "segmentId", number, bytes)
        values (${userId}, ${segmentId}, 0, '')
      `),
  };

  test('each foreign key of several columns, and all of them are tested here', () => {
    const composite = Object.values(catalogue).flatMap((table) =>
      foreignKeysOf(table).flatMap(({ name, columns }) => (columns.length > 1 ? [name] : [])),
    );
    expect(composite.sort()).toEqual(Object.keys(inserts).sort());
  });

  test.each(Object.entries(inserts))('%s', async (constraint, insert) => {
    await expect(insert(other)).rejects.toMatchObject({
      code: 'CONSTRAINT_VIOLATED',
      details: { sqlState: '23503', constraint },
    });
    await insert(owner);
  });
});

test('the schema is the same on every engine: that of tests/golden/catalogue.json', () => {
  const file = new URL('../golden/catalogue.json', import.meta.url);
  const text = `${JSON.stringify(normalised(), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text, 'if the change is meant, write it with UPDATE_GOLDEN=1').toBe(readFileSync(file, 'utf8'));
});

/** A line for each column, constraint and index. */
function normalised(): Record<string, Record<string, Record<string, string>>> {
  const byName = (list: readonly { name: string }[], describe: (item: never) => string): Record<string, string> =>
    Object.fromEntries(list.map((item) => [item.name, describe(item as never)]));
  return Object.fromEntries(
    Object.entries(catalogue).map(([name, { columns, constraints, indexes }]) => [
      name,
      {
        columns: byName(
          columns,
          ({ type, notNull, default: fallback }: { type: string; notNull: boolean; default: string | null }) =>
            `${type}${notNull ? ' not null' : ''}${fallback === null ? '' : ` default ${fallback}`}`,
        ),
        constraints: byName(constraints, ({ definition }: CatalogueConstraint) => definition),
        indexes: byName(indexes, ({ definition }: { definition: string }) => definition),
      },
    ]),
  );
}

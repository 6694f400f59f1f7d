// No table with a person's data is forgotten: what the catalogue knows of, with a foreign key that leads to a user or a
// column with a user's id, is exported and erased, or derived from what is, and so is every column.

import { sql } from 'drizzle-orm';
import { afterAll, expect, test } from 'vitest';
import { db } from '../../db/database.ts';
import { findOtherTables } from '../../db/person/other-tables.ts';
import { derivedTables, personTables } from '../../db/person/person-tables.ts';
import { type CatalogueTable, readCatalogue } from './catalogue.ts';
import { derivedColumns, tablesOfPeople } from './person-rows.ts';
import { useTestDatabase } from './test-database.ts';

useTestDatabase();

/** Holds digests of people, with no foreign key, so that an erasure can stay on record. */
const ofNobody = ['AuditEvent'];

function leadsToUser(table: string, catalogue: Record<string, CatalogueTable>, seen: string[] = []): boolean {
  if (table === 'User') return true;
  if (seen.includes(table)) return false;
  const parents = (catalogue[table]?.constraints ?? []).flatMap(({ references }) => references?.table ?? []);
  return parents.some((parent) => leadsToUser(parent, catalogue, [...seen, table]));
}

const handled = [...personTables, ...derivedTables].map(({ name }) => name);

test('every table of a person’s is exported or derived, every other one is of nobody', async () => {
  const catalogue = await readCatalogue();
  const withColumn = await tablesOfPeople();
  const ofPeople = Object.keys(catalogue).filter((table) => table in withColumn || leadsToUser(table, catalogue));
  expect(ofPeople.sort()).toEqual([...handled].sort());
  expect(Object.keys(catalogue).filter((table) => !ofPeople.includes(table))).toEqual(ofNobody);
  expect(
    Object.fromEntries([...personTables, ...derivedTables].map(({ name, userColumn }) => [name, userColumn])),
  ).toEqual(withColumn);
});

test('every column of them is exported or derived', async () => {
  const catalogue = await readCatalogue();
  for (const { name, fields } of personTables) {
    const columns = (catalogue[name]?.columns ?? []).map((column) => column.name);
    const exported = Object.values(fields).map((column) => column.name);
    expect([...exported, ...(derivedColumns[name] ?? [])].sort(), name).toEqual(columns.sort());
  }
});

test('a table stands behind those that its rows refer to', async () => {
  const catalogue = await readCatalogue();
  const order = personTables.map(({ name }) => name);
  for (const table of order) {
    for (const { references } of catalogue[table]?.constraints ?? []) {
      if (references) expect(order.indexOf(references.table), table).toBeLessThanOrEqual(order.indexOf(table));
    }
  }
});

test('tables that an application adds are found: by a foreign key, over others, by a column, in parts', async () => {
  expect(await findOtherTables()).toEqual([]);
  await db.execute(sql`create schema shop`);
  await db.execute(sql`create table shop.invoice (id int primary key, owner uuid references "User")`);
  await db.execute(sql`create table shop.line (invoice int references shop.invoice)`);
  await db.execute(sql`create table shop.elsewhere (user_id uuid)`);
  await db.execute(sql`create table "Odd ""Name" (n int, "USER_ID" uuid, userid text) partition by list (n)`);
  await db.execute(sql`create table part partition of "Odd ""Name" for values in (1)`);
  await db.execute(sql`create table of_chat (chat uuid references "Chat" on delete cascade)`);
  await db.execute(sql`create table unrelated (n int, user_id int)`);
  await db.execute(sql`create view seen as select id as user_id from "User"`);
  expect(await findOtherTables()).toEqual([
    {
      name: '"Odd ""Name"',
      userColumns: [
        { name: 'USER_ID', isUuid: true },
        { name: 'userid', isUuid: false },
      ],
    },
    { name: 'of_chat', userColumns: [] },
    { name: 'shop.invoice', userColumns: [] },
    { name: 'shop.line', userColumns: [] },
  ]);
});

afterAll(async () => {
  await db.execute(sql`drop schema if exists shop cascade`);
  await db.execute(sql`drop table if exists "Odd ""Name", of_chat, unrelated cascade`);
});

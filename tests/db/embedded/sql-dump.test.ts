// A database as SQL: everything comes back, and the session in which it was dumped is as before.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { digestTables, dumpSql, endsAsDump, type SqlDump } from '../../../db/embedded/sql-dump.ts';

const schema = `
  create role reader nologin;
  create role "Team lead" login bypassrls;
  grant reader to "Team lead";
  create type mood as enum ('calm', 'it''s fine');
  create schema "Odd schema";
  create table "Odd schema"."Odd ""table""" (
    id integer generated always as identity (start 7) primary key,
    "Some text" text,
    length integer generated always as (length("Some text")) stored,
    mood mood default 'calm',
    parent integer references "Odd schema"."Odd ""table""" (id)
  );
  create table kinds (
    b bytea, j json, jb jsonb, n numeric, d double precision, t timestamptz(3), i interval, a text[], u uuid,
    yes boolean, c char(5), r int4range
  );
  create table parts (k int, v text) partition by range (k);
  create table parts_1 partition of parts for values from (0) to (10);
  create table parts_2 partition of parts for values from (10) to (20);
  create table nothing (id int);
  create sequence counted; select nextval('counted'); select nextval('counted');
  create sequence untouched start 41;
  create function speak() returns text language sql as $$ select E'one\\ntwo'::text $$;
  create view loud as select upper("Some text") as said from "Odd schema"."Odd ""table""";
  create materialized view counted_rows as select count(*) from kinds;
  create index odd_index on "Odd schema"."Odd ""table""" ("Some text");
  alter table kinds enable row level security;
  create policy only_yes on kinds to reader using (yes);
  grant select on kinds to reader;
`;

/** Texts that dumps have stumbled over. */
const texts = [
  'first\n\\restrict everything\n\\unrestrict and more\nlast',
  `quotes ' and " and \\ and $$ and E'\\n'`,
  'carriage\r\nreturn; insert into kinds values (1);\n-- PostgreSQL database dump complete\n--\n',
  '--\n-- Name: x; Type: INDEX; Schema: public; Owner: -\n--\n',
  '\u2028\u0001 \u{1F600} שלום :name',
  '',
];

let source: PGlite;
let dump: SqlDump;
let sql = '';

beforeAll(async () => {
  source = await PGlite.create();
  await source.exec(schema);
  for (const text of texts)
    await source.query('insert into "Odd schema"."Odd ""table""" ("Some text") values ($1)', [text]);
  await source.exec(`
    update "Odd schema"."Odd ""table""" set parent = 7 where id > 8;
    insert into kinds values ('\\x00ff5c27', '{"b": 1,  "a": 1}', '{"z": null}', 'NaN', 0.1::float8 + 0.2, '2026-10-08 12:00:00.123+02',
      '1 year 2 days 03:00:00.5', array['a,b', null, '{"}'], gen_random_uuid(), true, 'ab', '[1,5)');
    insert into kinds default values;
    insert into parts select g, 'v' || g from generate_series(0, 19) g;
    insert into parts select 5, repeat('long ', 1000) from generate_series(1, 1200);
    refresh materialized view counted_rows;
  `);
  [dump, sql] = await dumpOf(source);
});
afterAll(() => source.close());

async function dumpOf(client: PGlite): Promise<[SqlDump, string]> {
  const pieces: string[] = [];
  const made = await dumpSql(client, async (text) => void pieces.push(text));
  return [made, pieces.join('')];
}

test('the dump counts the rows of each table, and ends as a dump', () => {
  expect(Object.fromEntries(dump.tables.map(({ table, rows }) => [table, rows]))).toEqual({
    '"Odd schema"."Odd ""table"""': texts.length,
    'public.kinds': 2,
    'public.nothing': 0,
    'public.parts_1': 1210,
    'public.parts_2': 10,
  });
  expect(endsAsDump(sql)).toBe(true);
  expect(endsAsDump(sql.slice(0, -100))).toBe(false);
});

test('between the marks every line is a statement, whatever is in the rows', () => {
  const rows = Buffer.from(sql).subarray(dump.rowsBegin, dump.rowsEnd).toString('utf8').trimEnd().split('\n');
  expect(rows.filter((line) => !/^(insert into |select pg_catalog\.setval\().*;$/s.test(line))).toEqual([]);
});

test('another database made from it has the same rows, sequences, rights and views', async () => {
  const copy = await PGlite.create();
  await copy.exec(sql);
  expect(await digestTables(copy)).toEqual(dump.tables);
  await copy.exec('reset all');
  const read = async (client: PGlite, statement: string): Promise<unknown> => (await client.query(statement)).rows;
  for (const statement of [
    `select "Some text", length, mood, parent from "Odd schema"."Odd ""table""" order by id`,
    `select nextval('counted'), nextval('untouched')`,
    `insert into "Odd schema"."Odd ""table""" ("Some text") values ('next') returning id`,
    'select * from counted_rows',
    'select said from loud order by 1',
    'select speak()',
    `select polname, polroles::regrole[]::text from pg_policy`,
    `select relrowsecurity, relacl::text from pg_class where relname = 'kinds'`,
    `select rolname, rolcanlogin, rolbypassrls from pg_roles where rolname in ('reader', 'Team lead') order by 1`,
    `select roleid::regrole::text, member::regrole::text from pg_auth_members where member::regrole::text like '%Team%'`,
    `select indexdef from pg_indexes where schemaname !~ '^pg_' order by 1`,
  ]) {
    expect(await read(copy, statement), statement).toEqual(await read(source, statement));
  }
  await copy.close();
});

test('a digest tells one changed character', async () => {
  const before = await digestTables(source);
  await source.exec(`update kinds set c = 'ac' where yes`);
  const after = await digestTables(source);
  expect(after.filter((table, i) => table.sha256 !== before[i]?.sha256).map(({ table }) => table)).toEqual([
    'public.kinds',
  ]);
});

test('the session is as it was: settings, prepared statements, no transaction, and it can write', async () => {
  await source.exec(`
    set search_path to "Odd schema", public;
    set statement_timeout to '12s';
    prepare kept as select 1;
    create temporary table scratch (n int);
  `);
  const state = async (): Promise<unknown> => [
    (await source.query(`select name, setting from pg_settings where source = 'session' order by name`)).rows,
    (await source.query('select name from pg_prepared_statements')).rows,
  ];
  const before = await state();
  await dumpOf(source);
  await digestTables(source);
  expect(await state()).toEqual(before);
  await source.exec('insert into scratch values (1)');
  const [first, second] = await Promise.all([1, 2].map(() => source.query('select pg_current_xact_id()::text as id')));
  expect(first?.rows).not.toEqual(second?.rows); // no transaction holds both
  await source.exec('reset all; deallocate kept; drop table scratch');
});

test('a dump that fails leaves the session as it was too', async () => {
  const failing = dumpSql(source, async () => {
    throw new Error('the disk is full');
  });
  await expect(failing).rejects.toThrow('the disk is full');
  expect((await source.query('select name from pg_prepared_statements')).rows).toEqual([]);
  await source.exec('create table writes (n int); drop table writes');
});

test('the schema of an earlier dump is used again until anything of it changes', async () => {
  const split = async (): Promise<{ schema: string; head: string; tail: string }> => {
    const [made, text] = await dumpOf(source);
    const bytes = Buffer.from(text);
    return {
      schema: made.schema,
      head: bytes.toString('utf8', 0, made.rowsBegin),
      tail: bytes.toString('utf8', made.rowsEnd),
    };
  };
  const earlier = { ...(await split()), head: '-- from the earlier dump\n' };
  const again = async (): Promise<boolean> => {
    const pieces: string[] = [];
    await dumpSql(source, async (piece) => void pieces.push(piece), earlier);
    return pieces.join('').startsWith(earlier.head);
  };
  await source.exec(`insert into nothing values (1); delete from nothing; analyze; select nextval('counted')`);
  await source.exec('vacuum');
  expect(await again()).toBe(true);
  for (const change of [
    `alter table nothing add column more text`,
    `alter table nothing drop column more`,
    `comment on table nothing is 'words'`,
    `create function f() returns int language sql as 'select 1'`,
    `create or replace function f() returns int language sql as 'select 2'`,
    `drop function f()`,
    `alter type mood add value 'wild'`,
    `create role newcomer`,
    `drop role newcomer`,
    `grant insert on nothing to reader`,
    `drop policy only_yes on kinds`,
    `alter table nothing alter column id set default 4`,
  ]) {
    await source.exec(change);
    expect(await again(), change).toBe(false);
    Object.assign(earlier, { schema: (await split()).schema });
  }
});

// Why the rows are written here.
test('pgDump of pglite-tools takes lines out of a text, and leaves a read-only transaction open', async () => {
  const other = await PGlite.create();
  await other.exec(
    `create table said (words text); insert into said values (E'first\\n\\\\restrict everything\\nlast')`,
  );
  const text = await (await pgDump({ pg: other })).text();
  expect(text).toContain('first');
  expect(text).not.toContain('restrict everything');
  await expect(other.exec('create table more ()')).rejects.toMatchObject({ code: '25006' });
  await other.close();
});

const psql = spawnSync('psql', ['--version']).status === 0;
const oldest = inject('servers')[0];

test('psql loads it into a server, stopping at no error', async (context) => {
  if (!psql) return context.skip('needs psql');
  if (!oldest) return context.skip('needs a PostgreSQL server');
  const folder = mkdtempSync(join(tmpdir(), 'mytx-dump-'));
  const maintenance = postgres(oldest.url, { max: 1, onnotice: () => {} });
  try {
    await maintenance.unsafe('create database loaded');
    const [, text] = await dumpOf(source);
    writeFileSync(join(folder, 'dump.sql'), text);
    const url = Object.assign(new URL(oldest.url), { pathname: '/loaded' }).href;
    execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', join(folder, 'dump.sql')]);
    const loaded = postgres(url, { max: 1 });
    const rows = await loaded`select "Some text" as text from "Odd schema"."Odd ""table""" where id < 13 order by id`;
    expect(rows.map(({ text: found }) => found)).toEqual(texts);
    await loaded.end();
  } finally {
    await maintenance.unsafe('drop database if exists loaded');
    await maintenance.unsafe('drop role if exists reader; drop role if exists "Team lead"');
    await maintenance.end();
    rmSync(folder, { recursive: true });
  }
});

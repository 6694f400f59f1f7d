// What is said to be known behind a statement is what PostgreSQL has behind it, statement for statement.

import type postgres from 'postgres';
import { describe, expect, inject, test } from 'vitest';
import { type Catalogue, readCatalogue, type TableFacts } from '../../../deploy/catalogue.ts';
import { loadGrammar, type ParsedStatement } from '../../../deploy/grammar.ts';
import { operationsOf } from '../../../deploy/operations/classify.ts';
import { follow } from '../../../deploy/operations/follow.ts';
import { knownFrom } from '../../../deploy/operations/known.ts';
import { onNewDatabase } from '../own-database.ts';

const grammar = await loadGrammar();

const statements = `
  create table p (id bigserial primary key, code varchar(20) not null unique, at timestamptz(3) default now());
  create table "T x" (id uuid primary key default gen_random_uuid(), p_id int references p (id), a int, b numeric(10, 2)[]);
  create table pairs (one int, other int, constraint pairs_pk primary key (one, other), check (one > other));
  alter table "T x" add column c text not null default 'none', add column d int check (d > 0);
  alter table "T x" add constraint a_given check (a is not null) not valid;
  alter table "T x" validate constraint a_given;
  alter table "T x" alter column a set not null;
  alter table "T x" drop constraint a_given;
  create index on "T x" (a, c);
  create index by_text on "T x" (a, lower(c));
  create unique index "T index" on "T x" (c) where d > 0;
  create unique index for_key on "T x" (a);
  alter table "T x" add constraint a_key unique using index for_key;
  alter table "T x" alter column c type varchar(99), alter column c drop not null;
  alter table "T x" rename column c to "C";
  alter table "T x" rename constraint a_key to a_unique;
  alter index "T index" rename to t_index;
  alter table "T x" rename to t;
  create schema other;
  alter table p set schema other;
  alter table t add constraint t_pairs foreign key (a, d) references pairs (one, other) not valid;
  alter table t drop column a;
  drop index t_index;
  create table copy as select 1 as one;
  drop table pairs cascade;
  create table keyed (a int);
  create unique index keyed_a on keyed (a);
  alter table keyed add primary key using index keyed_a;
  drop table other.p cascade`;

describe.each(inject('servers'))('on PostgreSQL $version', ({ url, version }) => {
  test('tables, columns, constraints and indexes', () =>
    onNewDatabase(url, async ({ sql }) => {
      let known = knownFrom(await read(sql));
      for (const statement of grammar.parse(statements) as ParsedStatement[]) {
        known = follow(statement, known);
        await sql.unsafe(statement.sql);
        expect(factsOf(known.catalogue), statement.sql).toEqual(factsOf(await read(sql), version));
      }
      expect([...known.created].sort()).toEqual(['public.copy', 'public.keyed', 'public.t']);
    }));
});

test('a check that a statement before has validated proves NOT NULL; what is new is nobody’s yet; rows that came in count', () => {
  let known = knownFrom(undefined);
  const run = (sql: string) => {
    const [statement] = grammar.parse(sql) as [ParsedStatement];
    const operations = operationsOf(statement, known);
    known = follow(statement, known);
    return operations;
  };
  run('create table t (a int, b int)');
  run('alter table t add constraint given check (a is not null and b is not null) not valid');
  expect(run('alter table t alter a set not null')).toMatchObject([{ id: 'set-not-null', locks: [{ isNew: true }] }]);
  run('alter table t alter a drop not null');
  run('alter table t validate constraint given');
  expect(run('alter table t alter b set not null')).toMatchObject([{ id: 'set-not-null-proven' }]);
  expect(run('create index on t (a)')).toMatchObject([{ id: 'create-index', locks: [{ isNew: true }] }]);
  expect(run('create index on elsewhere (a)')).toMatchObject([
    { locks: [{ relation: 'public.elsewhere', isNew: false }] },
  ]);
});

const read = (sql: postgres.Sql): Promise<Catalogue> =>
  readCatalogue({ query: async (text) => [...(await sql.unsafe(text))] as never, script: async () => {} });

/** Without sizes and the text of constraints; the columns of a table that is made of a query are not followed. */
function factsOf({ tables }: Catalogue, version = 0): unknown {
  const byName = (one: { name: string }, other: { name: string }): number => (one.name < other.name ? -1 : 1);
  return [...tables.values()]
    .map(({ schema, name, columns, constraints, indexes }: TableFacts) => ({
      name: `${schema}.${name}`,
      columns:
        name === 'copy' ? [] : [...columns].map(([column, { type, isNullable }]) => [column, type, isNullable]).sort(),
      constraints: constraints
        .filter(({ kind }) => version < 18 || kind !== 'not-null') // each NOT NULL has one there
        .map(({ definition: _, ...facts }) => facts)
        .sort(byName),
      indexes: indexes.map(({ bytes: _, ...facts }) => facts).sort(byName),
    }))
    .sort(byName);
}

// What a statement does, read from its tree alone: what each part of it is, what is assumed where it can't be known, and
// which changes of a type leave the rows as they are, compared with what PostgreSQL does.

import { describe, expect, inject, test } from 'vitest';
import { readCatalogue } from '../../../deploy/catalogue.ts';
import { loadGrammar, type ParsedStatement } from '../../../deploy/grammar.ts';
import { type Operation, operationsOf } from '../../../deploy/operations/classify.ts';
import { knownFrom } from '../../../deploy/operations/known.ts';
import { onNewDatabase } from '../own-database.ts';

const grammar = await loadGrammar();

/** Where nothing is known of a database. */
const read = (sql: string): Operation[] =>
  (grammar.parse(sql) ?? []).flatMap((statement) => operationsOf(statement, knownFrom(undefined)));

describe('without a database', () => {
  test.each([
    ['alter table t add z uuid not null default gen_random_uuid()', ['add-column-volatile-default']],
    ['alter table t add z timestamptz default current_timestamp', ['add-column-stable-default']],
    [`alter table t add z jsonb not null default '[]'::jsonb`, ['add-column-constant-default']],
    ['alter table t add z int default null', ['add-column']],
    ['alter table t add z int default my_next()', ['add-column-volatile-default']],
    [
      'alter table t add z int default 1 unique check (z > 0) references p (id)',
      ['add-column-constant-default', 'add-column-unique', 'add-column-check', 'add-column-foreign-key'],
    ],
    ['alter table t drop a, alter b set not null, add unique (c)', ['drop-column', 'set-not-null', 'add-unique']],
    ['drop table a, b', ['drop-table', 'drop-table']],
    ['create table z (id int references z)', ['create-table']],
    ['alter table t set tablespace other', ['other']],
    [`do $$ begin execute 'drop table t'; end $$`, ['other']],
  ])('%s', (sql, ids) => expect(read(sql).map(({ id }) => id)).toEqual(ids));

  test.each([
    ['alter table t add z int default my_next()', /my_next\(\)/],
    ['alter table t alter a type bigint', /type is not known/],
    ['alter table t validate constraint z', /"z"/],
    ['alter table t drop constraint z', /"z"/],
    ['drop index z', /"z"/],
    ['drop table t', /foreign keys/],
    ['vacuum', /every table/],
    ['alter system reset all', /not known/],
  ])('%s: what it assumes, it says', (sql, assumed) => {
    expect(read(sql)[0]?.assumed).toMatch(assumed);
  });

  test('names are those of the schema that is written, or the first of the search path', () => {
    const relations = (sql: string): string[] =>
      read(sql).flatMap(({ locks }) => locks.map(({ relation }) => relation));
    expect(relations('alter table a."B c" add constraint x foreign key (y) references p (id)')).toEqual([
      'a.B c',
      'public.p',
    ]);
    expect(relations('with p as (select 1) select * from p, q, (select * from r.s) x')).toEqual(['public.q', 'r.s']);
  });

  test('an index says its columns, and whether it is of a part', () => {
    expect(read('create unique index z on t (a, lower(b)) where a > 0')[0]).toMatchObject({
      id: 'create-unique-index',
      columns: ['a'],
      index: { name: 'z', columns: ['a', undefined], method: 'btree', isUnique: true, isPartial: true },
    });
  });
});

const types = [
  ['varchar(50)', 'varchar(100)'],
  ['varchar(50)', 'varchar(20)'],
  ['varchar(50)', 'varchar'],
  ['varchar(50)', 'text'],
  ['varchar', 'varchar(50)'],
  ['text', 'varchar'],
  ['text', 'varchar(64)'],
  ['char(5)', 'char(10)'],
  ['char(5)', 'text'],
  ['int', 'bigint'],
  ['int', 'int'],
  ['int', 'text'],
  ['text', 'jsonb'],
  ['json', 'jsonb'],
  ['numeric(10,2)', 'numeric(12,2)'],
  ['numeric(10,2)', 'numeric(8,2)'],
  ['numeric(10,2)', 'numeric(12,4)'],
  ['numeric(10,2)', 'numeric'],
  ['numeric', 'numeric(10,2)'],
  ['timestamp', 'timestamptz'],
  ['timestamptz', 'timestamp'],
  ['timestamp(3)', 'timestamptz(3)'],
  ['timestamp(3)', 'timestamptz'],
  ['timestamp', 'timestamptz(3)'],
  ['timestamptz(3)', 'timestamp(6)'],
  ['timestamptz(3)', 'timestamptz'],
  ['timestamptz', 'timestamptz(3)'],
  ['time(3)', 'time(6)'],
  ['date', 'timestamptz'],
  ['cidr', 'inet'],
  ['inet', 'cidr'],
  ['xml', 'text'],
  ['varbit(5)', 'varbit(9)'],
  ['varchar(5)[]', 'varchar(9)[]'],
  ['varchar[]', 'text[]'],
  ['real', 'double precision'],
  ['mood', 'text'],
];

describe.each(inject('servers'))('on PostgreSQL $version', ({ url }) => {
  test(`of ${types.length} changes of a type those rewrite the table of which it is said`, () =>
    onNewDatabase(url, async ({ sql }) => {
      await sql.unsafe(`create type mood as enum ('good')`);
      const columns = types.map(([type], i) => `c${i} ${type}`).join(', ');
      await sql.unsafe(`create table t (${columns})`);
      const catalogue = await readCatalogue({
        query: async (text) => [...(await sql.unsafe(text))] as never,
        script: async () => {},
      });
      const fileOf = async (): Promise<unknown> => (await sql`select pg_relation_filenode('t')::text as file`)[0]?.file;
      const said: string[] = [];
      const done: string[] = [];
      for (const [i, [from, to]] of types.entries()) {
        const using = i % 2 === 0 ? ` using c${i}::${to}` : '';
        const statement = `alter table t alter c${i} type ${to}${using}`;
        const [operation] = operationsOf((grammar.parse(statement) as [ParsedStatement])[0], knownFrom(catalogue));
        if (operation?.id === 'alter-type-rewrite') said.push(`${from} > ${to}`);
        const before = await fileOf();
        const one = await sql.reserve();
        try {
          await one.unsafe(`set timezone = 'UTC'; ${statement}`);
        } catch (error) {
          if ((error as { code?: string }).code !== '42804') throw error; // no cast of its own: USING is needed
          await one.unsafe(`${statement} using c${i}::${to}`);
        } finally {
          one.release();
        }
        if ((await fileOf()) !== before) done.push(`${from} > ${to}`);
      }
      expect(said).toEqual(done);
    }));
});

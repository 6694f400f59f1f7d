// Twelve changes of a table: how long each is said to take, and how long it takes.

import type postgres from 'postgres';
import { readCatalogue } from '../../../deploy/catalogue.ts';
import { loadGrammar, type ParsedStatement } from '../../../deploy/grammar.ts';
import { operationsOf } from '../../../deploy/operations/classify.ts';
import { estimate, measureSlowness } from '../../../deploy/operations/estimate.ts';
import { knownFrom } from '../../../deploy/operations/known.ts';
import type { DeploySession } from '../../../deploy/session.ts';

export interface EstimateResult {
  version?: number;
  change: string;
  rows: number;
  estimated: number;
  /** In seconds, of the faster of two runs: what else the machine did is not the statement's. The estimate is of that run. */
  measured: number;
}

/** Before the change, where it needs something that is not timed; `undo` is for what can't be rolled back. */
const changes: readonly { sql: string; before?: string; undo?: string }[] = [
  { sql: "alter table t add column z text not null default 'none'" },
  { sql: 'alter table t drop column b' },
  { sql: 'create index z on t (a)' },
  { sql: 'create index z on t (b)' },
  { sql: 'create unique index concurrently z on t (id, a)', undo: 'drop index z' },
  { sql: 'alter table t add constraint z foreign key (p_id) references p (id)' },
  { sql: 'alter table t add constraint z check (a >= 0)' },
  {
    sql: 'alter table t validate constraint z',
    before: 'alter table t add constraint z foreign key (p_id) references p (id) not valid',
  },
  { sql: 'alter table t alter column a set not null' },
  { sql: 'alter table t add column z uuid default gen_random_uuid()' },
  { sql: 'alter table t alter column a type bigint' },
  { sql: 'update t set a = a + 1' },
];

/** @param sql a single connection to a database of its own */
export async function measureEstimates(sql: postgres.Sql, rows: number): Promise<EstimateResult[]> {
  const grammar = await loadGrammar();
  const session: DeploySession = {
    query: async (text) => [...(await sql.unsafe(text))] as never,
    script: async (text) => void (await sql.unsafe(text)),
  };
  await makeTable(sql, rows);
  const results: EstimateResult[] = [];
  for (const { sql: text, before = '', undo } of changes) {
    const [statement] = grammar.parse(text) as [ParsedStatement];
    const runs: { estimated: number; measured: number }[] = [];
    for (let run = 0; run < 2; run += 1) {
      const slowness = await measureSlowness(session);
      if (undo === undefined) await sql.unsafe(`begin; ${before}`);
      const known = knownFrom(await readCatalogue(session));
      const found = operationsOf(statement, known);
      const sinceMs = performance.now();
      await sql.unsafe(text);
      const measured = (performance.now() - sinceMs) / 1000;
      await sql.unsafe(undo ?? 'rollback');
      const seconds = found.map((one) => estimate(one, known, slowness)?.seconds ?? Number.NaN);
      runs.push({ estimated: seconds.reduce((sum, one) => sum + one, 0), measured });
    }
    const [fastest] = runs.sort((one, other) => one.measured - other.measured) as [(typeof runs)[number]];
    results.push({ change: text, rows, ...fastest });
    await sql.unsafe('vacuum t');
  }
  return results;
}

async function makeTable(sql: postgres.Sql, rows: number): Promise<void> {
  await sql.unsafe(`
    drop table if exists t, p;
    create table p (id int primary key);
    insert into p select generate_series(1, ${rows / 4});
    create table t (id bigint primary key, p_id int not null, a int, b text, at timestamptz default now());
    insert into t select n, 1 + (n * 7919::bigint) % ${rows / 4}, (n * 104729::bigint) % 1000003, md5(n::text), now()
      from generate_series(1, ${rows}) n;
    create index t_p_id on t (p_id);
    create index t_b on t (b)`);
  await sql.unsafe('vacuum analyze t, p');
  await sql.unsafe('checkpoint');
}

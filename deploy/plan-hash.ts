// The hash of a plan: another one as soon as a pending file, the history, or what the pending statements meet in the
// database is another one. How large tables are is not in it.

import { createHash } from 'node:crypto';
import { readCatalogue, type TableFacts } from './catalogue.ts';
import type { Comparison } from './comparison.ts';
import { loadGrammar } from './grammar.ts';
import type { Migration } from './migrations.ts';
import { operationsOf } from './operations/classify.ts';
import { follow } from './operations/follow.ts';
import { knownFrom } from './operations/known.ts';
import type { DeploySession } from './session.ts';

/** Twelve hexadecimal digits: what `deploy --confirm` asks for. */
export async function hashPlan(session: DeploySession, { all, pending }: Comparison): Promise<string> {
  const [target] = await session.query(
    `select current_database() as database, (select oid::text from pg_database where datname = current_database()) as oid`,
  );
  const parts = [
    target?.database,
    target?.oid,
    ...all.map(({ name, state, createdAt }) => `${state} ${name} ${createdAt}`),
    ...pending.map(({ hash }) => hash),
    ...(await whatTheyMeet(session, pending)),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

/** What each statement does, and the tables that are there of those that it is about. */
async function whatTheyMeet(session: DeploySession, pending: readonly Migration[]): Promise<string[]> {
  const catalogue = await readCatalogue(session);
  const grammar = await loadGrammar();
  const parts: string[] = [`PostgreSQL ${catalogue.version}`];
  const tables = new Set<string>();
  let known = knownFrom(catalogue);
  const statements = pending.flatMap((migration) =>
    migration.statements.flatMap(({ sql }) => grammar.parse(sql) ?? []),
  );
  for (const statement of statements) {
    for (const { id, relations, locks, scans, rewrites, builds, assumed } of operationsOf(statement, known)) {
      parts.push(JSON.stringify([id, relations, locks, scans, rewrites, builds, assumed ?? null]));
      for (const name of Object.values(relations).flat()) tables.add(name);
    }
    known = follow(statement, known);
  }
  const facts = [...tables].sort().flatMap((name) => catalogue.tables.get(name) ?? []);
  return [...parts, ...facts.map(withoutSizes)];
}

function withoutSizes({ schema, name, kind, columns, constraints, indexes }: TableFacts): string {
  const shapes = indexes.map(({ bytes: _, ...shape }) => shape);
  return JSON.stringify([schema, name, kind, [...columns], constraints, shapes]);
}

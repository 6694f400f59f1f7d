// Measures, on a server, which locks the example of each operation takes, and what it reads, writes anew and builds. Lock
// modes do not depend on a table's size: small ones do.

import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import {
  type LockMode,
  lockModes,
  type MeasuredOperation,
  modeFromServer,
  type Role,
  strongerMode,
} from '../../../deploy/operations/locks.ts';
import { type OperationId, operations } from '../../../deploy/operations/operations.ts';
import { type Example, examples, fixture, rolesOfFixture } from './examples.ts';

export type Measured = Omit<MeasuredOperation, 'versions'>;

/** Sessions to one database, whose schema `measured` is made anew for each example. */
export interface Sessions {
  /** Runs the examples. */
  own: postgres.Sql;
  /** Looks at the locks and, in turn, holds them. */
  other: postgres.Sql;
}

/**
 * Of each operation that this version has.
 * @param look is called when all is there that the statement needs, before it runs
 */
export async function measureOperations(
  sessions: Sessions,
  version: number,
  look: (id: OperationId) => Promise<void> = async () => {},
): Promise<Map<OperationId, Measured>> {
  const found = new Map<OperationId, Measured>();
  let isFresh = false; // what a transaction did is rolled back
  for (const [name, example] of Object.entries(examples)) {
    const id = name as OperationId;
    if ((operations[id].since ?? 0) > version) continue;
    if (!isFresh || example.before !== undefined) await makeFixture(sessions.own, example);
    await look(id);
    found.set(id, await measureExample(sessions, example));
    isFresh = example.before === undefined && example.heldUpBy === undefined;
  }
  return found;
}

async function makeFixture(own: postgres.Sql, { before = '' }: Example): Promise<void> {
  await own.unsafe(`drop schema if exists measured cascade; create schema measured; set search_path = measured;
    ${fixture}; ${before}`);
}

async function measureExample({ own, other }: Sessions, example: Example): Promise<Measured> {
  const relations = await readRelations(own);
  const roles = { ...rolesOfFixture, ...example.roles };
  const roleOf = (oid: string): Role | undefined => {
    const relation = relations.get(oid);
    return relation && (roles[relation.name] ?? (relation.kind === 'i' ? 'index' : undefined));
  };
  const after = example.heldUpBy
    ? await runHeldUp({ own, other }, example.sql, example.heldUpBy)
    : await runInTransaction(own, example.sql);
  return summarise(relations, after, roleOf);
}

interface Relation {
  name: string;
  kind: string;
  file: string;
  indexes: number;
}

interface After {
  locks: { oid: string; mode: string }[];
  scanned: string[];
  relations: Map<string, Relation>;
}

async function readRelations(sql: postgres.Sql): Promise<Map<string, Relation>> {
  const rows = await sql`
    select c.oid::text, c.relname as name, c.relkind::text as kind, c.relfilenode::text as file,
      (select count(*)::int from pg_index i where i.indrelid = c.oid) as indexes
    from pg_class c where c.relnamespace = 'measured'::regnamespace and c.relkind in ('r', 'p', 'i', 'I', 'v', 'm', 'S')`;
  return new Map(rows.map(({ oid, ...relation }) => [oid as string, relation as Relation]));
}

async function runInTransaction(own: postgres.Sql, sql: string): Promise<After> {
  await own.unsafe('begin');
  try {
    const before = await scansInTransaction(own);
    await own.unsafe(sql);
    const locks = await own<After['locks']>`
      select relation::text as oid, mode from pg_locks where pid = pg_backend_pid() and locktype = 'relation'`;
    const scanned = more(await scansInTransaction(own), before);
    return { locks: [...locks], scanned, relations: await readRelations(own) };
  } finally {
    await own.unsafe('rollback; reset all; set search_path = measured');
  }
}

/** Every lock that it asks for while one after another holds it up. What it has read stands in the statistics behind it. */
async function runHeldUp({ own, other }: Sessions, sql: string, holders: string[]): Promise<After> {
  const [{ pid } = {}] = await own`select pg_backend_pid() as pid`;
  const locks: After['locks'] = [];
  const before = await countScans(own);
  const holding = await Promise.all(
    holders.map(async (holder) => {
      const session = await other.reserve();
      await session.unsafe(`begin; set local search_path = measured; ${holder}`);
      return session;
    }),
  );
  const running = own.unsafe(sql).then(() => 'done');
  for (const session of holding) {
    await waitUntilHeldUp(other, pid as number, locks);
    await session.unsafe('rollback');
    session.release();
  }
  await running;
  const scanned = more(await countScans(own), before);
  return { locks, scanned, relations: await readRelations(own) };
}

async function waitUntilHeldUp(other: postgres.Sql, pid: number, locks: After['locks']): Promise<void> {
  for (let look = 0; look < 2000; look += 1) {
    const rows = await other`select locktype, relation::text as oid, mode, granted from pg_locks where pid = ${pid}`;
    for (const { locktype, oid, mode } of rows) if (locktype === 'relation') locks.push({ oid, mode });
    if (rows.some(({ granted }) => !granted)) return;
    await sleep(2);
  }
  throw new Error('it was not held up');
}

/** Of this session, what is not yet in the statistics of all. */
async function scansInTransaction(own: postgres.Sql): Promise<Map<string, number>> {
  return toCounts(await own`select relid::text as oid, seq_scan::int as count from pg_stat_xact_user_tables`);
}

async function countScans(own: postgres.Sql): Promise<Map<string, number>> {
  await own.unsafe('select pg_stat_force_next_flush()');
  return toCounts(await own`select relid::text as oid, seq_scan::int as count from pg_stat_user_tables`);
}

const toCounts = (rows: readonly postgres.Row[]): Map<string, number> =>
  new Map(rows.map(({ oid, count }) => [oid as string, count as number]));

const more = (after: Map<string, number>, before: Map<string, number>): string[] =>
  [...after].filter(([oid, count]) => count > (before.get(oid) ?? 0)).map(([oid]) => oid);

function summarise(
  before: Map<string, Relation>,
  { locks, scanned, relations }: After,
  roleOf: (oid: string) => Role | undefined,
): Measured {
  const byRole: Partial<Record<Role, LockMode>> = {};
  for (const { oid, mode } of locks) {
    const role = roleOf(oid);
    if (role) byRole[role] = strongerMode(byRole[role] ?? lockModes[0], modeFromServer(mode));
  }
  const rolesOf = (oids: Iterable<string>): Role[] =>
    [...new Set([...oids].map(roleOf).filter((role) => role !== undefined))].sort();
  const changed = (is: (was: Relation, now: Relation) => boolean): string[] =>
    [...before]
      .filter(([oid, was]) => relations.has(oid) && is(was, relations.get(oid) as Relation))
      .map(([oid]) => oid);
  const rewritten = changed((was, now) => was.kind !== 'i' && was.file !== now.file);
  const files = new Map([...relations.values()].map(({ name, file }) => [name, file]));
  const rebuilt = [...before].filter(([, was]) => was.kind === 'i' && (files.get(was.name) ?? was.file) !== was.file);
  return {
    locks: Object.fromEntries(Object.entries(byRole).sort()),
    scans: rolesOf(scanned),
    rewrites: rolesOf(rewritten),
    builds: rolesOf([...changed((was, now) => now.indexes > was.indexes), ...rebuilt.map(([oid]) => oid)]),
  };
}

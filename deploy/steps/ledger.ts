// Which steps of a migration are done, where it can't be one transaction: `mytx_deploy.step`. A row is `started` before
// what can't be undone begins, and `done` in the transaction of what can. It stays when the migration is in the history.

import { DeployError } from '../errors.ts';
import { type DeploySession, orUnreadable, type PostgresFailure } from '../session.ts';
import { type PlannedMigration, type Step, shorten } from './steps.ts';

const ledgerSchema = 'mytx_deploy';
const table = `${ledgerSchema}.step`;

/** A step as the ledger has it. */
export interface LedgerStep {
  number: number;
  hash: string;
  state: 'started' | 'done';
  /** The server process that ran it, and when that began, in PostgreSQL's text. */
  pid: number;
  backendStart: string;
  /** Of a backfill: the primary key of the last row that is done. */
  position: string[] | undefined;
  /** Of a backfill: how many rows it has looked at. */
  rows: number;
}

/** @throws DeployError LEDGER_UNREADABLE where the role may not make or read it */
export function createLedger(session: DeploySession): Promise<void> {
  return orUnreadable(ledgerUnreadable, async () => {
    const [found] = await session.query(`select to_regclass('${table}')::text as found`);
    if (found?.found) return;
    await session.script(`
      create schema if not exists ${ledgerSchema};
      create table if not exists ${table} (
        migration text not null,
        created_at bigint not null,
        number integer not null,
        hash text not null,
        kind text not null,
        statement text not null,
        state text not null check (state in ('started', 'done')),
        started_at timestamptz not null default now(),
        done_at timestamptz,
        pid integer not null,
        backend_start timestamptz not null,
        position text[],
        rows bigint not null default 0,
        primary key (migration, created_at, number)
      );
    `);
  });
}

/** The steps of a migration that were begun, by their numbers; none where there is no ledger. */
export function readLedger(session: DeploySession, planned: PlannedMigration): Promise<Map<number, LedgerStep>> {
  return orUnreadable(ledgerUnreadable, async () => {
    const [found] = await session.query(`select to_regclass('${table}')::text as found`);
    if (!found?.found) return new Map();
    const rows = await session.query(
      `select number, hash, state, pid, backend_start, to_json(position)::text as position, rows
       from ${table} where migration = $1::text and created_at = $2::bigint order by number`,
      keyOf(planned),
    );
    return new Map(rows.map((row) => [Number(row.number), toLedgerStep(row)]));
  });
}

function toLedgerStep(row: Record<string, string | null>): LedgerStep {
  return {
    number: Number(row.number),
    hash: row.hash as string,
    state: row.state as LedgerStep['state'],
    pid: Number(row.pid),
    backendStart: row.backend_start as string,
    position: row.position ? (JSON.parse(row.position) as string[]) : undefined,
    rows: Number(row.rows),
  };
}

const keyOf = ({ migration }: PlannedMigration): [string, string] => [migration.name, String(migration.createdAt)];

/** Says that a step begins, in the session that will run it. What is known of it stays. */
export async function startStep(session: DeploySession, planned: PlannedMigration, step: Step): Promise<void> {
  await session.query(
    `insert into ${table} (migration, created_at, number, hash, kind, statement, state, pid, backend_start)
     select $1::text, $2::bigint, $3::integer, $4::text, $5::text, $6::text, 'started', pg_backend_pid(),
       coalesce((select backend_start from pg_stat_activity where pid = pg_backend_pid()), now())
     on conflict (migration, created_at, number) do update
     set hash = excluded.hash, statement = excluded.statement, kind = excluded.kind, pid = excluded.pid,
       backend_start = excluded.backend_start, started_at = now()`,
    [...keyOf(planned), String(step.number), step.hash, step.kind, shorten(step.statements[0]?.sql ?? '')],
  );
}

export async function finishStep(session: DeploySession, planned: PlannedMigration, step: Step): Promise<void> {
  await session.query(
    `update ${table} set state = 'done', done_at = now()
     where migration = $1::text and created_at = $2::bigint and number = $3::integer`,
    [...keyOf(planned), String(step.number)],
  );
}

/** Of a step that PostgreSQL refused: nothing of it is there, and the next run begins it anew. */
export async function forgetStep(session: DeploySession, planned: PlannedMigration, step: Step): Promise<void> {
  await session.query(
    `delete from ${table} where migration = $1::text and created_at = $2::bigint and number = $3::integer and state = 'started'`,
    [...keyOf(planned), String(step.number)],
  );
}

/**
 * In the transaction of a batch of a backfill: takes the row, and moves it to where that batch ends. The last batch ends
 * nowhere.
 * @param from where the batch begins
 * @throws DeployError MIGRATION_LOCK_HELD where the row is at another place: another run has gone on there
 */
export async function moveStep(
  session: DeploySession,
  planned: PlannedMigration,
  step: Step,
  from: readonly string[] | undefined,
  to: { position: readonly string[]; rows: number } | undefined,
): Promise<void> {
  const place = (number: number): string =>
    `nullif(array(select json_array_elements_text($${number}::json)), '{}'::text[])`;
  const moved = await session.query(
    `update ${table} set position = coalesce(${place(5)}, position), rows = greatest(rows, $6::bigint)
     where migration = $1::text and created_at = $2::bigint and number = $3::integer and state = 'started'
       and position is not distinct from ${place(4)}
     returning number`,
    [
      ...keyOf(planned),
      String(step.number),
      JSON.stringify(from ?? []),
      JSON.stringify(to?.position ?? []),
      String(to?.rows ?? 0),
    ],
  );
  if (moved.length > 0) return;
  throw new DeployError({
    code: 'MIGRATION_LOCK_HELD',
    message: `another deploy has gone on with step ${step.number} of ${planned.migration.name}: this one lost its lock and did nothing more`,
    hint: 'Wait for the other one. `mytx status` says how far it is.',
    details: { migration: planned.migration.name, step: step.number },
  });
}

/** How many steps of which migrations are done, by name and time: of those that are one transaction none. */
export function unfinishedMigrations(session: DeploySession): Promise<Map<string, { done: number }>> {
  return orUnreadable(ledgerUnreadable, async () => {
    const [found] = await session.query(`select to_regclass('${table}')::text as found`);
    if (!found?.found) return new Map();
    const rows = await session.query(
      `select migration, created_at, count(*) filter (where state = 'done') as done from ${table} group by 1, 2`,
    );
    return new Map(rows.map((row) => [`${row.migration} ${row.created_at}`, { done: Number(row.done) }]));
  });
}

function ledgerUnreadable(cause: PostgresFailure): DeployError {
  return new DeployError({
    code: 'LEDGER_UNREADABLE',
    message: `the steps that were done can't be read from or kept in ${table} (SQLSTATE ${cause.code}: ${cause.message})`,
    hint: `As the database's owner run: create schema if not exists ${ledgerSchema} authorization <this role>; then run this again.`,
    cause,
  });
}

// An UPDATE of a whole table in batches by its primary key, each committed with the place it came to: it stops at any
// moment, goes on from there, and keeps nobody waiting for longer than a batch takes.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError } from '../errors.ts';
import { stopIfAsked } from '../lock.ts';
import { qualified, quoteName, quoteText } from '../quoting.ts';
import { inTransaction, type Place, type Run } from '../run.ts';
import type { DeploySession } from '../session.ts';
import type { BackfillUpdate } from '../sql-statements.ts';
import { finishStep, type LedgerStep, moveStep, readLedger, startStep } from './ledger.ts';
import type { RunnableStep, Standing, StepContext, Undo } from './step-shape.ts';
import { type PlannedMigration, type Step, shorten } from './steps.ts';

export type BackfillStep = Extract<Step, { kind: 'backfill' }>;

const batch = { firstRows: 1000, fewestRows: 50, mostRows: 20_000, targetMs: 40 };
const checkEveryMs = 1000;

interface KeyColumn {
  name: string;
  type: string;
}

interface Throttle {
  rows: number;
  pauseMs: number;
  checkedAtMs: number;
}

export function backfillStep(context: StepContext<BackfillStep>): RunnableStep {
  const { run, planned, step } = context;
  const read = async (): Promise<LedgerStep | undefined> => {
    const found = (await readLedger(run.session, planned)).get(step.number);
    return found?.hash === step.hash ? found : undefined;
  };
  const check: RunnableStep['check'] = async (): Promise<Standing> => {
    const found = await read();
    if (found?.state === 'done') return 'done';
    return found?.position === undefined ? 'not done' : 'half done';
  };
  return {
    check,
    async run(): Promise<void> {
      await startStep(run.session, planned, step);
      // Read behind that, which waits for a batch of an earlier run that is just being committed: it may be the last.
      const begun = await read();
      if (begun?.state !== 'done') await runBatches(context, begun);
    },
    describe: () => shorten(step.statements[0]?.sql ?? ''),
    async undo(): Promise<Undo> {
      const what =
        (await check()) === 'not done'
          ? 'no batch of it is done'
          : 'it can’t be taken back: what it wrote over is not kept';
      return { statements: [], what };
    },
  };
}

/**
 * Runs what is left of it. The last batch is committed with what the ledger says of the whole step.
 * @throws DeployError MIGRATION_REFUSED for a table without a primary key
 */
async function runBatches(
  { run, place, planned, step }: StepContext<BackfillStep>,
  begun: LedgerStep | undefined,
): Promise<void> {
  const { update } = step;
  const key = await keyOf(run.session, update, planned, step);
  const total = await estimateRows(run.session, update);
  const sinceMs = performance.now();
  const throttle: Throttle = { rows: update.batchRows ?? batch.firstRows, pauseMs: 0, checkedAtMs: sinceMs };
  const most = update.batchRows ?? batch.mostRows;
  const doneBefore = begun?.rows ?? 0;
  let saidAtMs = sinceMs;
  let rows = doneBefore;
  for (let position = begun?.position; ; ) {
    stopIfAsked(run);
    const startMs = performance.now();
    const end = await endOfBatch(run.session, update, key, position, throttle.rows);
    await inTransaction({ ...run, lockTimeoutMs: Math.min(run.lockTimeoutMs, 100) }, place, async () => {
      // The place is committed with the rows: losing both in a crash of the server loses nothing.
      await run.session.script('set local synchronous_commit = off');
      // First, so that two runs never do one batch: an earlier one may have lost its lock and not know it yet.
      await moveStep(
        run.session,
        planned,
        step,
        position,
        end && { position: end.position, rows: rows + throttle.rows },
      );
      await run.session.query(batchStatement(update, key, position, end?.position), paramsOf(position, end?.position));
      if (!end) await finishStep(run.session, planned, step);
    });
    if (!end) return;
    position = end.position;
    rows += throttle.rows;
    const nowMs = performance.now();
    if (nowMs - saidAtMs >= checkEveryMs) {
      saidAtMs = nowMs;
      const done = rows - doneBefore;
      const progress = { what: 'rows', done, total: Math.max(done, total - doneBefore), elapsedMs: nowMs - sinceMs };
      run.onEvent({ type: 'progress', ...place, ...progress });
    }
    await adapt(run, place, throttle, most, nowMs - startMs);
  }
}

/** A batch takes about as long as a writer may wait for one of its rows. */
async function adapt(run: Run, place: Place, throttle: Throttle, most: number, tookMs: number): Promise<void> {
  const factor = Math.min(2, Math.max(0.25, batch.targetMs / tookMs));
  throttle.rows = Math.round(Math.min(most, Math.max(batch.fewestRows, throttle.rows * factor)));
  if (performance.now() - throttle.checkedAtMs < checkEveryMs) return;
  throttle.checkedAtMs = performance.now();
  for (let why = await whoIsHurt(run); why !== undefined; why = await whoIsHurt(run)) {
    stopIfAsked(run);
    run.onEvent({ type: 'throttle', ...place, why, pauseMs: 500 });
    await sleep(500);
  }
}

/** Replicas that are behind; what the role may not see counts as none. */
async function whoIsHurt({ lock, replicaLagBytes }: Run): Promise<string | undefined> {
  const [row] = await lock.query(
    `select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint::text as lag
     from pg_stat_replication where not pg_is_in_recovery()`,
  );
  const lag = Number(row?.lag ?? 0);
  return lag > replicaLagBytes ? `a replica is ${Math.round(lag / 1024 / 1024)} MB behind` : undefined;
}

async function keyOf(
  session: DeploySession,
  { table }: BackfillUpdate,
  { migration }: PlannedMigration,
  { statements }: BackfillStep,
): Promise<KeyColumn[]> {
  const rows = await session.query(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type
     from pg_index i
     cross join unnest(i.indkey) with ordinality as key (number, place)
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number
     where i.indrelid = to_regclass(${quoteText(qualified(table))}) and i.indisprimary
     order by key.place`,
  );
  if (rows.length > 0) return rows.map((row) => ({ name: row.name as string, type: row.type as string }));
  throw new DeployError({
    code: 'MIGRATION_REFUSED',
    message: `${migration.name} is not applied: ${migration.file}:${statements[0]?.line}: ${qualified(table)} has no primary key to go through it by`,
    hint: 'Give the table a primary key in a migration before, or take the mark mytx:backfill away: then it is one UPDATE.',
    details: { migration: migration.name, file: migration.file, line: statements[0]?.line },
  });
}

async function estimateRows(session: DeploySession, { table }: BackfillUpdate): Promise<number> {
  const [row] = await session.query(
    `select greatest(reltuples, 0)::bigint::text as rows from pg_class where oid = to_regclass(${quoteText(qualified(table))})`,
  );
  return Number(row?.rows ?? 0);
}

/** The key of the last row of a batch; undefined where so many rows are not left. */
async function endOfBatch(
  session: DeploySession,
  { table }: BackfillUpdate,
  key: readonly KeyColumn[],
  position: readonly string[] | undefined,
  rows: number,
): Promise<{ position: string[] } | undefined> {
  const columns = key.map(({ name }) => quoteName(name)).join(', ');
  const [row] = await session.query(
    `select ${key.map(({ name }, i) => `${quoteName(name)}::text as k${i}`).join(', ')}
     from ${qualified(table)}
     ${position ? `where (${columns}) > (${placeholders(key, 0)})` : ''}
     order by ${columns} limit 1 offset ${rows - 1}`,
    position ?? [],
  );
  return row && { position: key.map((_, i) => row[`k${i}`] as string) };
}

const placeholders = (key: readonly KeyColumn[], from: number): string =>
  key.map(({ type }, i) => `$${from + i + 1}::text::${type}`).join(', ');

/** The statement of the file, of the rows behind `position` and up to `end`. */
function batchStatement(
  { head, condition, alias }: BackfillUpdate,
  key: readonly KeyColumn[],
  position: readonly string[] | undefined,
  end: readonly string[] | undefined,
): string {
  const columns = `(${key.map(({ name }) => `${quoteName(alias)}.${quoteName(name)}`).join(', ')})`;
  const conditions = [
    ...(condition === undefined ? [] : [`(${condition}\n)`]),
    ...(position ? [`${columns} > (${placeholders(key, 0)})`] : []),
    ...(end ? [`${columns} <= (${placeholders(key, position ? key.length : 0)})`] : []),
  ];
  return conditions.length === 0 ? head : `${head}\nwhere ${conditions.join('\n  and ')}`;
}

const paramsOf = (position: readonly string[] | undefined, end: readonly string[] | undefined): string[] => [
  ...(position ?? []),
  ...(end ?? []),
];

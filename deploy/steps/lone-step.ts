// Steps that can't run in a transaction: whether they were done can only be told from what they leave behind. Begun, they
// are in the ledger; what an interrupted one left is found, waited for, and cleared away before it is tried again. IF NOT
// EXISTS is never trusted: it passes over an index that is not valid.

import { setTimeout as sleep } from 'node:timers/promises';
import { stopIfAsked } from '../lock.ts';
import { qualified, quoteName, quoteText } from '../quoting.ts';
import type { Place, Run } from '../run.ts';
import { type DeploySession, isAnswer, type PostgresFailure } from '../session.ts';
import type { LoneAction, Named } from '../sql-statements.ts';
import { finishStep, forgetStep, type LedgerStep, startStep } from './ledger.ts';
import type { RunnableStep, Standing, StepContext, Undo } from './step-shape.ts';
import { type Step, shorten } from './steps.ts';

export type LoneStep = Extract<Step, { kind: 'alone' }>;

export function loneStep(context: StepContext<LoneStep>): RunnableStep {
  const { run, place, planned, step, begun } = context;
  const { session } = run;
  const { action } = step;
  const [statement] = step.statements;
  const shape: RunnableStep = {
    async check(): Promise<Standing> {
      if (!begun) return invalidOnly(session, action);
      await waitForEarlier(run, place, begun);
      return standingOf(session, action);
    },
    async run(standing: Standing): Promise<void> {
      await startStep(session, planned, step);
      if (standing === 'half done') await repair(run, place, shape);
      // What was repaired may be done: an interrupted DETACH can only be brought to its end.
      const isDone =
        standing === 'done' || (standing === 'half done' && (await standingOf(session, action)) === 'done');
      if (!isDone) await runAlone(context, shape, statement?.sql ?? '');
      await finishStep(session, planned, step);
    },
    describe: () => shorten(statement?.sql ?? ''),
    undo: () => undoOf(session, action),
  };
  return shape;
}

async function runAlone(
  { run, place, planned, step }: StepContext<LoneStep>,
  shape: RunnableStep,
  sql: string,
): Promise<void> {
  const { session } = run;
  await session.script(`set lock_timeout = 0; set statement_timeout = 0; set time zone 'UTC'`);
  const watch = watchProgress(run, place);
  try {
    await session.script(sql);
  } catch (error) {
    const failure = error as PostgresFailure;
    // An invalid index costs each write, and serves no read.
    if ((await standingOf(session, step.action).catch(() => undefined)) === 'half done')
      await repair(run, place, shape).catch(() => {});
    // PostgreSQL refused it: nothing of this step is there, and what has its name is somebody else's.
    if (isAnswer(failure)) await forgetStep(session, planned, step).catch(() => {});
    throw error;
  } finally {
    await watch.stop();
  }
}

/** Takes back what an interrupted run left. */
async function repair({ session, onEvent }: Run, place: Place, shape: RunnableStep): Promise<void> {
  await session.script('set lock_timeout = 0; set statement_timeout = 0');
  const { statements, what } = await shape.undo();
  for (const statement of statements) await session.script(statement);
  if (statements.length > 0) onEvent({ type: 'repair', ...place, what });
}

/** At a first run an index that is there belongs to somebody: PostgreSQL says so. One that is not valid is in the way. */
async function invalidOnly(session: DeploySession, action: LoneAction): Promise<Standing> {
  if (action.kind !== 'create-index') return 'not done';
  return (await standingOf(session, action)) === 'half done' ? 'half done' : 'not done';
}

async function standingOf(session: DeploySession, action: LoneAction): Promise<Standing> {
  switch (action.kind) {
    case 'create-index': {
      const [index] = await indexes(session, [indexOf(action)]);
      return index ? (index.isValid ? 'done' : 'half done') : 'not done';
    }
    case 'drop-index':
      return (await indexes(session, action.indexes)).length === 0 ? 'done' : 'not done';
    case 'reindex':
      return (await leftovers(session, action)).length > 0 ? 'half done' : 'not done';
    case 'detach':
      return detachStanding(session, action);
    case 'other':
      return 'not done'; // VACUUM and its like may be run again; what may not says that it is there already
  }
}

/** An index is in the schema of its table. */
const indexOf = ({ index, table }: Extract<LoneAction, { kind: 'create-index' }>): Named & { table: Named } => ({
  schema: table.schema,
  name: index as string,
  table,
});

interface FoundIndex {
  name: string;
  isValid: boolean;
}

async function indexes(session: DeploySession, named: readonly (Named & { table?: Named })[]): Promise<FoundIndex[]> {
  const found: FoundIndex[] = [];
  for (const { schema, name, table } of named) {
    const at =
      table && schema === undefined
        ? `(select relnamespace from pg_class where oid = to_regclass(${quoteText(qualified(table))}))`
        : schema === undefined
          ? `(select relnamespace from pg_class where oid = to_regclass(${quoteText(quoteName(name))}))`
          : `${quoteText(schema)}::regnamespace`;
    const rows = await session.query(
      `select format('%I.%I', c.relnamespace::regnamespace::text, c.relname) as name, (i.indisvalid and i.indisready)::text as valid
       from pg_index i join pg_class c on c.oid = i.indexrelid
       where c.relname = $1::text and c.relnamespace = ${at}`,
      [name],
    );
    found.push(...rows.map((row) => ({ name: row.name as string, isValid: row.valid === 'true' })));
  }
  return found;
}

/** What REINDEX CONCURRENTLY leaves when it is interrupted: indexes with `_ccnew` or `_ccold` behind their names. */
async function leftovers(
  session: DeploySession,
  { what, name }: Extract<LoneAction, { kind: 'reindex' }>,
): Promise<string[]> {
  const relation = `to_regclass(${quoteText(qualified(name))})`;
  const rows = await session.query(
    `select format('%I.%I', c.relnamespace::regnamespace::text, c.relname) as name
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$'
       and i.indrelid = ${what === 'table' ? relation : `(select indrelid from pg_index where indexrelid = ${relation})`}`,
  );
  return rows.map((row) => row.name as string);
}

async function detachStanding(
  session: DeploySession,
  { table, partition }: Extract<LoneAction, { kind: 'detach' }>,
): Promise<Standing> {
  const [row] = await session.query(
    `select inhdetachpending::text as pending from pg_inherits
     where inhrelid = to_regclass(${quoteText(qualified(partition))}) and inhparent = to_regclass(${quoteText(qualified(table))})`,
  );
  if (!row) return 'done';
  return row.pending === 'true' ? 'half done' : 'not done';
}

async function undoOf(session: DeploySession, action: LoneAction): Promise<Undo> {
  switch (action.kind) {
    case 'create-index': {
      const found = await indexes(session, [indexOf(action)]);
      const [index] = found;
      const why = index?.isValid === false ? 'was not valid: its build was interrupted' : 'this step has built';
      return dropping(found, why);
    }
    case 'reindex':
      return dropping(
        (await leftovers(session, action)).map((name) => ({ name })),
        'was not valid: its build was interrupted',
      );
    case 'drop-index':
      return (await indexes(session, action.indexes)).length < action.indexes.length
        ? byHand('an index that is dropped is built again from its definition, which an earlier migration has')
        : byHand('nothing is dropped');
    case 'detach':
      return undoOfDetach(session, action);
    case 'other':
      return byHand('what it did is not taken back');
  }
}

const byHand = (what: string): Undo => ({ statements: [], what });

function dropping(found: readonly { name: string }[], why: string): Undo {
  if (found.length === 0) return byHand('no index of it is there');
  return {
    statements: found.map(({ name }) => `drop index concurrently if exists ${name}`),
    what: `dropped the index ${found.map(({ name }) => name).join(', ')}, which ${why}`,
  };
}

async function undoOfDetach(session: DeploySession, action: Extract<LoneAction, { kind: 'detach' }>): Promise<Undo> {
  const [table, partition] = [qualified(action.table), qualified(action.partition)];
  switch (await detachStanding(session, action)) {
    case 'not done':
      return byHand(`${partition} is attached`);
    case 'half done':
      // PostgreSQL knows no other way out of it.
      return {
        statements: [`alter table ${table} detach partition ${partition} finalize`],
        what: `finished the interrupted DETACH of ${partition}`,
      };
    case 'done':
      return byHand(`attach ${partition} again, with the bounds that it had`);
  }
}

/**
 * Whoever ran the step may be dead while its server process still builds: that is waited for. It would collide with a
 * second build, and what it leaves is known only behind its end.
 */
async function waitForEarlier(run: Run, place: Place, { pid, backendStart }: LedgerStep): Promise<void> {
  const sinceMs = performance.now();
  for (let saidAtMs = 0; ; ) {
    const [earlier] = await run.session.query(
      `select pid from pg_stat_activity
       where pid = $1::integer and backend_start = $2::timestamptz and pid <> pg_backend_pid() and state <> 'idle'`,
      [String(pid), backendStart],
    );
    if (!earlier) return;
    stopIfAsked(run);
    const waitedMs = performance.now() - sinceMs;
    if (waitedMs - saidAtMs > 1000) {
      saidAtMs = waitedMs;
      run.onEvent({
        type: 'throttle',
        ...place,
        why: `server process ${pid} of an earlier run is still at it`,
        pauseMs: 250,
      });
    }
    await sleep(250);
  }
}

/** Looks at how far an index build is, once a second, from the other session. */
function watchProgress(run: Run, place: Place): { stop(): Promise<void> } {
  const over = new AbortController();
  const look = async (): Promise<void> => {
    if (run.lock === run.session) return;
    for (const sinceMs = performance.now(); ; ) {
      await sleep(1000, undefined, { signal: over.signal });
      const [row] = await run.lock.query(
        `select phase, coalesce(nullif(blocks_total, 0), nullif(tuples_total, 0), nullif(lockers_total, 0), 0) as total,
           case when blocks_total > 0 then blocks_done when tuples_total > 0 then tuples_done else lockers_done end as done,
           case when blocks_total > 0 then 'blocks' when tuples_total > 0 then 'rows' else 'sessions' end as unit
         from pg_stat_progress_create_index where pid = $1::integer`,
        [String(run.pid)],
      );
      if (!row) continue;
      const elapsedMs = performance.now() - sinceMs;
      const facts = { what: `${row.unit} (${row.phase})`, done: Number(row.done), total: Number(row.total), elapsedMs };
      run.onEvent({ type: 'progress', ...place, ...facts });
    }
  };
  const watching = look().catch(() => {}); // ended by `over`, or the lock's session broke: the next step says so
  return {
    async stop(): Promise<void> {
      over.abort();
      await watching;
    },
  };
}

// Steps that can't run in a transaction: whether they were done can only be told from what they leave behind. Begun, they
// are in the ledger; what an interrupted one left is found, waited for, and cleared away before it is tried again. IF NOT
// EXISTS is never trusted: it passes over an index that is not valid.

import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerStep } from './ledger.ts';
import { stopIfAsked } from './lock.ts';
import { qualified, quoteName, quoteText } from './quoting.ts';
import type { Place, Run } from './run.ts';
import type { DeploySession } from './session.ts';
import type { LoneAction, Named } from './sql-statements.ts';
import type { Step } from './steps.ts';

export type LoneStep = Extract<Step, { kind: 'alone' }>;

/** Where what a step does stands now. */
type Standing = 'not done' | 'done' | 'half done';

/**
 * Runs one, unless an earlier run has done it.
 * @param begun what the ledger says of it, where an earlier run began it
 */
export async function runLoneStep(
  run: Run,
  place: Place,
  step: LoneStep,
  begun: LedgerStep | undefined,
): Promise<void> {
  const { action } = step;
  const [statement] = step.statements;
  if (begun) await waitForEarlier(run, place, begun);
  const standing = begun ? await standingOf(run.session, action) : await invalidOnly(run.session, action);
  if (standing === 'done') return;
  if (standing === 'half done') await clearAway(run, place, action);
  await run.session.script(`set lock_timeout = 0; set statement_timeout = 0; set time zone 'UTC'`);
  const watch = watchProgress(run, place);
  try {
    await run.session.script(statement?.sql ?? '');
  } catch (error) {
    await clearAway(run, place, action).catch(() => {}); // an invalid index costs each write, and serves no read
    throw error;
  } finally {
    await watch.stop();
  }
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

/** Takes away what an interrupted one left. */
async function clearAway(run: Run, place: Place, action: LoneAction): Promise<void> {
  const { session } = run;
  const tell = (what: string): void => run.onEvent({ type: 'repair', ...place, what });
  await session.script('set lock_timeout = 0; set statement_timeout = 0');
  if (action.kind === 'detach') {
    if ((await detachStanding(session, action)) !== 'half done') return;
    tell(`finished the interrupted DETACH of ${qualified(action.partition)}`);
    await session.script(
      `alter table ${qualified(action.table)} detach partition ${qualified(action.partition)} finalize`,
    );
    return;
  }
  const names =
    action.kind === 'create-index'
      ? (await indexes(session, [indexOf(action)])).filter(({ isValid }) => !isValid).map(({ name }) => name)
      : action.kind === 'reindex'
        ? await leftovers(session, action)
        : [];
  for (const name of names) {
    await session.script(`drop index concurrently if exists ${name}`);
    tell(`dropped the index ${name}, which was not valid: its build was interrupted`);
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

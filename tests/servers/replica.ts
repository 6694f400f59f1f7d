// Starts a streaming replica of a test server: a copy of its data folder, taken while it runs, that follows its log.
// Like the servers it lives in a temporary folder on a free port of 127.0.0.1, and never outlives the test.

import { cp, lchown, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import type { FoundInstallation } from './installations.ts';
import { describeServer, listenOnFreePort, type RunningServer } from './server.ts';
import { createServerFolder, deleteServerFolder, installBinaries, type ServerFolder } from './server-folder.ts';
import { startWatchdog } from './watchdog.ts';

export interface RunningReplica extends RunningServer {
  /** Stops it from following the log; what is read there grows old. */
  pause(): Promise<void>;
  /** Lets it follow again. */
  resume(): Promise<void>;
  /** It shows each transaction so many milliseconds after its commit; 0: at once. */
  delayBy(ms: number): Promise<void>;
  /** Resolves when it has everything that the primary has now. */
  caughtUp(): Promise<void>;
}

/** @param installation the primary's */
export async function startReplica(installation: FoundInstallation, primary: RunningServer): Promise<RunningReplica> {
  const place = await createServerFolder(installation.version);
  const dismissWatchdog = startWatchdog(place.folder);
  const password = decodeURIComponent(new URL(primary.url('postgres')).password);
  try {
    const binFolder = await installBinaries(installation, place);
    await copyData(primary, place, password);
    const launch = { binFolder, place, password, settings: {} };
    const server = describeServer(installation.version, await listenOnFreePort(launch), launch, dismissWatchdog);
    return Object.assign(server, controls(server, primary));
  } catch (error) {
    await deleteServerFolder(place);
    dismissWatchdog();
    throw error;
  }
}

/** PostgreSQL's own way of copying a running server: between the two calls every file may be read as it is. */
async function copyData(primary: RunningServer, place: ServerFolder, password: string): Promise<void> {
  const sql = postgres(primary.url('postgres'), { max: 1, onnotice: () => {} });
  try {
    await sql`select pg_backup_start('replica', true)`;
    const leftOut = new Set(['postmaster.pid', 'postmaster.opts']);
    await cp(join(primary.folder, 'data'), place.dataFolder, {
      recursive: true,
      filter: (path) => !leftOut.has(path.split('/').at(-1) ?? ''),
    });
    const [stopped] = await sql`select labelfile from pg_backup_stop(false)`;
    await writeFile(join(place.dataFolder, 'backup_label'), stopped?.labelfile as string);
  } finally {
    await sql.end();
  }
  const link = `host=127.0.0.1 port=${primary.port} user=postgres password=${password}`;
  await writeFile(join(place.dataFolder, 'postgresql.auto.conf'), `primary_conninfo = '${link}'\n`);
  await writeFile(join(place.dataFolder, 'standby.signal'), '');
  await rm(join(place.dataFolder, 'postmaster.pid'), { force: true });
  await giveToServer(place);
}

async function giveToServer({ dataFolder, owner }: ServerFolder): Promise<void> {
  if (!('uid' in owner)) return;
  const entries = await readdir(dataFolder, { recursive: true });
  const paths = [dataFolder, ...entries.map((entry) => join(dataFolder, entry))];
  await Promise.all(paths.map((path) => lchown(path, owner.uid, owner.gid)));
}

function controls(replica: RunningServer, primary: RunningServer): Omit<RunningReplica, keyof RunningServer> {
  return {
    pause: () => within(replica, async (sql) => void (await sql`select pg_wal_replay_pause()`)),
    resume: () => within(replica, async (sql) => void (await sql`select pg_wal_replay_resume()`)),
    delayBy: (ms) =>
      within(replica, async (sql) => {
        await sql.unsafe(`alter system set recovery_min_apply_delay = ${ms}`);
        await sql`select pg_reload_conf()`;
      }),
    caughtUp: async (): Promise<void> => {
      const place = await within(primary, async (sql) => {
        await sql`select pg_logical_emit_message(true, 'tests', 'writes out everything that is in the log so far')`;
        const [row] = await sql`select pg_current_wal_insert_lsn()::text as place`;
        return row?.place as string;
      });
      await within(replica, (sql) => waitFor(sql, place));
    },
  };
}

async function waitFor(sql: Sql, place: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const [row] = await sql`select pg_last_wal_replay_lsn() >= ${place}::pg_lsn as is_there`;
    if (row?.is_there) return;
    await sleep(50);
  }
  throw new Error(`the replica did not reach ${place} within 30 s`);
}

async function within<T>(server: RunningServer, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

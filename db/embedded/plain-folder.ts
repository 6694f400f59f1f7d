// A folder of PGlite itself, as Drizzle's driver `pglite` has it: PostgreSQL's files and nothing of ours, neither an
// owner's file nor snapshots. Tells such a folder from one that this package made and from one that holds something else.
// Never writes into it anything that PGlite would not, and never lets it be opened while another process is seen to have it.

import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConnectionError } from '../errors.ts';
import { readMajorVersion, stateFile } from './folder-state.ts';
import { holdersOf } from './process-facts.ts';

/** A folder that a configuration names, and what it is. */
export type EmbeddedPlace =
  /** Made by this package: the folder such as `.mytx`, also where `.mytx/database` was named. */
  | { kind: 'ours'; folder: string }
  /** PGlite's own; `isThere` is false where there is no folder yet, or an empty one. */
  | { kind: 'plain'; folder: string; isThere: boolean }
  /** Something else is there. */
  | { kind: 'other'; folder: string };

/** Says what a folder is. Reads only. */
export function findEmbeddedPlace(folder: string): EmbeddedPlace {
  if (isDatabase(join(folder, 'database'))) return { kind: 'ours', folder };
  if (isDatabase(folder)) {
    const isOurs = basename(resolve(folder)) === 'database' && existsSync(join(folder, stateFile));
    return isOurs ? { kind: 'ours', folder: dirname(resolve(folder)) } : { kind: 'plain', folder, isThere: true };
  }
  return isFree(folder) ? { kind: 'plain', folder, isThere: false } : { kind: 'other', folder };
}

/** The file of the process of ours that has a plain folder open: beside it, because PGlite makes a database in an empty folder alone. */
export function lockFileOf(folder: string): string {
  const above = dirname(resolve(folder));
  mkdirSync(above, { recursive: true });
  return `${existsSync(folder) ? realpathSync.native(folder) : join(realpathSync.native(above), basename(resolve(folder)))}.owner.pid`;
}

/** What is to be done where another process of ours has it. */
export const waitForIt = 'Run this again when that process has ended; nothing was opened.';

/**
 * Refuses a folder that must not be opened.
 * @throws ConnectionError EMBEDDED_VERSION where another PostgreSQL made it, EMBEDDED_IN_USE where a process has it open
 */
export function refuseUnfit(folder: string, installed: number): void {
  const made = readMajorVersion(folder);
  if (made !== undefined && made !== installed) throw otherVersion(folder, made, installed);
  const holders = holdersOf(folder);
  const [pid] = holders ?? [];
  if (pid !== undefined) throw openElsewhere(folder, pid);
  if (holders === undefined && existsSync(join(folder, 'postmaster.pid'))) throw perhapsOpen(folder);
}

/**
 * Makes a database where there is none. Killed at any point, there is none, or a whole one.
 * @param make makes and closes one in the folder that it is given
 */
export async function createPlain(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = `${folder}.mytx-unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await make(unfinished);
  if (existsSync(folder)) rmdirSync(folder); // fails where something came into it meanwhile
  renameSync(unfinished, folder);
}

/** PGlite says of a folder that it can't open no more than that. */
export function notOpened(folder: string, installed: number, cause: unknown): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_VERSION',
    `PGlite can’t open the database in ${folder}, though it is of PostgreSQL ${installed}: it is the folder of a server, or damaged`,
    'Give the URL of the server with --url; for a folder of PGlite, take it from a backup.',
    { folder, made: installed, installed },
    cause,
  );
}

const isDatabase = (folder: string): boolean =>
  existsSync(join(folder, 'PG_VERSION')) && (readMajorVersion(folder) ?? 0) > 0;

function isFree(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found === undefined || (found.isDirectory() && readdirSync(folder).length === 0);
}

function otherVersion(folder: string, made: number, installed: number): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_VERSION',
    `the PGlite database in ${folder} was made by PostgreSQL ${made}; installed is PostgreSQL ${installed}`,
    `Nothing was touched. Apply the migrations with the PGlite that made it, by drizzle-orm/pglite/migrator; or carry its rows over to a database of PostgreSQL ${installed} first (pgDump of @electric-sql/pglite-tools).`,
    { folder, made, installed },
  );
}

function openElsewhere(folder: string, pid: number): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_IN_USE',
    `the PGlite database in ${folder} is open in ${pid === process.pid ? 'this process' : `process ${pid}`}`,
    'Close it there, or stop that process, and run this again: PGlite keeps nobody out, and two at once damage the database. Nothing was opened.',
    { pid, folder },
  );
}

function perhapsOpen(folder: string): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_IN_USE',
    `the PGlite database in ${folder} is open in another process, or one that had it open was killed: its postmaster.pid is there`,
    `Stop the application that has it open. If none has, delete ${join(folder, 'postmaster.pid')}, and run this again. Nothing was opened.`,
    { folder },
  );
}

// What is known of a database folder between two processes that open it: whether it was closed, and which snapshot
// has all of it. Lies inside the folder, so that it goes where the folder goes. Never says "closed" or "the same"
// where that is not certain: a missing or unreadable file says neither.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './durable-file.ts';

export interface FolderState {
  /** From the opening to the end of the closing; stays true where the process was killed. */
  isOpen: boolean;
  /** The newest snapshot of this database; null where there is none. */
  snapshot: string | null;
  /** The next transaction's id when that snapshot was made: another one now means that something was written. */
  transaction: string | null;
  /** Whether nothing was written after that snapshot. Only of worth while `isOpen` is false. */
  isSaved: boolean;
  /** The PGlite that had it open last, such as 0.5.8; null where it does not say. */
  pglite: string | null;
}

export const unknownState: FolderState = {
  isOpen: true,
  snapshot: null,
  transaction: null,
  isSaved: false,
  pglite: null,
};

/** Its name inside the folder. */
export const stateFile = 'mytx.json';

export function readFolderState(dataFolder: string): FolderState {
  try {
    return { ...unknownState, ...(JSON.parse(readFileSync(join(dataFolder, stateFile), 'utf8')) as FolderState) };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return unknownState;
    throw error;
  }
}

export function writeFolderState(dataFolder: string, state: FolderState): void {
  writeDurably(join(dataFolder, stateFile), `${JSON.stringify(state, null, 2)}\n`);
}

/** The major version of the PostgreSQL that made the database; undefined where there is none. */
export function readMajorVersion(dataFolder: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(join(dataFolder, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

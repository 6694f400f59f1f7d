// A migrated, empty embedded database that comes with the package: unpacking it takes a second, initdb four to eight.
// In a checkout there is none, because it is made when the package is packed (scripts/prepared-database.ts); tests make their own (db/testing).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findInPackage } from '../package-folder.ts';
import { packFolder, unpackFolder } from './folder-archive.ts';
import { readMajorVersion, stateFile } from './folder-state.ts';
import { emptyIncoming, swapIn } from './folder-swap.ts';

/** Its name in `lib/` of the package. */
export const preparedFile = 'prepared.tar.gz';

/** The bytes of it, as PGlite loads them; undefined where the package has none. */
export function readPrepared(): Uint8Array<ArrayBuffer> | undefined {
  const file = findInPackage(preparedFile);
  return file === undefined ? undefined : new Uint8Array(readFileSync(file));
}

/**
 * Puts it into a folder that has no database yet. Killed at any point, there is none, or a whole one.
 * @param installed the major version of PostgreSQL that is to open it
 * @returns whether it is there: one that is damaged, or of another version, is left out
 */
export function placePrepared(folder: string, installed: number): boolean {
  const bytes = readPrepared();
  if (!bytes) return false;
  const incoming = emptyIncoming(folder);
  try {
    unpackFolder(bytes, incoming);
    if (readMajorVersion(incoming) === installed) {
      swapIn(folder, 'database-unfinished');
      return true;
    }
  } catch (error) {
    // A full disk is no reason to begin anew.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
  }
  emptyIncoming(folder);
  return false;
}

/** The bytes to make one of, from the closed database in a folder such as `.mytx`. */
export function packPrepared(folder: string): AsyncIterable<Uint8Array> {
  return packFolder(join(folder, 'database'), (path) => path === stateFile || path === 'postmaster.pid');
}

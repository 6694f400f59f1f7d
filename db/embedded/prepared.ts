// A migrated, empty embedded database that comes with the package: unpacking it takes a second, initdb four to eight.
// In a checkout there is none, because it is made when the package is packed (scripts/prepared-database.ts).

import { readFileSync } from 'node:fs';
import { findInPackage } from '../package-folder.ts';
import type { OpenClient } from './database-copy.ts';
import { emptyIncoming, swapIn } from './folder-swap.ts';

/** Its name in `lib/` of the package. */
export const preparedFile = 'prepared.tar.gz';

/** The bytes of it, as PGlite loads them; undefined where the package has none. */
export function readPrepared(): Blob | undefined {
  const file = findInPackage(preparedFile);
  return file === undefined ? undefined : new Blob([readFileSync(file)]);
}

/**
 * Puts it into a folder that has no database yet. Killed at any point, there is none, or a whole one.
 * @returns whether it is there: bytes that this PGlite can't load are left out
 */
export async function placePrepared(folder: string, openClient: OpenClient): Promise<boolean> {
  const bytes = readPrepared();
  if (!bytes) return false;
  const incoming = emptyIncoming(folder);
  try {
    const client = await openClient(incoming, bytes);
    await client.close();
  } catch {
    emptyIncoming(folder);
    return false;
  }
  swapIn(folder, 'database-unfinished');
  return true;
}

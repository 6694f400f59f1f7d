// Where the files of this package are that are no code: the migrations, and the prepared embedded database. An
// application that was bundled has the code elsewhere; Node finds the package from its current folder then.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a file in the package's `lib/`; undefined where the package can't be found, or does not have it. */
export function findInPackage(...path: string[]): string | undefined {
  const folder = besideThisFile() ?? fromCurrentFolder();
  if (folder === undefined) return undefined;
  const file = join(folder, ...path);
  return existsSync(file) ? file : undefined;
}

function besideThisFile(): string | undefined {
  const { url } = import.meta; // not there in a bundle of the CommonJS format
  if (!url?.startsWith('file:')) return undefined;
  const folder = join(dirname(fileURLToPath(url)), '..', 'lib');
  return existsSync(join(folder, 'drizzle', 'meta')) ? folder : undefined;
}

function fromCurrentFolder(): string | undefined {
  try {
    return join(dirname(createRequire(join(process.cwd(), 'index.js')).resolve('mytx-ai/package.json')), 'dist', 'lib');
  } catch {
    return undefined; // not installed there
  }
}

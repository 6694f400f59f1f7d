// Behind npm run build, when the package is packed: a migrated, empty embedded database, which a first start unpacks
// instead of running initdb. It goes into dist/, or the
// folder of a build that is given. Its bytes are those of the PGlite that package.json names.

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { packPrepared, preparedFile } from '../db/embedded/prepared.ts';
import { migrate } from '../db/opening.ts';

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'mytx-prepared-'));
try {
  await migrate({ folder, keepSnapshots: false });
  await pipeline(packPrepared(folder), createWriteStream(join(dist, 'lib', preparedFile)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

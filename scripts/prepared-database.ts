// Behind npm run build, when the package is packed: a migrated, empty embedded database, which a first start unpacks
// instead of running initdb. Its bytes are those of the PGlite that package.json names.

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { packPrepared, preparedFile } from '../db/embedded/prepared.ts';
import { migrate } from '../db/opening.ts';

const file = fileURLToPath(new URL(`../dist/lib/${preparedFile}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mytx-prepared-'));
try {
  await migrate({ folder, keepSnapshots: false });
  await pipeline(packPrepared(folder), createWriteStream(file));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

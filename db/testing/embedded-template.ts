// A migrated, empty embedded database as bytes, which each test database starts from: that of the package where its
// migrations are meant, one from a file that an earlier process left, or one that is made now, which takes seconds.

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packPrepared, readPrepared } from '../embedded/prepared.ts';
import { installedMajor } from '../embedded/version-change.ts';
import { packageMigrationsFolder } from '../migrations-folder.ts';
import { digestMigrations, migrate } from '../opening.ts';

/** One for all callers of a process, by the digest of the migrations. */
const made = new Map<string, Promise<Blob>>();

export function embeddedTemplate(migrationsFolder?: string): Promise<Blob> {
  const digest = digestMigrations(migrationsFolder);
  const template = made.get(digest) ?? makeTemplate(digest, migrationsFolder);
  made.set(digest, template);
  template.catch(() => made.delete(digest)); // the next caller tries again
  return template;
}

async function makeTemplate(digest: string, migrationsFolder: string | undefined): Promise<Blob> {
  const isOfPackage = digest === digestMigrations(packageMigrationsFolder());
  const file = join(tmpdir(), `mytx-ai-${userInfo().uid}`, `test-${digest}-postgresql-${installedMajor}.tar.gz`);
  const packed =
    (isOfPackage ? readPrepared() : undefined) ?? readWhole(file) ?? (await makeAndKeep(file, migrationsFolder));
  return new Blob([new Uint8Array(gunzipSync(packed))]); // unpacked once, not by each database
}

/** A file that is not there, or not whole, is made anew. */
function readWhole(file: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    gunzipSync(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

async function makeAndKeep(file: string, migrationsFolder: string | undefined): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-template-'));
  try {
    await migrate({ folder, keepSnapshots: false, ...(migrationsFolder ? { migrationsFolder } : {}) });
    const pieces: Uint8Array[] = [];
    for await (const piece of packPrepared(folder)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    keep(file, bytes);
    return bytes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For the next process. Where it can't be kept, each makes its own. */
function keep(file: string, bytes: Uint8Array): void {
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    const unfinished = `${file}.${randomUUID()}`;
    writeFileSync(unfinished, bytes, { mode: 0o600 });
    renameSync(unfinished, file);
  } catch {
    return;
  }
}

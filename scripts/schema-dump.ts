// npm run schema:dump: tests/golden/schema.sql, the schema of a database that has every migration, as pg_dump
// prints it. A reviewer sees there what a migration really does, and a test that nothing else changed.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';
import { migrate } from '../db/opening.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const header = `-- The schema of a database with every migration: tables, constraints, indexes.
-- Written by \`npm run schema:dump\` from an embedded database; do not edit.
`;

export const schemaDump: Generator = {
  command: 'npm run schema:dump',
  generate: async () => new Map([['tests/golden/schema.sql', header + normalise(await dumpMigrated())]]),
};

async function dumpMigrated(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-schema-'));
  try {
    await migrate({ folder });
    const pg = await PGlite.create(join(folder, 'database'));
    const args = ['--schema-only', '--no-owner', '--no-privileges', '--schema=public', '--schema=drizzle'];
    const dump = await pgDump({ pg, args });
    await pg.close();
    return await dump.text();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without what names a version of PostgreSQL or is the same in every dump: comments, settings, the schema public. */
export function normalise(dump: string): string {
  const lines = dump.split('\n').filter((line) => !isNoise(line));
  return `\n${lines.join('\n').trim()}\n`.replaceAll(/\n{3,}/g, '\n\n');
}

function isNoise(line: string): boolean {
  return /^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict|CREATE SCHEMA public;|COMMENT ON SCHEMA public )/.test(
    line,
  );
}

await runAsCommand(import.meta.url, schemaDump);

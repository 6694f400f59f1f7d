// Makes a database folder from a snapshot, beside the one in use: from its bytes where they are of this PostgreSQL,
// and from its SQL otherwise. Compares every row with what the snapshot says before the copy is given out.

import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import { SnapshotError } from '../errors.ts';
import { unknownState, writeFolderState } from './folder-state.ts';
import { emptyIncoming } from './folder-swap.ts';
import { dataFile, type SnapshotFacts, sqlFile } from './snapshot-files.ts';
import { type DumpSource, digestTables } from './sql-dump.ts';

/** Opens the database of a folder with the PGlite that is installed, from a snapshot's bytes where some are given. */
export type OpenClient = (dataFolder: string, bytes?: Blob) => Promise<PGlite>;

interface CopyOptions {
  folder: string;
  /** The major version of the PGlite that is installed. */
  installed: number;
  openClient: OpenClient;
  onProgress?(message: string): void;
}

/**
 * Makes `database.incoming` from a snapshot whose checksums were verified; closed, ready to be swapped in.
 * @throws SnapshotError SNAPSHOT_DAMAGED where the copy is not what the snapshot says
 */
export async function copyFromSnapshot(
  facts: SnapshotFacts,
  { folder, installed, openClient, onProgress }: CopyOptions,
): Promise<void> {
  const incoming = emptyIncoming(folder);
  const isSameVersion = facts.postgresql === installed;
  onProgress?.(
    isSameVersion
      ? `loading the snapshot ${facts.name}`
      : `creating a database of PostgreSQL ${installed} (initdb, 4 to 8 seconds)`,
  );
  const bytes = isSameVersion ? new Blob([readFileSync(dataFile(folder, facts.name))]) : undefined;
  const client = await openClient(incoming, bytes);
  try {
    if (!isSameVersion) {
      onProgress?.(`loading ${countOf(facts)} rows from ${facts.name}.sql`);
      await loadSql(client, sqlFile(folder, facts.name), facts);
    }
    onProgress?.(`comparing ${countOf(facts)} rows with the snapshot`);
    await compareRows(client, facts);
    const { rows } = await client.query<{ next: string }>(
      'select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text as next',
    );
    const saved = { snapshot: facts.name, transaction: rows[0]?.next ?? null, isSaved: true };
    await client.close();
    // A snapshot of another version can't be loaded quickly, so the first closing takes one of this version.
    const { pglite } = facts;
    writeFolderState(incoming, { ...unknownState, isOpen: false, ...(isSameVersion ? { ...saved, pglite } : {}) });
  } catch (error) {
    if (!client.closed) await client.close();
    emptyIncoming(folder);
    throw error;
  }
}

const countOf = ({ tables }: SnapshotFacts): string =>
  tables.reduce((sum, { rows }) => sum + rows, 0).toLocaleString('en-US');

const pieceBytes = 4 << 20;

/** Runs a dump piece by piece, so that its size is not bounded by what one message can hold. */
async function loadSql(client: PGlite, path: string, { rowsBegin, rowsEnd, sql }: SnapshotFacts): Promise<void> {
  const file = await open(path, 'r');
  const read = async (from: number, to: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(to - from), position: from });
    if (bytesRead !== to - from) throw new Error(`${path} ends early`);
    return buffer;
  };
  try {
    await client.exec((await read(0, rowsBegin)).toString('utf8'));
    for (let position = rowsBegin; position < rowsEnd; ) {
      const statements = await readStatements(read, position, rowsEnd);
      await client.exec(statements.toString('utf8'));
      position += statements.length;
    }
    await client.exec((await read(rowsEnd, sql.bytes)).toString('utf8'));
  } finally {
    await file.close();
  }
}

/** As many whole lines as fit, and at least one. */
async function readStatements(
  read: (from: number, to: number) => Promise<Buffer>,
  from: number,
  end: number,
): Promise<Buffer> {
  for (let size = pieceBytes; ; size *= 2) {
    const piece = await read(from, Math.min(from + size, end));
    const lastLine = piece.lastIndexOf('\n') + 1;
    if (lastLine > 0) return piece.subarray(0, lastLine);
  }
}

async function compareRows(client: DumpSource, facts: SnapshotFacts): Promise<void> {
  const found = new Map((await digestTables(client)).map((table) => [table.table, table]));
  for (const expected of facts.tables) {
    const actual = found.get(expected.table);
    if (actual?.rows === expected.rows && actual.sha256 === expected.sha256) continue;
    const what = actual ? `${actual.rows} rows instead of ${expected.rows}, or other ones` : 'is missing';
    throw new SnapshotError(
      'SNAPSHOT_DAMAGED',
      `a copy of the snapshot ${facts.name} is not what was saved: ${expected.table} ${actual ? 'has ' : ''}${what}`,
      'Restore another one: npx mytx restore --list',
      { snapshot: facts.name, table: expected.table },
    );
  }
}

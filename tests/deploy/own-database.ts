// What the tests of a deploy share: folders of migrations as Drizzle lays them out, and a database of one test's own.

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

export interface MigrationFile {
  tag: string;
  when: number;
  sql: string;
}

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A folder of migrations as Drizzle 0.45 lays it out. */
export function journalFolder(files: readonly MigrationFile[]): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'meta'));
  for (const { tag, sql } of files) writeFileSync(join(folder, `${tag}.sql`), sql);
  const entries = files.map(({ tag, when }, idx) => ({ idx, version: '7', when, tag, breakpoints: true }));
  const journal = { version: '7', dialect: 'postgresql', entries };
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify(journal));
  return folder;
}

/** As Drizzle 1.0 does: a folder for each, whose name begins with its time. */
export function foldersFolder(files: Readonly<Record<string, string>>): string {
  const folder = newFolder();
  for (const [name, sql] of Object.entries(files)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'migration.sql'), sql);
  }
  return folder;
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-migrations-'));
  folders.push(folder);
  return folder;
}

export interface OwnDatabase {
  url: string;
  sql: postgres.Sql;
}

/** Runs work on a new database of a server. */
export async function onNewDatabase(serverUrl: string, work: (database: OwnDatabase) => Promise<void>): Promise<void> {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  const name = `mytx_${randomUUID().replaceAll('-', '')}`;
  await admin.unsafe(`create database ${name}`);
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  try {
    await work({ url, sql });
  } finally {
    await sql.end();
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
}

export const statements = (...list: string[]): string => list.join('\n--> statement-breakpoint\n');

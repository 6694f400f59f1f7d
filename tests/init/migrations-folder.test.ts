// Which migrations an application's database must have: the package's and, where lib/drizzle is there, its own.

import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createDatabase } from '../../db/index.ts';
import { expectedMigrations, findMigrationsFolder } from '../../db/migrations-folder.ts';
import { migrate } from '../../db/opening.ts';
import { projectFolder } from '../docs/project-copy.ts';
import { migrationNames, nameBehindOurs } from '../own-migrations.ts';

const ours = join(projectFolder, 'lib', 'drizzle');
const home = process.cwd();
const folders: string[] = [];
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-folder-')));
  folders.push(folder);
  process.chdir(folder);
});
afterEach(() => process.chdir(home));
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

const ownNote = nameBehindOurs('note');
const journal = join('lib', 'drizzle', 'meta', '_journal.json');

interface Entry {
  tag: string;
  when: number;
}

/** A folder as mytx init leaves it, with a migration of the application's own. */
function initialise(change: (entries: Entry[]) => Entry[] = (entries) => entries): void {
  cpSync(ours, join('lib', 'drizzle'), { recursive: true });
  const { entries } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: Entry[] };
  writeFileSync(join('lib', 'drizzle', `${ownNote}.sql`), 'create table "Note" (id int);');
  writeFileSync(journal, JSON.stringify({ entries: change([...entries, { tag: ownNote, when: 1_900_000_000_000 }]) }));
}

describe('the folder is', () => {
  test('the package’s, where there is none, or one of another project', () => {
    expect(findMigrationsFolder()).toBe(ours);
    mkdirSync(join('lib', 'drizzle', 'meta'), { recursive: true });
    writeFileSync(journal, JSON.stringify({ entries: [{ tag: '0000_theirs', when: 1 }] }));
    expect(findMigrationsFolder()).toBe(ours);
    expect(expectedMigrations().map(({ tag }) => tag)).toEqual(migrationNames);
  });

  test('lib/drizzle of the current folder, where it has the package’s first migration', () => {
    initialise();
    expect(findMigrationsFolder()).toBe(join('lib', 'drizzle'));
    expect(expectedMigrations().map(({ tag }) => tag)).toEqual([...migrationNames, ownNote]);
  });

  test('the one that is given, before all others', () => {
    initialise();
    expect(findMigrationsFolder('elsewhere')).toBe('elsewhere');
  });
});

test.each(['{', '[]', '{"entries": [{}]}'])('a journal that is damaged is an error: %s', async (text) => {
  initialise();
  writeFileSync(journal, text);
  const unreadable = { code: 'MIGRATIONS_UNREADABLE', message: expect.stringContaining('_journal.json') };
  expect(expectedMigrations).toThrow(expect.objectContaining(unreadable));
  const opening = createDatabase({ folder: 'memory', snapshot: new Blob([readFileSync(inject('snapshotFile'))]) });
  await expect(opening).rejects.toMatchObject(unreadable);
});

test('an embedded database gets the application’s migrations when it is opened', async () => {
  initialise();
  const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
  const database = await createDatabase({ folder: 'memory', snapshot });
  expect(database.report.applied).toEqual([ownNote]);
  await database.close();
});

describe.for(inject('servers').slice(-1))('PostgreSQL $version', ({ url: serverUrl }) => {
  async function onNewDatabase(work: (url: string) => Promise<void>): Promise<void> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
    await admin.unsafe(`create database ${name}`);
    await work(Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href);
    await admin.unsafe(`drop database ${name} with (force)`);
    await admin.end();
  }
  const opened = async (url: string): Promise<string> => {
    const database = await createDatabase({ url });
    await database.close();
    return database.report.engine;
  };

  test('lacks the application’s migration until it is applied, and needs it only where its folder is', () =>
    onNewDatabase(async (url) => {
      await migrate({ url });
      initialise();
      await expect(opened(url)).rejects.toMatchObject({ code: 'SCHEMA_BEHIND', details: { missing: [ownNote] } });
      process.chdir(home);
      expect(await opened(url)).toBe('server');
      process.chdir(folder);
      expect((await migrate({ url })).applied).toEqual([ownNote]);
      expect(await opened(url)).toBe('server');
    }));

  test('has a migration of ours also under another time, by the hash of its file', () =>
    onNewDatabase(async (url) => {
      initialise();
      await migrate({ url });
      const sql = postgres(url, { max: 1 });
      await sql`update drizzle.__drizzle_migrations set created_at = created_at + 1`;
      expect(await opened(url)).toBe('server');
      expect((await migrate({ url })).applied).toEqual([]);
      await sql`update drizzle.__drizzle_migrations set hash = 'another'`;
      await sql.end();
      await expect(opened(url)).rejects.toMatchObject({ code: 'SCHEMA_BEHIND' });
    }));
});

describe.for(inject('missingServers'))('PostgreSQL $version', ({ reason }) => {
  test.skip(`is not here: ${reason}`);
});

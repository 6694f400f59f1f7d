// The migrations that mytx init brings into an application: the first time, and behind the application's own when the
// package has more. The package here is a small one, whose migrations drizzle-kit makes; the databases are real.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase } from '../../db/index.ts';
import { migrate } from '../../db/opening.ts';
import { type Plan, planInit } from '../../init/plan.ts';
import { projectFolder } from '../docs/project-copy.ts';
import {
  actionsOf,
  cleanUpProjects,
  type Files,
  initialise,
  newProject,
  putFiles,
  readProjectFiles,
  stepOf,
} from './project-folder.ts';

cleanUpProjects();

const imports = `import { integer, pgTable, text } from 'drizzle-orm/pg-core';`;
const first = `export const user = pgTable('User', { id: integer('id').primaryKey() });`;
const second = `export const user = pgTable('User', { id: integer('id').primaryKey(), note: text('note') });`;
const trip = `export const trip = pgTable('Trip', { id: integer('id').primaryKey() });`;

/** Writes the schema and lets drizzle-kit make its migration. @returns what it printed */
function generate(folder: string, name: string, ...tables: string[]): string {
  putFiles(folder, { 'db/schema.ts': [imports, ...tables].join('\n') });
  const kit = join(projectFolder, 'node_modules/drizzle-kit/bin.cjs');
  const args = ['generate', '--dialect=postgresql', '--schema=./db/schema.ts', '--out=./lib/drizzle', `--name=${name}`];
  return execFileSync(process.execPath, [kit, ...args], { cwd: folder, encoding: 'utf8' });
}

function newKitProject(): string {
  const folder = newProject({ 'package.json': '{}' });
  symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The folder of migrations of the package as it was, and as it is. */
let before: string;
let after: string;
/** An application with the old ones, and a migration of its own. */
let application: string;

beforeAll(() => {
  const pack = newKitProject();
  generate(pack, 'initial', first);
  before = join(newProject({}), 'drizzle');
  cpSync(join(pack, 'lib/drizzle'), before, { recursive: true });
  generate(pack, 'note', second);
  after = join(pack, 'lib/drizzle');
  application = newKitProject();
  initialise(application, before);
  generate(application, 'trip', first, trip);
}, 60_000);

/** A copy of the application, with other files. */
function copyOf(source: string, files: Files = {}): string {
  const folder = newProject({});
  cpSync(source, folder, { recursive: true, verbatimSymlinks: true });
  putFiles(folder, files);
  return folder;
}

const planFor = (folder: string): Plan => {
  rmSync(join(folder, 'db'), { recursive: true, force: true }); // its schema here is not that of mytx-ai
  return planInit({ folder, packageFolder: after });
};
const update = (folder: string): string[] => {
  rmSync(join(folder, 'db'), { recursive: true, force: true });
  return initialise(folder, after);
};
const migrationsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(readProjectFiles(folder)).filter(([path]) => path.startsWith('lib/drizzle/')));
const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');

describe('into an application without any', () => {
  test('they are the package’s, byte by byte', () => {
    const folder = newProject({ 'package.json': '{}' });
    initialise(folder, after);
    const expected = Object.entries(readProjectFiles(after)).map(([path, text]) => [`lib/drizzle/${path}`, text]);
    expect(migrationsOf(folder)).toEqual(Object.fromEntries(expected));
  });

  test('others in the folder are somebody’s: it is left as it is', () => {
    const theirs = newKitProject();
    generate(theirs, 'trip', trip);
    const plan = planFor(theirs);
    expect(stepOf(plan, 'lib/drizzle')).toMatchObject({
      action: 'refuse',
      reason: 'holds migrations that are not those of mytx-ai',
    });
    rmSync(join(theirs, 'lib/drizzle/meta/_journal.json')); // then they are files that nobody names
    expect(stepOf(planFor(theirs), 'lib/drizzle')).toMatchObject({
      action: 'refuse',
      reason: expect.stringContaining('(lib/drizzle/0000_trip.sql)'),
    });
  });

  test('a file of the same name with another text is in the way, and code that is beside them is not', () => {
    const folder = newProject({
      'package.json': '{}',
      'lib/drizzle/0000_initial.sql': 'select 1;',
      'lib/drizzle/index.ts': 'export {};',
    });
    expect(actionsOf(planFor(folder))).toMatchObject({
      'lib/drizzle/0000_initial.sql': 'refuse',
      'lib/drizzle/0001_note.sql': 'create',
    });
  });

  test.each(['', '{', '{"entries": [{}]}', '<<<<<<< ours\n{"entries": []}'])(
    'a journal that is damaged is an error, not an empty one: %j',
    (text) => {
      const folder = newProject({ 'package.json': '{}', 'lib/drizzle/meta/_journal.json': text });
      expect(() => planFor(folder)).toThrow(expect.objectContaining({ code: 'MIGRATIONS_UNREADABLE' }));
    },
  );
});

describe('of a later version of the package', () => {
  test('are copied where the application has none of its own', () => {
    const folder = newProject({ 'package.json': '{}' });
    initialise(folder, before);
    expect(update(folder)).toEqual([
      'lib/drizzle/0001_note.sql',
      'lib/drizzle/meta/0001_snapshot.json',
      'lib/drizzle/meta/_journal.json',
      ...['schema', 'protocols-schema', 'queries', 'protocol-queries', 'migrate'].map((name) => `db/${name}.mjs`),
    ]);
    const fresh = newProject({ 'package.json': '{}' });
    initialise(fresh, after);
    expect(migrationsOf(folder)).toEqual(migrationsOf(fresh));
    expect(update(folder).filter((path) => path.startsWith('lib/'))).toEqual([]);
  });

  test('go behind the application’s, with a snapshot of both, so that drizzle-kit has nothing to add', () => {
    const folder = copyOf(application);
    const theirs = migrationsOf(folder);
    update(folder);
    expect(migrationsOf(folder)).toMatchObject({
      'lib/drizzle/0001_trip.sql': theirs['lib/drizzle/0001_trip.sql'],
      'lib/drizzle/0002_note.sql': read(after, '0001_note.sql'),
    });
    const { entries } = JSON.parse(read(folder, 'lib/drizzle/meta/_journal.json'));
    expect(entries.map(({ tag, idx }: { tag: string; idx: number }) => [idx, tag])).toEqual([
      [0, '0000_initial'],
      [1, '0001_trip'],
      [2, '0002_note'],
    ]);
    expect(generate(folder, 'nothing', second, trip)).toContain('No schema changes, nothing to migrate');
    expect(generate(folder, 'gone', second)).toContain('0003_gone.sql');
  });

  test('after a kill behind any of their files the next run ends the same', () => {
    const whole = copyOf(application);
    const written = update(whole).filter((path) => path.startsWith('lib/'));
    expect(written).toHaveLength(3);
    for (let count = 0; count < written.length; count += 1) {
      const done = Object.fromEntries(written.slice(0, count).map((path) => [path, read(whole, path)]));
      const folder = copyOf(application, done);
      expect(update(folder).filter((path) => path.startsWith('lib/'))).toEqual(written.slice(count));
      expect(migrationsOf(folder)).toEqual(migrationsOf(whole));
    }
  });

  test('are known by what is in them, where the application gave them another time', () => {
    const folder = copyOf(application);
    update(folder);
    const path = 'lib/drizzle/meta/_journal.json';
    const journal = JSON.parse(read(folder, path));
    journal.entries[2].when += 1;
    putFiles(folder, { [path]: JSON.stringify(journal) });
    expect(actionsOf(planFor(folder))['lib/drizzle']).toBe('leave');
  });

  test('an edited copy is left, and told', () => {
    const folder = copyOf(application, { 'lib/drizzle/0000_initial.sql': 'create table "User" ("id" bigint);' });
    expect(planFor(folder).notes).toContain(
      'lib/drizzle/0000_initial.sql is not as 0000_initial.sql of mytx-ai is; it is left as you have it',
    );
    const unix = read(application, 'lib/drizzle/0000_initial.sql');
    const windows = copyOf(application, { 'lib/drizzle/0000_initial.sql': unix.replaceAll('\n', '\r\n') });
    expect(planFor(windows).notes.filter((note) => note.includes('0000_initial'))).toEqual([]);
  });

  const snapshot = 'lib/drizzle/meta/0001_snapshot.json';
  const edit = (path: string, change: (value: never) => void): Files => {
    const value = JSON.parse(read(application, path)) as never;
    change(value);
    return { [path]: JSON.stringify(value) };
  };

  test.each<[string, () => Files, string]>([
    [
      'changes what the application changed',
      () =>
        edit(snapshot, (value: { tables: Record<string, { columns: object }> }) => {
          Object.assign(value.tables['public.User']?.columns ?? {}, { note: { name: 'note', type: 'integer' } });
        }),
      'changes what 0001_note changes: tables.public.User.columns.note',
    ],
    [
      'a snapshot of another version of drizzle-kit',
      () =>
        edit(snapshot, (value: { version: string }) => {
          value.version = '8';
        }),
      'has snapshots of another version of drizzle-kit',
    ],
    [
      'a snapshot with the marks of a merge',
      () => ({ [snapshot]: '<<<<<<< ours\n{}' }),
      'has no snapshot of its last migration (meta/0001_snapshot.json) to go on from',
    ],
    [
      'a snapshot behind the last migration',
      () => ({ 'lib/drizzle/meta/0007_snapshot.json': '{}' }),
      'has a snapshot that its journal does not know (meta/0007_snapshot.json)',
    ],
    [
      'migrations that are numbered by their time',
      () => ({
        ...edit('lib/drizzle/meta/_journal.json', ({ entries }: { entries: { tag: string }[] }) => {
          if (entries[1]) entries[1].tag = '20261008120000_trip';
        }),
        'lib/drizzle/20261008120000_trip.sql': read(application, 'lib/drizzle/0001_trip.sql'),
        'lib/drizzle/meta/20261008120000_snapshot.json': read(application, snapshot),
      }),
      'numbers its migrations otherwise than by 0000, 0001, ...',
    ],
  ])('are left to people where there is %s', (_, files, reason) => {
    const folder = copyOf(application, files());
    const kept = migrationsOf(folder);
    const step = stepOf(planFor(folder), 'lib/drizzle');
    expect(step).toMatchObject({ action: 'refuse', reason: `${reason}; mytx-ai brings 0001_note` });
    expect(step.action === 'refuse' && step.byHand.join('\n')).toMatch(
      /^npx drizzle-kit generate --name note, [\s\S]*"when" in the journal to \d+$/,
    );
    expect(migrationsOf(folder)).toEqual(kept);
  });

  test('one that is missing between others is left to people too', () => {
    const folder = copyOf(application);
    update(folder);
    const path = 'lib/drizzle/meta/_journal.json';
    const journal = JSON.parse(read(folder, path));
    const [, entry] = JSON.parse(read(after, 'meta/_journal.json')).entries;
    const later = newProject({});
    cpSync(after, join(later, 'drizzle'), { recursive: true });
    const entries = [
      ...JSON.parse(read(before, 'meta/_journal.json')).entries,
      { ...entry, tag: '0001_between', when: 5 },
    ];
    putFiles(join(later, 'drizzle'), {
      '0001_between.sql': 'select 1;',
      '0002_note.sql': read(after, '0001_note.sql'),
      'meta/0002_snapshot.json': read(after, 'meta/0001_snapshot.json'),
      'meta/_journal.json': JSON.stringify({
        ...journal,
        entries: [...entries, { ...entry, idx: 2, tag: '0002_note' }],
      }),
    });
    rmSync(join(folder, 'db'), { recursive: true });
    const plan = planInit({ folder, packageFolder: join(later, 'drizzle') });
    expect(stepOf(plan, 'lib/drizzle')).toMatchObject({
      action: 'refuse',
      reason: 'lacks a migration in the middle; mytx-ai brings 0001_between',
    });
  });
});

describe('a database that has the application’s migration gets the package’s, which is older', () => {
  let folders: { had: string; gets: string };
  beforeAll(() => {
    const gets = copyOf(application);
    update(gets);
    folders = { had: join(application, 'lib/drizzle'), gets: join(gets, 'lib/drizzle') };
  });

  test('embedded', async () => {
    const folder = join(newProject({}), '.mytx');
    const applied: string[][] = [];
    for (const migrationsFolder of [folders.had, folders.gets, folders.gets]) {
      const database = await createDatabase({ folder, migrationsFolder, keepSnapshots: false });
      applied.push(database.report.applied);
      await database.close();
    }
    expect(applied).toEqual([['0000_initial', '0001_trip'], ['0002_note'], []]);
  });

  describe.for(inject('servers').slice(-1))('PostgreSQL $version', ({ url: serverUrl }) => {
    test('on a server', async () => {
      const name = `mytx_${randomUUID().replaceAll('-', '')}`;
      const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
      await admin.unsafe(`create database ${name}`);
      const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
      expect((await migrate({ url, migrationsFolder: folders.had })).applied).toEqual(['0000_initial', '0001_trip']);
      expect((await migrate({ url, migrationsFolder: folders.gets })).applied).toEqual(['0002_note']);
      expect((await migrate({ url, migrationsFolder: folders.gets })).applied).toEqual([]);
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    });
  });

  describe.for(inject('missingServers'))('PostgreSQL $version', ({ reason }) => {
    test.skip(`is not here: ${reason}`);
  });
});

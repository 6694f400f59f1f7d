// What git knows: the files since a version, and what the code of a version reads.

import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lint } from '../../../db/linting.ts';
import { type DeployedSchema, readDeployedSchema } from '../../../deploy/lint/deployed-schema.ts';
import { findProject } from '../../../deploy/project/project.ts';
import { newFolder, removeFolders } from '../own-database.ts';
import { lintTexts, rulesIn } from './linted.ts';

afterAll(removeFolders);

const packages = fileURLToPath(new URL('../../../node_modules', import.meta.url));

function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function git(folder: string, ...args: string[]): string {
  const who = ['-c', 'user.name=Dana', '-c', 'user.email=dana@example.com'];
  return execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8' });
}

function commit(folder: string, name: string): void {
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--message', name);
  git(folder, 'tag', name);
}

/** The schema of the code in production: in a package of a larger repository, of several files, by path aliases. */
const deployedFiles = {
  '.gitignore': 'node_modules\n',
  'packages/app/drizzle.config.ts': `export default { dialect: 'postgresql', schema: './src/db/*.ts', out: './drizzle', casing: 'snake_case' } as const;`,
  'packages/app/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
  'packages/app/src/columns.ts': `import { text } from 'drizzle-orm/pg-core';\nexport const named = { name: text().notNull() };`,
  'packages/app/src/db/schema.ts': `
    import { bigint, pgSchema, pgTable, pgView, text } from 'drizzle-orm/pg-core';
    import { named } from '@/columns';
    import { years } from '../../../years/index';
    export const person = pgTable('person', {
      id: bigint({ mode: 'number' }).primaryKey(),
      ...named,
      nickName: text(),
      born: text('year_of_birth').default(years[0]),
    });
    export const invoice = pgSchema('billing').table('invoice', { id: bigint({ mode: 'number' }).primaryKey() });
    export const adults = pgView('adults', { id: bigint({ mode: 'number' }) }).existing();
    export const notATable = { name: 'x' };`,
  'packages/years/index.ts': `export const years: string[] = ['1999'];`,
  'packages/app/drizzle/meta/_journal.json': JSON.stringify({ entries: [{ idx: 0, tag: '0000_first', when: 1 }] }),
  'packages/app/drizzle/0000_first.sql': 'CREATE TABLE person (id bigint PRIMARY KEY);',
};

let root: string;
let app: string;

beforeAll(() => {
  root = realpathSync(newFolder());
  app = join(root, 'packages/app');
  git(root, 'init', '--quiet');
  write(root, deployedFiles);
  symlinkSync(packages, join(root, 'node_modules'));
  commit(root, 'v1');
  write(root, {
    'packages/app/src/db/schema.ts': `throw new Error('the code of today is not loaded');`,
    'packages/app/drizzle/0001_second.sql': 'ALTER TABLE person DROP COLUMN nick_name;',
    'packages/app/drizzle/meta/_journal.json': JSON.stringify({
      entries: [
        { idx: 0, tag: '0000_first', when: 1 },
        { idx: 1, tag: '0001_second', when: 2 },
        { idx: 2, tag: '0002_third', when: 3 },
      ],
    }),
  });
  commit(root, 'v2');
  write(root, { 'packages/app/drizzle/0002_third.sql': 'DROP TABLE billing.invoice;' });
});

describe('the code in production', () => {
  let deployed: DeployedSchema;
  beforeAll(async () => {
    deployed = await readDeployedSchema('v1', await findProject({ from: app }), {});
  });

  test('is read as it was, with what it imports, and nothing of the repository changes', () => {
    expect(deployed.relations).toEqual(
      new Map([
        [
          'public.person',
          new Map([
            ['id', { isNotNull: true }],
            ['name', { isNotNull: true }],
            ['nick_name', { isNotNull: false }],
            ['year_of_birth', { isNotNull: false }],
          ]),
        ],
        ['billing.invoice', new Map([['id', { isNotNull: true }]])],
        ['public.adults', new Map([['id', { isNotNull: false }]])],
      ]),
    );
    expect(git(root, 'status', '--porcelain')).toBe('?? packages/app/drizzle/0002_third.sql\n');
  });

  test.each([
    ['DROP TABLE person', 'the code of v1 reads person, which is dropped'],
    ['DROP TABLE public.person', 'the code of v1 reads person, which is dropped'],
    ['DROP TABLE billing.invoice', 'the code of v1 reads billing.invoice, which is dropped'],
    ['DROP SCHEMA billing CASCADE', 'the code of v1 reads what is dropped: billing.invoice'],
    ['DROP VIEW adults', 'the code of v1 reads adults, which is dropped'],
    ['ALTER TABLE person RENAME TO people', 'the code of v1 reads person, which is renamed'],
    ['ALTER TABLE person SET SCHEMA archive', 'the code of v1 reads person, which is renamed'],
    ['ALTER TABLE person DROP COLUMN nick_name', 'the code of v1 reads person.nick_name, which is dropped'],
    ['ALTER TABLE person RENAME COLUMN name TO full_name', 'the code of v1 reads person.name, which is renamed'],
    [
      'ALTER TABLE person ADD COLUMN email text NOT NULL',
      'the code of v1 writes person without email, which is required and has no default',
    ],
    [
      'ALTER TABLE person ALTER COLUMN age SET NOT NULL',
      'the code of v1 writes person without age, which becomes NOT NULL',
    ],
  ])('does not survive %s', async (sql, message) => {
    const { findings } = await lintTexts([`${sql};`], { deployed });
    expect(findings.filter(({ rule }) => rule === 'breaks-deployed-code')).toMatchObject([
      { severity: 'error', message },
    ]);
  });

  test('may not survive NOT NULL on a column in which it has NULL', async () => {
    const { findings } = await lintTexts(['ALTER TABLE person ALTER COLUMN nick_name SET NOT NULL;'], { deployed });
    expect(findings.find(({ rule }) => rule === 'breaks-deployed-code')).toMatchObject({ severity: 'warning' });
  });

  test.each([
    'DROP TABLE other',
    'ALTER TABLE person DROP COLUMN old_name',
    'ALTER TABLE person ADD COLUMN email text',
    `ALTER TABLE person ADD COLUMN email text NOT NULL DEFAULT ''`,
    'ALTER TABLE person ADD COLUMN number bigserial NOT NULL',
    'ALTER TABLE person ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY NOT NULL',
    'ALTER TABLE person ALTER COLUMN name SET NOT NULL',
    'ALTER TABLE person RENAME TO people; CREATE VIEW person AS SELECT * FROM people',
    'ALTER TABLE person DROP COLUMN nick_name, ADD COLUMN nick_name varchar(10)',
    'ALTER TABLE person RENAME COLUMN nick_name TO old; ALTER TABLE person ADD COLUMN nick_name text',
    'DROP VIEW adults; CREATE VIEW adults AS SELECT id FROM person',
  ])('survives %s', async (sql) => {
    expect(rulesIn(await lintTexts([`${sql};`], { deployed }))).not.toContain('breaks-deployed-code');
  });

  test('does not survive what comes back in another file: it reads in between', async () => {
    const texts = ['ALTER TABLE person RENAME TO people;', 'CREATE VIEW person AS SELECT * FROM people;'];
    expect(rulesIn(await lintTexts(texts, { deployed }))).toContain('breaks-deployed-code');
  });
});

describe('the files', () => {
  const names = async (options: Parameters<typeof lint>[0]) => {
    const { files, what } = await lint({ from: app, offline: true, ...options });
    return { what, files: files.map((file) => file.replace(/^.*\//, '')) };
  };

  test('without anything said are the newest migration', async () => {
    expect(await names({})).toEqual({ what: '1 migration, the newest', files: ['0002_third.sql'] });
  });

  test('since a version are what was committed and what was not', async () => {
    expect(await names({ since: 'v1' })).toEqual({
      what: '2 migrations since v1',
      files: ['0001_second.sql', '0002_third.sql'],
    });
    expect(await names({ since: 'v2' })).toEqual({ what: '1 migration since v2', files: ['0002_third.sql'] });
  });

  test('are all, or those that are named, of the project or not', async () => {
    expect((await names({ all: true })).files).toHaveLength(3);
    const other = join(newFolder(), 'other.sql');
    writeFileSync(other, 'SELECT 1;');
    expect(await names({ files: [other, 'drizzle/0000_first.sql'] })).toEqual({
      what: '2 migrations',
      files: ['other.sql', '0000_first.sql'],
    });
    expect(await lint({ from: dirname(other), files: ['other.sql'] })).toMatchObject({
      what: '1 migration',
      errors: 0,
    });
  });

  test('are compared with the code of a version', async () => {
    const report = await lint({ from: app, offline: true, all: true, deployed: 'v1' });
    const broken = report.findings.filter(({ rule }) => rule === 'breaks-deployed-code');
    expect(broken.map(({ file }) => file?.replace(/^.*\//, ''))).toEqual(['0001_second.sql', '0002_third.sql']);
    expect(report).toMatchObject({ target: null, root, errors: 2 });
  });
});

describe('is refused', () => {
  test.each([
    ['a version that there is not', { deployed: 'v9' }, 'GIT_UNREADABLE', 'git has no commit "v9" here'],
    ['one that looks like a flag', { since: '--output=x' }, 'GIT_UNREADABLE', 'git has no commit "--output=x" here'],
    ['a file that there is not', { files: ['none.sql'] }, 'MIGRATIONS_UNREADABLE', "none.sql can't be read (ENOENT)"],
  ])('%s', async (_, options, code, message) => {
    await expect(lint({ from: app, offline: true, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('a folder that git does not have', async () => {
    const folder = newFolder();
    write(folder, {
      'drizzle.config.json': '{ "dialect": "postgresql" }',
      'drizzle/meta/_journal.json': '{"entries":[]}',
    });
    await expect(lint({ from: folder, offline: true, since: 'HEAD' })).rejects.toMatchObject({
      code: 'GIT_UNREADABLE',
      message: expect.stringContaining('not a git repository'),
    });
  });

  test('a schema that can’t be loaded, by the version and the file', async () => {
    await expect(lint({ from: app, offline: true, deployed: 'v2' })).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: "v2:packages/app/src/db/schema.ts can't be used: the code of today is not loaded",
    });
  });
});

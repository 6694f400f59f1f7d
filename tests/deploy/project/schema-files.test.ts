// Which files the `schema` of a Drizzle configuration means.

import { chmodSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { findSchemaFiles } from '../../../deploy/project/schema-files.ts';
import { deleteProjectsAfterwards, writeProject } from '../layouts.ts';

deleteProjectsAfterwards();

const files = [
  'schema.ts',
  'db/a.ts',
  'db/b.mts',
  'db/c.js',
  'db/notes.md',
  'db/.hidden.ts',
  'db/deep/a.sql.ts',
  'db/deep/er/b.sql.ts',
  'db/deep/er/c.ts',
  'lib/(group)/a+b.ts',
  '.cache/d.sql.ts',
];
const named = (patterns: readonly string[]): string[] => {
  const folder = writeProject(Object.fromEntries(files.map((file) => [file, ''])));
  mkdirSync(join(folder, 'empty'));
  return findSchemaFiles(folder, patterns).map((file) => relative(folder, file));
};

test.each<[readonly string[], readonly string[]]>([
  [['schema.ts'], ['schema.ts']],
  [['./db/../schema.ts', 'schema.ts'], ['schema.ts']],
  [['db'], ['db/.hidden.ts', 'db/a.ts', 'db/b.mts', 'db/c.js']],
  [['./db/*'], ['db/a.ts', 'db/b.mts', 'db/c.js', 'db/deep/a.sql.ts']],
  [['./db/*.ts'], ['db/a.ts']],
  [['./db/?.{ts,mts}'], ['db/a.ts', 'db/b.mts']],
  [['./db/[ab].*'], ['db/a.ts', 'db/b.mts']],
  [['./db/[!ab].*'], ['db/c.js']],
  [['**/*.sql.ts'], ['db/deep/a.sql.ts', 'db/deep/er/b.sql.ts']],
  [['./db/**/a*.ts'], ['db/a.ts', 'db/deep/a.sql.ts']],
  [['db/**'], ['db/a.ts', 'db/b.mts', 'db/c.js', 'db/deep/a.sql.ts', 'db/deep/er/b.sql.ts', 'db/deep/er/c.ts']],
  [['lib/*/*.ts'], ['lib/(group)/a+b.ts']],
  [['{db/deep,lib}/**/*.ts'], ['db/deep/a.sql.ts', 'db/deep/er/b.sql.ts', 'db/deep/er/c.ts', 'lib/(group)/a+b.ts']],
  [['none.ts', 'none/*.ts', 'empty', 'db/notes.md'], []],
  [
    ['db/a.ts', 'db/c.js', 'db/?.ts'],
    ['db/a.ts', 'db/c.js'],
  ],
])('%j', (patterns, expected) => {
  expect(named(patterns)).toEqual(expected);
});

test('absolute paths and patterns', () => {
  const folder = writeProject({ 'db/a.ts': '', 'db/b.ts': '' });
  expect(findSchemaFiles('/', [`${folder}/db/a.ts`])).toEqual([`${folder}/db/a.ts`]);
  expect(findSchemaFiles('/', [`${folder}/d*/*.ts`])).toEqual([`${folder}/db/a.ts`, `${folder}/db/b.ts`]);
});

test('paths out of the project', () => {
  const folder = writeProject({ 'shared/a.ts': '', 'shared/b/c.ts': '', 'app/x.ts': '' });
  expect(findSchemaFiles(join(folder, 'app'), ['../shared/**/*.ts'])).toEqual([
    `${folder}/shared/a.ts`,
    `${folder}/shared/b/c.ts`,
  ]);
});

test('a folder that may not be read is passed over', (context) => {
  if (process.getuid?.() === 0) return context.skip('root may read every folder');
  const folder = writeProject({ 'db/a.sql.ts': '', 'data/b.sql.ts': '' });
  chmodSync(join(folder, 'data'), 0);
  expect(findSchemaFiles(folder, ['**/*.sql.ts'])).toEqual([`${folder}/db/a.sql.ts`]);
  chmodSync(join(folder, 'data'), 0o700);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Block } from '../docs/markdown.ts';
import { copyProject, type ProjectCopy } from '../docs/project-copy.ts';
import { applyEdits, readExample, runCommands, runScripts } from './walk-through.ts';

// One copy of the project for all: each example is applied on top of the one before, as schema changes are.
const names = ['comments', 'bookmarks', 'user-columns', 'feedback'] as const;

/** The SQL that an example's migration must be made of: only what is new. */
const expectedSql: Record<(typeof names)[number], RegExp> = {
  comments: /^(CREATE TABLE "Comment"|ALTER TABLE "Comment" ADD CONSTRAINT|CREATE INDEX "Comment_)/,
  bookmarks: /^(CREATE TABLE "Bookmark"|ALTER TABLE "Bookmark" ADD CONSTRAINT)/,
  'user-columns': /^ALTER TABLE "User" ADD COLUMN "(locale|timeZone)" varchar\(\d+\);$/,
  feedback: /^(CREATE TABLE "Feedback"|ALTER TABLE "Feedback" ADD CONSTRAINT|CREATE INDEX "Feedback_)/,
};

let copy: ProjectCopy;
const blocksOf = new Map<string, Block[]>();

beforeAll(() => {
  copy = copyProject();
  for (const name of names) blocksOf.set(name, readExample(copy, name));
});
afterAll(() => copy?.remove());

test('every example is tested', () => {
  const folders = readdirSync(join(copy.folder, 'examples'), { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual([...names, 'ci'].sort()); // ci.test.ts
});

describe.each(names)('%s', (name) => {
  test('its steps work on the embedded database', async () => {
    const blocks = blocksOf.get(name) ?? [];
    const before = migrationFiles();
    applyEdits(copy, blocks);
    await runCommands(copy, blocks);
    const added = migrationFiles().filter((file) => !before.includes(file));
    expect(added).toHaveLength(1);
    for (const statement of statementsOf(added[0] as string)) expect(statement).toMatch(expectedSql[name]);
    await runScripts(copy, blocks);
  });
});

test('nothing is left to generate, and the migrator says that nothing is left to do', async () => {
  expect((await copy.run('npx drizzle-kit generate')).stdout).toContain('No schema changes');
  expect((await copy.run('npx tsx db/migrate.ts')).stdout).toContain('nothing to do');
});

test('the project with all examples applied passes its type check', async () => {
  const { exitCode, stdout } = await copy.run('npm run --silent typecheck');
  expect(stdout).toBe('');
  expect(exitCode).toBe(0);
});

describe.for(inject('servers'))('PostgreSQL $version', ({ version, url }) => {
  const name = `mytx_examples_${version}_${process.pid}`;
  const env = { POSTGRES_URL: Object.assign(new URL(url), { pathname: `/${name}` }).href };
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  beforeAll(() => sql.unsafe(`create database ${name}`));
  afterAll(async () => {
    await sql.unsafe(`drop database ${name} with (force)`);
    await sql.end();
  });

  test('takes all of them at once, and they work', async () => {
    const { stdout } = await copy.run('npx tsx db/migrate.ts', env);
    expect(stdout).toMatch(/applied \d+ of \d+ migrations/);
    for (const example of names) await runScripts(copy, blocksOf.get(example) ?? [], env);
  });
});

describe.for(inject('missingServers'))('PostgreSQL $version', ({ reason }) => {
  test.skip(`is not here: ${reason}`);
});

function migrationFiles(): string[] {
  return readdirSync(join(copy.folder, 'lib', 'drizzle')).filter((file) => file.endsWith('.sql'));
}

function statementsOf(file: string): string[] {
  const text = readFileSync(join(copy.folder, 'lib', 'drizzle', file), 'utf8');
  return text.split('--> statement-breakpoint').map((statement) => statement.trim());
}

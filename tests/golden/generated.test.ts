import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as protocolQueries from '../../db/protocol-queries.ts';
import * as queries from '../../db/queries.ts';
import { copyProject, type ProjectCopy, projectFolder } from '../docs/project-copy.ts';

const commands = [
  'schema:dump',
  'queries:dump',
  'docs:schema',
  'docs:errors',
  'docs:cli',
  'docs:lint-rules',
  'docs:benchmarks',
  'docs:reliability',
  'docs:crash-matrix',
  'docs:planning',
  'docs:zero-downtime',
  'docs:security',
];
let copy: ProjectCopy;

beforeAll(() => {
  copy = copyProject();
});
afterAll(() => copy?.remove());

test.each(commands)('what npm run %s writes is up to date', async (command) => {
  const { exitCode, output } = await copy.run(`npm run --silent ${command} -- --check`);
  expect(output).toBe('');
  expect(exitCode).toBe(0);
});

test('--check exits 1, and names each file and the command', async () => {
  const pages = ['docs/errors/INVALID_ID.md', 'docs/errors/NO_SUCH_CODE.md'];
  for (const page of pages) writeFileSync(join(copy.folder, page), 'something else\n');
  const check = 'npm run --silent docs:errors -- --check';
  const { exitCode, stderr } = await copy.run(check);
  expect(exitCode).toBe(1);
  expect(stderr.trim().split('\n')).toEqual(pages.map((page) => `${page} is out of date; run: npm run docs:errors`));
  expect((await copy.run('npm run --silent docs:errors')).output.trim().split('\n')).toEqual(
    pages.map((page) => `${page === pages[0] ? 'wrote' : 'removed'} ${page}`),
  );
  expect((await copy.run(check)).exitCode).toBe(0);
});

test('lib/drizzle has every change of the schema files', async () => {
  expect((await copy.run('npx drizzle-kit generate')).stdout).toContain('No schema changes');
});

test('every generator of package.json is listed here', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const generators = Object.keys(scripts).filter((name) => scripts[name]?.startsWith('tsx scripts/'));
  expect(generators.sort()).toEqual([...commands].sort());
});

/** They open, close or look, run what others send, or set something in this process; an export has exportUser's statements. */
const withoutStatements = [
  'asUser',
  'checkHealth',
  'checkRowSecurity',
  'closeDatabase',
  'configureLimits',
  'configurePasswords',
  'exportUserToFile',
  'openDatabase',
  'withDeadline',
  'withPrimary',
  'writeExport',
];

test('hot-queries.sql has the statements of every query function', () => {
  const text = readFileSync(join(projectFolder, 'tests/golden/hot-queries.sql'), 'utf8');
  const headings = [...text.matchAll(/^-- (\w+)(?::.*)?$/gm)].map(([, name]) => name);
  const functions = Object.entries({ ...queries, ...protocolQueries })
    .filter(([, value]) => typeof value === 'function')
    .map(([name]) => name)
    .filter((name) => !withoutStatements.includes(name));
  expect(functions.filter((name) => !headings.includes(name))).toEqual([]);
});

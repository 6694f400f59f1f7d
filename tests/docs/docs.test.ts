// What the documents say is so: commands run, code compiles and runs, links lead somewhere, names are all there.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import * as api from '../../db/index.ts';
import { errorCatalogue } from '../../scripts/error-catalogue.ts';
import { type Block, readAnchors, readBlocks, readLinks } from './markdown.ts';
import { copyProject, type ProjectCopy, projectFiles, projectFolder } from './project-copy.ts';
import type { BlockResult, BlockToRun } from './run-blocks.ts';
import { followTranscript } from './transcript.ts';

const files = projectFiles();
const isPage = (path: string): boolean => /^([A-Z]+\.md|docs\/[^/]+\.md)$/.test(path) && path !== 'CHANGELOG.md';
const pages = files.filter(isPage);
const allPages = files.filter((path) => path.endsWith('.md'));
const read = (path: string): string => readFileSync(join(projectFolder, path), 'utf8');
const blocksOf = (path: string, language: string): Block[] =>
  readBlocks(read(path)).filter((block) => block.language === language);

/** Commands that no test here runs, and why. */
const notRun: Record<string, string> = {
  'npm ci': 'CI does, before the tests',
  'npm ci && npm start': 'stays up until Ctrl-C; with --once it is run',
  'npm ci && npm test': 'is what runs this',
  'npx mytx status': 'exits with 2 where migrations are pending, as here: tests/cli/deploy.test.ts',
  'npx mytx plan': 'likewise',
  'npx mytx generate --name people --answers answers.txt': 'names a file of answers: tests/deploy/generate.test.ts',
  'npx mytx rewrite drizzle/0007_orders.sql': 'names a migration of a project: tests/deploy/generate.test.ts',
  'npx mytx encrypt': 'needs keys, and tests/cli/encrypt.test.ts has some',
  'npx mytx encrypt --dry-run': 'likewise',
  'npm run typecheck': 'CI does, and tests/examples in a copy with all examples',
  'npm run check': 'CI does',
  'npm run schema:dump -- --check': 'tests/golden does',
  'npm run queries:dump -- --check': 'tests/golden does',
  'npm run docs:schema -- --check': 'tests/golden does',
  'npm run docs:errors -- --check': 'tests/golden does',
  'npm run docs:cli -- --check': 'tests/golden does',
  'npm run docs:lint-rules -- --check': 'tests/golden does',
  'npm run docs:reliability -- --check': 'tests/golden does',
  'npm run docs:crash-matrix -- --check': 'tests/golden does',
  'npm run docs:planning -- --check': 'tests/golden does',
  'npm run docs:zero-downtime -- --check': 'tests/golden does',
  'npm run docs:security -- --check': 'tests/golden does',
};

/** Where PostgreSQL's client is not installed, its lines are left out: the tests of the socket name the reason. */
const hasPsql = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'psql')));

let copy: ProjectCopy;
let typeCheck: Promise<string>;
let results: Promise<Map<string, BlockResult>>;

beforeAll(() => {
  copy = copyProject();
  const blocks = pages.flatMap((path) => [...writeBlocks(path, 'ts'), ...writeBlocks(path, 'sql')]);
  typeCheck = checkTypes();
  results = typeCheck.then(() => runBlocks(blocks));
});
afterAll(async () => {
  await results;
  copy?.remove();
});

describe('code', { timeout: 600_000 }, () => {
  test('of all documents passes the type check', async () => {
    expect(await typeCheck).toBe('');
  });

  const withCode = pages.filter((path) => blocksOf(path, 'ts').length + blocksOf(path, 'sql').length > 0);
  test.each(withCode)('of %s runs and prints what it says', async (path) => {
    for (const block of [...blocksOf(path, 'ts'), ...blocksOf(path, 'sql')]) {
      const name = `${path}:${block.line}`;
      const { error, printed = [] } = (await results).get(name) ?? {};
      expect(error, name).toBeUndefined();
      const shown = [...block.text.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
      const found = printed.filter((line) => shown.includes(line));
      expect(found, `${name} printed ${JSON.stringify(printed)}`).toEqual(shown);
    }
  });
});

describe('commands', { timeout: 300_000 }, () => {
  /** A command that several documents have runs for the first of them. */
  const haveRun = new Set(Object.keys(notRun));
  const withCommands = pages.filter((path) => [...blocksOf(path, 'bash'), ...blocksOf(path, 'console')].length > 0);
  test.each(withCommands)('of %s run', async (path) => {
    for (const { text, options } of blocksOf(path, 'console')) {
      if ('package' in options) continue; // tests/package follows it
      for (const command of await followTranscript(text, copy.run)) haveRun.add(command);
    }
    const runLines = async (text: string, env: Record<string, string> = {}): Promise<void> => {
      for (const command of text.trim().split('\n')) {
        if (haveRun.has(command) && !env.POSTGRES_URL) continue;
        if (command.startsWith('psql ') && !hasPsql) continue;
        haveRun.add(command);
        const { exitCode, output } = await copy.run(command, env);
        expect(exitCode, `${command}\n${output}`).toBe(0);
      }
    };
    for (const { text, options } of blocksOf(path, 'bash')) {
      if ('package' in options) continue; // tests/package runs it where the package is installed
      if ('guest' in options) await copy.whileStarted((url) => runLines(text, { POSTGRES_URL: url }));
      else await runLines(text);
    }
  });

  test('that are not run are all still there', () => {
    const all = pages.flatMap((path) => blocksOf(path, 'bash').flatMap(({ text }) => text.trim().split('\n')));
    expect(Object.keys(notRun).filter((command) => !all.includes(command))).toEqual([]);
  });
});

test('links lead somewhere', () => {
  const broken = allPages.flatMap((path) =>
    readLinks(read(path))
      .filter(({ target }) => !/^https?:/.test(target) && !leadsSomewhere(path, target))
      .map(({ target, line }) => `${path}:${line}: ${target}`),
  );
  expect(broken).toEqual([]);
});

function leadsSomewhere(path: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const linked = file === '' ? path : normalize(join(dirname(path), file));
  return files.includes(linked) && (anchor === undefined || readAnchors(read(linked)).includes(anchor));
}

/** Words in capitals that are not error codes. */
const otherNames = /^(MYTX_|POSTGRES_|DATABASE_URL$|STAGING_URL$|PRODUCTION_URL$|NODE_|ERR_)/;

test('no document names an error code that has no page', () => {
  for (const path of allPages) {
    const names = read(path).match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
    const unknown = names.filter((name) => !otherNames.test(name) && !(name in errorCatalogue));
    expect(unknown, path).toEqual([]);
  }
});

test('docs/queries.md has every function that the package exports', () => {
  const text = read('docs/queries.md');
  const functions = Object.entries(api)
    .filter(([name, value]) => typeof value === 'function' && !/^[A-Z]/.test(name))
    .map(([name]) => name);
  expect(functions.filter((name) => !text.includes(`\`${name}(`))).toEqual([]);
});

test('ARCHITECTURE.md has every file of db/ and deploy/, none that is not there, and fits on three screens', () => {
  const text = read('ARCHITECTURE.md');
  const map = text.split('```')[1] ?? '';
  const named = [...map.matchAll(/^ +([\w.-]+\.(?:ts|json)(?:, [\w.-]+\.(?:ts|json))*)(?: |$)/gm)].flatMap(
    ([, names = '']) => names.split(', '),
  );
  const there = files.filter((path) => /^(db|deploy)\//.test(path) && !path.startsWith('db/sample/'));
  expect(named.sort()).toEqual(there.map((path) => path.split('/').at(-1) ?? '').sort());
  expect(text.split('\n').length).toBeLessThan(150);
});

/** Writes each block into a file of the copy: a module with its imports on the line before. */
function writeBlocks(path: string, language: 'ts' | 'sql'): BlockToRun[] {
  return blocksOf(path, language).map(({ text, line, options }) => {
    const file = join(copy.folder, 'docs-check', `${path.replaceAll(/[/.]/g, '-')}-${line}.${language}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, language === 'ts' ? `${importsFor(text)}\n${text}\nexport {};\n` : text);
    return { name: `${path}:${line}`, file, isClosed: 'closed' in options };
  });
}

const typeNames = [...new Set(read('db/index.ts').match(/\b[A-Z]\w+\b/g))].filter((name) => !(name in api));

/** What a reader of the documents knows to be there: the names of the package, `userId` and `chatId`. */
function importsFor(code: string): string {
  const imported = [...code.matchAll(/^import .*$/gm)].join('\n');
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(code) && !imported.includes(name);
  const values = Object.keys(api).filter(isUsed);
  const types = typeNames.filter(isUsed).map((name) => `type ${name}`);
  const given = ['userId', 'chatId'].filter((name) => isUsed(name) && !code.includes(`const ${name}`));
  return [
    `import { ${[...values, ...types].join(', ')} } from 'mytx-ai';`,
    `const { ${given.join(', ')} } = globalThis.given ?? {};`,
  ].join(' ');
}

async function checkTypes(): Promise<string> {
  const config = { extends: '../tsconfig.json', include: ['*.ts', '../tests/docs/run-blocks.ts'], exclude: [] };
  writeFileSync(join(copy.folder, 'docs-check', 'tsconfig.json'), JSON.stringify(config));
  return (await copy.run('npx tsc --project docs-check')).stdout;
}

/** In a folder of its own, so that a block and a command never open the same embedded database at once. */
async function runBlocks(blocks: BlockToRun[]): Promise<Map<string, BlockResult>> {
  const list = join(copy.folder, 'docs-check', 'blocks.json');
  writeFileSync(list, JSON.stringify(blocks));
  const command = `cd docs-check && npx tsx ../tests/docs/run-blocks.ts ${list} ${inject('snapshotFile')}`;
  const { stdout, output, exitCode } = await copy.run(command);
  if (exitCode !== 0) throw new Error(output);
  const lines = stdout.trim().split('\n');
  return new Map(lines.map((line) => JSON.parse(line) as BlockResult).map((result) => [result.name, result]));
}

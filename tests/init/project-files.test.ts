// What mytx init adds to files that every project has, and what it only says.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { drizzleVersions } from '../../init/commands.ts';
import { diffLines } from '../../init/line-diff.ts';
import { planInit } from '../../init/plan.ts';
import { projectFolder } from '../docs/project-copy.ts';
import { cleanUpProjects, initialise, newProject, readProjectFiles, stepOf } from './project-folder.ts';

cleanUpProjects();

describe('.gitignore', () => {
  test.each([
    ['', '.mytx/\n.env.local\n'],
    ['dist', 'dist\n.mytx/\n.env.local\n'],
    ['dist\r\n', 'dist\r\n.mytx/\r\n.env.local\r\n'],
    ['/.mytx\n', '/.mytx\n.env.local\n'],
    ['.env*\n', '.env*\n.mytx/\n'],
    ['*.local\n', '*.local\n.mytx/\n'],
    ['# .mytx/\n.env.local.example\n', '# .mytx/\n.env.local.example\n.mytx/\n.env.local\n'],
    ['.mytx/\n.env.local\n', null],
    ['**/.env.local\n.mytx/**\n', null],
  ])('%j becomes %j', (before, after) => {
    const folder = newProject({ 'package.json': '{}', '.gitignore': before });
    if (after === null) expect(stepOf(planInit({ folder }), '.gitignore').action).toBe('leave');
    initialise(folder);
    expect(readProjectFiles(folder)['.gitignore']).toBe(after ?? before);
  });
});

describe('package.json', () => {
  test.each([
    [
      '{}',
      '{\n  "scripts": {\n    "db:generate": "drizzle-kit generate",\n    "db:migrate": "node db/migrate.mjs"\n  }\n}',
    ],
    [
      '{\n\t"name": "a",\n\t"scripts": {\n\t\t"start": "node ."\n\t},\n\t"license": "MIT"\n}\n\n',
      '{\n\t"name": "a",\n\t"scripts": {\n\t\t"start": "node .",\n\t\t"db:generate": "drizzle-kit generate",\n\t\t"db:migrate": "node db/migrate.mjs"\n\t},\n\t"license": "MIT"\n}\n\n',
    ],
    [
      '{\r\n    "private": true\r\n}\r\n',
      '{\r\n    "private": true,\r\n    "scripts": {\r\n        "db:generate": "drizzle-kit generate",\r\n        "db:migrate": "node db/migrate.mjs"\r\n    }\r\n}\r\n',
    ],
  ])('gets two scripts, and keeps its form: %j', (before, after) => {
    const folder = newProject({ 'package.json': before });
    initialise(folder);
    expect(readProjectFiles(folder)['package.json']).toBe(after);
  });

  test.each(['{ "name": "a" }\n', '{\n  "files": ["dist"]\n}\n', '\uFEFF{}\n'])(
    'is left, and the scripts are told, where writing it would change more: %j',
    (text) => {
      const folder = newProject({ 'package.json': text });
      const plan = planInit({ folder });
      expect(stepOf(plan, 'package.json').action).toBe('leave');
      expect(plan.notes).toContainEqual(
        expect.stringContaining('"db:generate": "drizzle-kit generate", "db:migrate": '),
      );
    },
  );

  test('with scripts of these names keeps them, and says what ours would be', () => {
    const scripts = { 'db:migrate': 'mine', 'db:generate': 'drizzle-kit generate' };
    const folder = newProject({ 'package.json': JSON.stringify({ scripts }) });
    const plan = planInit({ folder });
    expect(stepOf(plan, 'package.json').action).toBe('leave');
    expect(plan.notes).toEqual(['package.json has a script db:migrate of its own; ours would be: node db/migrate.mjs']);
  });
});

describe('the commands', () => {
  const commandsIn = (folder: string): string[] => planInit({ folder }).commands.map(({ command }) => command);
  const typeScript = '{"devDependencies":{"typescript":"6"}}';

  test.each([
    ['package-lock.json', 'npm install', 'npm install -D', 'npx'],
    ['pnpm-lock.yaml', 'pnpm add', 'pnpm add -D', 'pnpm exec'],
    ['yarn.lock', 'yarn add', 'yarn add -D', 'yarn'],
    ['bun.lock', 'bun add', 'bun add -d', 'bunx'],
    ['bun.lockb', 'bun add', 'bun add -d', 'bunx'],
  ])('are those of the lock file %s', (lockFile, add, addDev, run) => {
    expect(commandsIn(newProject({ 'package.json': typeScript, [lockFile]: '' }))).toEqual([
      `${add} mytx-ai drizzle-orm@0.45`,
      `${addDev} drizzle-kit@0.31 tsx`,
      `${run} tsx db/migrate.ts`,
      `${run} drizzle-kit generate`,
    ]);
  });

  test('install only what is not there, and run JavaScript with Node', () => {
    const packageFile = {
      dependencies: { 'mytx-ai': '1', 'drizzle-orm': '0.45' },
      devDependencies: { 'drizzle-kit': '0.31' },
    };
    expect(commandsIn(newProject({ 'package.json': JSON.stringify(packageFile) }))).toEqual([
      'node db/migrate.mjs',
      'npx drizzle-kit generate',
    ]);
  });

  test('are those of the workspace above, but of no folder above the repository', () => {
    const root = newProject({ 'package.json': '{}', 'pnpm-lock.yaml': '', 'apps/web/package.json': '{}' });
    const folder = join(root, 'apps/web');
    expect(planInit({ folder }).project.packageManager).toBe('pnpm');
    mkdirSync(join(folder, '.git'));
    expect(planInit({ folder }).project.packageManager).toBe('npm');
  });

  test('are those that package.json names, before any lock file', () => {
    const folder = newProject({ 'package.json': '{"packageManager":"yarn@4.9.1"}', 'package-lock.json': '' });
    expect(planInit({ folder }).project.packageManager).toBe('yarn');
  });

  test('name the versions of Drizzle that this package is tested with', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
    for (const [name, version] of Object.entries(drizzleVersions)) {
      expect(devDependencies[name]).toMatch(new RegExp(`^${version.replace('.', '\\.')}\\.\\d+$`));
    }
  });
});

describe('of the configuration of', () => {
  const notesOf = (files: Record<string, string>): string[] =>
    planInit({ folder: newProject({ 'package.json': '{}', ...files }) }).notes;

  test.each([
    ['16.0.1', 'next.config.ts', "serverExternalPackages: ['mytx-ai']"],
    ['^14.2.0', 'next.config.mjs', "experimental: { serverComponentsExternalPackages: ['mytx-ai'] }"],
    ['latest', 'next.config.js', "serverExternalPackages: ['mytx-ai']"],
  ])('Next.js %s, %s, the line to add is told', (version, configFile, line) => {
    const packageText = JSON.stringify({ dependencies: { next: version } });
    expect(notesOf({ 'package.json': packageText, [configFile]: 'export default {};' })).toContain(
      `add to the configuration in ${configFile}, by hand: ${line}`,
    );
    const configured = `export default { serverExternalPackages: ["mytx-ai"] };`;
    expect(notesOf({ 'package.json': packageText, [configFile]: configured })).not.toContainEqual(
      expect.stringContaining('by hand'),
    );
  });

  test('the compiler, what keeps the package or db/ from being seen is told', () => {
    const config = `{ // of old\n "compilerOptions": { "moduleResolution": "Node10", "rootDir": "./src" } }`;
    expect(notesOf({ 'tsconfig.json': config })).toEqual([
      expect.stringContaining('moduleResolution Node10'),
      expect.stringContaining('compiles src/ only'),
    ]);
    const usual = `{ "compilerOptions": {\n // "moduleResolution": "node",\n "moduleResolution": "bundler", "rootDir": "." } }`;
    expect(notesOf({ 'tsconfig.json': usual, 'package.json': '{}' })).toEqual([]);
  });
});

test('a change is shown as the lines that go and come, with two around them', () => {
  expect(diffLines('a\nb\nc\nd\ne\n', 'a\nb\nc\nx\nd\ne\n')).toEqual(['  b', '  c', '+ x', '  d', '  e']);
  expect(diffLines('a\nb', 'a\nc\nd\n')).toEqual(['  a', '- b', '+ c', '+ d']);
  expect(diffLines('a\na\n', 'a\na\na\n')).toEqual(['  a', '  a', '+ a']);
  expect(diffLines('', 'a\n')).toEqual(['+ a']);
});

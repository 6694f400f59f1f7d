// What mytx init plans for a project: which files it makes, which it leaves, and which are in its way.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planInit, refuseObstacles, writesOf } from '../../init/plan.ts';
import { migrationFiles } from '../own-migrations.ts';
import {
  actionsOf,
  cleanUpProjects,
  initialise,
  newProject,
  putFiles,
  readProjectFiles,
  stepOf,
} from './project-folder.ts';

cleanUpProjects();

const names = ['schema', 'protocols-schema', 'queries', 'protocol-queries', 'migrate'];

describe('a project without any of it', () => {
  test.each([
    ['TypeScript', { 'package.json': '{\n  "name": "a"\n}\n', 'tsconfig.json': '{}' }, 'ts', 'ts'],
    ['TypeScript by its compiler', { 'package.json': '{"devDependencies":{"typescript":"^5"}}' }, 'ts', 'ts'],
    ['JavaScript, modules', { 'package.json': '{"type":"module"}' }, 'js', 'js'],
    ['JavaScript, CommonJS', { 'package.json': '{}' }, 'mjs', 'js'],
  ])('gets every file: %s', (_, files, ending, configEnding) => {
    const folder = newProject(files);
    const plan = planInit({ folder });
    expect(actionsOf(plan)).toEqual({
      ...Object.fromEntries(migrationFiles.map((path) => [path, 'create'])),
      ...Object.fromEntries(names.map((name) => [`db/${name}.${ending}`, 'create'])),
      [`drizzle.config.${configEnding}`]: 'create',
      '.gitignore': 'create',
      'package.json': 'change',
    });
    expect(readProjectFiles(folder)).toEqual(files);
  });

  test('has nothing more to be done behind it, and no other file was touched', () => {
    const files = { 'package.json': '{}', 'src/index.js': 'main();', '.gitignore': 'dist/\n' };
    const folder = newProject(files);
    const written = initialise(folder);
    const after = readProjectFiles(folder);
    expect(Object.keys(after).filter((path) => !(path in files) || after[path] !== files[path as never])).toEqual(
      written.sort(),
    );
    expect(writesOf(planInit({ folder }))).toEqual([]);
    expect(initialise(folder)).toEqual([]);
    expect(readProjectFiles(folder)).toEqual(after);
  });
});

describe('no project', () => {
  test('without a package.json', () => {
    expect(() => planInit({ folder: newProject({}) })).toThrow(expect.objectContaining({ code: 'PROJECT_NOT_FOUND' }));
  });

  test.each(['', '{', '[]', 'null', '{"scripts": "none"}', '{\n<<<<<<< ours\n  "name": "a"\n}'])(
    'with a package.json that is damaged: %j',
    (text) => {
      const folder = newProject({ 'package.json': text });
      const unreadable = expect.objectContaining({ code: 'PROJECT_UNREADABLE' });
      expect(() => planInit({ folder })).toThrow(unreadable);
      expect(readProjectFiles(folder)).toEqual({ 'package.json': text });
    },
  );
});

describe('files that are there', () => {
  const project = { 'package.json': '{}', 'tsconfig.json': '{}' };

  test('in whatever form are left where they hand ours on', () => {
    const own = {
      'db/schema/index.ts': `export * from "mytx-ai/schema";\nexport * from './trips';\n`,
      'db/migrate.mts': `import { runMigrate } from 'mytx-ai/migrate';\nawait runMigrate();\n`,
    };
    const plan = planInit({ folder: newProject({ ...project, ...own }) });
    for (const path of Object.keys(own)) expect(stepOf(plan, path).action).toBe('leave');
    expect(stepOf(plan, 'drizzle.config.ts')).toMatchObject({
      text: expect.stringContaining("'./db/schema/index.ts'"),
    });
    expect(plan.commands.map(({ command }) => command)).toContain('npx tsx db/migrate.mts');
  });

  test('are in the way where they are somebody’s, and then nothing is written', () => {
    const schema = `// export * from 'mytx-ai/schema';\nexport const trip = pgTable('Trip', {});\n`;
    const folder = newProject({ ...project, 'db/schema.ts': schema, 'db/migrate.ts': 'migrate();' });
    const plan = planInit({ folder });
    expect(stepOf(plan, 'db/schema.ts')).toMatchObject({
      action: 'refuse',
      byHand: [expect.any(String), "  export * from 'mytx-ai/schema';"],
    });
    expect(stepOf(plan, 'db/migrate.ts')).toMatchObject({
      action: 'refuse',
      byHand: [expect.any(String), "  import { runMigrate } from 'mytx-ai/migrate';", '  void runMigrate();'],
    });
    expect(() => refuseObstacles(plan)).toThrow(
      expect.objectContaining({
        code: 'INIT_REFUSED',
        message: expect.stringMatching(/^nothing was written: db\/schema\.ts is .*; db\/migrate\.ts is /),
      }),
    );
    expect(() => refuseObstacles(planInit({ folder: newProject(project) }))).not.toThrow();
  });

  test('are no longer in the way when they have what is said at them', () => {
    const folder = newProject({ ...project, 'db/schema.ts': 'export const trip = 1;\n', 'db/migrate.ts': '' });
    for (const step of planInit({ folder }).steps) {
      if (step.action === 'refuse') putFiles(folder, { [step.path]: step.byHand.slice(1).join('\n') });
    }
    expect(() => refuseObstacles(planInit({ folder }))).not.toThrow();
  });

  test('of queries are the application’s, and are in nobody’s way', () => {
    const plan = planInit({ folder: newProject({ ...project, 'db/queries.ts': 'export const mine = 1;' }) });
    expect(stepOf(plan, 'db/queries.ts')).toMatchObject({
      action: 'leave',
      reason: expect.stringContaining('is yours'),
    });
  });

  test.each([
    [
      'drizzle.config.ts',
      `schema: ['./db/schema.ts', './db/protocols-schema.ts', './more.ts'], out: 'lib/drizzle'`,
      'leave',
    ],
    ['drizzle.config.mjs', `schema: './src/schema.ts', out: './drizzle'`, 'refuse'],
    ['drizzle.config.json', `{"schema": "./db/schema.ts", "out": "./lib/drizzle"}`, 'refuse'],
    ['drizzle.config.ts', `// schema: ['./db/schema.ts', './db/protocols-schema.ts'], out: 'lib/drizzle'`, 'refuse'],
  ])('of drizzle-kit: %s with %s', (path, text, action) => {
    const step = stepOf(planInit({ folder: newProject({ ...project, [path]: text }) }), path);
    expect(step.action).toBe(action);
    if (step.action === 'refuse') {
      expect(step.byHand).toContain("  schema: ['./db/schema.ts', './db/protocols-schema.ts'],");
      expect(step.byHand).toContain("  out: './lib/drizzle',");
    }
  });

  test('that are folders, or can’t be read, are an error of the system, not an empty file', () => {
    const folder = newProject(project);
    mkdirSync(join(folder, '.gitignore'));
    expect(() => planInit({ folder })).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  });
});

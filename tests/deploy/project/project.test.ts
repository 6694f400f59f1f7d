// Which Drizzle project a folder belongs to, and what its configuration says, beside what drizzle-kit makes of it.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeployError } from '../../../deploy/errors.ts';
import { type FindProjectOptions, findProject, type Project } from '../../../deploy/project/project.ts';
import { deleteProjectsAfterwards, type Files, type Layout, layouts, writeProject } from '../layouts.ts';

deleteProjectsAfterwards();

/** Looks from a folder of a layout; every path of the answer is relative to the layout's folder. */
async function look(
  layout: Layout,
  folder: string,
  from: string,
  named = layout.config !== undefined,
): Promise<unknown> {
  const {
    config = '',
    env = {},
    from: [runFrom = '.'],
  } = layout;
  const options: FindProjectOptions = { from: join(folder, from), env };
  if (named) options.config = relative(join(folder, from), join(folder, runFrom, config));
  const project = await findProject(options);
  const inFolder = (path: string): string => relative(folder, path) || '.';
  return {
    ...project,
    root: inFolder(project.root),
    configFile: inFolder(project.configFile),
    migrationsFolder: inFolder(project.migrationsFolder),
    schemaFiles: project.schemaFiles.map(inFolder),
    embeddedFolder: project.embeddedFolder && inFolder(project.embeddedFolder),
  };
}

const wholeAnswer = ({ expected: { history, ...expected } }: Layout) => ({
  url: undefined,
  embeddedFolder: undefined,
  history: history ?? { schema: 'drizzle', table: '__drizzle_migrations' },
  driver: expected.embeddedFolder === undefined ? 'server' : 'pglite',
  environments: [],
  lint: { largeBytes: 10_000_000, largeRows: 10_000, longTransactionSeconds: 60, severities: new Map() },
  ...expected,
});

describe.each(layouts)('$title', (layout) => {
  test.each(layout.from)('found from %s', async (from) => {
    expect(await look(layout, writeProject(layout.files), from)).toEqual(wholeAnswer(layout));
  });

  test('found from the folder of its configuration, without being named', async () => {
    const from = dirname(layout.expected.configFile);
    expect(await look(layout, writeProject(layout.files), from, false)).toEqual(wholeAnswer(layout));
  });

  test('drizzle-kit generates into the folder that was found', async (context) => {
    if (layout.notGenerated) return context.skip(layout.notGenerated);
    const folder = writeProject(layout.files);
    const [runFrom = '.'] = layout.from;
    generate(join(folder, runFrom), layout);
    const migrations = join(folder, layout.expected.migrationsFolder);
    expect(existsSync(join(migrations, 'meta', '_journal.json'))).toBe(true);
    expect(readdirSync(migrations).filter((file) => file.endsWith('.sql'))).toEqual(['0000_probe.sql']);
    // What it wrote changes nothing of what is found.
    expect(await look(layout, folder, layout.from.at(-1) ?? '.')).toMatchObject({
      root: layout.expected.root,
      migrationsFolder: layout.expected.migrationsFolder,
    });
  });
});

function generate(cwd: string, { config, env }: Layout): void {
  const drizzleKit = resolve('node_modules/drizzle-kit/bin.cjs');
  const args = [drizzleKit, 'generate', '--name', 'probe', ...(config ? ['--config', config] : [])];
  execFileSync(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
}

/** A project with these files, found from its folder. */
const find = (files: Files, options: Partial<FindProjectOptions> = {}): Promise<Project> =>
  findProject({ from: writeProject(files), ...options });

const failureOf = (work: Promise<unknown>): Promise<DeployError> =>
  work.then(
    () => expect.unreachable('nothing was refused'),
    (thrown: DeployError) => thrown,
  );

const configOf = (text: string): Files => ({ 'package.json': '{}', 'drizzle.config.ts': text });

describe('what a configuration sees and does', () => {
  test('the process’s variables go before the given ones, those before .env; nothing of them stays', async () => {
    process.env.MYTX_LAYOUT_ONE = 'process';
    const files = {
      ...configOf(`
        const { MYTX_LAYOUT_ONE, MYTX_LAYOUT_TWO, MYTX_LAYOUT_THREE } = process.env;
        process.env.MYTX_LAYOUT_FOUR = 'set';
        export default { dialect: 'postgresql', out: [MYTX_LAYOUT_ONE, MYTX_LAYOUT_TWO, MYTX_LAYOUT_THREE].join('-') };`),
      '.env': 'MYTX_LAYOUT_ONE=file\nMYTX_LAYOUT_TWO=file\nMYTX_LAYOUT_THREE=file\n',
    };
    const env = { MYTX_LAYOUT_ONE: 'given', MYTX_LAYOUT_TWO: 'given' };
    const before = { ...process.env };
    const { root, migrationsFolder } = await find(files, { env });
    expect(relative(root, migrationsFolder)).toBe('process-given-file');
    expect(process.env).toEqual(before);
    delete process.env.MYTX_LAYOUT_ONE;
  });

  test('its working folder is the project’s, whatever folder it is looked for from, and this process stays in its own', async () => {
    const folder = writeProject({
      ...configOf(`export default { dialect: 'postgresql', out: process.cwd() + '/sql' };`),
      'src/deep/index.ts': '',
    });
    const before = process.cwd();
    const project = await findProject({ from: join(folder, 'src/deep') });
    expect(project.migrationsFolder).toBe(join(folder, 'sql'));
    expect(process.cwd()).toBe(before);
  });

  test('what it prints is not printed, and what it leaves running does not keep anything waiting', async () => {
    const text = `
      console.log('{"not":"ours"}');
      process.stdout.write('x', () => {});
      setInterval(() => {}, 1000);
      export default { dialect: 'postgresql' };`;
    expect(await find(configOf(text))).toMatchObject({ driver: 'server', schemaFiles: [] });
  });

  test('a tsconfig that extends a package that is not installed is passed over', async () => {
    const files = {
      ...configOf(`export default { dialect: 'postgresql' };`),
      'tsconfig.json': '{ "extends": "@none/such" }',
    };
    expect(await find(files)).toMatchObject({ driver: 'server' });
  });

  test('enums, namespaces and parameter properties, which are not types alone', async () => {
    const text = `
      enum Dialect { postgres = 'postgresql' }
      namespace Folders { export const sql = 'sql'; }
      class Settings { constructor(readonly out: string) {} }
      export default { dialect: Dialect.postgres, out: new Settings(Folders.sql).out };`;
    const { root, migrationsFolder } = await find(configOf(text));
    expect(relative(root, migrationsFolder)).toBe('sql');
  });

  test('in one folder TypeScript goes before JavaScript, and that before JSON', async () => {
    const all = {
      'drizzle.config.json': '{ "dialect": "postgresql" }',
      'drizzle.config.js': `module.exports = { dialect: 'postgresql' };`,
      'drizzle.config.ts': `export default { dialect: 'postgresql' };`,
    };
    const found = async (files: Files) => (await find(files)).configFile.split('/').at(-1);
    expect(await found(all)).toBe('drizzle.config.ts');
    const { 'drizzle.config.ts': _, ...rest } = all;
    expect(await found(rest)).toBe('drizzle.config.js');
  });

  test('the nearest configuration is taken, and one that is not PostgreSQL’s is refused, not passed over', async () => {
    const folder = writeProject({
      'drizzle.config.ts': `export default { dialect: 'postgresql' };`,
      'cache/drizzle.config.ts': `export default { dialect: 'sqlite' };`,
    });
    await expect(findProject({ from: join(folder, 'cache') })).rejects.toThrow(
      /cache\/drizzle\.config\.ts can't be used: it has the dialect "sqlite"; only "postgresql" is deployed/,
    );
  });
});

describe('credentials', () => {
  const urlOf = async (credentials: string) =>
    (await find(configOf(`export default { dialect: 'postgresql', dbCredentials: ${credentials} };`))).url;

  test.each([
    [`{ host: 'h', database: 'd' }`, 'postgres://h/d'],
    [`{ host: 'h', port: '6543', user: 'u', password: 'a b:c', database: 'd' }`, 'postgres://u:a%20b%3Ac@h:6543/d'],
    [`{ host: '::1', user: 'u', database: 'd', ssl: true }`, 'postgres://u@[::1]/d?sslmode=verify-full'],
    [`{ host: 'h', database: 'd', ssl: 'prefer' }`, 'postgres://h/d?sslmode=prefer'],
    [`{ host: 'h', database: 'd', ssl: false }`, 'postgres://h/d?sslmode=disable'],
    [`{ host: 'h', database: 'd', ssl: { ca: 'x' } }`, 'postgres://h/d?sslmode=verify-full'],
    [`{ host: '/run/pg', user: 'u', database: 'd' }`, 'postgres://u@localhost/d?host=%2Frun%2Fpg'],
    [`{ url: '' }`, undefined],
    [`{ host: 'h' }`, undefined],
    [`{ secretArn: 's', resourceArn: 'r', database: 'd' }`, undefined],
  ])('%s', async (credentials, expected) => {
    expect(await urlOf(credentials)).toBe(expected);
  });
});

describe('what can’t be used', () => {
  const secret = 'hunter2-in-a-url';

  test.each([
    ['a text', `export default { dialect: 'postgresql', out: 7 };`, 'its out is 7; it must be a text'],
    ['a dialect', 'export default {};', "it has no dialect; dialect: 'postgresql' is what is needed"],
    [
      'a driver',
      `export default { dialect: 'postgresql', driver: 'expo' };`,
      'it has the driver "expo"; known are "pglite", "aws-data-api", or none',
    ],
    [
      'one object',
      `export default [{ dialect: 'postgresql' }];`,
      'it exports an array; one object is what drizzle-kit takes',
    ],
    [
      'no function',
      `export default () => ({ dialect: 'postgresql' });`,
      'it exports a function; one object is what drizzle-kit takes',
    ],
    [
      'an object in it',
      `export default { dialect: 'postgresql', migrations: [] };`,
      'its migrations must be an object',
    ],
    ['what JSON keeps', `export default { dialect: 'postgresql', out: 1n };`, 'Do not know how to serialize a BigInt'],
    ['its packages', `import 'not-installed'; export default {};`, "Cannot find module 'not-installed'"],
    ['its syntax', 'export default { dialect: = };', 'ParseError: Unexpected token'],
    ['what it throws', `throw new Error('first\\n  second'); export default {};`, 'first second'],
    [
      'its end',
      `console.error('DATABASE_URL is missing'); process.exit(3);`,
      'it ended with exit code 3: DATABASE_URL is missing',
    ],
  ])('%s', async (_, text, problem) => {
    const error = await failureOf(find(configOf(text)));
    expect(error).toMatchObject({ name: 'DeployError', code: 'CONFIG_UNREADABLE' });
    expect(error.message).toContain(`drizzle.config.ts can't be used: ${problem}`);
    expect(error.message).not.toContain('\n');
  });

  test('JSON that is none is not quoted', async () => {
    const files = { 'drizzle.config.json': `{ "dbCredentials": { "url": "${secret}" }` };
    const error = await failureOf(find(files));
    expect(error.message).toMatch(/drizzle\.config\.json can't be used: it is not JSON$/);
  });

  test.each([
    ['a connection string', `throw new Error('no connection to postgres://app:${secret}@db/app')`],
    ['the value of a variable', `throw new Error('bad key ' + process.env.MYTX_LAYOUT_KEY)`],
    ['a password of a variable', `throw new Error('bad password ${secret}')`],
    ['what it printed', `console.error('url: postgres://app:${secret}@db/app'); process.exit(1)`],
    ['a value', `export default { dialect: 'postgres://app:${secret}@db/app' }`],
  ])('and never %s', async (_, text) => {
    const env = { MYTX_LAYOUT_KEY: secret, MYTX_LAYOUT_URL: `postgres://app:${secret}@db/app` };
    const error = await failureOf(find(configOf(`${text};`), { env }));
    expect(error.code).toBe('CONFIG_UNREADABLE');
    expect(JSON.stringify([error.message, error.hint, error.details, error.stack])).not.toContain(secret);
  });

  test('a folder without a configuration in it or above it', async () => {
    const folder = writeProject({ 'package.json': '{}', 'packages/db/drizzle.config.ts': '' });
    await expect(findProject({ from: join(folder, 'apps/web') })).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      message: `there is no drizzle.config.ts, drizzle.config.js, drizzle.config.mjs, drizzle.config.json in ${folder}/apps/web or a folder above it`,
    });
  });

  test('a configuration that was named and is not there', async () => {
    const folder = writeProject(configOf(`export default { dialect: 'postgresql' };`));
    await expect(findProject({ from: folder, config: 'other.config.ts' })).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      message: `there is no file ${folder}/other.config.ts`,
    });
  });
});

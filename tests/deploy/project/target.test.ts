// Which environments mytx.config.ts has, and which database a command is about.

import { describe, expect, test } from 'vitest';
import type { DeployError } from '../../../deploy/errors.ts';
import type { Environment } from '../../../deploy/project/environments.ts';
import { defineConfig, readMytxConfig } from '../../../deploy/project/mytx-config.ts';
import { findProject } from '../../../deploy/project/project.ts';
import { chooseTarget, type TargetOptions } from '../../../deploy/project/target.ts';
import { deleteProjectsAfterwards, writeProject } from '../layouts.ts';

deleteProjectsAfterwards();

const drizzleConfig = `export default { dialect: 'postgresql', dbCredentials: { url: 'postgres://localhost/config' } };`;

describe('mytx.config', () => {
  const find = (files: Record<string, string>) =>
    findProject({ from: writeProject({ 'drizzle.config.ts': drizzleConfig, ...files }) });

  test('is read beside the Drizzle configuration, in TypeScript with the type that is exported', async () => {
    const { environments } = await find({
      'mytx.config.ts': `
        import { defineConfig } from '${new URL('../../../deploy/project/mytx-config.ts', import.meta.url).pathname}';
        export default defineConfig({
          environments: {
            production: { url: 'PRODUCTION_URL', protected: true },
            staging: { url: 'STAGING_URL' },
          },
        });`,
    });
    expect(environments).toEqual([
      { name: 'production', urlVariable: 'PRODUCTION_URL', isProtected: true },
      { name: 'staging', urlVariable: 'STAGING_URL', isProtected: false },
    ]);
  });

  test.each([
    ['mytx.config.json', '{ "environments": { "live": { "url": "LIVE_URL" } } }'],
    ['mytx.config.mjs', `export default { environments: { live: { url: 'LIVE_URL' } } };`],
    ['mytx.config.js', `module.exports = { environments: { live: { url: 'LIVE_URL' } } };`],
  ])('%s', async (name, text) => {
    const { environments } = await find({ [name]: text });
    expect(environments).toEqual([{ name: 'live', urlVariable: 'LIVE_URL', isProtected: false }]);
  });

  test('that can’t be loaded is named, and not the Drizzle configuration', async () => {
    await expect(find({ 'mytx.config.ts': `throw new Error('no');` })).rejects.toThrow(
      /mytx\.config\.ts can't be used: no$/,
    );
  });

  test('what it says of the lint, and what it leaves out', async () => {
    const { lint } = await find({
      'mytx.config.mjs': `export default { lint: { rules: { 'squawk/prefer-text-field': 'off' }, largeRows: 5 } };`,
    });
    expect(lint).toEqual({
      severities: new Map([['squawk/prefer-text-field', 'off']]),
      largeRows: 5,
      largeBytes: 10_000_000,
      longTransactionSeconds: 60,
    });
  });

  test('defineConfig gives back what it is given', () => {
    const config = { environments: { live: { url: 'LIVE_URL' } } };
    expect(defineConfig(config)).toBe(config);
  });

  test.each([
    [{ environment: {} }, 'it has the setting "environment"; known are environments, lint'],
    [{ environments: ['production'] }, 'environments must be an object, with a name for each'],
    [
      { environments: { 'a b': { url: 'A' } } },
      'the environment "a b" has no name as they may be: letters, digits, - and _, 63 at most',
    ],
    [{ environments: { a: 'A_URL' } }, `environment "a" must be an object such as { url: 'PRODUCTION_URL' }`],
    [
      { environments: { a: { url: 'A', protcted: true } } },
      'environment "a" has the setting "protcted"; known are url, protected',
    ],
    [
      { environments: { a: { url: 'A', protected: 'yes' } } },
      'environment "a" has protected: "yes"; it must be true or false',
    ],
    [
      { environments: { a: {} } },
      `environment "a" has the url undefined; it must be the name of a variable, such as 'PRODUCTION_URL', which has the URL`,
    ],
    [
      { environments: { a: { url: 'postgres://u:hunter2@h/d' } } },
      `environment "a" has the url "…"; it must be the name of a variable`,
    ],
    [{ lint: true }, 'lint must be an object such as { largeRows: 50_000 }'],
    [
      { lint: { large: 1 } },
      'lint has the setting "large"; known are rules, largeRows, largeBytes, longTransactionSeconds',
    ],
    [{ lint: { rules: ['off'] } }, `lint.rules must be an object such as { 'squawk/prefer-text-field': 'off' }`],
    [
      { lint: { rules: { 'prefer-text-field': 'off' } } },
      'lint.rules has the rule "prefer-text-field"; there are blocking-statement, ',
    ],
    [
      { lint: { rules: { 'blocking-statement': 'warn' } } },
      'lint.rules has "warn" for blocking-statement; it must be "off", "warning", "error"',
    ],
    [{ lint: { largeBytes: '1 GB' } }, 'lint.largeBytes is "1 GB"; it must be a whole number from 0'],
  ])('%j', (config, problem) => {
    const read = () => readMytxConfig(config, 'mytx.config.ts');
    expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_UNREADABLE' }));
    expect(read).toThrow(`mytx.config.ts can't be used: ${problem}`);
    expect(read).not.toThrow('hunter2');
  });
});

const production: Environment = { name: 'production', urlVariable: 'PRODUCTION_URL', isProtected: true };
const staging: Environment = { name: 'staging', urlVariable: 'STAGING_URL', isProtected: false };
const urls = {
  PRODUCTION_URL: 'postgres://app:hunter2@db.example.com/app',
  STAGING_URL: 'postgres://app:hunter2@staging.example.com/app',
};

interface Facts {
  environments?: readonly Environment[];
  url?: string;
  embeddedFolder?: string;
}

function choose({ environments = [], url, embeddedFolder }: Facts, options: Partial<TargetOptions>) {
  const driver = embeddedFolder === undefined ? 'server' : 'pglite';
  const project = { configFile: '/app/drizzle.config.ts', driver, url, embeddedFolder, environments } as const;
  return chooseTarget(project, { env: {}, ...options });
}

describe('the database that is meant', () => {
  test('a URL that is given goes before everything', () => {
    const env = { POSTGRES_URL: 'postgres://localhost/env' };
    expect(choose({ url: 'postgres://localhost/config' }, { url: 'postgres://localhost/given', env })).toEqual({
      name: undefined,
      url: 'postgres://localhost/given',
      isProtected: false,
      from: 'the URL that was given',
    });
  });

  test('the environment that is named, by its variable', () => {
    const env = { ...urls, POSTGRES_URL: 'postgres://localhost/env' };
    expect(choose({ environments: [production, staging] }, { environment: 'production', env })).toEqual({
      name: 'production',
      url: urls.PRODUCTION_URL,
      isProtected: true,
      from: 'PRODUCTION_URL',
    });
  });

  test('else POSTGRES_URL, DATABASE_URL, and what the configuration says', () => {
    const project = { url: 'postgres://localhost/config' };
    const env = { POSTGRES_URL: 'postgres://localhost/one', DATABASE_URL: 'postgres://localhost/two' };
    expect(choose(project, { env })).toMatchObject({ url: env.POSTGRES_URL, from: 'POSTGRES_URL' });
    expect(choose(project, { env: { ...env, POSTGRES_URL: '' } })).toMatchObject({
      url: env.DATABASE_URL,
      from: 'DATABASE_URL',
    });
    expect(choose(project, {})).toMatchObject({ url: project.url, from: 'drizzle.config.ts' });
  });

  test('the folder of an embedded database, though a variable has that folder too', () => {
    const env = { DATABASE_URL: './data' };
    const target = choose({ embeddedFolder: '/app/data' }, { env });
    expect(target).toEqual({ name: undefined, folder: '/app/data', isProtected: false, from: 'drizzle.config.ts' });
    expect(
      choose({ embeddedFolder: '/app/data' }, { env: { DATABASE_URL: 'postgres://localhost/app' } }),
    ).toMatchObject({
      url: 'postgres://localhost/app',
    });
  });

  test('one environment is not taken by itself: it has to be named', () => {
    const env = { ...urls, DATABASE_URL: 'postgres://localhost/dev' };
    expect(choose({ environments: [production] }, { env })).toMatchObject({ name: undefined, isProtected: false });
    expect(() => choose({ environments: [production] }, { env: urls })).toThrow(
      expect.objectContaining({ hint: 'Set POSTGRES_URL, or name the environment: --environment production.' }),
    );
  });

  test.each<[string, Partial<TargetOptions>]>([
    ['the URL that is given', { url: urls.PRODUCTION_URL }],
    ['another user and parameters', { url: 'postgresql://owner@DB.example.com:5432/app?sslmode=require' }],
    ['another environment’s name', { environment: 'staging', env: { ...urls, STAGING_URL: urls.PRODUCTION_URL } }],
    ['another environment’s name and its URL', { environment: 'staging', url: urls.PRODUCTION_URL }],
  ])('a protected database is protected by way of %s', (_, options) => {
    expect(choose({ environments: [production, staging] }, { env: urls, ...options })).toMatchObject({
      name: options.environment ?? 'production',
      isProtected: true,
    });
  });

  test('another database of the same server is none of the environments', () => {
    const url = 'postgres://app@db.example.com/other';
    expect(choose({ environments: [production] }, { env: urls, url })).toMatchObject({
      name: undefined,
      isProtected: false,
    });
  });
});

describe('nothing that is meant', () => {
  const refused = (facts: Facts, options: Partial<TargetOptions>): DeployError => {
    try {
      choose(facts, options);
    } catch (error) {
      return error as DeployError;
    }
    return expect.unreachable('a database was chosen');
  };
  const environments = [production, staging];

  test.each<[string, Facts, Partial<TargetOptions>, string]>([
    [
      'several and none named',
      { environments },
      { env: urls },
      'mytx.config.ts has several environments and none was named: production (protected), staging',
    ],
    [
      'a name that is not there',
      { environments },
      { environment: 'prod', env: urls },
      'there is no environment "prod": there are production (protected), staging in mytx.config.ts beside drizzle.config.ts',
    ],
    [
      'a name without environments',
      {},
      { environment: 'production' },
      'there is no environment "production": there are none in mytx.config.ts beside drizzle.config.ts',
    ],
    [
      'a URL in the place of a name',
      { environments },
      { environment: urls.STAGING_URL },
      'there is no environment "…": there are production (protected), staging in mytx.config.ts beside drizzle.config.ts',
    ],
    [
      'a variable that is not set',
      { environments },
      { environment: 'staging', env: { STAGING_URL: '' } },
      'the environment "staging" has its URL in STAGING_URL, which is not set',
    ],
    [
      'nothing at all',
      {},
      {},
      'no database is named: POSTGRES_URL and DATABASE_URL are not set, and drizzle.config.ts has no dbCredentials',
    ],
  ])('%s', (_, facts, options, message) => {
    const error = refused(facts, options);
    expect(error).toMatchObject({ code: 'ENVIRONMENT_UNKNOWN', message });
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
  });
});

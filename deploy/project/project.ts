// Finds a Drizzle project: its configuration, from a folder upward, and what that names: migrations, history, schema
// files, database and environments. Reads files only, and never asks a database.

import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { configUnreadable, DeployError } from '../errors.ts';
import type { LintSettings } from '../lint/settings.ts';
import { embeddedFolderOf, urlOf } from './credentials.ts';
import type { Environment } from './environments.ts';
import { loadConfigs } from './load-config.ts';
import { mytxConfigNames, readMytxConfig } from './mytx-config.ts';
import { findSchemaFiles } from './schema-files.ts';
import { quote } from './settings.ts';

export interface FindProjectOptions {
  /** The folder to begin at; it and all above it are looked into. */
  from: string;
  /** The configuration file, relative to `from`, instead of looking for one. */
  config?: string;
  /** Variables that the configuration sees where the process does not have them, such as those of `.env.local`. */
  env?: Readonly<Record<string, string | undefined>>;
}

export interface Project {
  /** The folder that what the configuration names is relative to. */
  root: string;
  /** The Drizzle configuration, absolute. */
  configFile: string;
  /** `out`, absolute; `drizzle` unless given. */
  migrationsFolder: string;
  /** Where the database has what was applied; `drizzle` and `__drizzle_migrations` unless given. */
  history: { schema: string; table: string };
  /** The source files of `schema`, absolute; none where they are not there, as on a machine that only deploys. */
  schemaFiles: string[];
  /** How Drizzle names the columns that have no name of their own; by their keys unless given. */
  casing: 'snake_case' | 'camelCase' | undefined;
  driver: 'server' | 'pglite';
  /** The connection URL of `dbCredentials`, with its password; undefined where they name none. */
  url: string | undefined;
  /** For the driver pglite the folder of the database, absolute, or `memory`. */
  embeddedFolder: string | undefined;
  /** Those of mytx.config.ts beside the Drizzle configuration; none without it. */
  environments: readonly Environment[];
  /** What the lint is strict about; the defaults unless mytx.config.ts says so. */
  lint: LintSettings;
}

/** drizzle-kit takes the first, second and fourth; the third it takes with --config. */
const configNames = ['drizzle.config.ts', 'drizzle.config.js', 'drizzle.config.mjs', 'drizzle.config.json'];

/**
 * Finds and loads the Drizzle project that a folder belongs to.
 *
 * drizzle-kit takes paths relative to the folder that it is run in, wherever its configuration lies, and reads the
 * `.env` of that folder. Here that folder is found out, so that any folder below serves as well: with `config` given it
 * is `from`, as for drizzle-kit, or else the first of the configuration's folder and those above it in which the schema
 * or the migrations are. What the configuration does while it is loaded, it does in a process of its own.
 *
 * @throws DeployError CONFIG_NOT_FOUND, CONFIG_UNREADABLE: also for a dialect that is not postgresql
 * @example
 * const { migrationsFolder, history } = await findProject({ from: process.cwd() });
 */
export async function findProject({ from, config, env = {} }: FindProjectOptions): Promise<Project> {
  const configFile = config === undefined ? searchConfig(resolve(from)) : givenConfig(resolve(from, config));
  const mytxConfigFile = mytxConfigNames.map((name) => join(dirname(configFile), name)).find(isFile);
  const files = mytxConfigFile === undefined ? [configFile] : [configFile, mytxConfigFile];

  const given = config === undefined ? [] : [resolve(from)];
  const first = await loadInFirst([...given, packageFolderOf(configFile)], files, env);
  const candidates = [...given, ...upward(dirname(configFile))];
  const root = findRoot(first.exported[0] ?? {}, configFile, candidates) ?? first.folder;
  // What it says may depend on the folder: `.env` and process.cwd() are that folder's.
  const exported = root === first.folder ? first.exported : await loadConfigs(files, { folder: root, env });
  return describe(configFile, root, exported[0] ?? {}, mytxConfigFile, exported[1] ?? {});
}

function searchConfig(from: string): string {
  const file = upward(from)
    .flatMap((folder) => configNames.map((name) => join(folder, name)))
    .find(isFile);
  if (file !== undefined) return file;
  throw notFound(`there is no ${configNames.join(', ')} in ${from} or a folder above it`);
}

function givenConfig(file: string): string {
  if (isFile(file)) return file;
  throw notFound(`there is no file ${file}`);
}

function notFound(message: string): DeployError {
  return new DeployError({
    code: 'CONFIG_NOT_FOUND',
    message,
    hint: 'Run this in the folder of a Drizzle project, or name its configuration with --config.',
  });
}

/** A folder and all above it, to the root of the file system. */
function upward(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upward(parent)];
}

/** Where npm runs the scripts of the package that a file belongs to. */
function packageFolderOf(file: string): string {
  const folder = dirname(file);
  return upward(folder).find((above) => isFile(join(above, 'package.json'))) ?? folder;
}

/** A configuration that stops without a variable of `.env` is loaded where that is. */
async function loadInFirst(
  folders: readonly string[],
  files: readonly string[],
  env: NonNullable<FindProjectOptions['env']>,
): Promise<{ folder: string; exported: Record<string, unknown>[] }> {
  let failure: unknown;
  for (const folder of new Set(folders)) {
    try {
      return { folder, exported: await loadConfigs(files, { folder, env }) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/**
 * Absolute paths say nothing of it, nor do patterns that begin anywhere, such as `**\/*.sql.ts`: above the project they
 * would look through the whole disk. Undefined where nothing is there yet.
 */
function findRoot(
  config: Record<string, unknown>,
  configFile: string,
  candidates: readonly string[],
): string | undefined {
  const patterns = schemaPatterns(config, configFile).filter(
    (path) => !isAbsolute(path) && !/^(\.\/)*[^/]*[*?{[]/.test(path),
  );
  const { out } = config;
  return candidates.find(
    (folder) =>
      findSchemaFiles(folder, patterns).length > 0 ||
      (typeof out === 'string' && !isAbsolute(out) && isFolder(join(folder, out))),
  );
}

function describe(
  configFile: string,
  root: string,
  config: Record<string, unknown>,
  mytxConfigFile: string | undefined,
  mytxConfig: Record<string, unknown>,
): Project {
  refuseDialect(config.dialect, configFile);
  const driver = readDriver(config.driver, configFile);
  const { schema = 'drizzle', table = '__drizzle_migrations' } = readObject(config, 'migrations', configFile);
  const credentials = readObject(config, 'dbCredentials', configFile);
  return {
    root,
    configFile,
    migrationsFolder: resolve(root, asText(config.out ?? 'drizzle', 'out', configFile)),
    history: {
      schema: asText(schema, 'migrations.schema', configFile),
      table: asText(table, 'migrations.table', configFile),
    },
    schemaFiles: findSchemaFiles(root, schemaPatterns(config, configFile)),
    casing: config.casing === 'snake_case' || config.casing === 'camelCase' ? config.casing : undefined,
    driver,
    url: driver === 'server' ? urlOf(credentials) : undefined,
    embeddedFolder: driver === 'pglite' ? embeddedFolderOf(credentials, root) : undefined,
    ...readMytxConfig(mytxConfig, mytxConfigFile ?? ''),
  };
}

function refuseDialect(dialect: unknown, file: string): void {
  if (dialect === 'postgresql') return;
  if (dialect === undefined) throw configUnreadable(file, "it has no dialect; dialect: 'postgresql' is what is needed");
  throw configUnreadable(file, `it has the dialect ${quote(dialect)}; only "postgresql" is deployed`);
}

/** The Data API of AWS is a server too, of which the configuration has no URL. */
function readDriver(driver: unknown, file: string): Project['driver'] {
  if (driver === undefined || driver === 'aws-data-api') return 'server';
  if (driver === 'pglite') return 'pglite';
  throw configUnreadable(file, `it has the driver ${quote(driver)}; known are "pglite", "aws-data-api", or none`);
}

function readObject(config: Record<string, unknown>, name: string, file: string): Record<string, unknown> {
  const value = config[name] ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw configUnreadable(file, `its ${name} must be an object`);
}

function asText(value: unknown, name: string, file: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw configUnreadable(file, `its ${name} is ${quote(value)}; it must be a text`);
}

function schemaPatterns({ schema = [] }: Record<string, unknown>, file: string): string[] {
  const patterns: unknown[] = Array.isArray(schema) ? schema : [schema];
  return patterns.map((pattern) => asText(pattern, 'schema', file));
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

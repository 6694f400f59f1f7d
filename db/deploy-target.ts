// Which project and which of its databases a schema change is about, found without connecting.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from '../deploy/errors.ts';
import type { HistoryTable } from '../deploy/history.ts';
import type { LintSettings } from '../deploy/lint/settings.ts';
import { findProject, type Project } from '../deploy/project/project.ts';
import { chooseTarget } from '../deploy/project/target.ts';
import { parseServerUrl } from './connection/url.ts';
import { findEmbeddedPlace } from './embedded/plain-folder.ts';
import { readEnvironment } from './environment.ts';
import { isOurs } from './migrations-folder.ts';
import type { DatabaseOptions, DeployDatabase } from './opening.ts';

/** Which project, and which of its databases. */
export interface DeployTarget extends Pick<DatabaseOptions, 'allowPlaintext' | 'onProgress'> {
  /** The folder from which on upward the Drizzle configuration is looked for; the current one unless given. */
  from?: string;
  /** The Drizzle configuration itself. */
  config?: string;
  /** One of the environments of mytx.config.ts. */
  environment?: string;
  /** The database, instead of what configuration and variables say. */
  url?: string;
  /** The folder of an embedded database, of this package or of PGlite itself, or 'memory'. */
  folder?: string;
  /** The folder of the migrations, of Drizzle 0.45 or 1.0: then no configuration is looked for. */
  migrationsFolder?: string;
  /** Where Drizzle keeps the history; what the configuration says unless given. */
  history?: HistoryTable;
}

/** A target that was found: what all functions here also take. */
export interface FoundTarget extends DeployTarget, Pick<DeployDatabase, 'isPlain'> {
  migrationsFolder: string;
  /** Whose `protected: true` asks for the hash of the plan. */
  isProtected: boolean;
  /** In words: the environment's name, where the database is, and what named it. */
  name: string;
  /** What the lint is strict about; the defaults unless mytx.config.ts says so. */
  lintSettings?: LintSettings;
}

/**
 * Finds project and database, without connecting.
 * @throws DeployError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, ENVIRONMENT_UNKNOWN; ConnectionError INVALID_URL
 */
export async function findDeployTarget(options: DeployTarget): Promise<FoundTarget> {
  if (isFound(options)) return options;
  const env = readEnvironment();
  if (options.migrationsFolder !== undefined) return givenTarget(options);
  const { from = process.cwd(), config } = options;
  return targetOf(await findProject({ from, env, ...definedOf({ config }) }), options, env);
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Without a project: what the options say. */
export function givenTarget(options: DeployTarget): FoundTarget {
  const { url, folder = url === undefined ? '.mytx' : undefined } = options;
  return { ...options, ...placeOfGiven(folder), ...describe(options, undefined, 'given'), isProtected: false };
}

export function targetOf(project: Project, options: DeployTarget, env: Variables): FoundTarget {
  const { environment, url, folder } = options;
  const facts = {
    migrationsFolder: project.migrationsFolder,
    history: project.history,
    lintSettings: project.lint,
  };
  const embedded = folder ?? embeddedOf(project, env, { environment, url });
  if (embedded !== undefined) {
    return { ...options, ...facts, ...placeOfGiven(embedded), name: `embedded, ${embedded}`, isProtected: false };
  }
  const target = chooseTarget(project, { env, ...definedOf({ environment, url }) });
  if (target.url === undefined) {
    const place = placeOfConfigured(target.folder, project.configFile);
    return {
      ...options,
      ...facts,
      ...place,
      name: `embedded, ${place.folder}, from ${target.from}`,
      isProtected: false,
    };
  }
  const found = { ...options, ...facts, url: target.url, ...definedOf({ environment: target.name }) };
  return { ...found, ...describe(found, target.name, target.from), isProtected: target.isProtected };
}

function isFound(options: DeployTarget): options is FoundTarget {
  return 'isProtected' in options && 'name' in options;
}

function describe(
  { url, folder = '.mytx', allowPlaintext, migrationsFolder = '' }: DeployTarget,
  environment: string | undefined,
  from: string,
): Pick<FoundTarget, 'name' | 'migrationsFolder'> {
  const where = url === undefined ? `embedded, ${folder}` : parseServerUrl(url, allowPlaintext ?? true).target;
  const facts = [
    ...(environment === undefined ? [] : [environment]),
    where,
    ...(from === 'given' ? [] : [`from ${from}`]),
  ];
  return { name: facts.join(', '), migrationsFolder };
}

/** Where nothing names a database, the embedded one of this package, if it is there or the migrations are this package's. */
function embeddedOf(
  { root, url, embeddedFolder, environments, migrationsFolder }: Project,
  env: Record<string, string | undefined>,
  asked: { environment: string | undefined; url: string | undefined },
): string | undefined {
  const isNamed = [asked.environment, asked.url, env.POSTGRES_URL, env.DATABASE_URL, url, embeddedFolder].some(Boolean);
  const folder = join(root, '.mytx');
  if (isNamed || environments.length > 0) return undefined;
  return existsSync(folder) || isOurs(migrationsFolder) ? folder : undefined;
}

type Place = Pick<FoundTarget, 'folder' | 'isPlain'>;

/** A folder that is given is this package's, unless PGlite's own is there. */
function placeOfGiven(folder: string | undefined): Place {
  if (folder === undefined || folder === 'memory') return definedOf({ folder });
  const place = findEmbeddedPlace(folder);
  if (place.kind === 'ours') return { folder: place.folder };
  return place.kind === 'plain' && place.isThere ? { folder, isPlain: true } : { folder };
}

/** The folder that a Drizzle configuration names is PGlite's own, unless this package's is there. */
function placeOfConfigured(folder: string, configFile: string): Place & { folder: string } {
  if (folder === 'memory') {
    throw refusedFolder(
      `${configFile} names a PGlite that is in no folder (memory://, or the storage of a browser): nothing can be deployed to it`,
      "Name a folder in dbCredentials, such as './data'; or apply the migrations where that PGlite is opened; or give a server with --url.",
    );
  }
  const place = findEmbeddedPlace(folder);
  if (place.kind !== 'other') return { folder: place.folder, ...(place.kind === 'plain' && { isPlain: true }) };
  throw refusedFolder(
    `${configFile} names ${folder} as the folder of PGlite, and what is there is no database; nothing was touched`,
    'Name the folder that the application opens with PGlite, or one that is not there yet.',
    { folder },
  );
}

function refusedFolder(message: string, hint: string, details: DeployError['details'] = {}): DeployError {
  return new DeployError({ code: 'ENVIRONMENT_UNKNOWN', message, hint, details });
}

/** To look at an embedded database must not make it. */
export const isNotThereYet = ({ folder, isPlain = false }: Place): boolean =>
  folder !== undefined && folder !== 'memory' && !existsSync(join(folder, isPlain ? 'PG_VERSION' : 'database'));

export const databaseOf = ({
  url,
  folder,
  isPlain,
  allowPlaintext,
  onProgress,
  migrationsFolder,
}: FoundTarget): DeployDatabase => definedOf({ url, folder, isPlain, allowPlaintext, onProgress, migrationsFolder });

/** Without what is undefined: an option that is not given. */
export function definedOf<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

// Which database of a project is meant: a URL that is given, a named environment, or what the variables and the
// configuration say. Never says a URL, which has a password, and never takes a protected environment for an open one.

import { basename } from 'node:path';
import { DeployError } from '../errors.ts';
import type { Environment } from './environments.ts';
import type { Project } from './project.ts';
import { quote } from './settings.ts';

export interface TargetOptions {
  /** The name of an environment of mytx.config.ts. */
  environment?: string;
  /** A connection URL, which goes before anything else. */
  url?: string;
  /** The variables, such as those of the process over `.env.local`. */
  env: Readonly<Record<string, string | undefined>>;
}

/** A database, as its connection URL or as the folder of an embedded one. */
export type Target = {
  /** The environment's name; undefined where the database is none of the configured ones. */
  name: string | undefined;
  isProtected: boolean;
  /** Where the database was named, in words: `POSTGRES_URL`. */
  from: string;
} & ({ url: string; folder?: never } | { folder: string; url?: never });

type ProjectFacts = Pick<Project, 'configFile' | 'url' | 'embeddedFolder' | 'driver' | 'environments'>;

/**
 * Chooses the database: the URL that is given; that of the environment that is named; else POSTGRES_URL, DATABASE_URL or
 * the Drizzle configuration's, in this order. With several environments one of them, or a URL, has to be named. A
 * database that a protected environment names is protected, by whatever way it was chosen.
 *
 * @throws DeployError ENVIRONMENT_UNKNOWN where nothing, or nothing that there is, names a database
 * @example
 * const { url, isProtected } = chooseTarget(project, { environment: 'production', env: process.env });
 */
export function chooseTarget(project: ProjectFacts, { environment, url, env }: TargetOptions): Target {
  const { environments } = project;
  const named = environment === undefined ? undefined : findEnvironment(project, environment);
  if (url !== undefined) return asTarget(project, { url, from: 'the URL that was given' }, named, env);
  if (named !== undefined) return asTarget(project, urlOfEnvironment(named, env), named, env);
  if (environments.length > 1) throw severalEnvironments(environments);
  return asTarget(project, defaultDatabase(project, env), undefined, env);
}

type Named = { url: string; from: string } | { folder: string; from: string };

function asTarget(
  { environments }: ProjectFacts,
  database: Named,
  named: Environment | undefined,
  env: TargetOptions['env'],
): Target {
  const same =
    'url' in database ? environments.filter((one) => isSameDatabase(env[one.urlVariable], database.url)) : [];
  return {
    name: (named ?? same[0])?.name,
    isProtected: [...same, ...(named ? [named] : [])].some(({ isProtected }) => isProtected),
    ...database,
  };
}

function findEnvironment({ environments, configFile }: ProjectFacts, name: string): Environment {
  const found = environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const there = environments.length > 0 ? `there are ${list(environments)}` : 'there are none';
  throw unknown(
    `there is no environment ${quote(name)}: ${there} in mytx.config.ts beside ${basename(configFile)}`,
    'Name one that is there, or add this one to mytx.config.ts.',
  );
}

function urlOfEnvironment({ name, urlVariable }: Environment, env: TargetOptions['env']): Named {
  const url = env[urlVariable];
  if (url) return { url, from: urlVariable };
  throw unknown(
    `the environment ${quote(name)} has its URL in ${urlVariable}, which is not set`,
    `Set ${urlVariable} in the environment or in .env.local, or give the URL with --url.`,
  );
}

function defaultDatabase(project: ProjectFacts, env: TargetOptions['env']): Named {
  const configName = basename(project.configFile);
  for (const variable of ['POSTGRES_URL', 'DATABASE_URL']) {
    const url = env[variable];
    // In a project with an embedded database these may name its folder, as the configuration says.
    if (url && (project.driver === 'server' || /^postgres(ql)?:/.test(url))) return { url, from: variable };
  }
  if (project.url !== undefined) return { url: project.url, from: configName };
  if (project.embeddedFolder !== undefined) return { folder: project.embeddedFolder, from: configName };
  const [environment] = project.environments;
  throw unknown(
    `no database is named: POSTGRES_URL and DATABASE_URL are not set, and ${configName} has no dbCredentials`,
    environment
      ? `Set POSTGRES_URL, or name the environment: --environment ${environment.name}.`
      : 'Set POSTGRES_URL in the environment or in .env.local, or give the URL with --url.',
  );
}

function severalEnvironments(environments: readonly Environment[]): DeployError {
  return unknown(
    `mytx.config.ts has several environments and none was named: ${list(environments)}`,
    `Name one of them: --environment ${environments.at(-1)?.name}.`,
  );
}

function list(environments: readonly Environment[]): string {
  return environments.map(({ name, isProtected }) => (isProtected ? `${name} (protected)` : name)).join(', ');
}

function unknown(message: string, hint: string): DeployError {
  return new DeployError({ code: 'ENVIRONMENT_UNKNOWN', message, hint });
}

/** Whether two URLs name one database: the same host, port and name, whoever connects and how. */
function isSameDatabase(one: string | undefined, other: string): boolean {
  if (one === undefined || !URL.canParse(one) || !URL.canParse(other)) return false;
  return placeOf(new URL(one)) === placeOf(new URL(other));
}

function placeOf({ hostname, port, pathname, searchParams }: URL): string {
  return [(searchParams.get('host') ?? hostname).toLowerCase(), port || '5432', pathname].join(' ');
}

// The environments of a project: mytx.config.ts beside the Drizzle configuration, with a name, a variable and whether it
// is protected for each. It holds names of variables, never a URL; which database is meant is target.ts.

import { configUnreadable } from './errors.ts';

export interface Environment {
  name: string;
  /** The variable that has its connection URL. */
  urlVariable: string;
  /** Whether a deploy has to be confirmed. */
  isProtected: boolean;
}

/** What mytx.config.ts exports. */
export interface MytxConfig {
  environments?: Record<
    string,
    {
      /** The name of the variable with the connection URL, such as `PRODUCTION_URL`. */
      url: string;
      /** Whether a deploy has to be confirmed; false unless given. */
      protected?: boolean;
    }
  >;
}

/** The names that are looked for, in this order, beside the Drizzle configuration. */
export const environmentsFileNames = ['mytx.config.ts', 'mytx.config.js', 'mytx.config.mjs', 'mytx.config.json'];

/**
 * For mytx.config.ts: gives back what it is given, with its type checked.
 * @example
 * export default defineConfig({
 *   environments: {
 *     production: { url: 'PRODUCTION_URL', protected: true },
 *     staging: { url: 'STAGING_URL' },
 *   },
 * });
 */
export function defineConfig(config: MytxConfig): MytxConfig {
  return config;
}

/**
 * The environments that a configuration file exports, in its order. A setting that is not known is refused: one that is
 * misspelt would leave a database unprotected.
 * @param config what the file exports
 * @param file its path, for messages
 * @throws DeployError CONFIG_UNREADABLE
 */
export function readEnvironments(config: Readonly<Record<string, unknown>>, file: string): Environment[] {
  refuseUnknown(config, ['environments'], 'it', file);
  const { environments = {} } = config;
  if (!isRecord(environments)) throw configUnreadable(file, 'environments must be an object, with a name for each');
  return Object.entries(environments).map(([name, settings]) => readEnvironment(name, settings, file));
}

function readEnvironment(name: string, settings: unknown, file: string): Environment {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/i.test(name)) {
    throw configUnreadable(
      file,
      `the environment ${quote(name)} has no name as they may be: letters, digits, - and _, 63 at most`,
    );
  }
  const place = `environment ${quote(name)}`;
  if (!isRecord(settings)) throw configUnreadable(file, `${place} must be an object such as { url: 'PRODUCTION_URL' }`);
  refuseUnknown(settings, ['url', 'protected'], place, file);
  const { url, protected: isProtected = false } = settings;
  if (typeof url !== 'string' || !/^[a-z_]\w*$/i.test(url)) {
    throw configUnreadable(
      file,
      `${place} has the url ${quote(url)}; it must be the name of a variable, such as 'PRODUCTION_URL', which has the URL`,
    );
  }
  if (typeof isProtected !== 'boolean') {
    throw configUnreadable(file, `${place} has protected: ${quote(isProtected)}; it must be true or false`);
  }
  return { name, urlVariable: url, isProtected };
}

function refuseUnknown(
  settings: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: string,
  file: string,
): void {
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw configUnreadable(file, `${place} has the setting ${quote(unknown)}; known are ${known.join(', ')}`);
}

/** A value as it stands in a message; of what may be a connection string nothing is said. */
export function quote(value: unknown): string {
  if (value === undefined) return 'undefined';
  const text = JSON.stringify(value);
  return /:\/\/|@/.test(text) ? '"…"' : text.slice(0, 80);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

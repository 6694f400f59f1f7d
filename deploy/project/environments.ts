// The environments of a project, as mytx.config.ts has them (mytx-config.ts): a name, a variable and whether it is protected
// for each. Names of variables, never a URL; which database is meant is target.ts.

import { configUnreadable } from '../errors.ts';
import { isSettings, quote, refuseUnknown } from './settings.ts';

export interface Environment {
  name: string;
  /** The variable that has its connection URL. */
  urlVariable: string;
  /** Whether a deploy has to be confirmed. */
  isProtected: boolean;
}

/** An environment in mytx.config.ts. */
export interface EnvironmentSettings {
  /** The name of the variable with the connection URL, such as `PRODUCTION_URL`. */
  url: string;
  /** Whether a deploy has to be confirmed; false unless given. */
  protected?: boolean;
}

/**
 * The environments that a configuration file exports, in its order. A setting that is not known is refused: one that is
 * misspelt would leave a database unprotected.
 * @param environments what the file has under that name
 * @param file its path, for messages
 * @throws DeployError CONFIG_UNREADABLE
 */
export function readEnvironments(environments: unknown, file: string): Environment[] {
  if (!isSettings(environments)) throw configUnreadable(file, 'environments must be an object, with a name for each');
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
  if (!isSettings(settings))
    throw configUnreadable(file, `${place} must be an object such as { url: 'PRODUCTION_URL' }`);
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

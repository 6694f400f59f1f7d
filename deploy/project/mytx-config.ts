// mytx.config.ts, beside the Drizzle configuration: the environments of a project, and what its lint is strict about.
// The one reader of the file; it is loaded by load-config.ts.

import { type LintConfig, type LintSettings, readLintSettings } from '../lint/settings.ts';
import { type Environment, type EnvironmentSettings, readEnvironments } from './environments.ts';
import { refuseUnknown, type Settings } from './settings.ts';

/** What mytx.config.ts exports. */
export interface MytxConfig {
  environments?: Record<string, EnvironmentSettings>;
  lint?: LintConfig;
}

/** What it says, with what is left out filled in. */
export interface ProjectSettings {
  environments: Environment[];
  lint: LintSettings;
}

/** The names that are looked for, in this order, beside the Drizzle configuration. */
export const mytxConfigNames = ['mytx.config.ts', 'mytx.config.js', 'mytx.config.mjs', 'mytx.config.json'];

/**
 * For mytx.config.ts: gives back what it is given, with its type checked.
 * @example
 * export default defineConfig({
 *   environments: {
 *     production: { url: 'PRODUCTION_URL', protected: true },
 *     staging: { url: 'STAGING_URL' },
 *   },
 *   lint: { rules: { 'squawk/prefer-text-field': 'off' }, largeRows: 50_000 },
 * });
 */
export function defineConfig(config: MytxConfig): MytxConfig {
  return config;
}

/**
 * What a configuration file exports, read.
 * @param config what the file exports; nothing where there is no file
 * @param file its path, for messages
 * @throws DeployError CONFIG_UNREADABLE
 */
export function readMytxConfig(config: Settings, file: string): ProjectSettings {
  refuseUnknown(config, ['environments', 'lint'], 'it', file);
  return {
    environments: readEnvironments(config.environments ?? {}, file),
    lint: readLintSettings(config.lint ?? {}, file),
  };
}

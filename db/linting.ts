// What is risky in migrations, before they run: the lint of a project, with its database where one is named.

import { DeployError } from '../deploy/errors.ts';
import { type LintChoice, lintProject, type ProjectLint } from '../deploy/lint/project-lint.ts';
import { lintDefaults } from '../deploy/lint/settings.ts';
import { findProject, type Project } from '../deploy/project/project.ts';
import type { DeploySession } from '../deploy/session.ts';
import {
  type DeployTarget,
  databaseOf,
  definedOf,
  type FoundTarget,
  givenTarget,
  isNotThereYet,
  targetOf,
  type Variables,
} from './deploy-target.ts';
import { readEnvironment } from './environment.ts';
import { withReadingSession } from './opening.ts';

export { toAnnotations } from '../deploy/lint/annotations.ts';
export type { Finding, LintReport, Region, SuppressedFinding } from '../deploy/lint/finding.ts';
export { type SarifLog, toSarif } from '../deploy/lint/sarif.ts';

export interface LintOptions extends DeployTarget, LintChoice {
  /** Asks no database. */
  offline?: boolean;
  /** Called before anything else, with the database that is asked: its name, or null and why none is. */
  onTarget?(name: string | null, why: string): void;
}

export interface DatabaseLint extends ProjectLint {
  /** `host:port/database`, or where the embedded database is; null where none was asked. */
  target: string | null;
}

/**
 * Looks for what is risky in migrations: in those that are named, or since a version; else in what the database lacks or,
 * where none is named, in the newest one. Reads only.
 * @throws DeployError GIT_UNREADABLE, MIGRATIONS_UNREADABLE; ConnectionError UNREACHABLE
 * @example const { findings, errors } = await lint({ environment: 'production', deployed: 'origin/production' });
 */
export async function lint(options: LintOptions = {}): Promise<DatabaseLint> {
  const env = readEnvironment();
  const project = await findLintedProject(options, env);
  const { found, why } = findLintTarget(options, project, env);
  options.onTarget?.(found?.name ?? null, why ?? '');
  const run = async (session: DeploySession | undefined, target: string | null): Promise<DatabaseLint> => ({
    target,
    ...(await lintProject(options, {
      project,
      migrationsFolder: options.migrationsFolder ?? project?.migrationsFolder,
      history: options.history ?? project?.history,
      settings: project?.lint ?? lintDefaults,
      env,
      session,
      hasTarget: found !== undefined,
    })),
  });
  return found && !isNotThereYet(found) ? withReadingSession(databaseOf(found), run) : run(undefined, null);
}

/** Files may be linted that are of no project. */
async function findLintedProject(options: LintOptions, env: Variables): Promise<Project | undefined> {
  if (options.migrationsFolder !== undefined) return undefined;
  const { from = process.cwd(), config, files } = options;
  try {
    return await findProject({ from, env, ...definedOf({ config }) });
  } catch (error) {
    const isOfNone = error instanceof DeployError && error.code === 'CONFIG_NOT_FOUND' && config === undefined;
    if (isOfNone && files?.length) return undefined;
    throw error;
  }
}

/** Without a database the lint says less, and is of use: only one that was asked for has to be there. */
function findLintTarget(
  options: LintOptions,
  project: Project | undefined,
  env: Variables,
): { found?: FoundTarget; why?: string } {
  const isAsked = options.environment !== undefined || options.url !== undefined || options.folder !== undefined;
  if (options.offline) return { why: 'offline' };
  if (!project) return isAsked ? { found: givenTarget(options) } : { why: 'none was named' };
  try {
    return { found: targetOf(project, options, env) };
  } catch (error) {
    if (!isAsked && error instanceof DeployError && error.code === 'ENVIRONMENT_UNKNOWN') return { why: error.message };
    throw error;
  }
}

// What is done before a deploy: migrations generated and rewritten. Works on any Drizzle project.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DeployError } from '../deploy/errors.ts';
import { readAnswers } from '../deploy/generate/answers.ts';
import {
  findMigration,
  type GenerateOptions,
  type GenerateReport,
  generateMigrations,
  type RewrittenFile,
  rewriteFile,
} from '../deploy/generate/generate.ts';
import { findProject, type Project } from '../deploy/project/project.ts';
import { type DeployTarget, status } from './deployment.ts';
import { readEnvironment } from './environment.ts';

export type { RenameAnswer, RenameQuestion } from '../deploy/generate/answers.ts';
export type { GenerateOptions, GenerateReport, RewrittenFile } from '../deploy/generate/generate.ts';

/** Which project. */
export interface ProjectOptions {
  /** The folder from which on upward the Drizzle configuration is looked for; the current one unless given. */
  from?: string;
  /** The Drizzle configuration itself. */
  config?: string;
}

export interface GenerateSettings extends ProjectOptions, GenerateOptions {
  /** A file of answers: `rename users.name:users.full_name` or `create users.full_name`, one on each line. */
  answersFile?: string;
}

/**
 * Generates a migration by the project's own drizzle-kit, and rewrites it so that it blocks nobody.
 * @throws DeployError ANSWER_NEEDED, ANSWER_INVALID, GENERATE_FAILED; CONFIG_NOT_FOUND, CONFIG_UNREADABLE
 * @example const { files } = await generate({ name: 'full_name', rename: ['users.name:users.full_name'] });
 */
export async function generate({ answersFile, ...options }: GenerateSettings = {}): Promise<GenerateReport> {
  const { project, env } = await findOwnProject(options);
  const answers = answersFile === undefined ? undefined : readAnswersFile(resolve(answersFile));
  return generateMigrations(project, env, {
    ...options,
    ...(answers && {
      rename: [...(options.rename ?? []), ...answers.rename],
      create: [...(options.create ?? []), ...answers.create],
    }),
  });
}

async function findOwnProject({
  from = process.cwd(),
  config,
}: ProjectOptions): Promise<{ project: Project; env: ReturnType<typeof readEnvironment> }> {
  const env = readEnvironment();
  return { project: await findProject({ from, env, ...(config === undefined ? {} : { config }) }), env };
}

function readAnswersFile(file: string): ReturnType<typeof readAnswers> {
  if (existsSync(file)) return readAnswers(readFileSync(file, 'utf8'), file);
  throw new DeployError({
    code: 'ANSWER_INVALID',
    message: `there is no file of answers ${file}`,
    hint: 'Write it, or give the answers as flags: --rename users.name:users.full_name. Nothing was written.',
  });
}

export interface RewriteSettings extends Omit<DeployTarget, 'migrationsFolder'> {
  /** The migration's SQL file. */
  file: string;
  /** The oldest PostgreSQL that must run it, 15 to 18; 15 unless given. */
  version?: number;
}

/**
 * Rewrites a migration that is there already, unless the database that is meant has it.
 * @returns whether a database was asked, with what became of the file
 * @throws DeployError REWRITE_REFUSED for one that is applied; CONFIG_NOT_FOUND, CONFIG_UNREADABLE
 * @example const { changes } = await rewrite({ file: 'drizzle/0007_orders.sql' });
 */
export async function rewrite({
  file,
  version,
  ...target
}: RewriteSettings): Promise<RewrittenFile & { wasAsked: boolean }> {
  const { project } = await findOwnProject(target);
  const migration = findMigration(project, resolve(target.from ?? process.cwd(), file));
  const known = await statusOrNone(target);
  const state = known?.migrations.find(({ name }) => name === migration.name);
  if (state && state.state !== 'pending' && state.state !== 'late') throw refused(file, state.state);
  if (state?.stepsDone) throw refused(file, 'half applied');
  return { ...(await rewriteFile(project, migration, version)), wasAsked: known !== undefined };
}

/** Undefined where nothing names a database. */
async function statusOrNone(target: DeployTarget): Promise<Awaited<ReturnType<typeof status>> | undefined> {
  try {
    return await status(target);
  } catch (error) {
    if ((error as DeployError).code === 'ENVIRONMENT_UNKNOWN' && target.environment === undefined) return undefined;
    throw error;
  }
}

function refused(file: string, state: string): DeployError {
  return new DeployError({
    code: 'REWRITE_REFUSED',
    message: `${file} is ${state} in the database; nothing was written`,
    hint: 'What is applied stays as it is: make the change in a new migration.',
    details: { file, state },
  });
}

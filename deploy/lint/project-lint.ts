// The lint of a project: which files, compared with which version in production, on which database.

import { compare } from '../comparison.ts';
import { DeployError } from '../errors.ts';
import { type HistoryTable, readHistory } from '../history.ts';
import { type Migration, readMigrations } from '../migrations.ts';
import type { Project } from '../project/project.ts';
import type { DeploySession } from '../session.ts';
import { type DeployedSchema, readDeployedSchema } from './deployed-schema.ts';
import type { LintReport } from './finding.ts';
import { findTopFolder } from './git.ts';
import { lintMigrations } from './lint.ts';
import { selectMigrations } from './selection.ts';
import type { LintSettings } from './settings.ts';

export interface LintChoice {
  /** The folder that `files` are relative to; the current one unless given. */
  from?: string;
  /** These files and no others. */
  files?: readonly string[];
  /** The migrations that are new or changed since this version in git. */
  since?: string;
  /** All migrations of the project. */
  all?: boolean;
  /** The version in production, as git calls it: what its schema reads must stay. */
  deployed?: string;
  /** Every warning is an error. */
  strict?: boolean;
  /** The server's version, 15 to 18, where no database is asked; 15 unless given. */
  serverVersion?: number;
}

export interface LintPlace {
  /** Undefined where the files are of no project. */
  project: Project | undefined;
  /** Undefined where there is none. */
  migrationsFolder: string | undefined;
  history: HistoryTable | undefined;
  settings: LintSettings;
  /** Variables that a configuration sees. */
  env: Readonly<Record<string, string | undefined>>;
  /** The database; undefined where none is asked, or it is not there yet. */
  session: DeploySession | undefined;
  /** There is a database, or there will be one: what it lacks is what is looked at. */
  hasTarget: boolean;
}

export interface ProjectLint extends LintReport {
  /** Which files were looked at, in words, such as `2 migrations, pending`. */
  what: string;
  /** The folder of the repository, or the current one: what the paths of annotations and SARIF are relative to. */
  root: string;
}

/** @throws DeployError GIT_UNREADABLE, MIGRATIONS_UNREADABLE, HISTORY_UNREADABLE */
export async function lintProject(choice: LintChoice, place: LintPlace): Promise<ProjectLint> {
  const { from = process.cwd(), files, since, all: isForAll, strict: isStrict, serverVersion: version } = choice;
  const { migrationsFolder, session, settings } = place;
  const isPending = place.hasTarget && !files?.length && since === undefined && !isForAll;
  const pending = isPending ? await pendingOf(place) : undefined;
  const chosen = await selectMigrations({ folder: migrationsFolder, from, files, since, isForAll, pending });
  const deployed = choice.deployed === undefined ? undefined : await deployedOf(choice.deployed, place);
  const { what, migrations, others } = chosen;
  const report = await lintMigrations({ migrations, others, settings, session, deployed, version, isStrict });
  return { what, root: (await findTopFolder(from)) ?? from, ...report };
}

async function pendingOf({ migrationsFolder = '', history, session }: LintPlace): Promise<Migration[]> {
  return compare(readMigrations(migrationsFolder), session ? await readHistory(session, history) : []).pending;
}

function deployedOf(ref: string, { project, env }: LintPlace): Promise<DeployedSchema> {
  if (project) return readDeployedSchema(ref, project, env);
  throw new DeployError({
    code: 'CONFIG_NOT_FOUND',
    message:
      'what the code in production reads is not known: its schema files are named by a Drizzle configuration, and none was found',
    hint: 'Run this in the folder of a Drizzle project, or name its configuration with --config.',
  });
}

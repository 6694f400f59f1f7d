// mytx generate: drizzle-kit's own generation, and what it wrote made so that it blocks nobody. The file is what runs: all
// of it is there to be reviewed.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configUnreadable, DeployError } from '../errors.ts';
import type { Migration } from '../migrations.ts';
import type { Project } from '../project/project.ts';
import type { Change, Explanation } from '../rewrite/outcome.ts';
import { newestVersion, oldestVersion, rewriteMigration } from '../rewrite/rewrite-migration.ts';
import {
  type Answers,
  answerNeeded,
  answerTo,
  checkAnswers,
  type RenameAnswer,
  type RenameQuestion,
} from './answers.ts';
import { planContract } from './contract-plan.ts';
import { generateFailed, runDrizzleKit } from './drizzle-kit.ts';
import { splitEnumValues } from './enum-values.ts';
import { listMigrations, schemaBefore } from './migrations-folder.ts';

export interface GenerateOptions extends Answers {
  /** Passed on to drizzle-kit: the end of the file's name. */
  name?: string;
  /** An empty file, for SQL by hand. */
  custom?: boolean;
  /** false leaves what drizzle-kit writes. */
  rewrite?: boolean;
  /** The oldest PostgreSQL that must run it, 15 to 18; 15 unless given. */
  version?: number;
  /** Asked for what no answer was given; without it that is an error. */
  ask?(question: RenameQuestion): Promise<RenameAnswer>;
  /** What drizzle-kit says, line by line. */
  onMessage?(line: string): void;
}

export interface RewrittenFile {
  name: string;
  file: string;
  /** Whether the file is another one now. */
  isRewritten: boolean;
  changes: Change[];
  explanations: Explanation[];
  /** The folder of the files that make the same change in steps; null where nothing needs it. */
  planFolder: string | null;
  /** Drizzle's own migrate() can't run it. */
  isForMytxOnly: boolean;
}

export interface GenerateReport {
  /** In their order; none where the schema has not changed. */
  files: RewrittenFile[];
}

/**
 * @throws DeployError ANSWER_NEEDED with the question and the flags; ANSWER_INVALID; GENERATE_FAILED with drizzle-kit's own text
 */
export async function generateMigrations(
  project: Project,
  env: Readonly<Record<string, string | undefined>>,
  options: GenerateOptions,
): Promise<GenerateReport> {
  checkAnswers(options);
  checkVersion(options.version);
  const folder = project.migrationsFolder;
  const before = new Set(listMigrations(folder).map(({ name }) => name));
  const lines: string[] = [];
  await runDrizzleKit({
    root: project.root,
    configFile: project.configFile,
    flags: [
      ...(options.name === undefined ? [] : [`--name=${options.name}`]),
      ...(options.custom === true ? ['--custom'] : []),
    ],
    env,
    answer: (question) => answer(question, options),
    onMessage(line) {
      lines.push(line);
      options.onMessage?.(line);
    },
  });
  const added = listMigrations(folder).filter(({ name }) => !before.has(name));
  if (added.length === 0 && !lines.some((line) => /no schema changes/i.test(line)))
    throw generateFailed(lines, 'exit code 0');
  if (options.rewrite === false) return { files: added.map(asItIs) };
  const names: string[] = [];
  for (const migration of added) names.push(...(await splitEnumValues(folder, migration)));
  const files: RewrittenFile[] = [];
  for (const migration of listMigrations(folder).filter(({ name }) => names.includes(name))) {
    files.push(await rewriteFile(project, migration, options.version));
  }
  return { files };
}

async function answer(question: RenameQuestion, options: GenerateOptions): Promise<RenameAnswer> {
  if (question.candidates.length === 0) return null; // drizzle-kit 1.0 asks where nothing is left that it was, too
  const given = answerTo(question, options);
  if (!given && !options.ask) throw answerNeeded(question);
  const { answer: said, by } = given ?? { answer: (await options.ask?.(question)) ?? null, by: 'as answered' };
  options.onMessage?.(`${question.entity} ${question.name}: ${said === null ? 'new' : `was ${said}`} (${by})`);
  return said;
}

const asItIs = ({ name, file }: Migration): RewrittenFile => ({
  name,
  file,
  isRewritten: false,
  changes: [],
  explanations: [],
  planFolder: null,
  isForMytxOnly: false,
});

/**
 * Rewrites a migration of a project in its file, and writes the plans for what can't be rewritten beside the folder.
 * @param version the oldest PostgreSQL that must run it
 */
export async function rewriteFile(
  project: Project,
  migration: Migration,
  version: number = oldestVersion,
): Promise<RewrittenFile> {
  checkVersion(version);
  const { name, file } = migration;
  const text = readFileSync(file, 'utf8');
  const schema = schemaBefore(project.migrationsFolder, migration);
  const { files: plan, whyNoPlan } = await planContract(name, text, { schema, version });
  const rewritten = await rewriteMigration(text, { version, schema, whyNoPlan });
  const planFolder = plan && writePlan(project, name, plan);
  if (rewritten.text !== text) {
    writeFileSync(`${file}.new`, rewritten.text);
    renameSync(`${file}.new`, file);
  }
  const { changes, explanations, isForMytxOnly } = rewritten;
  return {
    name,
    file,
    isRewritten: rewritten.text !== text,
    changes,
    explanations,
    planFolder: planFolder ?? null,
    isForMytxOnly,
  };
}

/** Before anything is written. @throws DeployError ANSWER_INVALID */
function checkVersion(version: number = oldestVersion): void {
  if (Number.isInteger(version) && version >= oldestVersion && version <= newestVersion) return;
  throw new DeployError({
    code: 'ANSWER_INVALID',
    message: `PostgreSQL ${version} is not known as a target; ${oldestVersion} to ${newestVersion} are`,
    hint: 'Name the oldest PostgreSQL that has to run the migration: --target 15. Nothing was written.',
  });
}

/** Beside the folder of the migrations, where no tool takes them for some. */
function writePlan(project: Project, name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(`${project.migrationsFolder}-plans`, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** The migration that a file is. @throws DeployError CONFIG_UNREADABLE for a file that the project does not have */
export function findMigration(project: Project, file: string): Migration {
  const found = listMigrations(project.migrationsFolder).find((migration) => migration.file === file);
  if (found) return found;
  if (!existsSync(file)) throw configUnreadable(file, 'there is no such file');
  throw configUnreadable(file, `it is none of the migrations of ${project.migrationsFolder}`);
}

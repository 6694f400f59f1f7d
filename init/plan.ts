// Decides what `mytx init` does to a project, file by file, before anything is done. Reads only: init/write-files.ts
// writes what is planned here, and nothing else.

import { packageMigrationsFolder } from '../db/migrations-folder.ts';
import { generateCommand, migrateCommand, type NextCommand, nextCommands } from './commands.ts';
import { InitError } from './errors.ts';
import { planMigrations } from './migrations.ts';
import { type Project, readProject } from './project.ts';
import { compilerNotes, nextNotes, planIgnored, planScripts } from './project-files.ts';
import { findSources, planConfig, planQueries, planSource } from './source-files.ts';
import { isWrite, type RefuseStep, type Step, type WriteStep } from './step.ts';
import * as templates from './templates.ts';

export interface Plan {
  project: Project;
  steps: Step[];
  /** What is worth knowing, or is left to do by hand and keeps nothing from working, a sentence each. */
  notes: string[];
  commands: NextCommand[];
}

export interface PlanOptions {
  /** The project's folder. */
  folder: string;
  /** Where the migrations are copied from; those of this package unless given. */
  packageFolder?: string;
}

/**
 * Plans what to add to the project in a folder. Writes nothing.
 * @throws InitError PROJECT_NOT_FOUND, PROJECT_UNREADABLE; DeployError MIGRATIONS_UNREADABLE
 */
export function planInit({ folder, packageFolder = packageMigrationsFolder() }: PlanOptions): Plan {
  const project = readProject(folder);
  const sources = findSources(project);
  const facts: templates.TemplateFacts = {
    schemaFiles: [sources.schema.path, sources.protocolsSchema.path],
    generate: generateCommand(project),
    migrate: migrateCommand(project, sources.migrate.path),
  };
  const migrations = planMigrations(folder, packageFolder, facts.generate);
  const scripts = planScripts(project, sources.migrate.path);
  const steps = [
    ...migrations.steps,
    planSource(project, sources.schema, templates.schema(facts)),
    planSource(project, sources.protocolsSchema, templates.protocolsSchema()),
    planQueries(project, sources.queries, templates.queries()),
    planQueries(project, sources.protocolQueries, templates.protocolQueries()),
    planSource(project, sources.migrate, templates.migrate(facts)),
    planConfig(project, facts),
    planIgnored(project),
    scripts.step,
  ];
  const notes = [...migrations.notes, ...scripts.notes, ...nextNotes(project), ...compilerNotes(project)];
  return { project, steps, notes, commands: nextCommands(project, sources.migrate.path) };
}

export function writesOf({ steps }: Plan): WriteStep[] {
  return steps.filter(isWrite);
}

export function refusalsOf({ steps }: Plan): RefuseStep[] {
  return steps.filter((step) => step.action === 'refuse');
}

/** @throws InitError INIT_REFUSED where a file is in the way: a half of this would be worse than nothing */
export function refuseObstacles(plan: Plan): void {
  const refusals = refusalsOf(plan);
  if (refusals.length === 0) return;
  const files = refusals.map(({ path, reason }) => `${path} ${reason}`);
  throw new InitError(
    'INIT_REFUSED',
    `nothing was written: ${files.join('; ')}`,
    'Do by hand what stands above at each of these, then run the same command again.',
    { refused: refusals.map(({ path, reason, byHand }) => ({ path, reason, byHand })) },
  );
}

// The tables and columns that the code in production reads: what the schema files of a version that git has export. They
// are loaded from a folder of their own, with the packages that are installed now.

import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { DeployError } from '../errors.ts';
import { type DrizzleRelation, loadRelations } from '../project/load-config.ts';
import { findProject, type Project } from '../project/project.ts';
import { topFolder, writeVersion } from './git.ts';

export interface DeployedColumn {
  isNotNull: boolean;
}

export interface DeployedSchema {
  /** What was asked for, such as `origin/main`. */
  ref: string;
  /** Tables and views by `schema.name`, `public` where the code says none; their columns by name. */
  relations: ReadonlyMap<string, ReadonlyMap<string, DeployedColumn>>;
}

/** What may be imported. */
const sources = /^(?!(.*\/)?node_modules\/).*\.(?:[cm]?[jt]sx?|json)$/;

/**
 * @param project as it is now: its version of then is looked for in the same place
 * @throws DeployError GIT_UNREADABLE, or CONFIG_UNREADABLE where the files of then can't be loaded
 */
export async function readDeployedSchema(
  ref: string,
  project: Project,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DeployedSchema> {
  const top = await topFolder(project.root);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-deployed-')));
  try {
    await writeVersion(ref, top, sources, folder);
    const root = join(folder, relative(realpathSync(top), realpathSync(project.root)));
    linkPackages(realpathSync(project.root), root, folder);
    return { ref, relations: await loadSchema(ref, project, root, env) };
  } catch (error) {
    throw error instanceof DeployError ? namingVersion(error, folder, ref) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The packages of the project and of the folders above it, and its variables. */
function linkPackages(now: string, then: string, folder: string): void {
  mkdirSync(then, { recursive: true });
  if (existsSync(join(now, '.env'))) symlinkSync(join(now, '.env'), join(then, '.env'));
  for (let [from, to] = [now, then]; to.startsWith(folder); [from, to] = [dirname(from), dirname(to)]) {
    const packages = join(from, 'node_modules');
    if (existsSync(packages)) symlinkSync(packages, join(to, 'node_modules'), 'junction');
  }
}

async function loadSchema(
  ref: string,
  { root: rootNow, configFile }: Project,
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DeployedSchema['relations']> {
  const then = await findProject({ from: root, config: relative(rootNow, configFile), env });
  const relations = await loadRelations(then.schemaFiles, { folder: then.root, env });
  if (relations.length === 0) {
    throw new DeployError({
      code: 'GIT_UNREADABLE',
      message: `the schema files of ${ref} export no table: what the code in production reads is not known`,
      hint: 'Name the commit, tag or branch that is in production.',
    });
  }
  return new Map(
    relations.map(({ schema = 'public', name, columns }) => [
      `${schema}.${name}`,
      new Map(columns.map((column) => [columnName(column, then.casing), { isNotNull: column.isNotNull }])),
    ]),
  );
}

/** As Drizzle makes a column's name of its key. */
function columnName({ name, isNamedByKey }: DrizzleRelation['columns'][number], casing: Project['casing']): string {
  if (!isNamedByKey || casing === undefined) return name;
  const words = (name.replaceAll(/['’]/g, '').match(/[\da-z]+|[A-Z]+(?![a-z])|[A-Z][\da-z]+/g) ?? []).map((word) =>
    word.toLowerCase(),
  );
  if (casing === 'snake_case') return words.join('_');
  return words.map((word, n) => (n === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`)).join('');
}

/** The folder is gone when the message is read. */
function namingVersion(error: DeployError, folder: string, ref: string): DeployError {
  const { code, hint, details } = error;
  const message = error.message.replaceAll(`${folder}/`, `${ref}:`);
  return new DeployError({ code, message, hint, details: { ...details, ref } });
}

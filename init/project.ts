// What kind of project a folder holds: its language, its framework, its package manager. Reads files; runs and changes
// nothing.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InitError } from './errors.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

export interface Project {
  folder: string;
  /** The text of package.json, and what it says. */
  packageText: string;
  packageFile: PackageFile;
  language: 'typescript' | 'javascript';
  packageManager: PackageManager;
  /** The Next.js application that it is: its major version, null where that can't be told, and its configuration. */
  next?: { major: number | null; configFile: string | null };
  /** Names of dependencies of every kind. */
  dependencies: ReadonlySet<string>;
}

export interface PackageFile {
  name?: string;
  type?: string;
  packageManager?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/**
 * Looks at the project in `folder`.
 * @throws InitError PROJECT_NOT_FOUND without a package.json, PROJECT_UNREADABLE where it is none
 */
export function readProject(folder: string): Project {
  const packageText = readPackageText(folder);
  const packageFile = parsePackage(packageText);
  const versions: Record<string, string> = {
    ...packageFile.optionalDependencies,
    ...packageFile.peerDependencies,
    ...packageFile.devDependencies,
    ...packageFile.dependencies,
  };
  const isTypeScript = existsSync(join(folder, 'tsconfig.json')) || versions.typescript !== undefined;
  const next = findNext(folder, versions);
  return {
    folder,
    packageText,
    packageFile,
    language: isTypeScript ? 'typescript' : 'javascript',
    packageManager: findPackageManager(folder, packageFile),
    ...(next ? { next } : {}),
    dependencies: new Set(Object.keys(versions)),
  };
}

/** A project in a few words, such as `Next.js, TypeScript, pnpm`. */
export function describeProject({ next, language, packageManager }: Project): string {
  const framework = next ? ['Next.js'] : [];
  return [...framework, language === 'typescript' ? 'TypeScript' : 'JavaScript', packageManager].join(', ');
}

function readPackageText(folder: string): string {
  try {
    return readFileSync(join(folder, 'package.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InitError(
      'PROJECT_NOT_FOUND',
      `${folder} has no package.json: there is no project to add anything to`,
      'Go to the folder of the application or, for a new one, run npm init -y; then run this again.',
      { folder },
    );
  }
}

function parsePackage(text: string): PackageFile {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (isObject(value) && isObject(value.scripts ?? {})) return value;
  } catch {
    // said below, without the text of the file
  }
  throw new InitError(
    'PROJECT_UNREADABLE',
    'package.json is not a JSON object, or its scripts are none',
    'Correct it (npm pkg get name says where it is wrong) and run this again. Nothing was changed.',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const nextConfigFiles = ['ts', 'mts', 'mjs', 'js', 'cjs'].map((ending) => `next.config.${ending}`);

function findNext(folder: string, versions: Record<string, string>): Project['next'] {
  const configFile = nextConfigFiles.find((name) => existsSync(join(folder, name))) ?? null;
  if (versions.next === undefined && configFile === null) return undefined;
  const [major] = /\d+/.exec(versions.next ?? '') ?? [];
  return { major: major === undefined ? null : Number(major), configFile };
}

const lockFiles: readonly [string, PackageManager][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/** By its lock file, there or in a folder above (a workspace has one for all), up to the root of the repository. */
function findPackageManager(folder: string, { packageManager }: PackageFile): PackageManager {
  const [, named] = /^(npm|pnpm|yarn|bun)@/.exec(packageManager ?? '') ?? [];
  if (named) return named as PackageManager;
  for (let place = folder; ; place = dirname(place)) {
    const names = new Set(listNames(place));
    const [, found] = lockFiles.find(([name]) => names.has(name)) ?? [];
    if (found) return found;
    if (names.has('.git') || place === dirname(place)) return 'npm';
  }
}

/** A folder above may be closed to this user: then it says nothing. */
function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

// Folders that are projects, for the tests of mytx init: real files in a folder of their own, removed behind the tests.

import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type Plan, planInit, refuseObstacles, writesOf } from '../../init/plan.ts';
import type { Step } from '../../init/step.ts';
import { writeFiles } from '../../init/write-files.ts';

const folders: string[] = [];

/** Call once in a file: cleans up behind its tests. */
export function cleanUpProjects(): void {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

export type Files = Readonly<Record<string, string>>;

/** A new folder with these files, by their paths. It is a repository's root, so that nobody looks above it. */
export function newProject(files: Files): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-init-')));
  folders.push(folder);
  mkdirSync(join(folder, '.git'));
  putFiles(folder, files);
  return folder;
}

export function putFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Every file of a project with its text, but for packages and databases. */
export function readProjectFiles(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !/^(node_modules|\.mytx|\.git)(\/|$)/.test(path) && !lstatSync(join(folder, path)).isDirectory());
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** What a plan does with each file. */
export function actionsOf({ steps }: Plan): Record<string, Step['action']> {
  return Object.fromEntries(steps.map(({ path, action }) => [path, action]));
}

export function stepOf({ steps }: Plan, path: string): Step {
  const step = steps.find((one) => one.path === path);
  if (!step) throw new Error(`the plan says nothing of ${path}`);
  return step;
}

/** Does what `mytx init --yes` does. @returns the paths that were written */
export function initialise(folder: string, packageFolder?: string): string[] {
  const plan = planInit({ folder, ...(packageFolder === undefined ? {} : { packageFolder }) });
  refuseObstacles(plan);
  return writeFiles(folder, writesOf(plan));
}

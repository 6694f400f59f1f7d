// vitest's globalSetup of the project `cli`: builds the package once for a whole run, so that the commands that its tests
// start are compiled, as an application gets them, and not compiled anew each time. It leaves the checkout as it was.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `bin/mytx.js` of the package that was built. */
    compiledCommand: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mytx-built-')));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(folder, path), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const script of ['build', 'prepared-database']) await runScript(script, join(folder, 'dist'));
  } catch (error) {
    remove();
    throw error;
  }
  project.provide('compiledCommand', join(folder, 'bin', 'mytx.js'));
  return remove;
}

async function runScript(name: string, ...args: string[]): Promise<void> {
  const line = ['--import', 'tsx', join(root, 'scripts', `${name}.ts`), ...args];
  await promisify(execFile)(process.execPath, line, { cwd: root });
}

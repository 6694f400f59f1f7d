// Writes what was planned, all of it or nothing as far as a file system allows: every file first under another name in
// its folder, then each is renamed into its place. Never overwrites what changed since the plan was made. A run that was
// killed leaves files that the next one goes on from.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { InitError } from './errors.ts';
import type { WriteStep } from './step.ts';

/** Behind a file's name until it is whole. The next run writes the same name anew, so that none is left over. */
const unfinished = '.mytx-init';

/**
 * Writes the files of a plan into the project's folder.
 * @returns their paths, in the order they were written
 * @throws InitError INIT_UNFINISHED, whose details say what was written and what was not
 */
export function writeFiles(folder: string, steps: readonly WriteStep[]): string[] {
  const written: string[] = [];
  const prepared: string[] = [];
  try {
    for (const step of steps) requireUnchanged(folder, step);
    for (const step of steps) prepare(folder, step, prepared);
    for (const step of steps) {
      requireUnchanged(folder, step);
      const place = placeOf(folder, step);
      renameSync(place + unfinished, place);
      written.push(step.path);
    }
    return written;
  } catch (cause) {
    tidyUp(prepared);
    throw unfinishedError(cause, steps, written);
  }
}

/** Where a file is that may be a link, which stays one. */
function placeOf(folder: string, { action, path }: WriteStep): string {
  const place = join(folder, path);
  return action === 'change' ? realpathSync(place) : place;
}

function requireUnchanged(folder: string, step: WriteStep): void {
  const place = join(folder, step.path);
  const isSame =
    step.action === 'create' ? !existsSync(place) : existsSync(place) && readFileSync(place, 'utf8') === step.before;
  if (!isSame) throw new Error(`${step.path} was changed by somebody meanwhile`);
}

function prepare(folder: string, step: WriteStep, prepared: string[]): void {
  const place = placeOf(folder, step);
  mkdirSync(dirname(place), { recursive: true });
  prepared.push(place + unfinished);
  writeFileSync(place + unfinished, step.text, { flush: true });
  if (step.action === 'change') chmodSync(place + unfinished, statSync(place).mode);
}

/** Folders stay, which somebody may have put something into. What can't be tidied up is no other failure. */
function tidyUp(prepared: readonly string[]): void {
  try {
    for (const file of prepared) rmSync(file, { force: true });
  } catch {
    // their names say what they are, and the next run writes them anew
  }
}

function unfinishedError(cause: unknown, steps: readonly WriteStep[], written: readonly string[]): InitError {
  const notWritten = steps.map(({ path }) => path).filter((path) => !written.includes(path));
  const { message } = cause as Error;
  return new InitError(
    'INIT_UNFINISHED',
    `${message}\nwritten: ${written.join(', ') || 'nothing'}\nnot written: ${notWritten.join(', ')}`,
    'Correct what it says, and run the same command again: it goes on from there.',
    { written, notWritten },
    cause,
  );
}

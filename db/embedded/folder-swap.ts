// Puts a new database into the place of the one there is, which is kept under another name. Killed at any point, the
// next call of finishSwap ends it: before the plan is written the old database stays, from then on the new one comes.
// Call everything here as the owner of the folder. Never deletes a database that was in use.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { renameDurably, syncFolder, writeDurably } from './durable-file.ts';

interface SwapPlan {
  /** The name under which the old database is kept. */
  keptAs: string;
}

const planName = 'swap.json';
const current = (folder: string): string => join(folder, 'database');

/** Where the new database is made. What a killed process left there is taken away. */
export function emptyIncoming(folder: string): string {
  const incoming = incomingOf(folder);
  rmSync(incoming, { recursive: true, force: true });
  return incoming;
}

const incomingOf = (folder: string): string => join(folder, 'database.incoming');

/**
 * The new database, which must be closed and whole, becomes the one in use.
 * @param keptAs the name for the old one; with a number behind it where that name is taken
 * @returns the folder in which the old one is; null where there was none
 */
export function swapIn(folder: string, keptAs: string): string | null {
  const plan: SwapPlan = { keptAs: freeName(folder, keptAs) };
  const hadDatabase = existsSync(current(folder));
  writeDurably(join(folder, planName), JSON.stringify(plan));
  finishSwap(folder);
  return hadDatabase ? join(folder, plan.keptAs) : null;
}

/** Ends what a killed process began. Does nothing where nothing was begun. */
export function finishSwap(folder: string): void {
  const plan = readPlan(folder);
  const incoming = incomingOf(folder);
  if (plan && existsSync(incoming)) {
    const kept = join(folder, plan.keptAs);
    if (existsSync(current(folder))) renameDurably(current(folder), kept);
    renameDurably(incoming, current(folder));
  }
  if (plan) {
    rmSync(join(folder, planName));
    syncFolder(folder);
  }
  rmSync(incoming, { recursive: true, force: true });
}

function readPlan(folder: string): SwapPlan | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, planName), 'utf8')) as SwapPlan;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function freeName(folder: string, wanted: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!existsSync(join(folder, name))) return name;
  }
}

// The environment as this project reads it: the process's own, over `.env.local` of the current folder.
// Only db/database.ts, drizzle.config.ts and cli/ read it; process.env is never written.

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The variables of `.env.local` (when there is one in `folder`), overridden by those of the process.
 * @throws when the file is there and cannot be read
 */
export function readEnvironment(folder: string = process.cwd()): Record<string, string | undefined> {
  return { ...readEnvFile(`${folder}/.env.local`), ...process.env };
}

function readEnvFile(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

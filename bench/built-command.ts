// The compiled command line, as the package has it, and Node that does nothing: started as processes of their own.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyProject } from '../tests/docs/project-copy.ts';
import { timeOf } from './harness.ts';

/** Builds the package in a copy of the project, and takes it away behind the work. @param work gets the file of the command */
export async function withBuiltCommand<T>(work: (command: string) => Promise<T>): Promise<T> {
  const copy = copyProject();
  try {
    const { exitCode, output } = await copy.run('npm run --silent build');
    if (exitCode !== 0) throw new Error(`it does not build:\n${output}`);
    rmSync(join(copy.folder, 'cli'), { recursive: true }); // bin/ takes the sources where they are
    return await work(join(copy.folder, 'bin', 'mytx.js'));
  } finally {
    copy.remove();
  }
}

/** Starts Node `starts` times, one after another: one start is off by a third now and then. @returns milliseconds of all */
export function startNode(args: readonly string[], { cwd, starts }: { cwd?: string; starts: number }): Promise<number> {
  return timeOf(async () => {
    for (let i = 0; i < starts; i += 1) {
      const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    }
  });
}

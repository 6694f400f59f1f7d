// What the command line costs before a verb runs: mytx --help of the compiled package beside Node that does nothing.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyProject } from '../tests/docs/project-copy.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';
import { timeOf } from './harness.ts';

/** How often Node is started for one measure: one start is off by a third now and then. */
const starts = 10;

export async function measureCommandLine({ rounds }: Pick<Effort, 'rounds'>): Promise<Figure[]> {
  console.error('the command line: its start');
  const copy = copyProject();
  try {
    const { exitCode, output } = await copy.run('npm run --silent build');
    if (exitCode !== 0) throw new Error(`it does not build:\n${output}`);
    rmSync(join(copy.folder, 'cli'), { recursive: true }); // bin/ takes the sources where they are
    const startOf = (...args: string[]): Promise<number> => timeOf(async () => startOften(args, copy.folder));
    const facts = {
      group: 'Command line',
      name: '`mytx --help`',
      to: '`node -e 0`: time',
      target: { most: 1.5 },
    } as const;
    const ratios = await compare(
      () => startOf('-e', '0'),
      { ours: () => startOf('bin/mytx.js', '--help') },
      { rounds },
    );
    return [figureOf(facts, ratios)];
  } finally {
    copy.remove();
  }
}

function startOften(args: readonly string[], cwd: string): void {
  for (let i = 0; i < starts; i += 1) {
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
}

// What the command line costs before a verb runs: mytx --help of the compiled package beside Node that does nothing.

import { startNode, withBuiltCommand } from './built-command.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';

const starts = 10;

export async function measureCommandLine({ rounds }: Pick<Effort, 'rounds'>): Promise<Figure[]> {
  console.error('the command line: its start');
  return withBuiltCommand(async (command) => {
    const facts = {
      group: 'Command line',
      name: '`mytx --help`',
      to: '`node -e 0`: time',
      target: { most: 1.5 },
    } as const;
    const ratios = await compare(
      () => startNode(['-e', '0'], { starts }),
      { ours: () => startNode([command, '--help'], { starts }) },
      { rounds },
    );
    return [figureOf(facts, ratios)];
  });
}

// What befalls a pooler between an application and the server, and a server behind a pooler.

import type { RunningPgBouncer } from '../servers/pgbouncer.ts';
import type { Fault } from './injection.ts';
import type { Scene } from './scene.ts';
import { connectionCodes, serverFaults } from './server-faults.ts';

/** Of the faults of a server, those that a pooler tells its clients of in words of its own. */
const behindPooler = serverFaults.filter(({ name }) => !name.includes('frozen'));

export const poolerFaults: readonly Fault[] = [
  {
    name: 'Pooler killed with -9, then restarted',
    sentence: 'PgBouncer gets SIGKILL, and with it every session it held for its clients; it is started again.',
    codes: connectionCodes,
    lastsMs: [0, 1500],
    isTotal: true,
    times: { usual: 2, long: 8 },
    begin: async (scene) => {
      const pooler = poolerOf(scene);
      await pooler.kill();
      return () => pooler.restart();
    },
  },
  {
    name: 'Pooler frozen with SIGSTOP',
    sentence: 'PgBouncer stands still for longer than any deadline; then it goes on.',
    codes: connectionCodes,
    lastsMs: [2500, 3200],
    isTotal: true,
    times: { usual: 1, long: 4 },
    begin: async (scene) => {
      const { pid } = poolerOf(scene);
      process.kill(pid, 'SIGSTOP');
      return async () => void process.kill(pid, 'SIGCONT');
    },
  },
  ...behindPooler.map(
    (fault): Fault => ({
      ...fault,
      name: `Behind a pooler: ${fault.name.charAt(0).toLowerCase()}${fault.name.slice(1)}`,
      times: { usual: 1, long: 4 },
    }),
  ),
];

function poolerOf({ pooler }: Scene): RunningPgBouncer {
  if (!pooler) throw new Error('there is no pooler in this scene');
  return pooler;
}

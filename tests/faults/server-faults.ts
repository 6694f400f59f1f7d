// What befalls the server itself.

import type { MytxErrorCode } from '../../db/errors.ts';
import type { Fault } from './injection.ts';

/** What a server that is gone, hangs or comes back may mean to a call: no connection, none any more, or no answer. */
export const connectionCodes: readonly MytxErrorCode[] = [
  'UNREACHABLE',
  'CONNECTION_LOST',
  'OUTCOME_UNKNOWN',
  'DEADLINE_EXCEEDED',
  'POOL_EXHAUSTED',
];

const terminateOne = `
  select pg_terminate_backend(pid)
  from pg_stat_activity
  where datname = current_database() and application_name = 'mytx-ai'
  order by random()
  limit 1`;

let terminated = 0;

export const serverFaults: readonly Fault[] = [
  {
    name: 'Server killed with -9, then restarted',
    sentence: 'Every process of the server gets SIGKILL at once; it is started again on the same folder.',
    codes: [...connectionCodes, 'SERVER_BUSY'],
    lastsMs: [0, 1500],
    isTotal: true,
    isPictured: true,
    times: { usual: 2, long: 12 },
    begin: async ({ server }) => {
      await server.kill();
      return server.restart;
    },
  },
  {
    name: 'Server frozen with SIGSTOP',
    sentence:
      'Every process of the server stands still for longer than any deadline, while the system goes on accepting connections for it; then it goes on, with what was sent to it meanwhile.',
    codes: connectionCodes,
    lastsMs: [2500, 3200],
    isTotal: true,
    times: { usual: 2, long: 8 },
    begin: async ({ server }) => {
      await server.freeze();
      return async () => server.thaw();
    },
  },
  {
    name: 'Backends terminated, five a second',
    sentence: 'pg_terminate_backend() ends one of our sessions every 200 ms, whatever it is doing.',
    codes: connectionCodes,
    lastsMs: [1500, 3000],
    isTotal: false,
    times: { usual: 2, long: 7 },
    brokenConnections: () => terminated,
    begin: async ({ direct }) => {
      terminated = 0;
      let isOver = false;
      const terminating = direct(async (sql) => {
        while (!isOver) {
          terminated += (await sql.unsafe(terminateOne)).length;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      });
      return async () => {
        isOver = true;
        await terminating;
      };
    },
  },
];

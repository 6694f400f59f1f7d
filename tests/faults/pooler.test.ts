// Faults of a pooler, and of a server behind one.

import { findPgBouncer, startPgBouncer } from '../servers/pgbouncer.ts';
import { startServer } from '../servers/server.ts';
import { describeStage, serverSettings } from './on-server.ts';
import { poolerFaults } from './pooler-faults.ts';
import { underWorkload } from './round.ts';
import { openScene } from './scene.ts';

const binary = findPgBouncer();
const poolSize = 6;

describeStage(15, {
  name: 'pooler',
  describe: (server) => `${server} behind PgBouncer${'version' in binary ? ` ${binary.version}` : ''}`,
  injections: poolerFaults.map(underWorkload),
  ...('missing' in binary ? { missing: binary.missing } : {}),
  open: async (installation, random) => {
    const server = await startServer(installation, { settings: serverSettings });
    const settings = { default_pool_size: poolSize };
    const pooler = await startPgBouncer({ serverUrl: server.url('postgres'), settings });
    const scene = await openScene(server, random, { pooler, poolSize });
    return {
      scene,
      close: async () => {
        await scene.close();
        await pooler.stop();
        await server.stop();
      },
    };
  },
});

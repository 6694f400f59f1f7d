// Faults of a read replica, which nobody may notice.

import { expect } from 'vitest';
import { startReplica } from '../servers/replica.ts';
import { startServer } from '../servers/server.ts';
import { describeStage, serverSettings } from './on-server.ts';
import { replicaFaults } from './replica-faults.ts';
import { underWorkload } from './round.ts';
import { openScene } from './scene.ts';

let readOnReplica = 0;
let replicaTarget = '';

describeStage(18, {
  name: 'replica',
  describe: (server) => `${server} with a replica`,
  injections: replicaFaults.map(underWorkload),
  open: async (installation, random) => {
    const server = await startServer(installation, { settings: serverSettings });
    const replica = await startReplica(installation, server);
    const scene = await openScene(server, random, {
      replica,
      visitors: 4,
      options: {
        replicas: { maxLagMs: 60_000, timeoutMs: 800 },
        logger: ({ target, statement, errorCode }) => {
          const isRead = target.startsWith(replicaTarget) && statement.includes('"Task"');
          if (isRead && errorCode === undefined) readOnReplica += 1;
        },
      },
    });
    replicaTarget = `127.0.0.1:${replica.port}/`;
    return {
      scene,
      check: () => expect(readOnReplica, 'reads that the replica answered').toBeGreaterThan(100),
      close: async () => {
        await scene.close();
        await replica.stop();
        await server.stop();
      },
    };
  },
});

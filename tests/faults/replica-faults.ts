// What befalls a read replica. None of it may be seen by anybody: no call fails, and no read is older than one's own
// writes. The replica counts as usable however far it is behind, so that nothing but the marks of writes protects.

import type { RunningReplica } from '../servers/replica.ts';
import type { Fault } from './injection.ts';
import type { Scene } from './scene.ts';

const unseen = { codes: [], isTotal: false } as const;

export const replicaFaults: readonly Fault[] = [
  {
    ...unseen,
    name: 'Replica behind by 10 s',
    sentence: 'The replica shows each transaction 10 s after its commit.',
    lastsMs: [10_500, 12_000],
    times: { usual: 1, long: 6 },
    begin: async (scene) => {
      const replica = replicaOf(scene);
      await replica.delayBy(10_000);
      return () => replica.delayBy(0);
    },
  },
  {
    ...unseen,
    name: 'Replica stops following, and catches up',
    sentence: 'The replica stops to replay the log, and goes on, several times.',
    lastsMs: [1500, 2500],
    times: { usual: 1, long: 6 },
    begin: async (scene) => {
      const { random } = scene;
      const replica = replicaOf(scene);
      let isOver = false;
      const pausing = (async () => {
        while (!isOver) {
          await replica.pause();
          await new Promise((resolve) => setTimeout(resolve, 50 + random() * 300));
          await replica.resume();
          await new Promise((resolve) => setTimeout(resolve, 50 + random() * 300));
        }
      })();
      return async () => {
        isOver = true;
        await pausing;
      };
    },
  },
  {
    ...unseen,
    name: 'Replica frozen with SIGSTOP',
    sentence: 'Every process of the replica stands still, while the system goes on accepting connections for it.',
    lastsMs: [2500, 3200],
    times: { usual: 1, long: 5 },
    begin: async (scene) => {
      const replica = replicaOf(scene);
      await replica.freeze();
      return async () => replica.thaw();
    },
  },
  {
    ...unseen,
    name: 'Replica killed with -9, then restarted',
    sentence: 'Every process of the replica gets SIGKILL at once; it is started again on the same folder.',
    lastsMs: [0, 1500],
    times: { usual: 1, long: 5 },
    begin: async (scene) => {
      const replica = replicaOf(scene);
      await replica.kill();
      return () => replica.restart();
    },
  },
];

function replicaOf({ replica }: Scene): RunningReplica {
  if (!replica) throw new Error('there is no replica in this scene');
  return replica;
}

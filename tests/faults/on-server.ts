// The faults on one version of PostgreSQL, as the tests of a file: one for each injection, in an order that the seed
// decides, all on one server. A new fault is a new entry of a list below.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  chooseInstallations,
  type FoundInstallation,
  findInstallations,
  isFound,
  type ServerVersion,
} from '../servers/installations.ts';
import { startServer } from '../servers/server.ts';
import { expectNothingLost } from './expect-nothing-lost.ts';
import { fullDiskInjection } from './full-disk.ts';
import type { Injection } from './injection.ts';
import { networkFaults } from './network-faults.ts';
import { isLong, type Random, randomFor, shuffle } from './plan.ts';
import { ResultBook } from './results.ts';
import { replayAll, underWorkload } from './round.ts';
import { openScene, type Scene } from './scene.ts';
import { serverFaults } from './server-faults.ts';
import { stormInjections } from './storms.ts';

/** What stands around the server of a file, what is done to it, and how the results are called. */
export interface Stage {
  /** The name of the file of results. */
  name: string;
  /** `PostgreSQL 18.4, behind PgBouncer 1.18.0`, from `PostgreSQL 18.4`. */
  describe(server: string): string;
  injections: readonly Injection[];
  /** Why this can't be set up here. */
  missing?: string;
  open(installation: FoundInstallation, random: Random): Promise<OpenedStage>;
}

export interface OpenedStage {
  scene: Scene;
  /** Ends it, and everything around it. */
  close(): Promise<void>;
  /** Looks, behind all injections, whether they could have found anything. */
  check?(): void;
}

/** Deadlocks are looked for sooner than after a second: a storm of them would only wait. */
export const serverSettings = { deadlock_timeout: '100ms' };

function onServerAlone(version: ServerVersion): Stage {
  return {
    name: `postgres-${version}`,
    describe: (server) => server,
    injections: [...[...serverFaults, ...networkFaults].map(underWorkload), ...stormInjections, fullDiskInjection()],
    open: async (installation, random) => {
      const server = await startServer(installation, { settings: serverSettings });
      const scene = await openScene(server, random);
      return {
        scene,
        close: async () => {
          await scene.close();
          await server.stop();
        },
      };
    },
  };
}

export function describeFaultsOn(version: ServerVersion): void {
  describeStage(version, onServerAlone(version));
}

export function describeStage(version: ServerVersion, stage: Stage): void {
  const installation = chooseInstallations(findInstallations(), process.env.MYTX_TEST_SERVERS).find(
    (one) => one.version === version,
  );
  const missing = installation && isFound(installation) ? stage.missing : (installation?.missing ?? 'not known');
  if (!installation || !isFound(installation) || missing) {
    test.skip(`${stage.describe(`PostgreSQL ${version}`)}: ${missing}`);
    return;
  }
  describe(stage.describe(`PostgreSQL ${version}`), { timeout: 60_000 }, () => describeInjections(installation, stage));
}

function describeInjections(installation: FoundInstallation, { name, injections, describe, open }: Stage): void {
  const random = randomFor(name);
  const here = injections.filter(({ missing }) => missing === undefined);
  const planned = here.flatMap((one) => Array.from({ length: isLong ? one.times.long : one.times.usual }, () => one));
  const book = new ResultBook(injections, planned.length);
  let opened: OpenedStage;
  beforeAll(async () => {
    opened = await open(installation, random);
  });
  afterAll(async () => {
    const { scene, close } = opened;
    const [row] = await scene.direct((sql) => sql.unsafe('show server_version'));
    book.close(name, describe(`PostgreSQL ${String(row?.server_version).split(' ')[0]}`), scene.clock.stalledMs());
    await close();
  });

  for (const one of injections) {
    if (one.missing) test.skip(`${one.name}: ${one.missing}`);
  }
  for (const [i, injection] of shuffle(random, planned).entries()) {
    test(`${i + 1}. ${injection.name}`, async () => {
      const result = await injection.run(opened.scene);
      book.add(injection, result);
      expectNothingLost(result);
    });
  }
  test('behind all of it, everything that was ever acknowledged is still there', async () => {
    expect(await replayAll(opened.scene)).toEqual([]);
    opened.check?.();
  });
}

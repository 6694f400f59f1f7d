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
import { type RunningServer, startServer } from '../servers/server.ts';
import { expectNothingLost } from './expect-nothing-lost.ts';
import { fullDiskInjection } from './full-disk.ts';
import type { Injection } from './injection.ts';
import { networkFaults } from './network-faults.ts';
import { isLong, randomFor, shuffle } from './plan.ts';
import { ResultBook } from './results.ts';
import { replayAll, underWorkload } from './round.ts';
import { openScene, type Scene } from './scene.ts';
import { serverFaults } from './server-faults.ts';
import { stormInjections } from './storms.ts';

/** Everything that is done to a server. */
function injectionsOnServer(): Injection[] {
  return [...[...serverFaults, ...networkFaults].map(underWorkload), ...stormInjections, fullDiskInjection()];
}

export function describeFaultsOn(version: ServerVersion): void {
  const installation = chooseInstallations(findInstallations(), process.env.MYTX_TEST_SERVERS).find(
    (one) => one.version === version,
  );
  if (!installation || !isFound(installation)) {
    test.skip(`PostgreSQL ${version}: ${installation?.missing ?? 'not known'}`);
    return;
  }
  describe(`PostgreSQL ${version}`, { timeout: 60_000 }, () => describeInjections(installation));
}

function describeInjections(installation: FoundInstallation): void {
  const name = `postgres-${installation.version}`;
  const random = randomFor(name);
  const injections = injectionsOnServer();
  const here = injections.filter(({ missing }) => missing === undefined);
  const planned = here.flatMap((one) => Array.from({ length: isLong ? one.times.long : one.times.usual }, () => one));
  const book = new ResultBook(injections, planned.length);
  let server: RunningServer;
  let scene: Scene;
  beforeAll(async () => {
    // Deadlocks are looked for sooner than after a second: a storm of them would only wait.
    server = await startServer(installation, { settings: { deadlock_timeout: '100ms' } });
    scene = await openScene(server, random);
  });
  afterAll(async () => {
    const [row] = await scene.direct((sql) => sql.unsafe('show server_version'));
    book.close(name, `PostgreSQL ${String(row?.server_version).split(' ')[0]}`, scene.clock.stalledMs());
    await scene.close();
    await server.stop();
  });

  for (const one of injections) {
    if (one.missing) test.skip(`${one.name}: ${one.missing}`);
  }
  for (const [i, injection] of shuffle(random, planned).entries()) {
    test(`${i + 1}. ${injection.name}`, async () => {
      const result = await injection.run(scene);
      book.add(injection, result);
      expectNothingLost(result);
    });
  }
  test('behind all of it, everything that was ever acknowledged is still there', async () => {
    expect(await replayAll(scene)).toEqual([]);
  });
}

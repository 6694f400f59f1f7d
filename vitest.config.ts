// The suites. tests/db runs on every engine that is here: the embedded one and each PostgreSQL server (15 and 18); the rest
// once, the command line compiled, and the deploy engine on 16 and 17 too.
// Servers that are missing are named, with the reason, by a skipped test in tests/servers/servers.test.ts.

import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import {
  chooseInstallations,
  findInstallations,
  findInstallationsBetween,
  isFound,
} from './tests/servers/installations.ts';

const timeouts = { testTimeout: 120_000, hookTimeout: 240_000 };
const globalSetup = ['tests/servers/global-setup.ts', 'tests/db/global-setup.ts'];
// Deeper folders of tests/db need no database of an engine.
const anyEngine = ['tests/db/*.test.ts'];

/** Long ones, in which nothing differs from one version of the server to the next: on the newest, and the embedded one. */
const onNewest = ['broken-network', 'canaries', 'deadlines', 'person-export', 'person-import', 'search-model'].map(
  (name) => `tests/db/${name}.test.ts`,
);

function onEngine(engine: string, exclude: string[] = []): TestProjectInlineConfiguration {
  return {
    test: { name: engine, include: anyEngine, exclude, env: { MYTX_TEST_ENGINE: engine }, globalSetup, ...timeouts },
  };
}

const servers = chooseInstallations(findInstallations(), process.env.MYTX_TEST_SERVERS).filter(isFound);
const between = chooseInstallations(findInstallationsBetween(), process.env.MYTX_TEST_SERVERS).filter(isFound);

/** What a deploy does is different on some version of the server: so on those between the oldest and the newest too. */
const onVersionsBetween = ['steps', 'deploy', 'operations/measured-locks'].map(
  (name) => `tests/deploy/${name}.test.ts`,
);

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      onEngine('embedded'),
      ...servers.map(({ version }, i) => onEngine(`postgres-${version}`, i < servers.length - 1 ? onNewest : [])),
      {
        test: {
          name: 'once',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/db/*.test.ts', 'tests/cli/*.test.ts', 'tests/faults/*.test.ts'],
          globalSetup,
          ...timeouts,
        },
      },
      {
        test: {
          name: 'cli',
          include: ['tests/cli/*.test.ts'],
          globalSetup: [...globalSetup, 'tests/cli/global-setup.ts'],
          ...timeouts,
        },
      },
      ...(between.length === 0
        ? []
        : [
            {
              test: {
                name: 'between',
                include: onVersionsBetween,
                globalSetup: 'tests/servers/global-setup-between.ts',
                ...timeouts,
              },
            },
          ]),
      {
        // After all others, because it holds deadlines. It waits more than it works: three files at once on two cores.
        test: {
          name: 'faults',
          include: ['tests/faults/*.test.ts'],
          sequence: { groupOrder: 1 },
          maxWorkers: 3,
          env: { MYTX_FAULT_SEED: process.env.MYTX_FAULT_SEED ?? String(Math.floor(Math.random() * 2 ** 31)) },
          ...timeouts,
        },
      },
    ],
  },
});

// vitest's globalSetup: starts the servers that are here, side by side, once for the whole run, and tells the tests
// where they are: inject('servers') and inject('missingServers'). MYTX_TEST_SERVERS=15,18 (or none) narrows them.
// vitest calls it once for each project, and loads it anew each time; it must never start a second set of servers.
import type { TestProject } from 'vitest/node';
import {
  chooseInstallations,
  findInstallations,
  type Installation,
  isFound,
  type ServerVersion,
} from './installations.ts';
import { type RunningServer, startServer } from './server.ts';

export interface ProvidedServer {
  version: ServerVersion;
  /** The superuser's, to the maintenance database `postgres`: create a database of your own and leave this one be. */
  url: string;
}

export interface MissingServer {
  version: ServerVersion;
  reason: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: ProvidedServer[];
    missingServers: MissingServer[];
  }
}

interface SharedServers {
  projects: number;
  servers: Promise<RunningServer[]>;
}

type SharedSets = Partial<Record<string, SharedServers>>;

// On globalThis, because each project has an instance of this module to itself.
const sharedKey = Symbol.for('mytx-ai.tests.servers');
const holder = globalThis as typeof globalThis & { [sharedKey]?: SharedSets };
holder[sharedKey] ??= {};
const shared: SharedSets = holder[sharedKey];

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServers(project, 'ends', findInstallations());
}

/** @param set what the servers are called that the projects of a run share */
export async function provideServers(
  project: TestProject,
  set: string,
  known: Installation[],
): Promise<() => Promise<void>> {
  const installations = chooseInstallations(known, process.env.MYTX_TEST_SERVERS);
  shared[set] ??= {
    projects: 0,
    servers: startAll(
      set,
      installations.filter(isFound).map((one) => startServer(one)),
    ),
  };
  const ours = shared[set];
  ours.projects += 1;
  const servers = await ours.servers;
  project.provide(
    'servers',
    servers.map(({ version, url }) => ({ version, url: url('postgres') })),
  );
  project.provide(
    'missingServers',
    installations.flatMap((one) => (isFound(one) ? [] : [{ version: one.version, reason: one.missing }])),
  );
  return () => leave(set, ours);
}

/** All or none: where one server does not start, the others are stopped and the run fails. */
async function startAll(set: string, starts: Promise<RunningServer>[]): Promise<RunningServer[]> {
  const results = await Promise.allSettled(starts);
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return servers;
  await stopAll(servers);
  delete shared[set];
  throw failure.reason;
}

async function leave(set: string, ours: SharedServers): Promise<void> {
  ours.projects -= 1;
  if (ours.projects > 0) return;
  delete shared[set];
  await stopAll(await ours.servers);
}

async function stopAll(servers: RunningServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

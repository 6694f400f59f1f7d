// Starts a real PostgreSQL server for tests, in a temporary folder and on a free port of 127.0.0.1, and stops it.
// It never uses a server that is already running, and never leaves one behind (see watchdog.ts).
// fsync is off: the data is thrown away, and no test here is about losing power. A killed server loses nothing by it:
// what a process has written is the kernel's, which outlives the process; only a machine that stops would lose it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { FoundInstallation, ServerVersion } from './installations.ts';
import {
  createServerFolder,
  deleteServerFolder,
  initialiseData,
  installBinaries,
  type ServerFolder,
  serverEnvironment,
} from './server-folder.ts';
import { ServerProcesses } from './server-processes.ts';
import { startWatchdog } from './watchdog.ts';

const startTimeoutMs = 60_000;
const answerTimeoutMs = 5_000;
// Below vitest's teardown limit of 10 s, after which it ends the process.
const stopTimeoutMs = 5_000;
const portAttempts = 3;

export interface RunningServer {
  readonly version: ServerVersion;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Another one after a restart. */
  readonly pid: number;
  readonly folder: string;
  /** The connection string of a database. User: the superuser `postgres`; password: the superuser's. */
  url(database: string, user?: string, password?: string): string;
  /** Ends every process of the server with SIGKILL, at any moment of what they are doing. */
  kill(): Promise<void>;
  /** Starts it again, on the same folder and port, after `kill`; returns when it answers. */
  restart(): Promise<void>;
  /** Stops every process of the server with SIGSTOP: the system goes on accepting connections and bytes for them. */
  freeze(): Promise<void>;
  /** Lets them go on. */
  thaw(): void;
  /** Ends every connection, the server and its folder. May be called twice. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Settings beside the usual ones, or in their place, such as `{ deadlock_timeout: '100ms' }`. */
  settings?: Record<string, string>;
}

interface Launch {
  binFolder: string;
  place: ServerFolder;
  password: string;
  settings: Record<string, string>;
}

interface Listening {
  child: ChildProcess;
  port: number;
}

/**
 * Starts an empty server and returns when it has answered `select 1`; throws, with the end of the server's log, when
 * that takes longer than 60 s.
 *
 *     const server = await startServer(installation);
 *     const sql = postgres(server.url('postgres'));
 *     await sql.end();
 *     await server.stop();
 */
export async function startServer(
  installation: FoundInstallation,
  { settings = {} }: ServerOptions = {},
): Promise<RunningServer> {
  const place = await createServerFolder(installation.version);
  const dismissWatchdog = startWatchdog(place.folder);
  try {
    const binFolder = await installBinaries(installation, place);
    const password = randomBytes(16).toString('hex');
    await initialiseData(binFolder, place, password);
    const launch = { binFolder, place, password, settings };
    const listening = await listenOnFreePort(launch);
    return describeServer(installation.version, listening, launch, dismissWatchdog);
  } catch (error) {
    await deleteServerFolder(place);
    dismissWatchdog();
    throw error;
  }
}

export function describeServer(
  version: ServerVersion,
  { child: firstChild, port }: Listening,
  launch: Launch,
  dismissWatchdog: () => void,
): RunningServer {
  const { place } = launch;
  const url = (database: string, user = 'postgres', password = launch.password): string =>
    formatUrl(port, database, user, password);
  let child = firstChild;
  const processes = (): ServerProcesses => new ServerProcesses(child.pid as number);
  let stopped: Promise<void> | undefined;
  async function stopAndDelete(): Promise<void> {
    if (!hasEnded(child)) processes().thaw();
    await stopProcess(child);
    await deleteServerFolder(place);
    dismissWatchdog();
  }
  return {
    version,
    host: '127.0.0.1',
    port,
    get pid() {
      return child.pid as number;
    },
    folder: place.folder,
    url,
    kill: async () => {
      const ended = once(child, 'exit');
      await processes().kill();
      await ended;
    },
    restart: async () => {
      child = await spawnServer(launch, port);
      await waitUntilItAnswers(child, url('postgres'));
    },
    freeze: () => processes().freeze(),
    thaw: () => processes().thaw(),
    stop: () => {
      stopped ??= stopAndDelete();
      return stopped;
    },
  };
}

/** Between finding a free port and listening on it somebody else may take it: then another port is tried. */
export async function listenOnFreePort(launch: Launch): Promise<Listening> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    const child = await spawnServer(launch, port);
    try {
      await waitUntilItAnswers(child, formatUrl(port, 'postgres', 'postgres', launch.password));
      return { child, port };
    } catch (error) {
      await stopProcess(child);
      const log = await readLogTail(launch.place);
      if (attempt < portAttempts && log.includes('Address already in use')) continue;
      throw new Error(`PostgreSQL did not start: ${(error as Error).message}\n${log}`, { cause: error });
    }
  }
}

async function spawnServer(launch: Launch, port: number): Promise<ChildProcess> {
  const { binFolder, place } = launch;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: 200,
    shared_buffers: '64MB',
    ...launch.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(logFile(place), 'a');
  const child = spawn(join(binFolder, 'postgres'), ['-D', place.dataFolder, '-p', String(port), ...flags], {
    ...place.owner,
    cwd: place.folder,
    env: serverEnvironment,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn').finally(() => log.close());
  // A test process that forgets to stop its server must still be able to end; the watchdog does the rest.
  child.unref();
  return child;
}

async function waitUntilItAnswers(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new Error(`the process ended (${child.signalCode ?? child.exitCode})`);
    try {
      return await selectOne(url);
    } catch (error) {
      lastError = error;
      await sleep(50);
    }
  }
  throw new Error(`no answer to "select 1" within ${startTimeoutMs} ms`, { cause: lastError });
}

/** Waits for `select 1`, five seconds at most. */
export async function selectOne(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: answerTimeoutMs / 1000, fetch_types: false });
  try {
    // postgres.js alone would wait for ever for a listener that takes the connection and says nothing
    const silence = sleep(answerTimeoutMs, undefined, { ref: false }).then(() => {
      throw new Error('no answer');
    });
    await Promise.race([sql`select 1`, silence]);
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** SIGINT is PostgreSQL's fast shutdown: it does not wait for clients. SIGKILL is for a server that does not obey. */
async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const patience = new AbortController();
  const timeout = sleep(stopTimeoutMs, 'late', { signal: patience.signal }).catch(() => 'ended');
  if ((await Promise.race([ended, timeout])) === 'late') child.kill('SIGKILL');
  patience.abort();
  await ended;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

export function formatUrl(port: number, database: string, user: string, password: string): string {
  const [name, secret, path] = [user, password, database].map(encodeURIComponent);
  return `postgres://${name}:${secret}@127.0.0.1:${port}/${path}`;
}

function logFile({ folder }: ServerFolder): string {
  return join(folder, 'log');
}

async function readLogTail(place: ServerFolder): Promise<string> {
  return (await readFile(logFile(place), 'utf8')).split('\n').slice(-20).join('\n');
}

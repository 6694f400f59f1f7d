// Starts a real PgBouncer for tests, in front of a test server, in a temporary folder and on a free port of 127.0.0.1.
// It never uses one that is already running, and never leaves one behind (see watchdog.ts).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { findFreePort, formatUrl, hasEnded, selectOne } from './server.ts';
import { findServerOwner, giveTo, type ServerOwner, serverEnvironment } from './server-folder.ts';
import { startWatchdog } from './watchdog.ts';

export interface PgBouncerBinary {
  path: string;
  /** `1.18.0`. */
  version: string;
}

/** The binary of MYTX_TEST_PGBOUNCER or, without it, Debian's; or why there is none. */
export function findPgBouncer(wish = process.env.MYTX_TEST_PGBOUNCER): PgBouncerBinary | { missing: string } {
  const path = wish || '/usr/sbin/pgbouncer';
  if (wish && !existsSync(path)) throw new Error(`MYTX_TEST_PGBOUNCER=${wish} is not there`);
  if (!existsSync(path)) return { missing: `${path} is not there (apt-get install pgbouncer)` };
  const version = /^PgBouncer ([\d.]+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1];
  return version ? { path, version } : { missing: `${path} does not say its version` };
}

export interface PgBouncerOptions {
  /** The server behind it, as its superuser's URL: that user may come in, and is admin of the pooler. */
  serverUrl: string;
  /** 'transaction' unless given. */
  poolMode?: 'session' | 'transaction' | 'statement';
  /** Further lines of `[pgbouncer]`, such as `default_pool_size: 2`. */
  settings?: Record<string, string | number>;
  /** Further users who may come in, with their passwords, as the server has them. */
  users?: Record<string, string>;
}

export interface RunningPgBouncer {
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly folder: string;
  /** The connection string of a database of the server, by way of the pooler; without `pgbouncer=true`. */
  url(database: string, user?: string, password?: string): string;
  /** A command of the admin console: `reconnect`, `show pools`. @returns its rows */
  command(text: string): Promise<Record<string, unknown>[]>;
  /** Kills it (SIGKILL); its clients hear of it at once. Nobody listens until `restart`. */
  kill(): Promise<void>;
  /** Kills it if it runs, and starts another one on the same port. */
  restart(): Promise<void>;
  /** The last lines that it logged. */
  log(): Promise<string>;
  /** Kills it and deletes its folder. May be called twice. */
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const pidFile = 'pgbouncer.pid';

/**
 * Starts a pooler and returns when a `select 1` through it has been answered.
 *
 *     const pooler = await startPgBouncer({ serverUrl, settings: { default_pool_size: 2 } });
 *     const url = `${pooler.url('postgres')}?pgbouncer=true`;
 *     await pooler.restart();
 *     await pooler.stop();
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<RunningPgBouncer> {
  const binary = findPgBouncer();
  if ('missing' in binary) throw new Error(binary.missing);
  const owner = findServerOwner();
  const folder = await mkdtemp(join(tmpdir(), 'mytx-pgbouncer-'));
  await giveTo(owner, folder);
  const dismissWatchdog = startWatchdog(folder, pidFile);
  const pooler = new Pooler(binary.path, owner, folder, await findFreePort(), options, dismissWatchdog);
  try {
    await pooler.restart();
    return pooler;
  } catch (error) {
    const log = await pooler.log();
    await pooler.stop();
    throw new Error(`PgBouncer did not start: ${(error as Error).message}\n${log}`, { cause: error });
  }
}

class Pooler implements RunningPgBouncer {
  private child: ChildProcess | undefined;
  private stopped: Promise<void> | undefined;
  private readonly server: URL;

  constructor(
    private readonly binary: string,
    private readonly owner: ServerOwner,
    readonly folder: string,
    readonly port: number,
    private readonly options: PgBouncerOptions,
    private readonly dismissWatchdog: () => void,
  ) {
    this.server = new URL(options.serverUrl);
  }

  get pid(): number {
    return this.child?.pid as number;
  }

  url(
    database: string,
    user = decodeURIComponent(this.server.username),
    password = decodeURIComponent(this.server.password),
  ): string {
    return formatUrl(this.port, database, user, password);
  }

  /** The console knows only the simple protocol. */
  async command(text: string): Promise<Record<string, unknown>[]> {
    const sql = postgres(this.url('pgbouncer'), { max: 1, fetch_types: false, onnotice: () => {} });
    try {
      return [...(await sql.unsafe(text).simple())];
    } finally {
      await sql.end();
    }
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (!child || hasEnded(child)) return;
    child.ref();
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.configure();
    const log = await open(this.logFile(), 'a');
    const child = spawn(this.binary, [join(this.folder, 'pgbouncer.ini')], {
      ...this.owner,
      cwd: this.folder,
      env: serverEnvironment,
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(child, 'spawn').finally(() => log.close());
    child.unref(); // a test that forgets it can still end; the watchdog does the rest
    this.child = child;
    await this.waitUntilItAnswers(child);
  }

  private async configure(): Promise<void> {
    const { settings, users, poolMode = 'transaction' } = this.options;
    const name = decodeURIComponent(this.server.username);
    const lines = {
      listen_addr: '127.0.0.1',
      listen_port: this.port,
      unix_socket_dir: '',
      pidfile: join(this.folder, pidFile),
      auth_type: 'scram-sha-256',
      auth_file: join(this.folder, 'users'),
      admin_users: name,
      pool_mode: poolMode,
      server_login_retry: 1, // 15 s would make each test of an outage wait
      ...settings,
    };
    const { hostname: host, port } = this.server;
    const ini = [
      `[databases]\n* = host=${host} port=${port}`,
      '[pgbouncer]',
      ...Object.entries(lines).map(([key, value]) => `${key} = ${value}`),
    ];
    const passwords = { [name]: decodeURIComponent(this.server.password), ...users };
    const list = Object.entries(passwords).map(([user, password]) => `"${user}" "${password}"`);
    await this.writeOwned('pgbouncer.ini', ini);
    await this.writeOwned('users', list);
  }

  private async writeOwned(file: string, lines: readonly string[]): Promise<void> {
    const path = join(this.folder, file);
    await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    await giveTo(this.owner, path);
  }

  private async waitUntilItAnswers(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    let lastError: unknown;
    while (Date.now() < deadline) {
      if (hasEnded(child)) throw new Error(`the process ended (${child.signalCode ?? child.exitCode})`);
      try {
        return await selectOne(this.url('postgres'));
      } catch (error) {
        lastError = error;
        await sleep(20);
      }
    }
    throw new Error(`no answer to "select 1" within ${startTimeoutMs} ms`, { cause: lastError });
  }

  async log(): Promise<string> {
    return (await readFile(this.logFile(), 'utf8')).split('\n').slice(-20).join('\n');
  }

  private logFile(): string {
    return join(this.folder, 'log');
  }

  stop(): Promise<void> {
    this.stopped ??= this.kill().then(async () => {
      await rm(this.folder, { recursive: true, force: true });
      this.dismissWatchdog();
    });
    return this.stopped;
  }
}

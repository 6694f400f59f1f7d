// The servers that the other tests stand on: each is the version it says, runs without root, and leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  chooseInstallations,
  type FoundInstallation,
  findInstallations,
  findInstallationsBetween,
  type Installation,
  isFound,
} from './installations.ts';
import { type RunningServer, startServer } from './server.ts';

const hasProc = existsSync('/proc/self/status');
// A start takes one to three seconds, and longer on a busy machine.
const timeout = 60_000;
const noProc = hasProc ? '' : ' (skipped: this system has no /proc)';

const between = chooseInstallations(findInstallationsBetween(), process.env.MYTX_TEST_SERVERS);
const missingBetween = between.flatMap((one) => (isFound(one) ? [] : [{ version: one.version, reason: one.missing }]));
for (const { version, reason } of [...inject('missingServers'), ...missingBetween]) {
  test.skip(`PostgreSQL ${version}: ${reason}`);
}

describe.each(inject('servers'))('PostgreSQL $version', ({ version, url }) => {
  let sql: Sql;
  beforeAll(() => {
    sql = postgres(url, { max: 1 });
  });
  afterAll(() => sql.end());

  test('is the version it says', async () => {
    const [row] = await sql`show server_version_num`;
    expect(Math.floor(Number(row?.server_version_num) / 10_000)).toBe(version);
  });

  test('lets the superuser in with a password, and nobody without', async () => {
    expect(await sql`select usesuper from pg_user where usename = current_user`).toEqual([{ usesuper: true }]);
    const withoutPassword = postgres(url, { max: 1, password: 'wrong' });
    await expect(withoutPassword`select 1`).rejects.toMatchObject({ code: '28P01' });
  });

  test('is set up for tests', async () => {
    const names = ['fsync', 'max_connections', 'server_encoding', 'shared_buffers', 'synchronous_commit', 'TimeZone'];
    const settings =
      await sql`select name, current_setting(name) from pg_settings where name in ${sql(names)}`.values();
    const [row] = await sql`select datcollate from pg_database where datname = 'postgres'`;
    expect({ ...Object.fromEntries(settings), ...row }).toEqual({
      fsync: 'off',
      max_connections: '200',
      server_encoding: 'UTF8',
      shared_buffers: '64MB',
      synchronous_commit: 'on',
      TimeZone: 'UTC',
      datcollate: 'C',
    });
  });

  test.skipIf(!hasProc)(`does not run as root${noProc}`, async () => {
    const [row] = await sql`select pg_backend_pid() as pid`;
    const ids = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${row?.pid}/status`, 'utf8'))?.[1]?.split('\t');
    expect(ids).toHaveLength(4);
    expect(ids).not.toContain('0');
  });

  test.skipIf(!hasProc)(`leaves no process and no folder when it is stopped${noProc}`, { timeout }, async () => {
    const server = await startServer(installationOf(version));
    const open = postgres(server.url('postgres'), { max: 1 });
    await open`select 1`;
    expect(processesIn(server.folder)).toContain(server.pid);
    await Promise.all([server.stop(), server.stop()]);
    expect(processesIn(server.folder)).toEqual([]);
    expect(existsSync(server.folder)).toBe(false);
    await open.end({ timeout: 0 });
  });
});

describe.each(inject('servers'))('PostgreSQL $version, killed and frozen', ({ version }) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(installationOf(version));
  }, timeout);
  afterAll(() => server.stop());

  test('comes back after SIGKILL on the same folder and port, with what was committed', { timeout }, async () => {
    const { pid, port } = server;
    const url = server.url('postgres');
    const client = postgres(url, { max: 1 });
    await client`create table kept (n integer)`;
    await client`insert into kept values (1)`;
    let killed: Promise<void> | undefined;
    const open = client.begin(async (sql) => {
      await sql`insert into kept values (2)`;
      killed = server.kill();
      await killed;
    });
    await expect(open).rejects.toMatchObject({ code: expect.stringMatching(/^(CONNECTION_|ECONN)/) });
    await killed; // the driver says that the connection is lost before every process is gone
    await client.end({ timeout: 0 });
    if (hasProc) expect(processesIn(server.folder)).toEqual([]);
    await server.restart();
    expect([server.port, server.url('postgres')]).toEqual([port, url]);
    expect(server.pid).not.toBe(pid);
    const after = postgres(url, { max: 1 });
    expect(await after`select n from kept`).toEqual([{ n: 1 }]);
    await after.end();
  });

  test('frozen, it takes connections and says nothing; then it answers what it was asked', { timeout }, async () => {
    const client = postgres(server.url('postgres'), { max: 1 });
    await client`select 1`;
    await server.freeze();
    let hasAnswered = false;
    const [old, fresh] = [client, postgres(server.url('postgres'), { max: 1 })].map((sql) =>
      sql`select 1 as one`.then((rows) => {
        hasAnswered = true;
        return [...rows];
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(hasAnswered).toBe(false);
    server.thaw();
    expect(await Promise.all([old, fresh])).toEqual([[{ one: 1 }], [{ one: 1 }]]);
    await client.end({ timeout: 0 });
  });

  test('stops while it is frozen', { timeout }, async () => {
    const other = await startServer(installationOf(version), { settings: { max_connections: '20' } });
    await other.freeze();
    await other.stop();
    expect(existsSync(other.folder)).toBe(false);
  });
});

// One version will do: the watchdog knows of no version, and each case starts a server.
describe.each(inject('servers').slice(0, 1))('PostgreSQL $version', ({ version }) => {
  test.skipIf(!hasProc).each([
    ['forgets it', ''],
    ['is killed', "process.kill(process.pid, 'SIGKILL')"],
    ['freezes it and is killed', "await server.freeze(); process.kill(process.pid, 'SIGKILL')"],
  ])(`does not outlive a process that %s${noProc}`, { timeout }, async (_, code) => {
    const folder = await startInProcessThatEnds(version, code);
    await expect.poll(() => [processesIn(folder), existsSync(folder)], { timeout: 10_000 }).toEqual([[], false]);
  });
});

describe('the choice of servers', () => {
  const here: Installation = { version: 15, binFolder: '/bin' };
  const missing: Installation = { version: 18, missing: 'not installed' };

  test.each([undefined, ''])('is every one where MYTX_TEST_SERVERS is %o', (wish) => {
    expect(chooseInstallations([here, missing], wish)).toEqual([here, missing]);
  });

  test('is by name', () => {
    const other: Installation = { version: 18, binFolder: '/bin' };
    const left = { version: 18, missing: 'not in MYTX_TEST_SERVERS=15' };
    expect(chooseInstallations([here, other], '15')).toEqual([here, left]);
    expect(chooseInstallations([here, other], '18, 15')).toEqual([here, other]);
  });

  test('passes over a known version that is none of those', () => {
    const left = { version: 15, missing: 'not in MYTX_TEST_SERVERS=16' };
    expect(chooseInstallations([here], '16')).toEqual([left]);
  });

  test('is none', () => {
    const left = { version: 15, missing: 'not in MYTX_TEST_SERVERS=none' };
    expect(chooseInstallations([here], 'none')).toEqual([left]);
  });

  test('fails for a version that was asked for and is not here, or not known', () => {
    expect(() => chooseInstallations([here, missing], '15,18')).toThrow(
      'MYTX_TEST_SERVERS=15,18 asks for PostgreSQL 18: not installed',
    );
    expect(() => chooseInstallations([here, missing], '9')).toThrow('Allowed: none, or a comma list of 15, 16, 17, 18');
  });
});

function installationOf(version: number): FoundInstallation {
  return findInstallations().find((one) => one.version === version) as FoundInstallation;
}

/** PostgreSQL's processes work in their data folder, whatever they call themselves. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingFolderOf(name).startsWith(folder))
    .map(Number);
}

function workingFolderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // it has ended, or is not ours
  }
}

async function startInProcessThatEnds(version: number, code: string): Promise<string> {
  const script = `
    import { startServer } from ${JSON.stringify(new URL('./server.ts', import.meta.url).href)};
    const server = await startServer(${JSON.stringify(installationOf(version))});
    process.stdout.write(server.folder, async () => { ${code} });
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let folder = '';
  child.stdout.on('data', (bytes) => {
    folder += bytes;
  });
  await once(child, 'close');
  expect(folder).toContain('mytx-postgres-');
  return folder;
}

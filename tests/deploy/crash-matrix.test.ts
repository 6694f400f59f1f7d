// A deploy is killed, its server is, its connection breaks, or its lock is not to be had: at each of its boundaries. The next
// run finishes it, and what is there then is what an undisturbed run leaves.

import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultProxy, startProxy } from '../proxy.ts';
import { chooseInstallations, findEveryInstallation, isFound } from '../servers/installations.ts';
import { type RunningServer, startServer } from '../servers/server.ts';
import { type CrashResult, catalogue, deployUntil, migrations, type StoppedDeploy } from './crash-points.ts';
import { journalFolder, removeFolders } from './own-database.ts';

/** In the long run every boundary on every version; else a third of them, on the newest. */
const installations = chooseInstallations(findEveryInstallation(), process.env.MYTX_TEST_SERVERS).filter(isFound);
const isLong = process.env.MYTX_LONG !== undefined;
const chosen = isLong ? installations : installations.slice(-1);

describe.each(chosen)('on PostgreSQL $version', (installation) => {
  let server: RunningServer;
  let proxy: FaultProxy;
  let migrationsFolder: string;
  let expected: string[];
  let points: number;
  const results: CrashResult[] = [];

  beforeAll(async () => {
    server = await startServer(installation);
    proxy = await startProxy({ target: server });
    migrationsFolder = journalFolder(migrations);
    const database = await newDatabase();
    const undisturbed = deployUntil(0, { url: direct(database), migrationsFolder });
    const { output } = await undisturbed.ended;
    points = Number(/done after (\d+)/.exec(output)?.[1]);
    expected = await look(database);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
    removeFolders();
  });

  const direct = (database: string): string => server.url(database);
  const throughProxy = (database: string): string =>
    server.url(database).replace(`:${server.port}/`, `:${proxy.port}/`);

  async function onServer<T>(database: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const sql = postgres(direct(database), { max: 1, onnotice: () => {} });
    return work(sql).finally(() => sql.end());
  }

  async function newDatabase(): Promise<string> {
    const name = `crash_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
    await onServer('postgres', (sql) => sql.unsafe(`create database ${name}`));
    return name;
  }

  const look = (database: string): Promise<string[]> =>
    onServer(database, async (sql) => (await sql.unsafe(catalogue)).map(({ line }) => line as string));

  interface Fault {
    name: string;
    strike(stopped: StoppedDeploy, database: string): Promise<void>;
  }

  const faults: Fault[] = [
    {
      name: 'the tool is killed with -9',
      strike: async ({ child }) => void child.kill('SIGKILL'),
    },
    {
      name: 'the server is killed with -9',
      async strike({ goOn }) {
        await server.kill();
        goOn();
      },
    },
    {
      name: 'the connections are cut',
      async strike({ goOn }) {
        proxy.resetAll();
        goOn();
      },
    },
    {
      name: 'a lock is not to be had',
      strike: ({ goOn }, database) =>
        onServer(database, async (sql) => {
          await sql.begin(async (within) => {
            const [there] = await within`select to_regclass('person') as person`;
            if (there?.person) await within`lock table person in share row exclusive mode`;
            goOn();
            await new Promise((resolve) => setTimeout(resolve, 400));
          });
        }),
    },
  ];

  test('an undisturbed run has enough boundaries, and leaves everything valid', () => {
    expect(points * faults.length).toBeGreaterThanOrEqual(60);
    expect(expected).toContain('rows 2001 n 2001 most 1');
    expect(expected.filter((line) => line.includes('valid false'))).toEqual([]);
    expect(expected).toContain('steps done 8');
  });

  test.each(faults)(
    '$name, at each boundary: the next run finishes, nothing is done twice',
    { timeout: 600_000 },
    async ({ name, strike }) => {
      for (let point = isLong ? 1 : 2; point <= points; point += isLong ? 1 : 3) {
        const database = await newDatabase();
        const stopped = deployUntil(point, {
          url: throughProxy(database),
          migrationsFolder,
          lockTimeoutMs: 100,
          lockRetryMs: 0,
        });
        const at = await stopped.stands;
        expect(at).toBeDefined();
        await strike(stopped, database);
        const { exitCode, output } = await stopped.ended;
        if (name.startsWith('the server')) await server.restart();
        const next = await deployUntil(0, { url: direct(database), migrationsFolder }).ended;
        expect(next.exitCode, `${name} at ${at}\n${output}\n${next.output}`).toBe(0);
        expect(await look(database), `${name} at ${at}`).toEqual(expected);
        results.push({
          fault: name,
          at: at as string,
          ended: exitCode === 0 ? 'done' : (/^[A-Z_]+(?=:)/m.exec(output)?.[0] ?? 'killed'),
        });
      }
    },
  );

  test.runIf(isLong)('what was found is written down', () => {
    expect(results).toHaveLength(points * faults.length);
    const folder = fileURLToPath(new URL('results', import.meta.url));
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/crash-matrix-${installation.version}.json`, `${JSON.stringify(results, undefined, 1)}\n`);
  });
});

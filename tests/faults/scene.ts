// Where a fault takes place: a server of its own, a proxy before it, a migrated database, and the database as an
// application opens it, by way of the proxy. Statements of the test itself go past the proxy.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { createDatabase, type DatabaseOptions } from '../../db/database.ts';
import { migrate } from '../../db/opening.ts';
import { type FaultProxy, startProxy } from '../proxy.ts';
import type { RunningPgBouncer } from '../servers/pgbouncer.ts';
import type { RunningReplica } from '../servers/replica.ts';
import type { RunningServer } from '../servers/server.ts';
import { deadlines } from './deadlines.ts';
import type { Random } from './plan.ts';
import { StallClock } from './stall-clock.ts';

export type OpenedDatabase = Awaited<ReturnType<typeof createDatabase>>;

export interface Scene {
  server: RunningServer;
  /** Between the application and what it connects to: the pooler where there is one, or the server. */
  proxy: FaultProxy;
  pooler?: RunningPgBouncer;
  replica?: RunningReplica;
  database: OpenedDatabase;
  poolSize: number;
  /** Users for callers that read more than they write, in each injection. */
  visitors: number;
  clock: StallClock;
  random: Random;
  /** The ledger of each injection. */
  ledgerFolder: string;
  /** Runs statements in a connection of their own, past the proxy. */
  direct<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Users to write for. */
  addUsers(count: number): Promise<string[]>;
  close(): Promise<void>;
}

export interface SceneOptions {
  poolSize?: number;
  /** A folder for the tables, in the place of the server's data folder. */
  tablespaceFolder?: string;
  visitors?: number;
  /** A pooler between the proxy and the server. */
  pooler?: RunningPgBouncer;
  /** A replica of the server, which the application may read. */
  replica?: RunningReplica;
  /** Options of the database beside, or in the place of, its URL and the short deadlines. */
  options?: DatabaseOptions;
}

export async function openScene(
  server: RunningServer,
  random: Random,
  { poolSize = 6, visitors = 0, tablespaceFolder, pooler, replica, options = {} }: SceneOptions = {},
): Promise<Scene> {
  const name = `faults_${randomUUID().replaceAll('-', '')}`;
  await connectTo(server.url('postgres'), async (sql) => {
    if (tablespaceFolder) await sql.unsafe(`create tablespace ${name} location '${tablespaceFolder}'`);
    await sql.unsafe(`create database ${name}${tablespaceFolder ? ` tablespace ${name}` : ''}`);
  });
  await migrate({ url: server.url(name) });
  await replica?.caughtUp();
  const proxy = await startProxy({ target: { host: server.host, port: (pooler ?? server).port } });
  const url = new URL(pooler ? `${pooler.url(name)}?pgbouncer=true` : server.url(name));
  url.port = String(proxy.port);
  const replicas = replica ? { replicaUrls: [replica.url(name)] } : {};
  const database = await createDatabase({ url: url.href, poolSize, deadlines, ...replicas, ...options });
  const clock = new StallClock();
  const ledgerFolder = mkdtempSync(join(tmpdir(), 'mytx-ledgers-'));
  const direct: Scene['direct'] = (work) => connectTo(server.url(name), work);
  return {
    server,
    proxy,
    ...(pooler ? { pooler } : {}),
    ...(replica ? { replica } : {}),
    database,
    poolSize,
    visitors,
    clock,
    random,
    ledgerFolder,
    direct,
    addUsers: (count) => direct((sql) => insertUsers(sql, count)),
    close: async () => {
      clock.stop();
      rmSync(ledgerFolder, { recursive: true });
      await database.close();
      await proxy.stop();
      await connectTo(server.url('postgres'), async (sql) => {
        await sql.unsafe(`drop database ${name} with (force)`);
        if (tablespaceFolder) await sql.unsafe(`drop tablespace ${name}`);
      });
    },
  };
}

async function connectTo<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function insertUsers(sql: postgres.Sql, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) await sql`insert into "User" (id, email) values (${id}, ${`${id.slice(0, 30)}@example.com`})`;
  return ids;
}

// What faults once found (tests/faults), each alone: sessions that nobody ended, storms of connections, calls that
// waited beyond their deadline.

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type DatabaseOptions } from '../../db/database.ts';
import type { MytxError } from '../../db/errors.ts';
import { db, transaction, withDeadline } from '../../db/queries.ts';
import { type FaultProxy, startProxy } from '../proxy.ts';
import { isEmbedded, newDatabase } from './test-database.ts';

describe.skipIf(isEmbedded)('a network that breaks (the embedded database has none)', () => {
  type Opened = Awaited<ReturnType<typeof createDatabase>>;
  let proxy: FaultProxy;
  let directUrl: string;
  const opened: Opened[] = [];

  beforeEach(async () => {
    directUrl = (await newDatabase()).url ?? '';
    const { hostname, port } = new URL(directUrl);
    proxy = await startProxy({ target: { host: hostname, port: Number(port) } });
  });
  afterEach(async () => {
    await proxy.stop();
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });

  async function open(options: DatabaseOptions): Promise<Opened> {
    const url = Object.assign(new URL(directUrl), { port: String(proxy.port) }).href;
    const database = await createDatabase({ ...options, url });
    opened.push(database);
    return database;
  }

  async function openDirect(): Promise<Opened> {
    const database = await createDatabase({ url: directUrl, poolSize: 1 });
    opened.push(database);
    return database;
  }

  const backend = async (): Promise<unknown> => (await db.execute(sql`select pg_backend_pid() as pid`))[0]?.pid;
  const blackHole = { kind: 'black-hole', directions: ['to-server', 'to-client'] } as const;

  async function failureOf(call: () => Promise<unknown>): Promise<{ code: string; afterMs: number }> {
    const startMs = performance.now();
    const error = await call().then(
      () => undefined,
      (reason: MytxError) => reason,
    );
    return { code: error?.code ?? 'none', afterMs: performance.now() - startMs };
  }

  test('a session whose caller gave up while it was opened is not left behind on the server', async () => {
    const database = await open({ poolSize: 2 });
    proxy.setNetwork({ kind: 'close-at-start' });
    proxy.dropAll();
    await sleep(20);
    await database.run(async () => {
      await Promise.all([failureOf(backend), failureOf(backend)]);
      // While the dialer pauses: these are dropped in its line.
      for (let i = 0; i < 6; i += 1) await failureOf(() => withDeadline({ timeoutMs: 20 }, backend));
      proxy.setNetwork(undefined);
      await Promise.all([backend(), backend()]);
    });
    await sleep(2000);
    const direct = await openDirect();
    const sessions = await direct.run(() =>
      db.execute(sql`select pid from pg_stat_activity
        where datname = current_database() and application_name = 'mytx-ai' and pid <> pg_backend_pid()`),
    );
    expect(sessions.length).toBeLessThanOrEqual(2);
  });

  test('a server that takes connections and says nothing: a call has its connection within connectTimeoutMs, or ends', async () => {
    const database = await open({ poolSize: 8, deadlines: { connectTimeoutMs: 1000, statementTimeoutMs: 20_000 } });
    proxy.setNetwork(blackHole);
    proxy.resetAll();
    await sleep(50);
    await database.run(async () => {
      for (const { code, afterMs } of await Promise.all(Array.from({ length: 8 }, () => failureOf(backend)))) {
        expect(code).toBe('UNREACHABLE');
        expect(afterMs).toBeLessThan(1000 * 1.1 + 250);
      }
    });
  });

  test('where cancel requests disappear too, a statement ends with its deadline and the grace, once', async () => {
    const database = await open({ poolSize: 1, deadlines: { statementTimeoutMs: 1500 } });
    await database.run(async () => {
      await backend();
      proxy.setNetwork(blackHole);
      const { code, afterMs } = await failureOf(backend);
      expect(code).toBe('DEADLINE_EXCEEDED');
      expect(afterMs).toBeLessThan(1500 * 1.1 + 40); // it was 1,740
    });
  });

  test('a rollback that the server does not answer does not hold up a caller whose time is over', async () => {
    const database = await open({ poolSize: 1, deadlines: { statementTimeoutMs: 20_000 } });
    await database.run(async () => {
      await backend();
      const { code, afterMs } = await failureOf(() =>
        withDeadline({ timeoutMs: 500 }, () =>
          transaction(async () => {
            await backend();
            proxy.setNetwork(blackHole);
            await sleep(600);
            await backend();
          }),
        ),
      );
      expect(code).toBe('DEADLINE_EXCEEDED');
      expect(afterMs).toBeLessThan(1100); // it was 21,000
    });
  });

  test('connections that answer once and break are opened ever more rarely, and the next call works', {
    timeout: 30_000,
  }, async () => {
    const database = await open({ poolSize: 6 });
    await database.run(async () => {
      await backend();
      const before = proxy.acceptedAtMs.length;
      proxy.setNetwork({ kind: 'cut', direction: 'to-client', afterBytes: 700 });
      const untilMs = performance.now() + 5000;
      const callers = Array.from({ length: 6 }, async () => {
        while (performance.now() < untilMs) {
          await failureOf(backend);
          await sleep(5);
        }
      });
      await Promise.all(callers);
      expect(proxy.acceptedAtMs.length - before).toBeLessThanOrEqual(15); // it was 500
      proxy.setNetwork(undefined);
      expect(await backend()).toEqual(expect.any(Number));
    });
  });

  test('a full disk refuses a statement, and its session goes on', async () => {
    const database = await openDirect();
    await database.run(async () => {
      const before = await backend();
      const full = db.execute(sql`do $$ begin raise exception 'no space' using errcode = '53100'; end $$`);
      await expect(full).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
        message: expect.stringContaining('disk of the server is full'),
        details: { sqlState: '53100' },
      });
      expect(await backend()).toBe(before);
    });
  });
});

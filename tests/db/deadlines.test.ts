// Nothing waits for ever: statements, connections, the line for a connection, a transaction that stands still.

import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import { createDatabase, type DatabaseOptions } from '../../db/database.ts';
import type { ConnectionError } from '../../db/errors.ts';
import { addTask, checkHealth, db, getTasksByUserId, transaction, withDeadline } from '../../db/queries.ts';
import { isEmbedded, newDatabase, newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

type Opened = Awaited<ReturnType<typeof createDatabase>>;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function openOther(options: DatabaseOptions): Promise<Opened> {
  const other = await createDatabase({ ...(await newDatabase()), ...options });
  cleanUps.push(() => other.close());
  return other;
}

async function failureOf(call: () => Promise<unknown>): Promise<{ error: ConnectionError; afterMs: number }> {
  const startMs = performance.now();
  const error = await call().then(
    () => undefined,
    (reason: ConnectionError) => reason,
  );
  expect(error).toBeDefined();
  return { error: error as ConnectionError, afterMs: performance.now() - startMs };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function sleepOnServer(seconds: number): Promise<void> {
  await db.execute(sql`select pg_sleep(${seconds}::float8)`);
}

test('a deadline that has passed sends nothing more, on both engines', async () => {
  const userId = await newUser();
  const { error } = await failureOf(() =>
    withDeadline({ timeoutMs: 400 }, async () => {
      await addTask({ userId, description: 'in time' });
      await pause(500);
      await addTask({ userId, description: 'too late' });
    }),
  );
  expect(error.code).toBe('DEADLINE_EXCEEDED');
  expect((await getTasksByUserId({ userId })).map(({ description }) => description)).toEqual(['in time']);
});

test('an aborted signal sends nothing more', async () => {
  const { error } = await failureOf(() => withDeadline({ signal: AbortSignal.abort() }, () => sleepOnServer(0)));
  expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { expiry: 'signal' } });
});

test('a transaction whose deadline passes before its commit is rolled back, and its connection is good again', async () => {
  const userId = await newUser();
  const { error } = await failureOf(() =>
    withDeadline({ timeoutMs: 400 }, () =>
      transaction(async () => {
        await addTask({ userId, description: 'x' });
        await pause(500);
      }),
    ),
  );
  expect(error.code).toBe('DEADLINE_EXCEEDED');
  expect(await getTasksByUserId({ userId })).toEqual([]);
});

test('a deadline must be a whole number of milliseconds', async () => {
  for (const timeoutMs of [0, -1, Number.NaN, 1.5, 1e12]) {
    const { error } = await failureOf(() => withDeadline({ timeoutMs }, async () => {}));
    expect(error.code).toBe('INVALID_LIMIT');
  }
});

test('the health of a database that answers', async () => {
  const health = await checkHealth();
  expect(health).toMatchObject({ isHealthy: true, pool: { waiting: 0, oldestWaitMs: 0, refused: 0 } });
  expect(health.engine).toBe(isEmbedded ? 'embedded' : 'server');
});

describe.skipIf(isEmbedded)(
  'on a server (the embedded database can’t interrupt a statement, and has no network)',
  () => {
    test('a statement over its time is canceled on the server, and the next one runs', async () => {
      const other = await openOther({ poolSize: 1, deadlines: { statementTimeoutMs: 300 } });
      await other.run(async () => {
        const { error, afterMs } = await failureOf(() => sleepOnServer(10));
        expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
        expect(afterMs).toBeGreaterThanOrEqual(295);
        expect(afterMs).toBeLessThan(300 * 1.1 + 250); // the machine's own hiccups beside the 10 %
        await expect
          .poll(
            () =>
              db.execute(sql`select pid from pg_stat_activity where query like 'select pg_sleep(%'
            and state = 'active' and datname = current_database()`),
            { timeout: 2000 },
          )
          .toEqual([]);
      });
    });

    test('the server takes every cancel request, whatever the secret of its session', async () => {
      // It has 32 random bits, of which the first once made the request fail: twelve sessions meet it for sure.
      for (let i = 0; i < 12; i += 1) {
        const other = await openOther({ poolSize: 1 });
        const { error } = await failureOf(() =>
          other.run(() => withDeadline({ timeoutMs: 100 }, () => sleepOnServer(5))),
        );
        expect(error.message).toContain('the statement was canceled');
        await other.close();
      }
    });

    test('withDeadline cancels what is running, by time and by signal', async () => {
      expect((await failureOf(() => withDeadline({ timeoutMs: 200 }, () => sleepOnServer(10)))).error.code).toBe(
        'DEADLINE_EXCEEDED',
      );
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const { error, afterMs } = await failureOf(() =>
        withDeadline({ signal: controller.signal }, () => sleepOnServer(10)),
      );
      expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { expiry: 'signal' } });
      expect(afterMs).toBeLessThan(1500);
    });

    test('a cancel request never hits the next statement of the connection', async () => {
      const other = await openOther({ poolSize: 1 });
      await other.run(async () => {
        for (let i = 0; i < 40; i += 1) {
          await withDeadline({ timeoutMs: 1 + (i % 4) }, () => sleepOnServer(0.002)).catch(() => {});
          expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
        }
      });
    });

    test('a backend that does not answer: a read ends at its deadline, a write is OUTCOME_UNKNOWN, the next call works', async () => {
      const other = await openOther({ poolSize: 1, deadlines: { statementTimeoutMs: 400 } });
      await other.run(async () => {
        const userId = await newUser();
        for (const [call, code] of [
          [() => getTasksByUserId({ userId }), 'DEADLINE_EXCEEDED'],
          [() => addTask({ userId, description: 'x' }), 'OUTCOME_UNKNOWN'],
        ] as const) {
          const thaw = await freezeBackend();
          const { error, afterMs } = await failureOf(call);
          expect(error.code).toBe(code);
          expect(afterMs).toBeLessThan(400 * 1.1 + 250);
          expect(await getTasksByUserId({ userId })).toEqual([]);
          thaw();
        }
      });
    });

    test('a transaction that stands still is ended by the server', async () => {
      const other = await openOther({ deadlines: { idleInTransactionMs: 200 } });
      await other.run(async () => {
        const userId = await newUser();
        const { error } = await failureOf(() =>
          transaction(async () => {
            await addTask({ userId, description: 'x' });
            await pause(600);
            await addTask({ userId, description: 'y' });
          }),
        );
        expect(error.code).toBe('CONNECTION_LOST');
        expect(await getTasksByUserId({ userId })).toEqual([]);
      });
    });

    test('the line for a connection has a bound in length and in time', async () => {
      const other = await openOther({ poolSize: 1, maxWaiting: 3, deadlines: { poolWaitMs: 200 } });
      await other.run(async () => {
        const busy = sleepOnServer(0.6);
        await pause(20);
        const waiting = Array.from({ length: 3 }, () => failureOf(() => sleepOnServer(0)));
        const beyond = await failureOf(() => sleepOnServer(0));
        expect(beyond.error).toMatchObject({ code: 'POOL_EXHAUSTED', details: { waiting: 3, size: 1 } });
        expect(beyond.afterMs).toBeLessThan(50);
        for (const { error, afterMs } of await Promise.all(waiting)) {
          expect(error.code).toBe('POOL_EXHAUSTED');
          expect(afterMs).toBeGreaterThanOrEqual(195);
        }
        await busy;
        await sleepOnServer(0);
        expect((await checkHealth()).pool).toMatchObject({ refused: 4, waiting: 0 });
      });
    });

    const faults: [string, (socket: Socket) => void][] = [
      ['closes every connection at once', (socket) => socket.end()],
      ['accepts and never says a word', () => {}],
      ['resets every connection', (socket) => socket.resetAndDestroy()],
    ];
    test.each(faults)(
      'a server that %s: at most 20 connections in 10 s, every call settles, the next one works (porsager/postgres#1193)',
      { timeout: 60_000 },
      async (_title, fault) => {
        const { url = '' } = await newDatabase();
        const relay = await startRelay(new URL(url));
        const other = await createDatabase({
          url: Object.assign(new URL(url), { port: String(relay.port) }).href,
          deadlines: { connectTimeoutMs: 2500, statementTimeoutMs: 5000 },
        });
        cleanUps.push(() => other.close());
        await other.run(async () => {
          await Promise.all(Array.from({ length: 10 }, () => sleepOnServer(0.05)));
          relay.breakWith(fault);
          const codes = new Set<string>();
          let slowestMs = 0;
          const endMs = performance.now() + 10_000;
          await Promise.all(
            Array.from({ length: 16 }, async () => {
              while (performance.now() < endMs) {
                const { error, afterMs } = await failureOf(() => getTasksByUserId({ userId: randomUUID() }));
                codes.add(error.code);
                slowestMs = Math.max(slowestMs, afterMs);
              }
            }),
          );
          expect(relay.connectionsWhileBroken()).toBeLessThanOrEqual(20);
          for (const code of codes) expect(['UNREACHABLE', 'CONNECTION_LOST', 'DEADLINE_EXCEEDED']).toContain(code);
          expect(slowestMs).toBeLessThan(5000 * 1.1 + 500);
          relay.heal();
          expect(await getTasksByUserId({ userId: randomUUID() })).toEqual([]);
        });
      },
    );
  },
);

interface Relay {
  port: number;
  /** Breaks every connection there is, and treats new ones so. */
  breakWith(fault: (socket: Socket) => void): void;
  heal(): void;
  connectionsWhileBroken(): number;
}

/** Passes bytes on to a server, until it is told to behave as a broken one. */
async function startRelay(target: URL): Promise<Relay> {
  let fault: ((socket: Socket) => void) | undefined;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    if (fault) {
      connections += 1;
      fault(socket.resume());
      return;
    }
    const upstream = connect(Number(target.port), target.hostname).on('error', () => {});
    socket.pipe(upstream).pipe(socket);
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  cleanUps.push(() => {
    destroyAll();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    breakWith: (next) => {
      fault = next;
      destroyAll();
    },
    heal: () => {
      fault = undefined;
      destroyAll();
    },
    connectionsWhileBroken: () => connections,
  };
}

/** Stops the one backend of the running code's pool with SIGSTOP. @returns lets it go on */
async function freezeBackend(): Promise<() => void> {
  const [row] = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
  const pid = row?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  const thaw = (): void => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // it is gone
    }
  };
  cleanUps.push(thaw);
  return thaw;
}

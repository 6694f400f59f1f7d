// Reads that replicas answer, against real streaming replicas: who reads where, that nobody misses what they wrote, and
// that a replica that fails, lags or is none at all is never the reason of a failure.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeDatabase, createDatabase, type DatabaseOptions, openDatabase } from '../../../db/database.ts';
import { migrate } from '../../../db/opening.ts';
import {
  getProtocolById,
  getProtocolsByUserId,
  listProtocols,
  listProtocolVersions,
  saveProtocol,
} from '../../../db/protocol-queries.ts';
import {
  addTask,
  appendMessages,
  checkHealth,
  createApiKeyRecord,
  createUser,
  db,
  deleteChatById,
  findMemoriesByContent,
  findValidApiKey,
  getApiKeysByUserId,
  getChatById,
  getChatsByUserId,
  getMemoriesByUserId,
  getReservationById,
  getTasksByUserId,
  getUser,
  issueApiKey,
  listApiKeys,
  listChats,
  listMemories,
  listMessages,
  listTasks,
  revokeApiKey,
  saveChat,
  saveMemory,
  searchMemories,
  searchMessages,
  transaction,
  updateApiKeyLastUsed,
  updateTask,
  verifyApiKey,
  withDeadline,
  withPrimary,
} from '../../../db/queries.ts';
import { startProxy } from '../../proxy.ts';
import { chooseInstallations, findInstallations, isFound } from '../../servers/installations.ts';
import { findPgBouncer, startPgBouncer } from '../../servers/pgbouncer.ts';
import { type RunningReplica, startReplica } from '../../servers/replica.ts';
import { type RunningServer, startServer } from '../../servers/server.ts';

const pgBouncer = findPgBouncer();
const noPgBouncer = 'missing' in pgBouncer ? ` (skipped: ${pgBouncer.missing})` : '';
const installations = chooseInstallations(findInstallations(), process.env.MYTX_TEST_SERVERS).filter(isFound);
const message = { role: 'user', content: 'Where is my bag?' };

describe.each(installations)('PostgreSQL $version', (installation) => {
  let primary: RunningServer;
  let replica: RunningReplica;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  /** Where each statement ran. */
  let ran: { statement: string; target: string }[];
  let primaryTarget: string;
  let replicaTarget: string;

  beforeAll(async () => {
    primary = await startServer(installation);
    await migrate({ url: primary.url('postgres') });
    replica = await startReplica(installation, primary);
    await replica.caughtUp();
    primaryTarget = `127.0.0.1:${primary.port}/postgres`;
    replicaTarget = `127.0.0.1:${replica.port}/postgres`;
  });
  afterAll(async () => {
    await replica?.stop();
    await primary?.stop();
  });
  beforeEach(() => {
    ran = [];
    return async (): Promise<void> => {
      await replica.resume();
      await database?.close();
    };
  });

  async function open(options: DatabaseOptions = {}): Promise<void> {
    database = await createDatabase({
      url: primary.url('postgres'),
      replicaUrls: [replica.url('postgres')],
      replicas: { maxLagMs: 60_000 },
      logger: ({ statement, target }) => ran.push({ statement, target }),
      ...options,
    });
  }

  /** Where the statements of `work` that touch our tables ran. */
  async function targetsOf(work: () => Promise<unknown>): Promise<string[]> {
    ran.length = 0;
    await work();
    return [...new Set(ran.filter(({ statement }) => statement.includes('"')).map(({ target }) => target))];
  }

  const newUser = async (): Promise<string> => {
    const [user] = await createUser(`${randomUUID().slice(0, 30)}@example.com`, 'a long pass phrase');
    return user?.id as string;
  };

  /** Waits until the replica is known to have everything that was written so far. */
  async function settled(): Promise<void> {
    await replica.caughtUp();
    await checkHealth();
    expect((await checkHealth()).replicas).toMatchObject([{ target: replicaTarget, isUsable: true }]);
  }

  test('lists and loads of a user’s rows are answered by a replica, everything else by the primary', async () => {
    await open();
    await database.run(async () => {
      const userId = await newUser();
      const chatId = randomUUID();
      await saveChat({ id: chatId, userId, messages: [message] });
      const [protocol] = await saveProtocol({ userId, name: 'Evening', parts: [{ content: 'Breathe out.' }] });
      const protocolId = protocol?.id as string;
      const [task] = await addTask({ userId, description: 'Pack' });
      await settled();

      const reads: Record<string, () => Promise<unknown>> = {
        listChats: () => listChats({ userId }),
        getChatsByUserId: () => getChatsByUserId({ id: userId }),
        'getChatById with a user': () => getChatById({ id: chatId, userId }),
        listMessages: () => listMessages({ chatId, userId }),
        listTasks: () => listTasks({ userId }),
        getTasksByUserId: () => getTasksByUserId({ userId }),
        listMemories: () => listMemories({ userId }),
        getMemoriesByUserId: () => getMemoriesByUserId({ userId }),
        findMemoriesByContent: () => findMemoriesByContent({ userId, contentQuery: 'x' }),
        searchMessages: () => searchMessages({ userId, query: 'bag' }),
        searchMemories: () => searchMemories({ userId, query: 'bag' }),
        listProtocols: () => listProtocols({ userId }),
        getProtocolsByUserId: () => getProtocolsByUserId({ userId }),
        getProtocolById: () => getProtocolById({ id: protocolId, userId }),
        listProtocolVersions: () => listProtocolVersions({ id: protocolId, userId }),
        'getReservationById with a user': () => getReservationById({ id: randomUUID(), userId }),
        getApiKeysByUserId: () => getApiKeysByUserId(userId),
      };
      for (const [name, read] of Object.entries(reads))
        expect([name, await targetsOf(read)]).toEqual([name, [replicaTarget]]);

      const others: Record<string, () => Promise<unknown>> = {
        'getChatById without a user': () => getChatById({ id: chatId }),
        'getReservationById without a user': () => getReservationById({ id: randomUUID() }),
        getUser: () => getUser('nobody@example.com'),
        'a key check': () => findValidApiKey('a key'),
        'a read in a transaction': () => transaction(() => listTasks({ userId })),
        withPrimary: () => withPrimary(() => listTasks({ userId })),
        'a query of one’s own': () => db.query.tasks.findMany(),
        'a write, with what it reads': () => addTask({ userId, description: 'Pack', id: task?.id as string }),
      };
      for (const [name, work] of Object.entries(others))
        expect([name, await targetsOf(work)]).toEqual([name, [primaryTarget]]);
    });
  });

  test('who wrote reads the primary until the replica has it; others go on reading the replica', async () => {
    await open();
    await database.run(async () => {
      const [dana, eve] = [await newUser(), await newUser()];
      await settled();
      await replica.pause();
      const [task] = await addTask({ userId: dana, description: 'Pack' });
      expect(await targetsOf(async () => expect(await getTasksByUserId({ userId: dana })).toHaveLength(1))).toEqual([
        primaryTarget,
      ]);
      expect(await targetsOf(() => listTasks({ userId: eve }))).toEqual([replicaTarget]);
      await updateTask({ id: task?.id as string, userId: eve, status: 'completed' }); // not hers, and yet a write of hers
      expect(await targetsOf(() => listTasks({ userId: eve }))).toEqual([primaryTarget]);

      await replica.resume();
      await settled();
      for (const userId of [dana, eve]) expect(await targetsOf(() => listTasks({ userId }))).toEqual([replicaTarget]);
      expect(await getTasksByUserId({ userId: dana })).toHaveLength(1);
    });
  });

  test('a check of a key is the primary’s, and keeps nobody from reading a replica', async () => {
    await open();
    await database.run(async () => {
      const dana = await newUser();
      const { key, record } = await issueApiKey({ userId: dana, name: 'Laptop' });
      await settled();
      await replica.pause();
      expect(await targetsOf(() => verifyApiKey(key))).toEqual([primaryTarget]);
      expect(await targetsOf(() => listTasks({ userId: dana }))).toEqual([replicaTarget]);
      await revokeApiKey({ id: record.id, userId: dana });
      expect(await targetsOf(() => listApiKeys({ userId: dana }))).toEqual([primaryTarget]);
      expect(await verifyApiKey(key)).toMatchObject({ reason: 'revoked' });
      await replica.resume();
    });
  });

  test('a write by a row’s id alone is its user’s; one that nobody knows the user of is everybody’s', async () => {
    await open();
    await database.run(async () => {
      const [dana, eve] = [await newUser(), await newUser()];
      const chatId = randomUUID();
      await saveChat({ id: chatId, userId: dana, messages: [message] });
      const [key] = await createApiKeyRecord({ userId: dana, hashedKey: `$2b$10$${randomUUID()}`, name: 'k' });
      const readers = async (): Promise<(string | undefined)[]> =>
        Promise.all([dana, eve].map(async (userId) => (await targetsOf(() => listChats({ userId })))[0]));
      for (const write of [() => deleteChatById({ id: chatId }), () => updateApiKeyLastUsed(key?.id as string)]) {
        await settled();
        await replica.pause();
        await write();
        expect((await targetsOf(() => listChats({ userId: dana })))[0]).toBe(primaryTarget);
        expect((await targetsOf(() => listChats({ userId: eve })))[0]).toBe(replicaTarget);
        await replica.resume();
      }
      await settled();
      await replica.pause();
      await db.execute(sql`update "Task" set description = description where false`);
      expect(new Set(await readers())).toEqual(new Set([primaryTarget]));
    });
  });

  test('a transaction counts for each user it wrote for, from its commit on', async () => {
    await open();
    await database.run(async () => {
      const [dana, eve, finn] = [await newUser(), await newUser(), await newUser()];
      await settled();
      await replica.pause();
      await transaction(async () => {
        await saveMemory({ userId: dana, content: 'Prefers window seats' });
        await transaction(() => addTask({ userId: eve, description: 'Pack' }));
        expect((await listTasks({ userId: eve })).items).toHaveLength(1);
      });
      const fail = transaction(async () => {
        await addTask({ userId: finn, description: 'never' });
        throw new Error('rolled back');
      });
      await expect(fail).rejects.toThrow('rolled back');
      expect(await targetsOf(() => listMemories({ userId: dana }))).toEqual([primaryTarget]);
      expect(await targetsOf(() => listTasks({ userId: eve }))).toEqual([primaryTarget]);
      expect(await targetsOf(() => listTasks({ userId: finn }))).toEqual([replicaTarget]);
    });
  });

  test('a replica that is too far behind is not used, and used again when it has caught up', async () => {
    await open({ replicas: { maxLagMs: 400 } });
    await database.run(async () => {
      const userId = await newUser();
      const other = await newUser();
      await settled();
      await replica.pause();
      await addTask({ userId: other, description: 'what the replica lacks' });
      await expect.poll(() => targetsOf(() => listTasks({ userId }))).toEqual([primaryTarget]);
      const [{ isUsable, problem, lagMs } = {}] = (await checkHealth()).replicas ?? [];
      expect({ isUsable, problem }).toEqual({ isUsable: false, problem: 'too far behind' });
      expect(lagMs).toBeGreaterThan(400);
      await replica.resume();
      await expect.poll(() => targetsOf(() => listTasks({ userId }))).toEqual([replicaTarget]);
    });
  });

  test('a replica that goes away costs no error, and is used again when it is back', async () => {
    const proxy = await startProxy({ target: { host: '127.0.0.1', port: replica.port } });
    const url = Object.assign(new URL(replica.url('postgres')), { port: String(proxy.port) }).href;
    const throughProxy = `127.0.0.1:${proxy.port}/postgres`;
    await open({ replicaUrls: [url] });
    await database.run(async () => {
      const userId = await newUser();
      await replica.caughtUp();
      await expect.poll(() => targetsOf(() => listTasks({ userId }))).toEqual([throughProxy]);
      await proxy.refuseNew(true);
      proxy.dropAll();
      for (let i = 0; i < 20; i += 1) expect(await listTasks({ userId })).toEqual({ items: [], nextCursor: null });
      const health = await checkHealth();
      expect(health.isHealthy).toBe(true);
      expect(health.replicas).toMatchObject([{ isUsable: false, problem: expect.stringMatching(/UNREACHABLE|LOST/) }]);
      await proxy.refuseNew(false);
      await expect.poll(() => targetsOf(() => listTasks({ userId })), { timeout: 10_000 }).toEqual([throughProxy]);
    });
    await proxy.stop();
  });

  test('a replica that was killed and comes back with older rows than it had shown is not believed', async () => {
    await open({ replicas: { maxLagMs: 600_000 } });
    await database.run(async () => {
      const userId = await newUser();
      await settled();
      for (const { url } of [primary, replica]) {
        const superuser = postgres(url('postgres'), { max: 1 });
        await superuser`checkpoint`; // to here it will come back, behind a place that is known
        await replica.caughtUp();
        await superuser.end();
      }
      await addTask({ userId, description: 'Pack' });
      await settled();
      expect(await targetsOf(() => listTasks({ userId }))).toEqual([replicaTarget]);
      await replica.delayBy(3_600_000);
      await replica.kill();
      await replica.restart();
      const direct = postgres(replica.url('postgres'), { max: 1 });
      expect(await direct`select 1 from "Task" where user_id = ${userId}`).toEqual([]);
      await direct.end();
      for (let i = 0; i < 30; i += 1) {
        expect((await listTasks({ userId })).items).toHaveLength(1);
        await sleep(10);
      }
      await replica.delayBy(0);
      await replica.caughtUp();
      await expect.poll(() => targetsOf(() => listTasks({ userId }))).toEqual([replicaTarget]);
    });
  });

  test.skipIf('missing' in pgBouncer)(`a replica behind a pooler is never read${noPgBouncer}`, async () => {
    const pooler = await startPgBouncer({
      serverUrl: replica.url('postgres'),
      settings: {
        ignore_startup_parameters: 'extra_float_digits,statement_timeout,idle_in_transaction_session_timeout',
      },
    });
    try {
      await expect(open({ replicaUrls: [`${pooler.url('postgres')}?pgbouncer=true`] })).rejects.toMatchObject({
        code: 'INVALID_URL',
        message: 'replica 1 of POSTGRES_REPLICA_URLS: the URL says pgbouncer=true',
      });
      await open({ replicaUrls: [pooler.url('postgres')] });
      await database.run(async () => {
        const userId = await newUser();
        for (let i = 0; i < 5; i += 1) expect(await targetsOf(() => listTasks({ userId }))).toEqual([primaryTarget]);
        await checkHealth();
        expect((await checkHealth()).replicas).toMatchObject([{ isUsable: false, problem: 'behind a pooler' }]);
      });
    } finally {
      await pooler.stop();
    }
  });

  test('a read that a replica does not answer in time is answered by the primary', async () => {
    await open({ replicas: { timeoutMs: 200 } });
    await database.run(async () => {
      const userId = await newUser();
      await settled();
      // A lock that the replica takes over from the log; nobody but the replica's readers waits for it.
      const blocker = postgres(primary.url('postgres'), { max: 1, onnotice: () => {} });
      await blocker.unsafe('begin; lock table "Task" in access exclusive mode');
      await replica.caughtUp();
      const reading = listTasks({ userId });
      await sleep(400);
      await blocker.unsafe('commit');
      await blocker.end();
      expect((await reading).items).toEqual([]);
      expect(ran.filter(({ statement }) => statement.includes('"Task"')).at(-1)?.target).toBe(primaryTarget);
    });
  });

  test('a caller’s deadline holds for both together', async () => {
    await open({ replicas: { timeoutMs: 5000 } });
    await database.run(async () => {
      const userId = await newUser();
      await settled();
      const blocker = postgres(primary.url('postgres'), { max: 1, onnotice: () => {} });
      await blocker.unsafe('begin; lock table "Task" in access exclusive mode');
      await replica.caughtUp();
      const startMs = performance.now();
      await expect(withDeadline({ timeoutMs: 300 }, () => listTasks({ userId }))).rejects.toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      });
      expect(performance.now() - startMs).toBeLessThan(1000);
      await blocker.unsafe('commit');
      await blocker.end();
    });
  });

  test('what is no replica of this database is never read', async () => {
    const sqlClient = postgres(primary.url('postgres'), { max: 1, onnotice: () => {} });
    await sqlClient.unsafe('create database another');
    await sqlClient.end();
    await replica.caughtUp();
    await open({ replicaUrls: [primary.url('postgres'), replica.url('another')] });
    await database.run(async () => {
      const userId = await newUser();
      for (let i = 0; i < 5; i += 1) expect(await targetsOf(() => listTasks({ userId }))).toEqual([primaryTarget]);
      await checkHealth();
      const problem = 'not a replica of this database';
      expect((await checkHealth()).replicas).toMatchObject([
        { isUsable: false, problem },
        { isUsable: false, problem },
      ]);
    });
  });

  test('POSTGRES_REPLICA_URLS lists the replicas of POSTGRES_URL, and of no other server', async () => {
    vi.stubEnv('POSTGRES_URL', primary.url('postgres'));
    vi.stubEnv('POSTGRES_REPLICA_URLS', ` ${replica.url('postgres')},\n${replica.url('postgres')} `);
    const replicasOf = async (options?: DatabaseOptions): Promise<unknown> => {
      await openDatabase(options);
      const { replicas } = await checkHealth();
      await closeDatabase();
      return replicas?.map(({ target }) => target);
    };
    expect(await replicasOf()).toEqual([replicaTarget, replicaTarget]);
    expect(await replicasOf({ url: primary.url('postgres') })).toEqual([replicaTarget, replicaTarget]);
    expect(await replicasOf({ replicaUrls: [] })).toBeUndefined();
    expect(await replicasOf({ url: `${primary.url('postgres')}?application_name=other` })).toBeUndefined();
    vi.unstubAllEnvs();
  });

  test('a wrong URL is named by its number, and never printed', async () => {
    await open();
    const wrong = createDatabase({
      url: primary.url('postgres'),
      replicaUrls: [replica.url('postgres'), 'postgres://dana:secret@host/db?sslmod=require'],
    });
    await expect(wrong).rejects.toMatchObject({
      code: 'INVALID_URL',
      message: expect.stringMatching(/^replica 2 of POSTGRES_REPLICA_URLS: .*"sslmod"/),
      details: { replica: 2 },
    });
    await expect(wrong).rejects.not.toThrow('secret');
  });

  test('twenty users who write and read at once never miss what they wrote, with a replica that stops and starts', async () => {
    await open({ poolSize: 4, replicas: { maxLagMs: 60_000 } });
    await database.run(async () => {
      const users = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const userId = await newUser();
          const chatId = randomUUID();
          await saveChat({ id: chatId, userId, messages: [] });
          return { userId, chatId };
        }),
      );
      await settled();
      ran.length = 0;
      let isOver = false;
      const restless = (async (): Promise<void> => {
        while (!isOver) {
          await replica.pause();
          await sleep(150);
          await replica.resume();
          await sleep(250);
        }
      })();
      const endMs = performance.now() + 6000;
      let stale = 0;
      const live = async ({ userId, chatId }: { userId: string; chatId: string }): Promise<void> => {
        for (let written = 1; performance.now() < endMs; written += 1) {
          await appendMessages({ chatId, userId, messages: [{ ...message, n: written }] });
          for (let i = 0; i < 3; i += 1) {
            const [summary] = (await listChats({ userId })).items;
            const { items } = await listMessages({ chatId, userId, limit: 1 });
            if (summary?.messageCount !== written || items[0]?.position !== written - 1) stale += 1;
            await sleep(Math.random() * 60);
          }
        }
      };
      await Promise.all(users.map(live));
      isOver = true;
      await restless;
      const lists = ran.filter(({ statement }) => statement.includes('from "Chat"') && !statement.startsWith('with'));
      expect(stale).toBe(0);
      expect(lists.filter(({ target }) => target === replicaTarget).length).toBeGreaterThan(20);
      expect(lists.filter(({ target }) => target === primaryTarget).length).toBeGreaterThan(20);
    });
  });
});

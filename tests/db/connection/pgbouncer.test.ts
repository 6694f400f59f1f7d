// The data layer behind a real PgBouncer in transaction mode, on each server: nothing it does needs a session, nothing
// it sets stays behind in one, and a pooler that the URL does not mention is found out.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, type DatabaseOptions } from '../../../db/database.ts';
import { deploy, status } from '../../../db/deployment.ts';
import type { MytxError } from '../../../db/errors.ts';
import { migrate, reset } from '../../../db/opening.ts';
import {
  addTask,
  db,
  getTasksByUserId,
  getUser,
  saveMemory,
  transaction,
  updateTaskDescription,
  withDeadline,
} from '../../../db/queries.ts';
import { migrationNames } from '../../own-migrations.ts';
import { startProxy } from '../../proxy.ts';
import {
  findPgBouncer,
  type PgBouncerOptions,
  type RunningPgBouncer,
  startPgBouncer,
} from '../../servers/pgbouncer.ts';
import { argumentsOf, goodValues, queryCalls, runQuery } from '../query-calls.ts';
import { createFromTemplate, newUser } from '../test-database.ts';
import { emailOf, idOf, resetToTwoUsers } from '../two-users.ts';

const binary = findPgBouncer();
const isHere = !('missing' in binary);
const version = isHere ? binary.version : '';
/** Tracks named statements, from 1.24 on without being asked. */
const tracksStatements = isHere && Number(version.split('.')[1]) >= 24;

if (!isHere) test.skip(`PgBouncer: ${binary.missing}`);

type Database = Awaited<ReturnType<typeof createDatabase>>;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function failureOf(call: () => Promise<unknown>): Promise<MytxError> {
  const error = await call().then(
    () => undefined,
    (reason: MytxError) => reason,
  );
  expect(error).toBeDefined();
  return error as MytxError;
}

describe.runIf(isHere).each(inject('servers'))(`PgBouncer ${version} before PostgreSQL $version`, ({ url }) => {
  const name = `mytx_${randomUUID().replaceAll('-', '')}`;
  const directUrl = Object.assign(new URL(url), { pathname: `/${name}` }).href;
  let admin: postgres.Sql;
  let pooler: RunningPgBouncer;
  let pooled: Database;
  let direct: Database;
  const cleanUps: (() => unknown)[] = [];

  /** Has two server connections for each database and user. */
  const pooledUrl = (): string => `${pooler.url(name)}?pgbouncer=true`;

  beforeAll(async () => {
    const maintenance = postgres(url, { max: 1, onnotice: () => {} });
    await createFromTemplate(maintenance, name);
    await maintenance.end();
    admin = postgres(directUrl, { max: 1, onnotice: () => {}, connection: { application_name: 'test' } });
    pooler = await startPgBouncer({ serverUrl: url, settings: { default_pool_size: 2 } });
    pooled = await createDatabase({ url: pooledUrl() });
    direct = await createDatabase({ url: directUrl, poolSize: 2 });
  });
  afterAll(async () => {
    await pooled?.close();
    await direct?.close();
    await pooler?.stop();
    await admin?.end();
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function open(options: DatabaseOptions): Promise<Database> {
    const opened = await createDatabase(options);
    cleanUps.push(() => opened.close());
    return opened;
  }

  async function start(options: Partial<PgBouncerOptions> = {}): Promise<RunningPgBouncer> {
    const started = await startPgBouncer({ serverUrl: url, ...options });
    cleanUps.push(() => started.stop());
    return started;
  }

  /** Passes over what the server is told at the start of a session, as poolers are often set up to. */
  const ignoring = { ignore_startup_parameters: 'statement_timeout, idle_in_transaction_session_timeout, options' };

  const sleeping = async (): Promise<unknown> =>
    await admin`select pid from pg_stat_activity
      where datname = ${name} and state = 'active' and query like '%pg_sleep(%' and pid <> pg_backend_pid()`;

  describe('every query gives what it gives without a pooler', () => {
    test.each(queryCalls)('$name', async (call) => {
      const args = argumentsOf(call, goodValues(call));
      const results: string[] = [];
      for (const database of [pooled, direct]) {
        results.push(
          await database.run(async () => {
            await resetToTwoUsers();
            return masked(await runQuery(call.name, args));
          }),
        );
      }
      expect(results[0]).toBe(results[1]);
    });
  });

  describe('transactions', () => {
    test('are done whole or not at all, and nest', async () => {
      await pooled.run(async () => {
        const userId = await newUser();
        await transaction(async () => {
          await addTask({ userId, description: 'a' });
          const nested = transaction(async () => {
            await addTask({ userId, description: 'undone' });
            throw new Error('no');
          });
          await expect(nested).rejects.toThrow('no');
          await transaction(() => addTask({ userId, description: 'b' }));
        });
        const whole = transaction(async () => {
          await addTask({ userId, description: 'c' });
          throw new Error('no');
        });
        await expect(whole).rejects.toThrow('no');
        const found = await getTasksByUserId({ userId });
        expect(found.map(({ description }) => description).sort()).toEqual(['a', 'b']);
      });
    });

    test('have the isolation and the access they ask for', async () => {
      const settings = sql`select current_setting('transaction_isolation') as isolation,
        current_setting('transaction_read_only') as "readOnly"`;
      await pooled.run(async () => {
        const asked = await transaction(() => db.execute(settings), { isolationLevel: 'serializable', readOnly: true });
        expect(asked).toEqual([{ isolation: 'serializable', readOnly: 'on' }]);
        expect(await transaction(() => db.execute(settings))).toEqual([
          { isolation: 'read committed', readOnly: 'off' },
        ]);
      });
    });

    test('tell the server their deadlines, and leave none of them behind', async () => {
      const other = await open({
        url: pooledUrl(),
        deadlines: { statementTimeoutMs: 5000, idleInTransactionMs: 7000 },
      });
      const settings = sql`select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle`;
      const inside: unknown[] = [];
      const outside: unknown[] = [];
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const fails = i % 5 === 0;
          await other
            .run(() =>
              transaction(async () => {
                inside.push(...(await db.execute(settings)));
                if (fails) throw new Error('no');
              }),
            )
            .catch(() => {});
          outside.push(...(await pooled.run(() => db.execute(settings))));
        }),
      );
      expect(inside).toEqual(Array(100).fill({ statement: '5600ms', idle: '7s' }));
      expect(outside).toEqual(Array(100).fill({ statement: '0', idle: '0' }));
    });

    test('that meet each other are repeated', async () => {
      await pooled.run(async () => {
        const userId = await newUser();
        const [task] = await addTask({ userId, description: '0' });
        const id = task?.id ?? '';
        const increment = (): Promise<unknown> =>
          transaction(
            async () => {
              const [current] = await getTasksByUserId({ userId });
              await updateTaskDescription({ id, userId, description: String(Number(current?.description) + 1) });
            },
            { isolationLevel: 'serializable', maxAttempts: 50 },
          );
        await Promise.all(Array.from({ length: 10 }, increment));
        expect((await getTasksByUserId({ userId }))[0]?.description).toBe('10');
      });
    });

    test('that stand still are ended by the server; the next call works', async () => {
      const other = await open({ url: pooledUrl(), poolSize: 1, deadlines: { idleInTransactionMs: 200 } });
      await other.run(async () => {
        const userId = await newUser();
        const error = await failureOf(() =>
          transaction(async () => {
            await addTask({ userId, description: 'x' });
            await pause(700);
            await addTask({ userId, description: 'y' });
          }),
        );
        expect(error.code).toBe('CONNECTION_LOST');
        expect(await getTasksByUserId({ userId })).toEqual([]);
      });
    });
  });

  test('50 callers at once on two server connections: every answer is the caller’s own, and none hangs', async () => {
    const long = 'x'.repeat(9000); // several reads of PgBouncer’s, whose buffer has 4,096 bytes
    await pooled.run(async () => {
      const userId = await newUser();
      const work = async (i: number): Promise<void> => {
        const content = `${i} ${long}`;
        expect(await db.execute(sql`select ${content}::text as text, ${i}::int as number`)).toEqual([
          { text: content, number: i },
        ]);
        expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]); // without parameters
        expect(await getUser(`nobody${i}@example.com`)).toEqual([]); // a named statement, where there are any
        await transaction(async () => {
          const [memory] = await saveMemory({ userId, content });
          expect(memory?.content).toBe(content);
        });
        const rows = await db.execute(sql`select n from generate_series(1, ${1000 + i}::int) n`);
        expect(rows.length).toBe(1000 + i);
      };
      for (let round = 0; round < 4; round += 1) {
        await Promise.all(Array.from({ length: 50 }, (_, i) => work(round * 50 + i)));
      }
    });
    const used = await admin`select count(*)::int as n from pg_stat_activity
      where datname = ${name} and application_name = 'mytx-ai' and client_port is not null`;
    // Two of the pooler's, two of the database that is open beside it.
    expect(used[0]?.n).toBeLessThanOrEqual(4);
  });

  test('values are right beside a client with other settings of dates and time zone, on the same server connection', async () => {
    const single = await start({ settings: { default_pool_size: 1 } });
    const ours = await open({ url: `${single.url(name)}?pgbouncer=true` });
    const theirs = postgres(single.url(name), {
      max: 1,
      prepare: false,
      fetch_types: false,
      connection: { TimeZone: 'Asia/Tokyo', DateStyle: 'SQL, DMY' },
    });
    cleanUps.push(() => theirs.end());
    const dueAt = new Date('2027-03-01T20:30:00.123Z');
    await ours.run(async () => {
      const userId = await newUser();
      await addTask({ userId, description: 'x', dueAt });
      for (let i = 0; i < 20; i += 1) {
        const [row] =
          await theirs`select ${dueAt.toISOString()}::text::timestamptz::text as text, pg_backend_pid() as pid`;
        expect(row?.text).toBe('02/03/2027 05:30:00.123 JST');
        const [task] = await getTasksByUserId({ userId });
        expect(task?.dueAt).toEqual(dueAt);
        expect(
          await db.execute(sql`select '2027-03-01 20:30:00+00'::timestamptz::text as text, pg_backend_pid() as pid`),
        ).toEqual([{ text: '2027-03-01 20:30:00+00', pid: row?.pid }]);
      }
    });
  });

  describe('cancel', () => {
    test('a statement over its time is canceled on the server, which says so', async () => {
      const other = await open({ url: pooledUrl() });
      await other.run(async () => {
        for (let i = 0; i < 8; i += 1) {
          const error = await failureOf(() =>
            withDeadline({ timeoutMs: 150 }, () => db.execute(sql`select pg_sleep(${5}::int)`)),
          );
          expect(error.code).toBe('DEADLINE_EXCEEDED');
          expect(error.message).toContain('the statement was canceled and wrote nothing');
          expect(await sleeping()).toEqual([]);
        }
      });
    });

    test('a write over its time is known not to have happened', async () => {
      await pooled.run(async () => {
        const userId = await newUser();
        const error = await failureOf(() =>
          withDeadline({ timeoutMs: 200 }, () =>
            db.execute(sql`insert into "Task" (id, user_id, description)
              select ${randomUUID()}::uuid, ${userId}::uuid, pg_sleep(5)::text || 'x'`),
          ),
        );
        expect(error.code).toBe('DEADLINE_EXCEEDED');
        expect(await getTasksByUserId({ userId })).toEqual([]);
      });
    });

    test('inside a transaction rolls it back', async () => {
      await pooled.run(async () => {
        const userId = await newUser();
        const error = await failureOf(() =>
          transaction(async () => {
            await addTask({ userId, description: 'x' });
            await withDeadline({ timeoutMs: 150 }, () => db.execute(sql`select pg_sleep(5)`));
          }),
        );
        expect(error.code).toBe('DEADLINE_EXCEEDED');
        expect(await getTasksByUserId({ userId })).toEqual([]);
        expect(await sleeping()).toEqual([]);
      });
    });

    // PgBouncer 1.18 ends itself now and then in a storm of cancel requests (`server in bad state`): another one goes on then.
    test('never hits another client’s statement, nor the next one of ours', async () => {
      const count = { canceled: 0, bystanders: 0 };
      for (let attempt = 1; count.canceled <= 5 || count.bystanders <= 10; attempt += 1) {
        const own = await start({ settings: { default_pool_size: 2 } });
        try {
          await cancelAmongBystanders(`${own.url(name)}?pgbouncer=true`, count);
        } catch (error) {
          await pause(200);
          if (isRunning(own.pid)) throw error;
        }
        expect(attempt).toBeLessThan(20);
      }
    });

    async function cancelAmongBystanders(
      ownUrl: string,
      count: { canceled: number; bystanders: number },
    ): Promise<void> {
      const ours = await open({ url: ownUrl, poolSize: 2 });
      const other = await open({ url: ownUrl, poolSize: 2 });
      let isDone = false;
      const bystander = async (): Promise<void> => {
        while (!isDone) {
          await other.run(() => db.execute(sql`select pg_sleep(0.001)`));
          count.bystanders += 1;
        }
      };
      const canceler = async (): Promise<void> => {
        for (let i = 0; i < 60; i += 1) {
          await withDeadline({ timeoutMs: 1 + (i % 6) }, () => db.execute(sql`select pg_sleep(0.004)`)).catch(() => {
            count.canceled += 1;
          });
          expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
        }
      };
      const canceling = ours.run(canceler).finally(() => {
        isDone = true;
      });
      await Promise.all([canceling, bystander(), bystander()]);
    }

    test('of a statement that waits for a server connection sends nothing to the server', async () => {
      const single = await start({ settings: { default_pool_size: 1 } });
      const holder = await open({ url: `${single.url(name)}?pgbouncer=true`, poolSize: 1 });
      const waiter = await open({ url: `${single.url(name)}?pgbouncer=true`, poolSize: 1 });
      await holder.run(() =>
        transaction(async () => {
          const error = await failureOf(() =>
            waiter.run(() => withDeadline({ timeoutMs: 200 }, () => getUser(emailOf('ada')))),
          );
          expect(error.code).toBe('DEADLINE_EXCEEDED');
          expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
        }),
      );
      expect(await waiter.run(() => getUser('nobody@example.com'))).toEqual([]);
    });
  });

  test('a table that changes, and RECONNECT, under load: no call fails, so no plan outlives its table', async () => {
    await pooled.run(resetToTwoUsers);
    const userId = idOf('user', 'ada');
    let isDone = false;
    let calls = 0;
    const reader = async (): Promise<void> => {
      while (!isDone) {
        expect((await getTasksByUserId({ userId })).length).toBe(4);
        await transaction(() => db.execute(sql`select * from "Task" where user_id = ${userId}::uuid`));
        calls += 1;
      }
    };
    const changer = async (): Promise<void> => {
      for (let i = 0; i < 15; i += 1) {
        await admin.unsafe('alter table "Task" add column extra int');
        await admin.unsafe('alter table "Task" alter column extra type text');
        if (i % 5 === 0) await pooler.command('reconnect');
        await admin.unsafe('alter table "Task" drop column extra');
        await pause(10);
      }
      isDone = true;
    };
    await Promise.all([...Array.from({ length: 8 }, () => pooled.run(reader)), changer()]);
    expect(calls).toBeGreaterThan(20);
  });

  test('a pooler that is killed: UNREACHABLE while it is down, and the next call after its return works', async () => {
    const mortal = await start({ settings: { default_pool_size: 2 } });
    const other = await open({ url: `${mortal.url(name)}?pgbouncer=true`, poolSize: 4 });
    await other.run(async () => {
      const userId = await newUser();
      for (const outage of [0, 300]) {
        const broken = failureOf(() => db.execute(sql`select pg_sleep(5)`));
        const written = failureOf(() =>
          db.execute(sql`insert into "User" (id, email) select ${randomUUID()}::uuid, pg_sleep(5)::text`),
        );
        await pause(150);
        await mortal.kill();
        expect((await broken).code).toBe('CONNECTION_LOST');
        expect((await written).code).toBe('OUTCOME_UNKNOWN');
        if (outage > 0) expect((await failureOf(() => getTasksByUserId({ userId }))).code).toBe('UNREACHABLE');
        await mortal.restart();
        expect(await getTasksByUserId({ userId })).toEqual([]);
        await transaction(() => Promise.all(Array.from({ length: 6 }, () => getTasksByUserId({ userId }))));
      }
    });
  });

  describe('what the pooler refuses by itself', () => {
    test.each([
      ['a wrong password', 'ACCESS_REFUSED', (): string => pooler.url(name, 'postgres', 'wrong-secret')],
      ['an unknown user', 'ACCESS_REFUSED', (): string => pooler.url(name, 'nobody-here', 'wrong-secret')],
      ['an unknown database', 'ACCESS_REFUSED', (): string => pooler.url('no_such_database')],
    ])('%s is %s', async (_, code, urlOf) => {
      const error = await failureOf(() => createDatabase({ url: `${urlOf()}?pgbouncer=true` }));
      expect(error.code).toBe(code);
      expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('wrong-secret');
    });

    test('more clients than it takes is SERVER_BUSY', async () => {
      const small = await start({ settings: { max_client_conn: 2 } });
      const other = await open({ url: `${small.url(name)}?pgbouncer=true`, poolSize: 4 });
      const results = await other.run(() =>
        Promise.allSettled(Array.from({ length: 4 }, () => db.execute(sql`select pg_sleep(0.3)`))),
      );
      const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      expect(codes).toEqual(['SERVER_BUSY', 'SERVER_BUSY']);
    });

    test('a server that it does not reach', async () => {
      const { hostname: host, port } = new URL(url);
      const proxy = await startProxy({ target: { host, port: Number(port) } });
      cleanUps.push(() => proxy.stop());
      const between = await start({ serverUrl: Object.assign(new URL(url), { port: proxy.port }).href });
      const betweenUrl = `${between.url(name)}?pgbouncer=true`;
      const openAndClose = async (): Promise<void> => (await createDatabase({ url: betweenUrl })).close();
      await openAndClose();
      await proxy.refuseNew(true);
      proxy.dropAll();
      // The pooler lets a client of a database that it knows in, and keeps its statement waiting: 120 s unless set.
      const early = createDatabase({ url: betweenUrl, deadlines: { statementTimeoutMs: 500 } });
      expect((await failureOf(() => early)).code).toBe('DEADLINE_EXCEEDED');
      // Once it has seen the server fail it breaks the connection. What it says then is lost in the driver.
      expect((await failureOf(openAndClose)).code).toBe('CONNECTION_LOST');
      await proxy.refuseNew(false);
      await expect.poll(() => openAndClose().then(() => 'open'), { timeout: 10_000 }).toBe('open');
    });
  });

  describe('a pooler that the URL does not mention', () => {
    test('and that refuses what a session is told at its start', async () => {
      const error = await failureOf(() => createDatabase({ url: pooler.url(name) }));
      expect(error).toMatchObject({ code: 'POOLER_UNDECLARED', hint: expect.stringContaining('?pgbouncer=true') });
      expect(error.message).toContain(`127.0.0.1:${pooler.port}/${name} is a pooler`);
      const withOptions = `${pooler.url(name)}?options=-c%20work_mem%3D5000`;
      expect((await failureOf(() => createDatabase({ url: withOptions }))).code).toBe('POOLER_UNDECLARED');
    });

    test.each([1, 2, 20])('and that passes it over, with %i server connections', async (size) => {
      const quiet = await start({ settings: { ...ignoring, default_pool_size: size, min_pool_size: size } });
      const error = await failureOf(() => createDatabase({ url: quiet.url(name), poolSize: 1 }));
      expect(error.code).toBe('POOLER_UNDECLARED');
    });

    test.each([0, 1])('and that is busy with others (server_round_robin %i)', async (roundRobin) => {
      const quiet = await start({ settings: { ...ignoring, default_pool_size: 3, server_round_robin: roundRobin } });
      const others = await open({ url: `${quiet.url(name)}?pgbouncer=true`, poolSize: 3 });
      let isDone = false;
      const load = Array.from({ length: 3 }, () =>
        others.run(async () => {
          while (!isDone) await db.execute(sql`select pg_sleep(0.002)`);
        }),
      );
      for (let i = 0; i < 10; i += 1) {
        const error = await failureOf(() => createDatabase({ url: quiet.url(name) }));
        expect(error.code).toBe('POOLER_UNDECLARED');
      }
      isDone = true;
      await Promise.all(load);
    });

    test('in session mode is a warning, which pgbouncer=false ends', async () => {
      const whole = await start({ poolMode: 'session', settings: ignoring });
      expect((await open({ url: whole.url(name) })).report.warnings).toEqual([
        expect.stringMatching(
          `at 127.0.0.1:${whole.port}/${name}: a pooler or a proxy. .*pgbouncer=true.*pgbouncer=false`,
        ),
      ]);
      expect((await open({ url: `${whole.url(name)}?pgbouncer=false` })).report.warnings).toEqual([]);
    });

    test('in session mode, with one server connection: the mode can’t be told, and it is a warning', async () => {
      const whole = await start({ poolMode: 'session', settings: { ...ignoring, default_pool_size: 1 } });
      const { report, run } = await open({ url: whole.url(name), poolSize: 1 });
      expect(report.warnings).toHaveLength(1);
      expect(await run(() => getUser('nobody@example.com'))).toEqual([]);
    });

    test.skipIf(tracksStatements)(
      'would lose its named statements (skipped from 1.24 on, which tracks them)',
      async () => {
        const quiet = await start({ settings: { ...ignoring, default_pool_size: 2 } });
        const other = await open({ url: `${quiet.url(name)}?pgbouncer=false` });
        const results = await other.run(() =>
          Promise.allSettled(Array.from({ length: 100 }, () => transaction(() => getUser('nobody@example.com')))),
        );
        const codes = results.flatMap((result) =>
          result.status === 'rejected' ? [result.reason.details.sqlState] : [],
        );
        expect(codes.length).toBeGreaterThan(0);
        expect(new Set(codes)).toEqual(new Set(['26000']));
      },
    );
  });

  test('without a pooler: one connection is opened, and nothing is said; pgbouncer=true says that there is none', async () => {
    const application = `direct-${randomUUID().slice(0, 8)}`;
    const opened = await open({ url: `${directUrl}?application_name=${application}` });
    expect(opened.report.warnings).toEqual([]);
    const [row] = await admin`select count(*)::int as n from pg_stat_activity where application_name = ${application}`;
    expect(row?.n).toBe(1);
    const declared = await open({ url: `${directUrl}?pgbouncer=true` });
    expect(declared.report.warnings).toEqual([expect.stringContaining('is no pooler')]);
  });

  describe('a schema change', () => {
    /** Of other databases of the server other tests hold some. */
    const heldLocks = async (database: string): Promise<unknown> =>
      await admin`select pid from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = ${database})`;

    test('through a declared one is refused before it connects', async () => {
      const closed = 'postgres://u:p@127.0.0.1:1/app?pgbouncer=true';
      expect(await failureOf(() => migrate({ url: closed }))).toMatchObject({ code: 'POOLER_REFUSED' });
      expect(await failureOf(() => reset({ url: closed }))).toMatchObject({ code: 'POOLER_REFUSED' });
    });

    test('through one that is found out is refused before anything is done, with exit code 3', async () => {
      const empty = `mytx_${randomUUID().replaceAll('-', '')}`;
      await admin.unsafe(`create database ${empty} template template0`);
      expect(await failureOf(() => migrate({ url: pooler.url(empty) }))).toMatchObject({
        code: 'POOLER_REFUSED',
        message: expect.stringContaining('is a pooler in transaction mode'),
        hint: expect.stringContaining('the server’s own host and port'),
      });
      expect(await failureOf(() => reset({ url: pooler.url(empty) }))).toMatchObject({ code: 'POOLER_REFUSED' });
      const migrationsFolder = 'lib/drizzle';
      expect(await failureOf(() => deploy({ url: pooler.url(empty), migrationsFolder }))).toMatchObject({
        code: 'POOLER_REFUSED',
      });
      // To look at it needs no lock.
      const found = await status({ url: pooler.url(empty), migrationsFolder });
      expect(found.counts).toEqual({ pending: migrationNames.length });
      const { exitCode, stderr } = await runMigrate(pooler.url(empty));
      expect(stderr).toContain('error POOLER_REFUSED: ');
      expect(exitCode).toBe(3);
      const sqlOfEmpty = postgres(Object.assign(new URL(url), { pathname: `/${empty}` }).href, { max: 1 });
      cleanUps.push(() => sqlOfEmpty.end());
      expect(await sqlOfEmpty`select nspname from pg_namespace where nspname = 'drizzle'`).toEqual([]);
      expect(await heldLocks(empty)).toEqual([]);
    });

    test('through one in session mode is done; where the mode can’t be told it is refused', async () => {
      const empty = `mytx_${randomUUID().replaceAll('-', '')}`;
      await admin.unsafe(`create database ${empty} template template0`);
      const whole = await start({ poolMode: 'session' });
      expect((await migrate({ url: whole.url(empty) })).applied).toEqual(migrationNames);
      const single = await start({ poolMode: 'session', settings: { default_pool_size: 1 } });
      expect(await failureOf(() => migrate({ url: single.url(empty) }))).toMatchObject({
        code: 'POOLER_REFUSED',
        message: expect.stringContaining('may be in transaction mode'),
      });
      expect((await migrate({ url: `${single.url(empty)}?pgbouncer=false` })).applied).toEqual([]);
    });
  });
});

function runMigrate(url: string): Promise<{ exitCode: number; stderr: string }> {
  const file = fileURLToPath(new URL('../../../db/migrate.ts', import.meta.url));
  const env = { ...process.env, POSTGRES_URL: url };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file], { env }, (error, _, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stderr }),
    );
  });
}

/** What differs from call to call: ids and times that were made, salted hashes. */
function masked(value: unknown): string {
  return String(JSON.stringify(value))
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/20(2[5-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/mytx_[a-z]+_\w+/g, '<key>')
    .replaceAll(/\$2[aby]\$[^"]+/g, '<hash>')
    .replaceAll(/"nextCursor":"[^"]+"/g, '"nextCursor":"<cursor>"');
}

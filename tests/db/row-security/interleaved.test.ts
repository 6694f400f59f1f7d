// Thousands of asUser of many users over few server connections, through PgBouncer in transaction mode, with aborts,
// deadlines and killed sessions between them: nobody sees a row of another. And the matrix of tables and operations there.

import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase } from '../../../db/database.ts';
import { MytxError } from '../../../db/errors.ts';
import { addTask, asUser, db, transaction, updateTaskStatus, withDeadline } from '../../../db/queries.ts';
import { tasks } from '../../../db/schema.ts';
import { recordFigures } from '../../security/figures.ts';
import { findPgBouncer, type RunningPgBouncer, startPgBouncer } from '../../servers/pgbouncer.ts';
import { expectedOf, operationsOn, ownedTables, resetWithSearchRows, tenants } from '../row-matrix.ts';
import { createFromTemplate, newUser } from '../test-database.ts';
import { fingerprintOf, idOf } from '../two-users.ts';

const binary = findPgBouncer();
const connections = 4;
if ('missing' in binary) test.skip(`PgBouncer: ${binary.missing}`);
const onPgBouncer = test.skipIf('missing' in binary);

const server = inject('servers').at(-1) as { url: string };
const name = `mytx_${randomUUID().replaceAll('-', '')}`;
let admin: postgres.Sql;
let pooler: RunningPgBouncer;
let reviving: NodeJS.Timeout | undefined;
let database: Awaited<ReturnType<typeof createDatabase>>;

/** PgBouncer 1.18 ends itself now and then when a cancel request meets a session that was killed (`server in bad state`). */
async function revive(): Promise<void> {
  try {
    process.kill(pooler.pid, 0);
  } catch {
    await pooler.restart().catch(() => {}); // tried again in a moment
  }
}

beforeAll(async () => {
  if ('missing' in binary) return;
  const maintenance = postgres(server.url, { max: 1, onnotice: () => {} });
  await createFromTemplate(maintenance, name);
  await maintenance.end();
  admin = postgres(Object.assign(new URL(server.url), { pathname: `/${name}` }).href, { max: 1, onnotice: () => {} });
  pooler = await startPgBouncer({
    serverUrl: server.url,
    settings: { default_pool_size: connections, server_login_retry: 0 },
  });
  reviving = setInterval(revive, 200);
  database = await createDatabase({ url: `${pooler.url(name)}?pgbouncer=true`, poolSize: 32 });
});
afterAll(async () => {
  if ('missing' in binary) return;
  clearInterval(reviving);
  await database.close();
  await pooler.stop();
  await admin.unsafe(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`,
  );
  await admin.end();
});

interface Tally {
  /** Rows that were seen, and of those how many were another user's. */
  seen: number;
  foreign: number;
  done: number;
  /** Of those that failed, by code. */
  failed: Record<string, number>;
}

/** Makes users with a task each, whose text is the user's id. */
async function newUsers(count: number): Promise<string[]> {
  const users = await Promise.all(Array.from({ length: count }, newUser));
  await Promise.all(users.map((userId) => addTask({ userId, description: userId })));
  return users;
}

/**
 * @param runAs runs work as a user, well or badly
 * @param work what the n-th does; it sees rows with `look`
 */
async function interleave(
  { users, count, atOnce }: { users: readonly string[]; count: number; atOnce: number },
  runAs: (userId: string, n: number, look: () => Promise<number>) => Promise<unknown>,
): Promise<Tally> {
  const tally: Tally = { seen: 0, foreign: 0, done: 0, failed: {} };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      const userId = users[(n * 37) % users.length] as string;
      const look = async (): Promise<number> => {
        const rows = await db.select({ userId: tasks.userId, description: tasks.description }).from(tasks);
        tally.seen += rows.length;
        tally.foreign += rows.filter((row) => row.userId !== userId || row.description !== userId).length;
        return rows.length;
      };
      try {
        await runAs(userId, n, look);
        tally.done += 1;
      } catch (error) {
        const code = error instanceof MytxError ? error.code : (error as Error).message;
        tally.failed[code] = (tally.failed[code] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return tally;
}

onPgBouncer(
  '10,000 asUser of 100 users, with aborts, deadlines and killed sessions: 0 rows of another',
  { timeout: 180_000 },
  async () => {
    await database.run(async () => {
      const users = await newUsers(100);
      let killed = 0;
      const asThemselves = async (userId: string, n: number, look: () => Promise<number>): Promise<unknown> => {
        if (n % 250 === 249) {
          const rows = await admin`select pg_terminate_backend(pid) as is_ended from pg_stat_activity
            where datname = ${name} and pid <> pg_backend_pid() order by random() limit 1`;
          killed += rows.length;
        }
        switch (n % 8) {
          case 1: // taken back by its own error
            return asUser(userId, async () => {
              await db.update(tasks).set({ description: 'never committed' });
              throw new Error('abort');
            });
          case 2: // by PostgreSQL's
            return asUser(userId, async () => {
              await look();
              await db.execute(sql`select 1 / 0`);
            });
          case 3: // by the server's deadline, and now and then by the caller's, in the middle of a statement
            return withDeadline({ timeoutMs: n % 400 === 3 ? 100 : 10_000 }, () =>
              asUser(userId, async () => {
                await look();
                await db.execute(n % 400 === 3 ? 'select 1' : 'set local statement_timeout = 20');
                if (n % 5 === 3) await db.execute(sql`select pg_sleep(1)`);
                await look();
              }),
            );
          case 4:
            return asUser(userId, async () => {
              await look();
              await transaction(() => Promise.reject(new Error('inner'))).catch(() => {});
              await asUser(userId, look);
            });
          case 5:
            return transaction(async () => {
              await asUser(userId, look);
              await asUser(users[(n * 53) % users.length] as string, () => db.execute(sql`select 1`));
            });
          case 6:
            return asUser(userId, () =>
              updateTaskStatus({ id: randomUUID(), userId, status: 'completed' }).then(() => look()),
            );
          default:
            return asUser(userId, look);
        }
      };
      const calls = 10_000;
      const tally = await interleave({ users, count: calls, atOnce: 32 }, asThemselves);
      console.log(
        `${tally.seen} rows seen, ${tally.foreign} of another; ${killed} sessions killed; failed: ${JSON.stringify(tally.failed)}`,
      );
      const { seen, foreign } = tally;
      recordFigures('interleaved', { calls, users: users.length, connections, killed, seen, foreign });
      expect(tally.foreign).toBe(0);
      expect(tally.seen).toBeGreaterThan(7000);
      expect(killed).toBeGreaterThanOrEqual(30);
      const { abort, INVALID_VALUE, STATEMENT_CANCELED, ...others } = tally.failed;
      expect(abort).toBeGreaterThan(1000);
      expect(INVALID_VALUE).toBeGreaterThan(1000);
      expect(STATEMENT_CANCELED).toBeGreaterThan(100);
      // What a session that was killed leaves its caller with; never a wrong answer.
      for (const code of Object.keys(others))
        expect(['CONNECTION_LOST', 'DEADLINE_EXCEEDED', 'OUTCOME_UNKNOWN', 'UNREACHABLE', 'SERVER_BUSY']).toContain(
          code,
        );
      // Behind it every session is the login's again.
      const sessions = await Promise.all(
        Array.from({ length: 32 }, () =>
          db.execute<{ who: string }>(
            sql`select concat(current_user = session_user, current_setting('app.user_id', true)) as who`,
          ),
        ),
      );
      expect(new Set(sessions.map(([row]) => row?.who))).toEqual(new Set(['t']));
    });
  },
);

onPgBouncer('the same with a session-wide SET shows rows of others: the test can fail', async () => {
  await database.run(async () => {
    await db.delete(tasks);
    const users = await newUsers(20);
    const badly = async (userId: string, _n: number, look: () => Promise<number>): Promise<unknown> => {
      await db.execute(sql.raw(`set app.user_id = '${userId}'`));
      await db.execute('set role mytx_user');
      return look();
    };
    const tally = await interleave({ users, count: 400, atOnce: 32 }, badly);
    expect(tally.foreign).toBeGreaterThan(100);
    recordFigures('interleaved-badly', { seen: tally.seen, foreign: tally.foreign });
    console.log(`with SET: ${tally.foreign} of ${tally.seen} rows were another's`);
  });
  await pooler.restart(); // no session keeps what was set
});

onPgBouncer('each table and operation, as each user, through the pooler', { timeout: 60_000 }, async () => {
  await database.run(async () => {
    await transaction(async () => {
      await resetWithSearchRows();
    });
    const before = await fingerprintOf('bob');
    for (const table of ownedTables) {
      const [own] = await db.execute<{ n: string }>(
        sql.raw(`select count(*) as n from "${table.name}" where "${table.userColumn}" = '${idOf('user', 'ada')}'`),
      );
      for (const tenant of tenants) {
        expect({ table, tenant, ...(await operationsOn(table, tenant)) }).toEqual({
          table,
          tenant,
          ...expectedOf(tenant, Number(own?.n)),
        });
      }
    }
    expect(await fingerprintOf('bob')).toBe(before);
  });
});

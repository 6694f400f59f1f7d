// asUser: what a query inside sees and writes, whatever it asks for; nested, at once, inside a transaction, behind errors;
// and that nothing of it is left behind.

import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, test, vi } from 'vitest';
import type { StatementEvent } from '../../db/connection/open-database.ts';
import type { MytxError } from '../../db/errors.ts';
import {
  addTask,
  appendMessages,
  asUser,
  createReservation,
  createUser,
  db,
  getTasksByUserId,
  getUser,
  issueApiKey,
  listChats,
  saveChat,
  saveMemory,
  transaction,
  verifyApiKey,
  withDeadline,
} from '../../db/queries.ts';
import { message, tasks } from '../../db/schema.ts';
import { flight } from './flight.ts';
import { argumentsOf, goodValues, queryCalls, runQuery } from './query-calls.ts';
import { isEmbedded, newUser, useTestDatabase } from './test-database.ts';
import { fingerprintOf, idOf, resetToTwoUsers, secretOf } from './two-users.ts';

const events: StatementEvent[] = [];
useTestDatabase({ logger: (event) => events.push(event) });

async function newUsers(): Promise<[string, string]> {
  const users: [string, string] = [await newUser(), await newUser()];
  for (const userId of users) await addTask({ userId, description: `of ${userId}` });
  return users;
}

const descriptions = async (): Promise<string[]> =>
  (await db.select().from(tasks)).map(({ description }) => description);

async function codeOf(call: () => Promise<unknown>): Promise<string | undefined> {
  return call().then(
    () => undefined,
    (error: MytxError) => error.code,
  );
}

interface Session {
  role: string;
  login: string;
  setting: string | null;
}

async function session(): Promise<Session> {
  const [row] = await db.execute<Session & Record<string, unknown>>(
    sql`select current_user as role, session_user as login, current_setting('app.user_id', true) as setting`,
  );
  return row as Session;
}

async function expectLogin(): Promise<void> {
  const { role, login, setting } = await session();
  expect(role).toBe(login);
  expect(setting ?? '').toBe('');
}

test('a query without a `where` finds this user’s rows and no others, in Drizzle’s three ways', async () => {
  const [ada, bob] = await newUsers();
  await asUser(ada, async () => {
    expect(await descriptions()).toEqual([`of ${ada}`]);
    expect(await db.query.user.findMany({ with: { tasks: true } })).toMatchObject([
      { id: ada, tasks: [{ userId: ada }] },
    ]);
    expect(await db.execute(sql`select user_id from "Task"`)).toEqual([{ user_id: ada }]);
    expect(await getTasksByUserId({ userId: bob })).toEqual([]);
  });
  expect(await getTasksByUserId({ userId: bob })).toHaveLength(1);
});

test('writes reach this user’s rows only, and a row for another is ROW_REFUSED', async () => {
  const [ada, bob] = await newUsers();
  await asUser(ada, async () => {
    expect(await db.update(tasks).set({ status: 'completed' }).returning()).toHaveLength(1);
    expect(await db.update(tasks).set({ description: 'x' }).where(eq(tasks.userId, bob)).returning()).toEqual([]);
    expect(await db.delete(tasks).where(eq(tasks.userId, bob)).returning()).toEqual([]);
  });
  expect(await getTasksByUserId({ userId: bob })).toMatchObject([{ description: `of ${bob}`, status: 'pending' }]);
  expect(await codeOf(() => asUser(ada, () => addTask({ userId: bob, description: 'x' })))).toBe('ROW_REFUSED');
  expect(await codeOf(() => asUser(ada, () => db.update(tasks).set({ userId: bob })))).toBe('ROW_REFUSED');
  expect(await codeOf(() => asUser(ada, () => createUser('new@example.com', 'password')))).toBe('ROW_REFUSED');
  expect(await getUser('new@example.com')).toEqual([]);
});

test('what asUser has no part in is PERMISSION_DENIED', async () => {
  const [ada] = await newUsers();
  for (const statement of ['truncate "Task"', 'select * from "AuditEvent"', 'drop table "Task"']) {
    const code = await codeOf(() => asUser(ada, () => db.execute(statement)));
    // Who does not own a table is told that at once, also about dropping it.
    expect(code, statement).toBe('PERMISSION_DENIED');
  }
});

describe('every query', () => {
  let isFresh = false;
  /** Reads leave the rows as they are. */
  async function freshRows(): Promise<void> {
    if (!isFresh) await resetToTwoUsers();
    isFresh = true;
  }

  test.each(queryCalls)('$name gives the same as outside, and for another user nothing', async (call) => {
    const args = argumentsOf(call, goodValues(call));
    const leavesRows = !call.writes && !call.isSlow && call.name !== 'verifyApiKey'; // which notes when a key was used
    const outcomeOf = (run: () => Promise<unknown>): Promise<unknown> => {
      isFresh &&= leavesRows;
      return run().catch((error: MytxError) => error);
    };
    const run = (): Promise<unknown> => runQuery(call.name, args);
    await freshRows();
    const outside = await outcomeOf(run);
    await freshRows();
    const inside = await outcomeOf(() => asUser(idOf('user', 'ada'), run));
    const codeOrShape = (value: unknown): unknown =>
      value instanceof Error ? (value as MytxError).code : shapeOf(value);
    if (call.name === 'createUser') expect(inside).toMatchObject({ code: 'ROW_REFUSED' });
    else if (call.name === 'listAuditEvents') expect(inside).toMatchObject({ code: 'PERMISSION_DENIED' });
    else if (call.name === 'listLegacyApiKeys') expect([outside, inside]).toMatchObject([{ total: 6 }, { total: 3 }]);
    else expect(codeOrShape(inside)).toEqual(codeOrShape(outside));

    await freshRows();
    const before = call.writes ? await fingerprintOf('ada') : '';
    // As bob, with all of ada's ids.
    const foreign = await outcomeOf(() => asUser(idOf('user', 'bob'), run));
    expect(JSON.stringify(foreign) ?? '').not.toContain(secretOf('ada'));
    if (call.writes) expect(await fingerprintOf('ada')).toBe(before);
  });
});

/** Without what is new in each run. */
function shapeOf(value: unknown): unknown {
  if (value instanceof Date) return 'date';
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, shapeOf(entry)]));
  }
  if (typeof value !== 'string') return value;
  return /^(\$2|mytx_)/.test(value) ? 'secret' : value.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id');
}

test('a parent of another user and one that is not there give the same error', async () => {
  const [ada, bob] = await newUsers();
  const foreignChat = randomUUID();
  await saveChat({ id: foreignChat, userId: bob, messages: [{ role: 'user', content: 'hi' }] });
  const attempts = [
    (chatId: string) => appendMessages({ chatId, userId: ada, messages: [{ role: 'user', content: 'x' }] }),
    (chatId: string) =>
      db
        .insert(message)
        .values({ id: randomUUID(), userId: ada, chatId, position: 0, role: 'user', body: { role: 'user' } }),
  ];
  for (const attempt of attempts) {
    for (const run of [attempt, (chatId: string) => asUser(ada, () => attempt(chatId))]) {
      const foreign = (await run(foreignChat).catch((error: unknown) => error)) as MytxError;
      const missingId = randomUUID();
      const missing = (await run(missingId).catch((error: unknown) => error)) as MytxError;
      expect(foreign.code).toMatch(/CHAT_NOT_FOUND|CONSTRAINT_VIOLATED/);
      const told = JSON.stringify({ ...foreign.toJSON(), cause: foreign.cause });
      expect(told.replaceAll(foreignChat, missingId)).toBe(
        JSON.stringify({ ...missing.toJSON(), cause: missing.cause }),
      );
    }
  }
  const writes: ((userId: string) => Promise<unknown>)[] = [
    (userId) => addTask({ userId, description: 'x' }),
    (userId) => saveMemory({ userId, content: 'x' }),
    (userId) => createReservation({ id: randomUUID(), userId, details: flight }),
  ];
  for (const write of writes) {
    const codes = [
      await codeOf(() => asUser(ada, () => write(bob))),
      await codeOf(() => asUser(ada, () => write(randomUUID()))),
    ];
    expect(codes).toEqual(['ROW_REFUSED', 'ROW_REFUSED']);
  }
});

describe('nested', () => {
  test('the same user is a savepoint: what fails inside leaves what was before', async () => {
    const [ada] = await newUsers();
    await asUser(ada, async () => {
      await addTask({ userId: ada, description: 'kept' });
      const inner = asUser(ada, async () => {
        await addTask({ userId: ada, description: 'taken back' });
        throw new Error('inside');
      });
      await expect(inner).rejects.toThrow('inside');
      await transaction(() => addTask({ userId: ada, description: 'kept, too' }));
      await asUser(ada, () => addTask({ userId: ada, description: 'and this' }));
    });
    expect((await getTasksByUserId({ userId: ada })).map(({ description }) => description).sort()).toEqual(
      ['and this', 'kept', 'kept, too', `of ${ada}`].sort(),
    );
  });

  test('another user is OTHER_USER, also below a transaction, and nothing of it runs', async () => {
    const [ada, bob] = await newUsers();
    let hasRun = false;
    const work = async (): Promise<void> => {
      hasRun = true;
    };
    expect(await codeOf(() => asUser(ada, () => asUser(bob, work)))).toBe('OTHER_USER');
    expect(await codeOf(() => asUser(ada, () => transaction(() => asUser(bob, work))))).toBe('OTHER_USER');
    expect(hasRun).toBe(false);
    await asUser(ada, async () => {
      await expect(asUser(bob, work)).rejects.toMatchObject({ code: 'OTHER_USER' });
      expect(await descriptions()).toEqual([`of ${ada}`]); // and it goes on
    });
  });

  test('inside a transaction role and setting are what they were behind it, and users can follow one another', async () => {
    const [ada, bob] = await newUsers();
    await transaction(async () => {
      for (const userId of [ada, bob]) {
        expect(await asUser(userId, descriptions)).toEqual([`of ${userId}`]);
        await expectLogin();
      }
      await expect(asUser(ada, () => addTask({ userId: bob, description: 'x' }))).rejects.toMatchObject({
        code: 'ROW_REFUSED',
      });
      await expectLogin();
      expect((await descriptions()).length).toBeGreaterThan(1);
      await asUser(ada, () => addTask({ userId: ada, description: 'one more' }));
    });
    expect(await getTasksByUserId({ userId: ada })).toHaveLength(2);
    await expectLogin();
  });

  test('inside a transaction, at once with its other statements, each works as who it is', async () => {
    const [ada, bob] = await newUsers();
    await transaction(async () => {
      const [own, all, others] = await Promise.all([
        asUser(ada, descriptions),
        descriptions(),
        asUser(bob, descriptions),
      ]);
      expect(own).toEqual([`of ${ada}`]);
      expect(others).toEqual([`of ${bob}`]);
      expect(all.length).toBeGreaterThan(1);
    });
  });
});

test('many at once, over few connections, each see their own, and every connection is the login’s behind them', async () => {
  const users = await Promise.all(Array.from({ length: 6 }, newUser));
  await Promise.all(users.map((userId) => addTask({ userId, description: userId })));
  await Promise.all(
    Array.from({ length: 120 }, async (_, n) => {
      const userId = users[n % users.length] as string;
      const work = asUser(userId, async () => {
        expect(await descriptions()).toEqual([userId]);
        if (n % 5 === 0) throw new Error('taken back');
        expect(await session()).toMatchObject({ role: 'mytx_user', setting: userId });
      });
      if (n % 5 === 0) await expect(work).rejects.toThrow('taken back');
      else await work;
    }),
  );
  await Promise.all(Array.from({ length: 30 }, expectLogin));
});

test('what is no id of a user is INVALID_ID, and nothing is sent', async () => {
  for (const userId of ['', '42', "'; reset role; --", `${randomUUID()}'`, undefined, null, 7, {}]) {
    const before = events.length;
    const code = await codeOf(() => asUser(userId as string, () => descriptions()));
    expect(['INVALID_ID', 'MISSING_ARGUMENT']).toContain(code);
    expect(events.length).toBe(before);
  }
});

test('an id in capitals is the same user', async () => {
  const [ada] = await newUsers();
  await asUser(ada.toUpperCase(), async () => {
    expect(await descriptions()).toEqual([`of ${ada}`]);
    expect(await asUser(ada, descriptions)).toEqual([`of ${ada}`]);
  });
});

test('the first statement may be a read, a write or none, and an error behind `begin` leaves nothing behind', async () => {
  const [ada] = await newUsers();
  expect(await asUser(ada, async () => 7)).toBe(7);
  expect(await asUser(ada, () => addTask({ userId: ada, description: 'first' }))).toHaveLength(1);
  await expect(asUser(ada, () => Promise.reject(new Error('before any')))).rejects.toThrow('before any');
  expect(await codeOf(() => asUser(ada, () => db.execute(sql`select 1 / 0`)))).toBe('INVALID_VALUE');
  expect(await codeOf(() => asUser(ada, () => db.execute(sql`select 1 / 0`).catch(() => 1)))).toBe(
    'TRANSACTION_ABORTED',
  );
  const both = await asUser(ada, () =>
    Promise.all([descriptions(), addTask({ userId: ada, description: 'at once' }), session()]),
  );
  expect(both[0].length).toBeGreaterThanOrEqual(2); // with or without what is written at once with it
  expect(both[2]).toMatchObject({ role: 'mytx_user', setting: ada });
  await expectLogin();
});

test('a deadline that has passed, or that passes inside, leaves nothing behind', async () => {
  const [ada] = await newUsers();
  const late = withDeadline({ signal: AbortSignal.abort() }, () => asUser(ada, descriptions));
  await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  if (!isEmbedded) {
    const slow = withDeadline({ timeoutMs: 100 }, () => asUser(ada, () => db.execute(sql`select pg_sleep(5)`)));
    await expect(slow).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  }
  await Promise.all(Array.from({ length: 20 }, expectLogin));
});

test('a key is issued and checked as its user; another user’s key is not there', async () => {
  const [ada, bob] = await newUsers();
  const { key } = await asUser(ada, () => issueApiKey({ userId: ada, name: 'mine' }));
  expect(await asUser(ada, () => verifyApiKey(key))).toMatchObject({ ok: true, record: { userId: ada } });
  expect(await asUser(bob, () => verifyApiKey(key))).toMatchObject({ ok: false });
});

test.skipIf(isEmbedded)('a conflict with another transaction runs the work again, as the user', async () => {
  const [ada] = await newUsers();
  const tries = await Promise.all(
    [1, 2].map(async (n) => {
      let runs = 0;
      await asUser(
        ada,
        async () => {
          runs += 1;
          await descriptions();
          await new Promise((resolve) => setTimeout(resolve, 100));
          await db.update(tasks).set({ description: `${n}` });
        },
        { isolationLevel: 'serializable' },
      );
      return runs;
    }),
  );
  expect(Math.max(...tries)).toBeGreaterThan(1);
});

test('reads come right behind `begin`, in one transaction for all of the work', async () => {
  const [ada] = await newUsers();
  events.length = 0;
  await asUser(ada, async () => {
    await listChats({ userId: ada });
    await listChats({ userId: ada });
  });
  await vi.waitFor(() => expect(events).toHaveLength(4)); // the commit behind reads is not waited for
  const sent = events.map(({ statement }) => statement.split(/\s/)[0]);
  expect(sent.filter((word) => word?.startsWith('begin'))).toHaveLength(1);
  expect(sent.filter((word) => word === 'commit')).toHaveLength(1);
});

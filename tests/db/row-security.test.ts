// Row-level security by itself, under whatever a query says: each table with each operation as each user, logged in as a
// superuser and as an owner who is none; and the check of the catalogue, with every one of its rules broken once.

import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { migrate } from '../../db/opening.ts';
import {
  addTask,
  asUser,
  checkRowSecurity,
  closeDatabase,
  db,
  getTasksByUserId,
  openDatabase,
} from '../../db/queries.ts';
import { recordFigures } from '../security/figures.ts';
import { plainOwner } from './global-setup.ts';
import { newOwnedDatabase, type OwnedDatabase } from './owned-database.ts';
import { expectedOf, operationsOn, ownedTables, resetWithSearchRows, tenants } from './row-matrix.ts';
import { isEmbedded, newDatabase, newUser, serverUrl } from './test-database.ts';
import { fingerprintOf, idOf } from './two-users.ts';

type Database = Awaited<ReturnType<typeof createDatabase>>;

const onServer = plainOwner ? ['an owner who is no superuser'] : ['a superuser', 'an owner who is no superuser'];
const logins = isEmbedded ? ['the embedded database'] : onServer;

/** Of the operations of the matrix, over all logins, and of the rules that were broken. */
const counted = { operations: 0, right: 0, rules: 0, named: 0 };
afterAll(() => {
  if (isEmbedded) return;
  const { operations, right, rules, named } = counted;
  const [tables, users] = [ownedTables.length, tenants.length];
  recordFigures('row-matrix', { tables, operations, users, foreign: operations - right });
  recordFigures('broken-rules', { rules, overlooked: rules - named });
});

describe.each(logins)('as %s', (login) => {
  let database: Database;
  let owned: OwnedDatabase | undefined;

  beforeAll(async () => {
    if (login.startsWith('an owner')) owned = await newOwnedDatabase(serverUrl());
    database = await createDatabase(owned ? { url: owned.url } : await newDatabase());
    await database.run(resetWithSearchRows);
  });
  afterAll(async () => {
    await database?.close();
    await owned?.drop();
  });

  describe.each(ownedTables)('$name', (table) => {
    test.each(tenants)('as %s', (tenant) =>
      database.run(async () => {
        const own = await db.execute<{ n: string }>(
          sql.raw(`select count(*) as n from "${table.name}" where "${table.userColumn}" = '${idOf('user', 'ada')}'`),
        );
        expect(Number(own[0]?.n)).toBeGreaterThan(0);
        const before = await fingerprintOf('bob');
        const found = await operationsOn(table, tenant);
        counted.operations += Object.keys(found).length;
        expect(found).toEqual(expectedOf(tenant, Number(own[0]?.n)));
        counted.right += Object.keys(found).length;
        expect(await fingerprintOf('bob')).toBe(before);
      }),
    );
  });

  test('the record of what was done is added to, and not changed by anybody’s role', () =>
    database.run(async () => {
      const row = `('${idOf('none', 'ada')}', 'user.exported', '\\x00', null, '{}')`;
      await db.execute(sql.raw(`insert into "AuditEvent" (id, action, subject, actor, details) values ${row}`));
      for (const role of ['mytx_user', 'mytx_service']) {
        for (const statement of [
          'update "AuditEvent" set action = action',
          'delete from "AuditEvent"',
          'truncate "AuditEvent"',
        ]) {
          const attempt = db.transaction(async () => {
            await db.execute(`set local role ${role}`);
            await db.execute(statement);
          });
          await expect(attempt).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
        }
      }
      const reading = asUser(idOf('user', 'ada'), () => db.execute('select from "AuditEvent"'));
      await expect(reading).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      if (login.startsWith('an owner')) expect((await db.execute('delete from "AuditEvent"')).count).toBe(0);
    }));

  test('the catalogue has nothing missing', async () => {
    expect(await database.run(checkRowSecurity)).toEqual({ isReady: true, missing: [] });
  });

  describe('a rule that is broken is named, and its statement puts it right:', () => {
    const table =
      'create table "Note" (id uuid primary key, "userId" uuid not null references "User" (id) on delete cascade)';
    const open = `${table}; create index on "Note" ("userId"); grant select, insert, update, delete on "Note" to mytx_user, mytx_service;
      alter table "Note" enable row level security; alter table "Note" force row level security;
      create policy a on "Note" to mytx_service using (true)`;
    const mine = `"userId" = (select nullif(current_setting('app.user_id', true), '')::uuid)`;
    const rules: [what: string, breaking: string, isRefused: boolean, isForSuperuser?: true][] = [
      ['"Task" has no row-level security', 'alter table "Task" disable row level security', true],
      ['the owner of "Chat" is above its policies', 'alter table "Chat" no force row level security', true],
      ['no policy of "Memory" is for mytx_user and select', 'drop policy "Memory_user_policy" on "Memory"', true],
      ['no policy of "User" is for mytx_service and select', 'drop policy "User_service_policy" on "User"', true],
      [
        'policy everybody of "Task" lets mytx_user at rows of others',
        'create policy everybody on "Task" using (true)',
        true,
      ],
      [
        'policy writers of "Task" lets mytx_user at rows of others',
        `create policy writers on "Task" using (${mine.replace('userId', 'user_id')}) with check (true)`,
        true,
      ],
      ['mytx_user may not update in "Chat"', 'revoke update on "Chat" from mytx_user', true],
      ['mytx_user has the right to truncate on "Message"', 'grant truncate on "Message" to mytx_user', true],
      [
        'mytx_service has the right to references, trigger on "Task"',
        'grant references, trigger on "Task" to mytx_service',
        true,
      ],
      ['no index of "Note" begins with "userId"', table, false],
      ['"Note" has no row-level security', `${open}; alter table "Note" disable row level security`, true],
      ['no policy of "Note" is for mytx_user and delete', open, true],
      [
        'view "AllTasks" shows mytx_user what its owner may see',
        'create view "AllTasks" as select * from "Task"; grant select on "AllTasks" to mytx_user',
        true,
      ],
      [
        'materialized view "TaskCount" shows mytx_user rows of everybody',
        'create materialized view "TaskCount" as select count(*) from "Task"; grant select on "TaskCount" to public',
        true,
      ],
      [
        'function count_all() runs as its owner and with any search_path',
        "create function count_all() returns bigint language sql security definer as 'select 1::bigint'",
        false,
      ],
      [
        'policy changes lets "AuditEvent" be changed',
        'create policy changes on "AuditEvent" for delete to mytx_service using (true)',
        true,
      ],
      ['"AuditEvent" has no policy for insert', 'drop policy "AuditEvent_insert_policy" on "AuditEvent"', true],
      ['mytx_service has the right to update on "AuditEvent"', 'grant update on "AuditEvent" to mytx_service', true],
      ['mytx_service is above row-level security', 'alter role mytx_service bypassrls', true, true],
    ];
    const possible = rules.filter(([, , , isForSuperuser]) => !isForSuperuser || !login.startsWith('an owner'));
    test.each(possible)('%s', async (what, breaking, isRefused) => {
      counted.rules += 1;
      await database.run(async () => {
        // All of it in one transaction that is taken back, so that each begins with what is right.
        const attempt = db.transaction(async () => {
          for (const statement of breaking.split(';')) await db.execute(statement);
          const { isReady, missing } = await checkRowSecurity();
          expect(isReady).toBe(false);
          expect(missing.map((gap) => gap.what)).toContain(what);
          expect(missing.find((gap) => gap.what === what)).toMatchObject({ isRefused });
          for (const gap of missing) {
            for (const statement of gap.statement.split('; ')) await db.execute(statement.replace(' concurrently', ''));
          }
          expect(await checkRowSecurity()).toEqual({ isReady: true, missing: [] });
          throw new Error('take it back');
        });
        await expect(attempt).rejects.toThrow('take it back');
        counted.named += 1;
      });
    });

    test('a table of an application that asUser can’t get at stops nobody', async () => {
      await database.run(async () => {
        await db.execute(table);
        expect((await checkRowSecurity()).missing.filter((gap) => gap.isRefused)).toEqual([]);
        await db.execute('drop table "Note"');
      });
    });
  });
});

describe.skipIf(isEmbedded)('a role that may not make roles (the embedded database has one role)', () => {
  let admin: postgres.Sql;
  const name = `mytx_managed_${Date.now().toString(36)}`;
  const url = (): string =>
    Object.assign(new URL(serverUrl()), { pathname: `/${name}`, username: name, password: 'managed' }).href;

  beforeAll(async () => {
    admin = postgres(serverUrl(), { max: 1, onnotice: () => {} });
    for (const role of ['mytx_user', 'mytx_service']) {
      await admin.unsafe(`do $$ begin create role ${role} nologin; exception when others then null; end $$`);
    }
    await admin.unsafe(`create role ${name} login nosuperuser nocreaterole password 'managed'`);
    await admin.unsafe(`create database ${name} owner ${name}`);
  });
  afterAll(async () => {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.unsafe(`drop role ${name}`);
    await admin.end();
  });

  test('migrates with row-level security off; the statements of RLS_NOT_READY switch it on', async () => {
    await migrate({ url: url() });
    await openDatabase({ url: url() });
    try {
      const userId = await newUser();
      await addTask({ userId, description: 'works as ever' });
      const error = await asUser(userId, () => getTasksByUserId({ userId })).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'RLS_NOT_READY' });
      const { statements } = (error as { details: { statements: string[] } }).details;
      const database = postgres(Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href, {
        max: 1,
        onnotice: () => {},
      });
      for (const statement of statements) await database.unsafe(statement);
      await database.end();
      // No restart: the next call looks again.
      expect(await asUser(userId, () => db.query.tasks.findMany())).toHaveLength(1);
      expect(await checkRowSecurity()).toEqual({ isReady: true, missing: [] });
    } finally {
      await closeDatabase();
    }
  });

  test('a login that was made later, and is in no role, is told so when it opens the database', async () => {
    const login = `${name}_later`;
    await admin.unsafe(`create role ${login} login password 'later'`);
    const owner = postgres(url(), { max: 1, onnotice: () => {} });
    await owner.unsafe(
      `grant usage on schema drizzle to ${login}; grant select on all tables in schema drizzle to ${login}; grant select on all tables in schema public to ${login}`,
    );
    const later = Object.assign(new URL(url()), { username: login, password: 'later' }).href;
    const error = await createDatabase({ url: later }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RLS_NOT_READY', hint: expect.stringContaining(`to "${login}"`) });
    const { statements } = (error as { details: { statements: string[] } }).details;
    for (const statement of statements) await admin.unsafe(statement);
    const database = await createDatabase({ url: later });
    expect(await database.run(() => db.query.tasks.findMany())).toHaveLength(1);
    await database.close();
    await owner.unsafe(`drop owned by ${login}`).catch(() => {});
    await owner.end();
    const inDatabase = postgres(Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href, {
      max: 1,
      onnotice: () => {},
    });
    await inDatabase.unsafe(`drop owned by ${login}; drop role ${login}`);
    await inDatabase.end();
  });
});

// eraseUser: nothing is left in any table, of nobody else anything is missing, and where the application's own tables would
// keep something, nothing is done at all.

import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import { digestPerson } from '../../db/audit.ts';
import { addTask, appendMessages, db, eraseUser, exportUser, saveChat, transaction } from '../../db/queries.ts';
import { auditOf } from './audit-record.ts';
import { exportedLines, parse } from './export-file.ts';
import { rowsOfPerson, tablesWith } from './person-rows.ts';
import { isEmbedded, newUser, useTestDatabase } from './test-database.ts';
import { newWholePerson } from './whole-person.ts';

useTestDatabase();

test('leaves no row in any table, says how many there were, and a second call that there is nobody', async () => {
  const mark = `Zq${randomUUID().slice(0, 8)}`;
  const { userId } = await newWholePerson(mark);
  const other = await newWholePerson();
  const beforeOther = await rowsOfPerson(other.userId);
  const before = await rowsOfPerson(userId);
  expect(await tablesWith(userId)).toHaveLength(Object.keys(before).length);
  const { wasThere, rows } = await eraseUser({ userId });
  expect(wasThere).toBe(true);
  expect(rows).toEqual(Object.fromEntries(Object.entries(before).map(([table, found]) => [table, found.length])));
  expect(await tablesWith(userId)).toEqual([]);
  expect(await tablesWith(mark)).toEqual([]);
  expect(await tablesWith(digestPerson(userId).toString('hex'))).toEqual(['AuditEvent']);
  expect(await rowsOfPerson(other.userId)).toEqual(beforeOther);
  expect(await eraseUser({ userId })).toEqual({ wasThere: false, rows: {} });
  expect((await auditOf(userId)).filter(({ action }) => action === 'user.erased')).toEqual([
    { action: 'user.erased', details: rows },
  ]);
});

test('is undone with the transaction it is in, its record too', async () => {
  const { userId } = await newWholePerson();
  const before = await rowsOfPerson(userId);
  await expect(
    transaction(async () => {
      await eraseUser({ userId });
      throw new Error('no after all');
    }),
  ).rejects.toThrow('no after all');
  expect(await rowsOfPerson(userId)).toEqual(before);
  expect((await auditOf(userId)).some(({ action }) => action === 'user.erased')).toBe(false);
});

test('tells of each table when its turn comes', async () => {
  const told: string[] = [];
  const { rows } = await eraseUser({ userId: await newUser(), onProgress: ({ table }) => void told.push(table) });
  expect(told).toEqual(Object.keys(rows));
});

describe('tables of the application’s own', () => {
  afterEach(async () => {
    await db.execute(sql`drop table if exists "Invoice", "Note", "Line"`);
  });
  const refusal = { code: 'ERASE_REFUSED', hint: expect.stringMatching(/^Delete these rows in the same transaction/) };

  async function expectRefused(userId: string, table: string): Promise<void> {
    const before = await rowsOfPerson(userId);
    await expect(eraseUser({ userId })).rejects.toMatchObject({ ...refusal, details: { tables: [table] } });
    expect(await rowsOfPerson(userId)).toEqual(before);
    expect((await auditOf(userId)).some(({ action }) => action === 'user.erased')).toBe(false);
  }

  test('that refer to the person or a row of theirs and go with it', async () => {
    await db.execute(sql`create table "Invoice" (id uuid primary key, owner uuid references "User" on delete cascade)`);
    await db.execute(sql`create table "Line" (invoice uuid references "Invoice" on delete cascade)`);
    const { userId } = await newWholePerson();
    const id = randomUUID();
    await db.execute(sql`insert into "Invoice" values (${id}, ${userId})`);
    await db.execute(sql`insert into "Line" values (${id})`);
    expect(parse((await exportedLines(userId))[0]).otherTables).toEqual(['"Invoice"', '"Line"']);
    expect(await eraseUser({ userId })).toMatchObject({ wasThere: true });
    expect(await tablesWith(id)).toEqual([]);
  });

  test.each([
    ['refers to the person and does not go', sql`create table "Invoice" (owner uuid references "User")`, 'Invoice'],
    ['has the id alone', sql`create table "Invoice" (user_id uuid, n int)`, '"Invoice"'],
    ['has the id as text', sql`create table "Invoice" ("userId" varchar(36), n int)`, '"Invoice"'],
  ])(
    'one that %s: refused by its name, and nothing is erased; without rows it is in nobody’s way',
    async (_, create, table) => {
      await db.execute(create);
      const { userId } = await newWholePerson();
      const other = await newUser();
      await db.execute(sql`insert into "Invoice" values (${userId}), (${other})`);
      await expectRefused(userId, table);
      const { wasThere } = await transaction(async () => {
        await db.execute(sql`delete from "Invoice" i where i::text like ${`%${userId}%`}`);
        return eraseUser({ userId });
      });
      expect(wasThere).toBe(true);
      expect(await tablesWith(userId)).toEqual([]);
      expect(await tablesWith(other)).toEqual(['Invoice', 'User']);
    },
  );

  test('one whose rows stay without the person, as it says itself', async () => {
    await db.execute(sql`create table "Note" (id uuid primary key, author uuid references "User" on delete set null)`);
    const { userId } = await newWholePerson();
    const id = randomUUID();
    await db.execute(sql`insert into "Note" values (${id}, ${userId})`);
    await eraseUser({ userId });
    expect(await db.execute(sql`select * from "Note"`)).toEqual([{ id, author: null }]);
  });
});

describe.skipIf(isEmbedded)(
  'beside others who write for this person (the embedded database has one connection)',
  () => {
    test('what was not there when it began goes too, and what comes later is refused', async () => {
      const { userId, chatId } = await newWholePerson();
      const other = transaction(async () => {
        await appendMessages({ chatId, userId, messages: [{ role: 'user', content: 'in between' }] });
        await db.execute(sql`select pg_sleep(0.2)`);
      }).catch(({ code }) => expect(code).toBe('CHAT_NOT_FOUND'));
      const writers = Array.from({ length: 20 }, (_, n) =>
        (n % 2
          ? addTask({ userId, description: 'late' })
          : saveChat({ id: randomUUID(), userId, messages: [{}] })
        ).then(
          () => 'written',
          ({ code }) => code,
        ),
      );
      const erased = eraseUser({ userId });
      const outcomes = await Promise.all(writers);
      await other;
      expect(await erased).toMatchObject({ wasThere: true });
      expect(outcomes.filter((outcome) => outcome !== 'written' && outcome !== 'USER_NOT_FOUND')).toEqual([]);
      expect(await tablesWith(userId)).toEqual([]);
    });

    test('an export under way is whole, and there is nobody behind it', async () => {
      const { userId } = await newWholePerson();
      const lines: string[] = [];
      for await (const line of exportUser({ userId })) {
        if (lines.length === 0) await eraseUser({ userId });
        lines.push(line);
      }
      expect(parse(lines.at(-1)).end.rows).toMatchObject({ User: 1, Message: 7 });
      expect(await tablesWith(userId)).toEqual([]);
    });
  },
);

// The same as the person alone, under row-level security: set by hand here, as asUser does it.

import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { db, eraseUser, importUser, transaction } from '../../db/queries.ts';
import { exportedLines } from './export-file.ts';
import { rowsOfPerson } from './person-rows.ts';
import { useTestDatabase } from './test-database.ts';
import { newWholePerson } from './whole-person.ts';

useTestDatabase();

function as<T>(userId: string, work: () => Promise<T>): Promise<T> {
  return transaction(
    async () => {
      await db.execute(sql.raw('set local role mytx_user'));
      await db.execute(sql.raw(`set local app.user_id = '${userId}'`));
      return work();
    },
    { isolationLevel: 'repeatable read' },
  );
}

test('a person exports, erases and imports themselves', async () => {
  const { userId } = await newWholePerson();
  const other = await newWholePerson();
  const before = await rowsOfPerson(userId);
  const beforeOther = await rowsOfPerson(other.userId);
  const lines = await as(userId, () => exportedLines(userId));
  expect(await as(userId, () => eraseUser({ userId }))).toMatchObject({ wasThere: true });
  expect(await as(userId, () => importUser(lines))).toMatchObject({ userId });
  expect(await rowsOfPerson(userId)).toEqual({ ...before, SearchSegment: [], SearchBlock: [] });
  expect(await rowsOfPerson(other.userId)).toEqual(beforeOther);
});

test('for another person there is nobody to export or to erase, and nobody can be imported', async () => {
  const { userId } = await newWholePerson();
  const other = await newWholePerson();
  const before = await rowsOfPerson(userId);
  const lines = await exportedLines(userId);
  await expect(as(other.userId, () => exportedLines(userId))).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  expect(await as(other.userId, () => eraseUser({ userId }))).toEqual({ wasThere: false, rows: {} });
  expect(await rowsOfPerson(userId)).toEqual(before);
  await eraseUser({ userId });
  await expect(as(other.userId, () => importUser(lines))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(Object.values(await rowsOfPerson(userId)).flat()).toEqual([]);
});

// What is encrypted in what is done with it elsewhere: under row-level security, in an export, in an import with another key.

import { sql } from 'drizzle-orm';
import { afterEach, expect, test } from 'vitest';
import {
  asUser,
  configureEncryption,
  db,
  eraseUser,
  exportUser,
  findMemoriesByContent,
  getReservationById,
  importUser,
  listMemories,
  saveMemory,
  updateMemory,
  useSecrets,
} from '../../db/index.ts';
import { memories, reservation } from '../../db/schema.ts';
import { keysOf } from './encryption/keys.ts';
import { exportedLines } from './export-file.ts';
import { newUser, useTestDatabase } from './test-database.ts';
import { newWholePerson } from './whole-person.ts';

useTestDatabase();
afterEach(() => {
  useSecrets();
  configureEncryption();
});

/** How the values in a column begin, as they are stored. */
async function beginnings(userId: string): Promise<string[]> {
  const rows = await db.execute<{ stored: string }>(sql`
    select left(content, 9) as stored from "Memory" where user_id = ${userId}
    union select left(details #>> '{}', 9) from "Reservation" where "userId" = ${userId}`);
  return rows.map(({ stored }) => stored);
}

test('as its user, an encrypted memory is saved, found, changed, and not another’s', async () => {
  useSecrets(keysOf('k1'));
  configureEncryption({ memories: true });
  const [ada, bob] = [await newUser(), await newUser()];
  await asUser(ada, async () => {
    const [saved] = await saveMemory({ userId: ada, content: 'likes green tea' });
    expect(await saveMemory({ userId: ada, content: 'likes green tea' })).toEqual([saved]);
    expect(await findMemoriesByContent({ userId: ada, contentQuery: 'green' })).toEqual([saved]);
    await updateMemory({ id: saved?.id ?? '', userId: ada, content: 'likes black tea' });
    expect(await db.select({ content: memories.content }).from(memories)).toEqual([{ content: 'likes black tea' }]);
  });
  expect(await asUser(bob, () => findMemoriesByContent({ userId: ada, contentQuery: 'tea' }))).toEqual([]);
  expect(await beginnings(ada)).toEqual(['mytx1.k1.']);
});

test('an export is in the clear, and an import encrypts it with the keys of its database, each memory once', async () => {
  useSecrets(keysOf('k1'));
  configureEncryption({ memories: true });
  const { userId } = await newWholePerson('ZqPerson');
  expect(await beginnings(userId)).toEqual(['mytx1.k1.']);
  const before = await listMemories({ userId });
  const lines = await exportedLines(userId);
  expect(lines.join('')).toContain('ZqPerson likes green tea');
  expect(lines.join('')).not.toContain('mytx1.');
  await eraseUser({ userId });

  useSecrets(keysOf('k2'));
  await importUser(lines);
  expect(await beginnings(userId)).toEqual(['mytx1.k2.']);
  expect(await listMemories({ userId })).toEqual(before);
  const [first] = before.items;
  expect(await saveMemory({ userId, content: first?.content ?? '' })).toEqual([first]);
  const [{ id } = { id: '' }] = await db.select({ id: reservation.id }).from(reservation);
  expect(await getReservationById({ id })).toMatchObject({ details: { passengerName: expect.any(String) } });
  expect(await exportedLines(userId).then((again) => again.slice(1, -1))).toEqual(lines.slice(1, -1));

  // Without the key nothing of it is given, and what was begun says so.
  useSecrets(keysOf('k3'));
  const unreadable = (async (): Promise<void> => {
    for await (const _ of exportUser({ userId })) {
      // until it ends
    }
  })();
  await expect(unreadable).rejects.toMatchObject({ code: 'UNKNOWN_ENCRYPTION_KEY' });
});

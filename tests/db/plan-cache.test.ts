// A prepared statement is planned anew at each call where PostgreSQL takes the plan for one chat or user to be cheaper
// than the one for all: then planning costs more than the work. It does so when one of them is not like the others.

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDatabase, execute } from '../../db/database.ts';
import {
  appendMessages,
  getChatById,
  getMemoriesByUserId,
  getUser,
  listChats,
  listMessages,
  saveChat,
  saveMemory,
} from '../../db/queries.ts';
import { createTestUser } from '../../db/testing/index.ts';
import { isEmbedded, newDatabase } from './test-database.ts';

const talk = (length: number): object[] =>
  Array.from({ length }, (_, i) => ({ id: `m${i}`, role: i % 2 === 0 ? 'user' : 'assistant', content: `text ${i}` }));

test.skipIf(isEmbedded || process.env.MYTX_TEST_POOLED === '1')(
  'hot statements are planned once, whatever the statistics say of others (embedded and pooled: nothing is prepared)',
  async () => {
    const options = await newDatabase();
    const filling = await createDatabase({ ...options, poolSize: 1 });
    await filling.run(async () => {
      const { id: userId } = await createTestUser();
      await saveChat({ id: randomUUID(), userId, messages: talk(50) });
      for (let i = 0; i < 60; i += 1) {
        await saveChat({ id: randomUUID(), userId, messages: talk(2) });
        await saveMemory({ userId, content: `memory ${i}` });
      }
      await execute('analyze', [], false);
    });
    await filling.close();

    const database = await createDatabase({ ...options, poolSize: 1 });
    await database.run(async () => {
      const { id: userId, email } = await createTestUser();
      const [appended, saved] = [randomUUID(), randomUUID()];
      await saveChat({ id: appended, userId, messages: [] });
      for (let turn = 1; turn <= 40; turn += 1) {
        await appendMessages({ chatId: appended, userId, messages: talk(2 * turn).slice(-2) });
        await saveChat({ id: saved, userId, messages: talk(2 * turn) });
        await saveMemory({ userId, content: `memory ${turn}` });
        await getUser(email);
        await getChatById({ id: saved });
        await getChatById({ id: saved, userId });
        await listChats({ userId });
        await listMessages({ chatId: saved, userId });
        await getMemoriesByUserId({ userId });
      }
      const { rows } = await execute(
        'select statement, generic_plans::integer, custom_plans::integer from pg_prepared_statements',
        [],
        false,
      );
      const often = rows.filter(([, generic, custom]) => (generic as number) + (custom as number) >= 39);
      expect(often.length).toBeGreaterThanOrEqual(9);
      expect(often.filter(([, , custom]) => (custom as number) > 20).map(([statement]) => statement)).toEqual([]);
    });
    await database.close();
  },
);

// A statement that fails leaves nothing of itself in the result of the next one of its connection.

import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { db, getUser, transaction } from '../../db/queries.ts';
import { newDatabase } from './test-database.ts';

/** Gives four rows before it fails at the fifth. */
const failsHalfway = (): Promise<unknown> => db.execute(sql`select 10 / (5 - n) as x from generate_series(1, 10) n`);

test('rows that came before the failure are not in the next results', async () => {
  const one = await createDatabase({ ...(await newDatabase()), poolSize: 1 });
  await one.run(async () => {
    await expect(failsHalfway()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
    await expect(failsHalfway()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(failsHalfway()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect((await db.execute(sql`select n from generate_series(1, 3) n`)).length).toBe(3);
    await expect(failsHalfway()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect(await getUser('nobody@example.com')).toEqual([]);
    await expect(transaction(failsHalfway)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    const rows = await db.execute(sql`select n from generate_series(1, 2) n`);
    expect([...rows]).toEqual([{ n: 1 }, { n: 2 }]);
    expect(rows.count).toBe(2);
  });
  await one.close();
});

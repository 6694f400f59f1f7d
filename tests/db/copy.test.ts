// Rows copied into a table: every text comes back as it was sent, and a COPY that fails, wherever it does, is an error of
// ours without values, behind which the connection goes on.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { CopyText } from '../../db/connection/copy-text.ts';
import { copyInTransaction } from '../../db/connection/transaction.ts';
import { createDatabase, db, transaction, withDeadline } from '../../db/database.ts';
import { everythingSaid } from './everything-said.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { isEmbedded, newDatabase, useTestDatabase } from './test-database.ts';

useTestDatabase({ poolSize: 1 });

beforeAll(async () => {
  await db.execute(sql`create table copied (n integer primary key, value text, "order" json)`);
  await db.execute(sql`create table referring (n integer references copied)`);
});

type Row = (string | null)[];

function copy(statement: string, rows: readonly Row[]): Promise<number> {
  const text = new CopyText();
  for (const row of rows) text.add(row);
  return transaction(async () => (await copyInTransaction(statement, text.chunks())).count);
}

const copyValues = (values: readonly Row[]): Promise<number> =>
  copy(
    'copy copied (n, value, "order")',
    values.map((row, n) => [String(n), ...row]),
  );

async function readValues(): Promise<unknown[]> {
  const rows = await db.execute(sql`select value, "order"::text as "order" from copied order by n`);
  return rows.map(({ value, order }) => [value, order]);
}

const empty = (): Promise<unknown> => db.execute(sql`truncate copied, referring`);

/** What the text format could take for something else, among what is plain. */
const piece = fc.constantFrom(
  '\\',
  '\t',
  '\n',
  '\r',
  '\\N',
  '\\.',
  '\\n',
  '\\t',
  '\\\\',
  'N',
  '.',
  '"',
  "'",
  '\u0001',
  'ב',
  '🍞',
  '\u2028',
  ' ',
);
const value = fc.oneof(
  fc.constant(null),
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed().replaceAll('\0', '')),
);
const jsonText = fc.oneof(
  fc.constant(null),
  fc.jsonValue().map((any) => JSON.stringify(any)),
);

test('arbitrary texts and JSON come back as they were sent', { timeout: propertyTimeoutMs }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, jsonText), { maxLength: 40 }), async (rows) => {
      await empty();
      expect(await copyValues(rows)).toBe(rows.length);
      expect(await readValues()).toEqual(rows);
    }),
    runs(80, 2_000),
  );
});

test('JSON keeps U+0000 and lone surrogates, which are escaped in its text', async () => {
  await empty();
  const texts = ['\0', '\ud800', '\\u0000', 'a\\\0b'].map((text) => JSON.stringify({ text }));
  await copyValues(texts.map((text) => [null, text]));
  expect((await readValues()).map((row) => (row as Row)[1])).toEqual(texts);
});

test('more than one piece is sent whole, also where a row is longer than one', async () => {
  await empty();
  const rows = [...Array(3_000).keys()].map((n): Row => [`${n} `.repeat(n % 100), null]);
  rows.push(['\\long '.repeat(100_000), null], [null, null]);
  expect(await copyValues(rows)).toBe(3_002);
  expect(await readValues()).toEqual(rows);
});

test('no row is no row', async () => {
  await empty();
  expect(await copyValues([])).toBe(0);
  expect(await readValues()).toEqual([]);
});

test('without a transaction nothing is sent', async () => {
  await expect(copyInTransaction('copy copied (n)', [])).rejects.toThrow('inside of a transaction');
});

const secret = 'sesame-open-up';
const many = (count: number): Row[] => [...Array(count).keys()].map((n): Row => [String(n), `${secret} ${n}`, null]);
const copyMany = 'copy copied (n, value, "order")';

/** Fails in the middle of rows that are many pieces, at their end, when all are in, and before any. */
const failures: [string, string, () => Row[], string][] = [
  ['a duplicate among many rows', copyMany, () => [...many(100), ...many(20_000)], 'CONSTRAINT_VIOLATED'],
  ['a duplicate in the last row', copyMany, () => [...many(20_000), ['0', secret, null]], 'CONSTRAINT_VIOLATED'],
  ['a duplicate in the only piece', copyMany, () => [...many(3), ['0', secret, null]], 'CONSTRAINT_VIOLATED'],
  ['a row without what it refers to', 'copy referring (n)', () => [['4711']], 'CONSTRAINT_VIOLATED'],
  ['no JSON', copyMany, () => [['0', null, `{"${secret}`]], 'INVALID_VALUE'],
  ['no number', copyMany, () => [[secret, null, null]], 'INVALID_VALUE'],
  ['a value too many', copyMany, () => [['0', null, null, secret]], 'INVALID_VALUE'],
  ['no such table', 'copy nowhere (n)', () => [[secret]], 'SCHEMA_BEHIND'],
  ['a statement that is none', 'copy copied (n', () => [[secret]], 'STATEMENT_FAILED'],
];

test.each(failures)('%s is an error without values, and the connection goes on', async (_, statement, rows, code) => {
  await empty();
  const error = await copy(statement, rows()).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(everythingSaid(error)).not.toContain('sesame');
  expect(everythingSaid(error)).not.toContain('4711');
  expect(await readValues()).toEqual([]);
  expect(await copyValues([['after', null]])).toBe(1);
  expect(await readValues()).toEqual([['after', null]]);
});

test('one that fails in a nested transaction takes only that one back', async () => {
  await empty();
  await transaction(async () => {
    await copyInTransaction('copy copied (n)', [Buffer.from('1\n')]);
    await expect(
      transaction(() => copyInTransaction('copy copied (n)', [Buffer.from('2\n1\n')])),
    ).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED' });
    await copyInTransaction('copy copied (n)', [Buffer.from('3\n')]);
  });
  expect([...(await db.execute(sql`select n from copied order by n`))]).toEqual([{ n: 1 }, { n: 3 }]);
});

describe.skipIf(isEmbedded)(
  'on a server (the embedded database has one session, and no deadline within a statement)',
  () => {
    test('one that waits is canceled at its deadline or by its signal, and the connection goes on', async () => {
      await empty();
      const other = await createDatabase({ ...(await newDatabase()), poolSize: 2 });
      await other.run(async () => {
        await db.execute(sql`create table copied (n integer)`);
        await transaction(async () => {
          await db.execute(sql`lock table copied`);
          const stop = new AbortController();
          setTimeout(() => stop.abort(), 200);
          for (const limit of [{ timeoutMs: 200 }, { signal: stop.signal }]) {
            const waiting = other.run(() =>
              withDeadline(limit, () =>
                transaction(() => copyInTransaction('copy copied (n)', [Buffer.from(`${'1\n'.repeat(200_000)}`)])),
              ),
            );
            await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
          }
        });
        const copied = await transaction(() => copyInTransaction('copy copied (n)', [Buffer.from('1\n')]));
        expect(copied.count).toBe(1);
      });
      await other.close();
    });

    test('one whose session is ended in the middle is CONNECTION_LOST, and the next one has a session again', async () => {
      const other = await createDatabase({ ...(await newDatabase()), poolSize: 2 });
      const name = randomUUID();
      await other.run(() => db.execute(sql`create table copied (n integer)`));
      let letGo = (): void => {};
      const held = other.run(() =>
        transaction(async () => {
          await db.execute(sql`lock table copied`);
          await new Promise<void>((resolve) => {
            letGo = resolve;
          });
        }),
      );
      const copying = other.run(() =>
        transaction(async () => {
          await db.execute(sql`select set_config('application_name', ${name}, false)`);
          await copyInTransaction('copy copied (n)', [Buffer.from('1\n'.repeat(500_000))]);
        }),
      );
      const lost = expect(copying).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      while ((await endWaiting(name)) === 0) await sleep(20);
      await lost;
      letGo();
      await held;
      const copied = await other.run(() =>
        transaction(() => copyInTransaction('copy copied (n)', [Buffer.from('1\n')])),
      );
      expect(copied.count).toBe(1);
      await other.close();
    });
  },
);

/** Ends the sessions of that name that wait for a lock. @returns how many there were */
async function endWaiting(name: string): Promise<number> {
  const ended = await db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${name} and wait_event_type = 'Lock'`);
  return ended.length;
}

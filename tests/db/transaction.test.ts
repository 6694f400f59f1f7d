import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { addTask, db, getTasksByUserId, saveChat, transaction, updateTaskDescription } from '../../db/queries.ts';
import { tasks } from '../../db/schema.ts';
import { databaseUrl, isEmbedded, newDatabase, newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

const descriptions = async (userId: string): Promise<string[]> =>
  (await getTasksByUserId({ userId })).map(({ description }) => description).sort();

test('everything called inside is one: done together or not at all', async () => {
  const userId = await newUser();
  await transaction(async () => {
    await addTask({ userId, description: 'a' });
    await Promise.all([addTask({ userId, description: 'b' }), addTask({ userId, description: 'c' })]);
  });
  const failure = transaction(async () => {
    await addTask({ userId, description: 'd' });
    throw new Error('no');
  });
  await expect(failure).rejects.toThrow('no');
  expect(await descriptions(userId)).toEqual(['a', 'b', 'c']);
});

test('the result of the function is the result of the transaction', async () => {
  expect(await transaction(async () => 42)).toBe(42);
});

test('a nested transaction is a savepoint: its failure can be caught and the rest goes on', async () => {
  const userId = await newUser();
  await transaction(async () => {
    await addTask({ userId, description: 'kept' });
    const nested = transaction(async () => {
      await addTask({ userId, description: 'undone' });
      await addTask({ userId: randomUUID(), description: 'of nobody' });
    });
    await expect(nested).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    await transaction(async () => {
      await transaction(async () => addTask({ userId, description: 'two levels down' }));
    });
  });
  expect(await descriptions(userId)).toEqual(['kept', 'two levels down']);
});

test('nested transactions at once take turns, and a query beside them is not undone with one that fails', async () => {
  const userId = await newUser();
  await transaction(async () => {
    const results = await Promise.allSettled([
      transaction(async () => {
        await addTask({ userId, description: 'undone' });
        throw new Error('no');
      }),
      addTask({ userId, description: 'beside' }),
      transaction(async () => addTask({ userId, description: 'second' })),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });
  expect(await descriptions(userId)).toEqual(['beside', 'second']);
});

test('an error that was caught does not become a success: PostgreSQL has rolled everything back', async () => {
  const userId = await newUser();
  const swallowed = transaction(async () => {
    await addTask({ userId, description: 'lost' });
    await addTask({ userId: randomUUID(), description: 'of nobody' }).catch(() => {});
  });
  await expect(swallowed).rejects.toMatchObject({
    code: 'TRANSACTION_ABORTED',
    cause: { code: 'CONSTRAINT_VIOLATED' },
  });
  expect(await descriptions(userId)).toEqual([]);
});

test('a query that was not awaited is part of the transaction; one after its end is refused', async () => {
  const userId = await newUser();
  let late: (() => Promise<unknown>) | undefined;
  await transaction(async () => {
    void addTask({ userId, description: 'not awaited' });
    late = bindToHere(() => addTask({ userId, description: 'too late' }));
  });
  await expect(late?.()).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
  expect(await descriptions(userId)).toEqual(['not awaited']);
});

/** Keeps the asynchronous context of the caller, as a timer or an event handler made there does. */
function bindToHere<T>(work: () => Promise<T>): () => Promise<T> {
  let go: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    go = resolve;
  });
  const result = started.then(work);
  result.catch(() => {});
  return () => {
    go();
    return result;
  };
}

test('db.transaction is the same transaction, with Drizzle’s own signature and rollback', async () => {
  const userId = await newUser();
  await db.transaction(async (tx) => {
    await tx.insert(tasks).values({ userId, description: 'drizzle' });
    await addTask({ userId, description: 'query' });
    const nested = tx.transaction(async (inner) => {
      await inner.insert(tasks).values({ userId, description: 'undone' });
      inner.rollback();
    });
    await expect(nested).rejects.toThrow();
  });
  expect(await descriptions(userId)).toEqual(['drizzle', 'query']);
});

test('a transaction that reads only refuses to write', async () => {
  const userId = await newUser();
  const writing = transaction(() => addTask({ userId, description: 'x' }), { readOnly: true });
  await expect(writing).rejects.toMatchObject({ code: 'STATEMENT_FAILED', details: { sqlState: '25006' } });
});

test('a transaction’s database is that of createDatabase().run, nested or not', async () => {
  const other = await createDatabase(await newDatabase());
  const here = await newUser();
  await other.run(async () => {
    const there = await newUser();
    await transaction(async () => {
      await addTask({ userId: there, description: 'there' });
      await expect(addTaskInNested(here)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    });
    expect(await descriptions(there)).toEqual(['there']);
  });
  expect(await descriptions(here)).toEqual([]);
  await other.close();
});

const addTaskInNested = (userId: string): Promise<unknown> =>
  transaction(() => addTask({ userId, description: 'elsewhere' }));

describe.skipIf(isEmbedded)('with other connections (the embedded database has one)', () => {
  test('what is not committed is seen inside and not outside', async () => {
    const userId = await newUser();
    const outside = await createDatabase(await sameDatabase());
    await transaction(async () => {
      await addTask({ userId, description: 'new' });
      expect(await descriptions(userId)).toEqual(['new']);
      expect(await outside.run(() => descriptions(userId))).toEqual([]);
    });
    expect(await outside.run(() => descriptions(userId))).toEqual(['new']);
    await outside.close();
  });

  test('a serialization failure runs the whole again, and it succeeds', async () => {
    const userId = await newUser();
    const [task] = await addTask({ userId, description: '0' });
    const id = task?.id ?? '';
    let attempts = 0;
    const increment = (): Promise<void> =>
      transaction(
        async () => {
          attempts += 1;
          const [row] = await getTasksByUserId({ userId });
          await new Promise((resolve) => setTimeout(resolve, 20));
          await updateTaskDescription({ id, userId, description: String(Number(row?.description) + 1) });
        },
        { isolationLevel: 'repeatable read', maxAttempts: 20 },
      );
    await Promise.all(Array.from({ length: 5 }, increment));
    expect(await descriptions(userId)).toEqual(['5']);
    expect(attempts).toBeGreaterThan(5);
  });

  test('a deadlock is resolved by running one of the two again', async () => {
    const userId = await newUser();
    const ids = (await Promise.all(['a', 'b'].map((description) => addTask({ userId, description })))).map(
      ([row]) => row?.id ?? '',
    );
    const both = (first: number, second: number): Promise<void> =>
      transaction(async () => {
        await updateTaskDescription({ id: ids[first] ?? '', userId, description: `${first}` });
        await new Promise((resolve) => setTimeout(resolve, 100));
        await updateTaskDescription({ id: ids[second] ?? '', userId, description: `${second}` });
      });
    await Promise.all([both(0, 1), both(1, 0)]);
    expect(await descriptions(userId)).toEqual(['0', '1']);
  });

  test('a single statement that meets another transaction is run again by itself', async () => {
    await db.execute(sql`create sequence attempts`);
    await db.execute(sql`do $$ begin
      if nextval('attempts') < 3 then raise exception 'again' using errcode = '40P01'; end if;
    end $$`);
    expect(await db.execute(sql`select last_value::integer as attempts from attempts`)).toEqual([{ attempts: 3 }]);
  });

  test('conflicts without end are given up after maxAttempts, with nothing written', async () => {
    const userId = await newUser();
    let attempts = 0;
    const doomed = transaction(
      async () => {
        attempts += 1;
        await addTask({ userId, description: 'x' });
        await db.execute(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
      },
      { maxAttempts: 3 },
    );
    await expect(doomed).rejects.toMatchObject({ code: 'TRANSACTION_CONFLICT', details: { attempts: 3 } });
    expect(attempts).toBe(3);
    expect(await descriptions(userId)).toEqual([]);
  });

  test('a backend that is terminated between two statements takes the whole transaction with it', async () => {
    const userId = await newUser();
    const killer = await createDatabase(await sameDatabase());
    const cut = transaction(async () => {
      await addTask({ userId, description: 'first' });
      const [row] = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      await killer.run(() => db.execute(sql`select pg_terminate_backend(${row?.pid}::integer)`));
      await new Promise((resolve) => setTimeout(resolve, 200));
      await addTask({ userId, description: 'second' });
    });
    await expect(cut).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await descriptions(userId)).toEqual([]);
    await killer.close();
  });
});

async function sameDatabase(): Promise<{ url: string }> {
  const [row] = await db.execute<{ name: string }>(sql`select current_database() as name`);
  return { url: databaseUrl(row?.name ?? '') };
}

test('saveChat and others join the transaction they are called in', async () => {
  const userId = await newUser();
  const id = randomUUID();
  const undone = transaction(async () => {
    await saveChat({ id, userId, messages: [{ role: 'user', content: 'hi' }] });
    await saveChat({ id, userId, messages: [{ role: 'user', content: 'edited' }] });
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  await transaction(() => saveChat({ id, userId, messages: [] }));
});

test('a Drizzle query that the function returns without awaiting it belongs to the transaction', async () => {
  const userId = await newUser();
  await transaction(() => db.insert(tasks).values({ userId, description: 'inside' }) as unknown as Promise<void>);
  const undone = transaction(async () => {
    await transaction(() => db.insert(tasks).values({ userId, description: 'undone' }) as unknown as Promise<void>);
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  expect(await descriptions(userId)).toEqual(['inside']);
});

import { expect, test } from 'vitest';
import type { Connection, Engine } from '../../../db/connection/connection.ts';
import { Pool } from '../../../db/connection/pool.ts';
import { uuidv7 } from '../../../db/uuid.ts';

/** An engine whose connections only count: what a pool does with them is all that is tested here. */
function countingEngine(size: number): Engine & { opened: number; closed: number } {
  const engine = {
    kind: 'server' as const,
    target: 'counting',
    size,
    opened: 0,
    closed: 0,
    connect(): Connection {
      engine.opened += 1;
      return {
        generation: 0,
        run: async () => ({ rows: [], columns: [], count: 0 }),
        script: async () => {},
        copyIn: async () => ({ rows: [], columns: [], count: 0 }),
        discard: async () => {},
        close: async () => {
          engine.closed += 1;
        },
      };
    },
    close: async () => {},
  };
  return engine;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('callers get a connection in the order of asking, each alone, and no more are opened than there may be', async () => {
  const engine = countingEngine(3);
  const pool = new Pool(engine);
  const order: number[] = [];
  const busy = new Set<Connection>();
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      pool.use(async (connection) => {
        expect(busy.has(connection)).toBe(false);
        busy.add(connection);
        order.push(i);
        await pause(1);
        busy.delete(connection);
      }),
    ),
  );
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(engine.opened).toBe(3);
});

test('who is to be first goes before all who wait, also where the line is full', async () => {
  const pool = new Pool(countingEngine(1), { maxWaiting: 3, waitMs: 1000 });
  const order: string[] = [];
  const ask = (name: string, isFirst = false): Promise<void> =>
    pool.use(
      async () => {
        order.push(name);
        await pause(1);
      },
      () => 1000,
      isFirst,
    );
  await Promise.all([ask('a'), ask('b'), ask('c'), ask('d'), ask('x', true), ask('y', true)]);
  expect(order).toEqual(['a', 'y', 'x', 'b', 'c', 'd']);
  await Promise.all([ask('e'), ask('f'), ask('z', true)]);
  expect(order.slice(6)).toEqual(['e', 'z', 'f']);
});

test('work that fails gives its connection back', async () => {
  const pool = new Pool(countingEngine(1));
  await expect(
    pool.use(async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await pool.use(async () => 'next')).toBe('next');
});

test('closing waits for what runs, and refuses what waits and what comes later', async () => {
  const engine = countingEngine(1);
  const pool = new Pool(engine);
  const running = pool.use(() => pause(30).then(() => 'done'));
  const waiting = pool.use(async () => 'never');
  const closing = pool.close();
  await expect(waiting).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
  await expect(pool.use(async () => 'late')).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
  expect(await running).toBe('done');
  await closing;
  expect(engine.closed).toBe(1);
});

test('a line of 100,000 callers moves on in linear time', async () => {
  const pool = new Pool(countingEngine(2), { maxWaiting: 200_000, waitMs: 60_000 });
  let done = 0;
  await Promise.all(
    Array.from({ length: 100_000 }, () =>
      pool.use(async () => {
        done += 1;
      }),
    ),
  );
  expect(done).toBe(100_000);
});

test('new ids are UUIDs of version 7, ever greater and never equal', () => {
  const ids = Array.from({ length: 100_000 }, () => uuidv7());
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
    true,
  );
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});

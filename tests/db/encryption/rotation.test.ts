// A rotation under fire, on a server: 100,000 values, processes that write meanwhile, one of them still with the old key,
// and the rotating process killed ten times. Nothing is unreadable, nothing is lost, nothing is left on the old key.

import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { InsertedRows } from '../../../db/bulk-rows.ts';
import { storedMemory } from '../../../db/encrypted-memories.ts';
import { configureEncryption, db, transaction, useSecrets } from '../../../db/index.ts';
import { memories, reservation } from '../../../db/schema.ts';
import { createTestUser } from '../../../db/testing/factories.ts';
import { createTestDatabase, type TestDatabase } from '../../../db/testing/index.ts';
import { uuidv7 } from '../../../db/uuid.ts';
import { recordFigures } from '../../security/figures.ts';
import { flight } from '../flight.ts';
import { keysOf } from './keys.ts';
import type { Answer, Order } from './rotator.ts';

const [server] = inject('servers');
const kills = 10;
const counts = { users: 5, memories: 80_000, reservations: 20_000 };

describe.skipIf(server === undefined)('on a server (none is here: see the skipped tests of tests/servers)', () => {
  let database: TestDatabase;
  const children: ChildProcess[] = [];
  /** What each memory says. */
  const texts = new Map<string, string>();
  const userIds: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'mytx-rotation-'));
  /** The process as one file: 13 of them start, and to compile its sources is most of what that takes. */
  const script = join(folder, 'rotator.mjs');

  beforeAll(async () => {
    await build({
      entryPoints: [fileURLToPath(new URL('rotator.ts', import.meta.url))],
      ...{ bundle: true, platform: 'node', format: 'esm', outfile: script, logLevel: 'error' },
    });
    database = await createTestDatabase({ url: server?.url ?? '', isDefault: true });
    configureEncryption({ memories: true });
    useSecrets(keysOf('old'));
    for (let i = 0; i < counts.users; i += 1) userIds.push((await createTestUser()).id);
    await transaction(fill);
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    useSecrets();
    configureEncryption();
    await database?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Each user's rows lie among the others'. */
  async function fill(): Promise<void> {
    const columns = { id: 'uuid', user_id: 'uuid', content: 'text', content_index: 'bytea' };
    for (let n = 0; n < counts.memories; ) {
      const rows = new InsertedRows({ name: 'Memory', columns });
      for (const end = n + 10_000; n < end; n += 1) {
        const [id, userId, text] = [uuidv7(), userIds[n % counts.users] as string, `memory ${n}`];
        const { content, contentIndex } = storedMemory(userId, text);
        rows.add([id, userId, content, `\\x${contentIndex?.toString('hex')}`]);
        texts.set(id, text);
      }
      await rows.write();
    }
    const rows = new InsertedRows({ name: 'Reservation', columns: { id: 'uuid', userId: 'uuid', details: 'jsonb' } });
    for (let n = 0; n < counts.reservations; n += 1) {
      const details = reservation.details.mapToDriverValue({ ...flight, flightNumber: `MX${n}` }) as string;
      rows.add([uuidv7(), userIds[n % counts.users] as string, details]);
    }
    await rows.write();
  }

  async function start(...keys: string[]): Promise<ChildProcess> {
    const env = {
      ...process.env,
      TEST_URL: database.url as string,
      MYTX_ENCRYPTION_KEYS: keysOf(...keys).encryptionKeys,
      MYTX_ENCRYPT_MEMORIES: '1',
    };
    const child = fork(script, { execArgv: [], env });
    children.push(child);
    await next(child, (answer) => answer === 'ready');
    return child;
  }

  function next<A extends Answer>(child: ChildProcess, isWanted: (answer: Answer) => boolean): Promise<A> {
    return new Promise((resolve, reject) => {
      child.on('message', (answer: Answer) => isWanted(answer) && resolve(answer as A));
      child.on('exit', (code, signal) => reject(new Error(`the process ended with ${code ?? signal}`)));
    });
  }

  const tell = (child: ChildProcess, order: Order): boolean => child.send(order);

  async function startWriting(userId: string, ...keys: string[]): Promise<() => Promise<number>> {
    const child = await start(...keys);
    const own = await db.select({ id: memories.id }).from(memories).where(sql`user_id = ${userId}`);
    tell(child, { write: { userId, ids: own.map(({ id }) => id) } });
    return async () => {
      const answered = next<{ written: [string, string][] }>(
        child,
        (answer) => typeof answer === 'object' && 'written' in answer,
      );
      tell(child, 'stop');
      const { written } = await answered;
      for (const [id, text] of written) texts.set(id, text);
      child.disconnect();
      return written.length;
    };
  }

  const countBeginning = async (beginning: string): Promise<number> => {
    const [row] = await db.execute<{ count: string }>(
      sql`select (select count(*) from "Memory" where starts_with(content, ${beginning}))
        + (select count(*) from "Reservation" where starts_with(details #>> '{}', ${beginning})) as count`,
    );
    return Number(row?.count);
  };

  test('100,000 values, 10 kills, 2 writers: all readable, none lost, none on the old key', {
    timeout: 180_000,
  }, async () => {
    useSecrets(keysOf('new', 'old'));
    const stops = await Promise.all([
      startWriting(userIds[0] as string, 'new', 'old'),
      startWriting(userIds[1] as string, 'old', 'new'),
    ]);
    const left: number[] = [];
    let spare = start('new', 'old');
    for (let kill = 1; kill <= kills; kill += 1) {
      const rotator = await spare;
      spare = start('new', 'old');
      const goal = randomInt(1, 8_000);
      const reached = next(
        rotator,
        (answer) => typeof answer === 'object' && 'rewritten' in answer && answer.rewritten >= goal,
      );
      tell(rotator, { rotate: true });
      await reached;
      await sleep(randomInt(20));
      const ended = once(rotator, 'exit');
      rotator.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
      left.push(await countBeginning('mytx1.old.'));
    }
    const [byNew, byOld] = await Promise.all(stops.map((stop) => stop()));
    const last = await spare;
    const done = next<{ isComplete: boolean }>(last, (answer) => typeof answer === 'object' && 'isComplete' in answer);
    tell(last, { rotate: true });
    expect(await done).toEqual({ isComplete: true });
    last.disconnect();

    console.info(`left on the old key behind each kill: ${left.join(', ')}; written meanwhile: ${byNew} and ${byOld}`);
    expect(left.at(-1)).toBeLessThan(left[0] as number);
    expect(left.at(-1)).toBeGreaterThan(0);
    expect([byNew, byOld].every((count = 0) => count > 20)).toBe(true);
    const onOldKey = await countBeginning('mytx1.old.');
    expect(onOldKey).toBe(0);

    useSecrets(keysOf('new')); // without the old key
    const rows = await db
      .select({ id: memories.id, userId: memories.userId, content: memories.content, index: memories.contentIndex })
      .from(memories);
    expect(rows).toHaveLength(texts.size);
    expect(rows.filter(({ id, content }) => texts.get(id) !== content)).toEqual([]);
    const indexIsRight = rows
      .filter((_, n) => n % 50 === 0)
      .filter(({ userId, content, index }) => {
        const { contentIndex } = storedMemory(userId, content);
        return index === null || !contentIndex?.equals(index);
      });
    expect(indexIsRight).toEqual([]);
    const flights = await db.select({ details: reservation.details }).from(reservation);
    const flightCount = new Set(flights.map(({ details }) => details.flightNumber)).size;
    expect(flightCount).toBe(counts.reservations);
    recordFigures('rotation', {
      ...{ values: counts.memories + counts.reservations, writers: stops.length, kills: left.length, onOldKey },
      unreadable: rows.filter(({ id, content }) => texts.get(id) !== content).length,
      lost: texts.size - rows.length + counts.reservations - flightCount,
    });
  });
});

// That the comparison finds what it is there to find: a database that is right has no finding, and each kind of damage
// is found as what it is. A suite that reports zeros is worth what this file is.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { db } from '../../db/queries.ts';
import { user } from '../../db/schema.ts';
import { CallMeter } from './call-meter.ts';
import { Ledger, type Line, readLedger, type Write } from './ledger.ts';
import { type Findings, replayLedger } from './ledger-replay.ts';
import { randomFor } from './plan.ts';
import { StallClock } from './stall-clock.ts';
import { Workload } from './workload.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let folder: string;
let ledgerPath: string;
let lines: Line[];

beforeAll(async () => {
  database = await createDatabase({ folder: 'memory' });
  folder = mkdtempSync(join(tmpdir(), 'mytx-ledger-'));
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

/** A short workload without a fault: enough of each kind of write. */
beforeEach(async () => {
  ledgerPath = join(folder, randomUUID());
  const ledger = new Ledger(ledgerPath);
  const userIds = [randomUUID(), randomUUID()];
  const meter = new CallMeter(new StallClock(), []);
  const workload = new Workload({ meter, ledger, random: randomFor('replay'), userIds, callersForEach: 1 });
  await database.run(async () => {
    await db.insert(user).values(userIds.map((id) => ({ id, email: `${id.slice(0, 30)}@example.com` })));
    await workload.start();
    const kinds = () => new Set(readLedger(ledgerPath).map(({ write }) => write.kind));
    await expect.poll(() => kinds().size, { timeout: 20_000 }).toBe(6);
    await workload.stop();
  });
  await ledger.close();
  lines = readLedger(ledgerPath);
  expect(meter.figures).toMatchObject({ pending: 0, late: 0, unexpected: 0, problems: [] });
  expect(workload.figures).toMatchObject({ acknowledged: lines.length, refused: 0, stale: 0, problems: [] });
});

function replay(changed: readonly Line[] = lines): Promise<Findings> {
  return database.run(() => replayLedger(changed, async (statement) => [...(await db.execute(sql.raw(statement)))]));
}

async function damage(statement: string): Promise<void> {
  await database.run(() => db.execute(sql.raw(statement)));
}

function lineOf<Kind extends Write['kind']>(kind: Kind): Line & { write: Extract<Write, { kind: Kind }> } {
  const line = lines.findLast(({ write }) => write.kind === kind);
  if (!line) throw new Error(`the workload wrote no ${kind}`);
  return line as Line & { write: Extract<Write, { kind: Kind }> };
}

const whole = { lost: 0, doubled: 0, half: 0, refusedButThere: 0, disordered: 0 };

test('what was acknowledged is there: no finding', async () => {
  expect(await replay()).toEqual({ ...whole, problems: [] });
});

test('a row that is gone is lost', async () => {
  await damage(`delete from "Memory" where id = '${lineOf('memory').write.id}'`);
  expect(await replay()).toMatchObject({ ...whole, lost: 1 });
});

test('a message that is not where it was promised is lost', async () => {
  const { write } = lineOf('append');
  const line = lines.find((one) => one.write === write) as Line;
  const moved = { ...line, positions: (line.positions ?? []).map((position) => position + 1) };
  expect(await replay([...lines.filter((one) => one !== line), moved])).toMatchObject({
    lost: write.texts.length,
    doubled: 0,
  });
});

test('a row that is there twice is doubled', async () => {
  const { write } = lineOf('task');
  await damage(`insert into "Task" (id, user_id, description)
    select '${randomUUID()}', user_id, description from "Task" where id = '${write.id}'`);
  expect(await replay()).toMatchObject({ ...whole, doubled: 1 });
});

test('one of two rows of a transaction is half of it, also where nobody was promised anything', async () => {
  const { write } = lineOf('pair');
  await damage(`delete from "Memory" where id = '${write.memoryId}'`);
  expect(await replay()).toMatchObject({ lost: 1, half: 1 });
  expect(await replay(lines.filter((line) => line.write !== write))).toMatchObject({ lost: 0, half: 1 });
});

test('a row of a write that was refused is found', async () => {
  const line = lineOf('memory');
  const refused = lines.map((one): Line => (one === line ? { ...one, outcome: 'refused' } : one));
  expect(await replay(refused)).toMatchObject({ ...whole, refusedButThere: 1 });
});

test('a row that shows an older version than was acknowledged has lost the newer one', async () => {
  const { write } = lineOf('update');
  await damage(`update "Task" set description = replace(description, ' v', ' v0') where id = '${write.id}'`);
  expect(
    await replay([...lines, { outcome: 'acknowledged', write: { ...write, version: write.version + 1 } }]),
  ).toMatchObject({
    ...whole,
    lost: 1,
  });
});

test('a chat with a gap, or with another count than it has messages, is disordered', async () => {
  const saved = lineOf('save').write.chatId;
  await damage(`update "Message" set position = position + 1000 where "chatId" = '${saved}' and position = 1`);
  const shared = lineOf('append').write.chatId;
  await damage(`update "Chat" set "messageCount" = "messageCount" + 1 where id = '${shared}'`);
  const { lost, problems } = await replay();
  expect(lost).toBe(0);
  for (const chat of [saved, shared]) expect(problems.join()).toContain(`disordered: chat ${chat}: `);
});

test('a list that was saved in another order than it has is disordered', async () => {
  const line = lineOf('save');
  const write = { ...line.write, texts: line.write.texts.toReversed() };
  const changed = lines.map((one): Line => (one === line ? { ...one, write } : one));
  expect(await replay(changed)).toMatchObject({ ...whole, disordered: 1 });
});

test('a call that is late, one that never ends and an error of nobody’s are found', async () => {
  const meter = new CallMeter(new StallClock(), ['UNREACHABLE']);
  await meter.time('late', 20, () => new Promise((resolve) => setTimeout(resolve, 80)));
  await expect(meter.time('failing', 1000, () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
  void meter.time('endless', 1000, () => new Promise(() => {}));
  expect(meter.figures).toMatchObject({ calls: 3, late: 1, unexpected: 1, pending: 1, failed: { none: 1 } });
});

// A person with 100,000 messages, in a process whose memory is measured, as an owner whom row-level security holds; and a
// person behind PgBouncer in transaction mode.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { createDatabase } from '../../../db/database.ts';
import { db, eraseUser, importUser } from '../../../db/queries.ts';
import { recordFigures } from '../../security/figures.ts';
import { findPgBouncer, startPgBouncer } from '../../servers/pgbouncer.ts';
import { exportedLines } from '../export-file.ts';
import { newOwnedDatabase } from '../owned-database.ts';
import { rowsOfPerson } from '../person-rows.ts';
import { newWholePerson } from '../whole-person.ts';
import { addLargePerson } from './large-person.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mytx-move-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const messages = 100_000;
const mostMiB = 200;

async function digestOf(userId: string): Promise<unknown> {
  const [row] = await db.execute(sql`
    select count(*)::int as rows, md5(string_agg(md5(m::text), '' order by m.id)) as digest
    from "Message" m
    where "userId" = ${userId}`);
  return row;
}

// One version will do: what differs between them is in tests/db/person-*.test.ts, which run on all.
describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url }) => {
  test(`${messages} messages are exported, erased and imported with less than ${mostMiB} MiB`, {
    timeout: 300_000,
  }, async () => {
    const owned = await newOwnedDatabase(url);
    const owner = await createDatabase({ url: owned.url });
    await owner.run(async () => {
      const userId = await addLargePerson(messages);
      const before = await digestOf(userId);
      const move = fileURLToPath(new URL('move.ts', import.meta.url));
      const file = join(folder, 'person.jsonl');
      const { stdout } = await run(process.execPath, [
        ...['--max-old-space-size=96', '--import', import.meta.resolve('tsx'), move],
        ...[owned.url, userId, file],
      ]);
      const moved = JSON.parse(stdout);
      console.info(`memory of a process that moves ${messages} messages: ${stdout}`);
      expect(moved).toMatchObject({
        lines: messages + 103,
        erased: { Message: messages },
        imported: { Message: messages },
      });
      expect(moved.bytes).toBeGreaterThan(50_000_000);
      expect(moved.importMiB).toBeLessThan(mostMiB);
      expect(await digestOf(userId)).toEqual(before);
      recordFigures('moved', { messages, mostMiB, peakMiB: moved.importMiB });
    });
    await owner.close();
    await owned.drop();
  });

  test('of an owner who is no superuser every row comes back, and of nobody else one goes', async () => {
    const owned = await newOwnedDatabase(url);
    const owner = await createDatabase({ url: owned.url });
    await owner.run(moveOne);
    await owner.close();
    await owned.drop();
  });

  const bouncer = findPgBouncer();
  test.skipIf('missing' in bouncer)('behind PgBouncer too', async () => {
    const owned = await newOwnedDatabase(url);
    const name = new URL(owned.superuserUrl).pathname.slice(1);
    const pooler = await startPgBouncer({ serverUrl: url, settings: { default_pool_size: 2 } });
    const pooled = await createDatabase({ url: `${pooler.url(name)}?pgbouncer=true` });
    await pooled.run(moveOne);
    await pooled.close();
    await pooler.stop();
    await owned.drop();
  });
});

async function moveOne(): Promise<void> {
  const { userId } = await newWholePerson();
  const other = await newWholePerson();
  const before = await rowsOfPerson(userId);
  const beforeOther = await rowsOfPerson(other.userId);
  const lines = await exportedLines(userId);
  expect(await eraseUser({ userId })).toMatchObject({ wasThere: true });
  expect(Object.values(await rowsOfPerson(userId)).flat()).toEqual([]);
  await importUser(lines);
  expect(await rowsOfPerson(userId)).toEqual({ ...before, SearchSegment: [], SearchBlock: [] });
  expect(await rowsOfPerson(other.userId)).toEqual(beforeOther);
}

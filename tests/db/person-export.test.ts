// exportUser and importUser together: what was read back is what was there, to the last character, on every engine.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  db,
  eraseUser,
  exportUser,
  exportUserToFile,
  getChatById,
  importUser,
  listMessages,
  saveChat,
  selectBranch,
  transaction,
  verifyApiKey,
  verifyPassword,
} from '../../db/queries.ts';
import { auditOf } from './audit-record.ts';
import { exportedLines, parse } from './export-file.ts';
import { rowsOfPerson } from './person-rows.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { isEmbedded, newUser, useTestDatabase } from './test-database.ts';
import { newWholePerson, password } from './whole-person.ts';

useTestDatabase({ poolSize: 2 });

const searchTables = { SearchSegment: [], SearchBlock: [] };

describe('with secrets', () => {
  test('every row of every table comes back equal, and search begins anew', async () => {
    const { userId, email, chatId, key } = await newWholePerson();
    const other = await newWholePerson();
    const before = await rowsOfPerson(userId);
    const beforeOther = await rowsOfPerson(other.userId);
    expect(Object.entries(before).filter(([, rows]) => rows.length === 0)).toEqual([]);
    const chat = await getChatById({ id: chatId, userId });
    const page = await listMessages({ chatId, userId });
    const lines = await exportedLines(userId);
    await eraseUser({ userId });
    const { rows, keysLeftOut } = await importUser(lines);
    expect(await rowsOfPerson(userId)).toEqual({ ...before, ...searchTables });
    expect(rows).toEqual(parse(lines.at(-1)).end.rows);
    expect(rows).toMatchObject({ User: 1, Chat: 2, Message: 7, ApiKey: 3, ProtocolVersion: 2 });
    expect(keysLeftOut).toBe(0);
    expect(await getChatById({ id: chatId, userId })).toEqual(chat);
    expect(await listMessages({ chatId, userId })).toEqual(page);
    const [index] = await db.execute(
      sql`select sum("indexedCount")::int as chats from "Chat" where "userId" = ${userId}`,
    );
    const [digests] = await db.execute(
      sql`select count(search_digest)::int as n from "Memory" where user_id = ${userId}`,
    );
    expect([index, digests]).toEqual([{ chats: 0 }, { n: 0 }]);
    expect(await verifyPassword({ email, password })).toMatchObject({ id: userId });
    expect(await verifyApiKey(key)).toMatchObject({ ok: true });
    expect(await rowsOfPerson(other.userId)).toEqual(beforeOther);
  });

  test('what comes back is exported as the same lines', async () => {
    const { userId } = await newWholePerson();
    const lines = await exportedLines(userId);
    await eraseUser({ userId });
    await importUser(lines);
    const again = await exportedLines(userId);
    expect(again.slice(1, -1)).toEqual(lines.slice(1, -1));
  });

  const message = fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 4,
  });
  const history = fc.array(message, { maxLength: 6 });

  test('chats of any shape: lists saved one over another, and branches chosen', {
    timeout: propertyTimeoutMs,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(history, fc.nat({ max: 20 })), { minLength: 1, maxLength: 5 }),
        async (saves) => {
          const userId = await newUser();
          const id = randomUUID();
          for (const [messages, choice] of saves) {
            await saveChat({ id, userId, messages });
            const all = await db.execute<{ id: string }>(
              sql`select id from "Message" where "chatId" = ${id} order by id`,
            );
            const chosen = all[choice % Math.max(1, all.length)];
            if (chosen) await selectBranch({ chatId: id, userId, messageId: chosen.id });
          }
          const before = await rowsOfPerson(userId);
          const lines = await exportedLines(userId);
          await eraseUser({ userId });
          await importUser(lines);
          expect(await rowsOfPerson(userId)).toEqual(before);
          await eraseUser({ userId });
        },
      ),
      runs(12, 500),
    );
  });

  test('JSON is kept to the last character, also where it was not written by this package', async () => {
    const userId = await newUser();
    const chatId = randomUUID();
    await saveChat({ id: chatId, userId, messages: [{ n: 0 }] });
    const bodies = ['{"a":1.50,  "a":12345678901234567890}', '{\n\t"b": [\r\n1e400]\n}', '{"__proto__":{"2":1,"1":2}}'];
    for (const body of bodies) {
      await db.execute(sql`
        insert into "Message" (id, "userId", "chatId", position, active, body)
        values (${randomUUID()}, ${userId}, ${chatId}, 0, false, ${body}::json)`);
    }
    const before = await rowsOfPerson(userId);
    const lines = await exportedLines(userId);
    expect(lines.filter((line) => line.includes(bodies[0] ?? ''))).toHaveLength(1);
    expect(lines.map((line) => parse(line).row?.body)).toContain(bodies[1]);
    await eraseUser({ userId });
    await importUser(lines);
    expect(await rowsOfPerson(userId)).toEqual(before);
  });

  test('a parent whose id is greater than its child’s: machines’ clocks differ', async () => {
    const userId = await newUser();
    const chatId = randomUUID();
    const rowIds = Array.from({ length: 1_500 }, () => randomUUID());
    await db.execute(sql`
      insert into "Chat" (id, "userId", "messageCount", "headId")
      values (${chatId}, ${userId}, ${rowIds.length}, ${rowIds.at(-1)})`);
    await db.execute(sql`
      insert into "Message" (id, "userId", "chatId", "parentId", position, body)
      select id, ${userId}, ${chatId}, lag(id) over (order by n), n - 1, '{}'
      from unnest(${`{${rowIds.join(',')}}`}::uuid[]) with ordinality rows (id, n)`);
    const before = await rowsOfPerson(userId);
    const lines = await exportedLines(userId);
    await eraseUser({ userId });
    await importUser(lines);
    expect(await rowsOfPerson(userId)).toEqual(before);
  });
});

describe('without secrets, as is usual', () => {
  test('no hash and no digest is in it; the person comes without a password and without keys', async () => {
    const { userId, email, key } = await newWholePerson();
    const before = await rowsOfPerson(userId);
    const secrets = await db.execute<{ text: string }>(sql`
      select password as text from "User" where id = ${userId}
      union all select "hashedKey" from "ApiKey" where "userId" = ${userId}`);
    const lines = await exportedLines(userId, false);
    expect(secrets).toHaveLength(4);
    expect(secrets.filter(({ text }) => lines.join('').includes(text))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('{"table":"ApiKey"'))).toHaveLength(3);
    await eraseUser({ userId });
    const report = await importUser(lines);
    expect(report).toMatchObject({ userId, rows: { ApiKey: 0 }, keysLeftOut: 3 });
    const { User, ApiKey, ...rest } = before;
    expect(await rowsOfPerson(userId)).toMatchObject({ ...rest, ...searchTables, ApiKey: [] });
    expect(await verifyPassword({ email, password })).toBeNull();
    expect(await verifyApiKey(key)).toEqual({ ok: false, reason: 'unknown' });
  });
});

describe('the stream', () => {
  test.skipIf(isEmbedded)(
    'is as of one moment, whatever is written meanwhile (the embedded database has one connection)',
    async () => {
      const { userId, chatId } = await newWholePerson();
      const lines: string[] = [];
      for await (const line of exportUser({ userId, includeSecrets: true })) {
        if (lines.length === 0) await saveChat({ id: chatId, userId, messages: [{ role: 'user', content: 'later' }] });
        lines.push(line);
      }
      expect(lines.join('')).not.toContain('later');
      await eraseUser({ userId });
      await importUser(lines);
    },
  );

  test('that nobody reads to its end gives its connection back, and is on record', async () => {
    const { userId } = await newWholePerson();
    for (let i = 0; i < 5; i += 1) {
      for await (const line of exportUser({ userId })) {
        expect(parse(line).format).toBe('mytx-person');
        break;
      }
    }
    await Promise.all([1, 2, 3].map(() => transaction(() => db.execute(sql`select 1`))));
    expect((await auditOf(userId)).filter(({ action }) => action === 'user.exported')).toEqual(
      Array(5).fill({ action: 'user.exported', details: { includesSecrets: false } }),
    );
  });

  test('says how far it is', async () => {
    const { userId } = await newWholePerson();
    const told: { done: number; total: number }[] = [];
    let lines = 0;
    for await (const _ of exportUser({ userId, onProgress: (now) => void told.push(now) })) lines += 1;
    expect(told[0]?.done).toBe(0);
    expect(told.at(-1)).toEqual({ done: lines - 2, total: lines - 2 });
  });

  test('fails where the person is not, without a record', async () => {
    const nobody = randomUUID();
    await expect(exportedLines(nobody)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    expect(await auditOf(nobody)).toEqual([]);
    expect(() => exportUser({ userId: '42' })).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
  });

  test('inside a transaction that sees several moments it is refused; inside one of one moment it is not', async () => {
    const { userId } = await newWholePerson();
    await expect(transaction(() => exportedLines(userId))).rejects.toMatchObject({
      code: 'EXPORT_REFUSED',
      details: { isolationLevel: 'read committed' },
    });
    const lines = await transaction(() => exportedLines(userId), { isolationLevel: 'repeatable read' });
    expect(parse(lines.at(-1)).end.rows.User).toBe(1);
  });
});

describe('exportUserToFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-export-'));
  const file = join(folder, 'person.jsonl');

  test('writes what exportUser gives, for this user alone to read, in the place of what was there', async () => {
    const { userId } = await newWholePerson();
    writeFileSync(file, 'an older one', { mode: 0o644 });
    const { lines, bytes } = await exportUserToFile(file, { userId });
    const text = readFileSync(file, 'utf8');
    expect([text.split('\n').length - 1, Buffer.byteLength(text)]).toEqual([lines, bytes]);
    expect(text.split('\n').slice(1, -2)).toEqual(
      (await exportedLines(userId, false)).slice(1, -1).map((line) => line.trimEnd()),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['person.jsonl']);
  });

  test('that fails leaves the file that was there, and nothing beside it', async () => {
    writeFileSync(file, 'an older one');
    await expect(exportUserToFile(file, { userId: randomUUID() })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    expect(readFileSync(file, 'utf8')).toBe('an older one');
    expect(readdirSync(folder)).toEqual(['person.jsonl']);
    rmSync(folder, { recursive: true });
  });
});

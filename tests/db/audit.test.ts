// The record: what is in it, who may read it, that nobody changes it, and that keys of its digests can be changed.

import { randomUUID } from 'node:crypto';
import { hash } from '@node-rs/bcrypt';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import {
  changePassword,
  createApiKeyRecord,
  createUser,
  db,
  deleteApiKeyByIdAndUserId,
  eraseUser,
  findValidApiKey,
  importUser,
  issueApiKey,
  listAuditEvents,
  revokeApiKey,
  rotateApiKey,
  transaction,
} from '../../db/queries.ts';
import { useSecrets } from '../../db/secrets.ts';
import { exportedLines } from './export-file.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();
afterEach(() => useSecrets());

const actionsOf = async (userId: string): Promise<string[]> =>
  (await listAuditEvents({ userId, limit: 1000 })).items.map(({ action }) => action).reverse();

/** Something of everything that is recorded. */
async function doEverything(): Promise<string> {
  const [made] = await createUser(`${randomUUID()}@example.com`, 'x');
  const userId = made?.id ?? '';
  await changePassword({ userId, password: 'y' });
  const { record } = await issueApiKey({ userId, name: 'x' });
  const next = await rotateApiKey({ id: record.id, userId });
  await revokeApiKey({ id: next.record.id, userId });
  await deleteApiKeyByIdAndUserId(next.record.id, userId);
  const old = `mytx_${randomUUID()}`;
  await createApiKeyRecord({ userId, hashedKey: await hash(old, { cost: 4 }), name: 'old' });
  await findValidApiKey(old);
  const lines = await exportedLines(userId);
  await eraseUser({ userId });
  await importUser(lines);
  await eraseUser({ userId });
  return userId;
}

const everything = [
  ...['password.set', 'password.changed', 'api_key.issued', 'api_key.rotated', 'api_key.revoked', 'api_key.deleted'],
  ...['api_key.issued', 'api_key.upgraded', 'user.exported', 'user.erased', 'user.imported', 'user.erased'],
];

describe('what was done', () => {
  test('is on record, in its order, also when the person is gone, and says nothing of what anybody wrote', async () => {
    const userId = await doEverything();
    expect(await actionsOf(userId)).toEqual(everything);
    const { items } = await listAuditEvents({ userId });
    expect(new Set(items.map(({ subject }) => subject)).size).toBe(1);
    expect(items[0]).toMatchObject({
      actor: null,
      at: expect.any(Date),
      subject: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(items)).not.toContain(userId);
    expect(JSON.stringify(items)).not.toContain('example.com');
  });

  test('is not on record where it was rolled back', async () => {
    const userId = await newUser();
    await expect(
      transaction(async () => {
        await changePassword({ userId, password: 'z' });
        await issueApiKey({ userId, name: 'x' });
        throw new Error('no after all');
      }),
    ).rejects.toThrow('no after all');
    expect(await actionsOf(userId)).toEqual([]);
  });

  test('is listed newest first, in pages, of one person and of all', async () => {
    const userId = await newUser();
    for (let i = 0; i < 5; i += 1) await issueApiKey({ userId, name: 'x' });
    await issueApiKey({ userId: await newUser(), name: 'x' });
    for (const of of [{ userId }, {}]) {
      const whole = await listAuditEvents({ ...of, limit: 1000 });
      expect(whole.nextCursor).toBeNull();
      expect(whole.items.map(({ id }) => id)).toEqual(
        whole.items
          .map(({ id }) => id)
          .sort()
          .reverse(),
      );
      const pages: unknown[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof listAuditEvents>> = await listAuditEvents({ ...of, limit: 2, cursor });
        expect(page.items.length).toBeLessThanOrEqual(2);
        pages.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor);
      expect(pages).toEqual(whole.items);
    }
    expect((await listAuditEvents({ userId })).items).toHaveLength(5);
    await expect(listAuditEvents({ cursor: 'page 2' })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
  });
});

describe('the digest of a person', () => {
  const key = (letter: string): string => Buffer.from(letter.repeat(32)).toString('base64');

  test('is another one under another key; what was recorded under older ones is found while they are configured', async () => {
    const userId = await newUser();
    await issueApiKey({ userId, name: 'without a key' });
    useSecrets({ auditKeys: `k1:${key('1')}` });
    expect(await actionsOf(userId)).toEqual([]);
    await issueApiKey({ userId, name: 'under the first' });
    useSecrets({ auditKeys: `k2:${key('2')},k1:${key('1')}` });
    await issueApiKey({ userId, name: 'under the second' });
    expect(await actionsOf(userId)).toHaveLength(2);
    const subjects = (await listAuditEvents({ userId })).items.map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(2);
    useSecrets({ auditKeys: `k2:${key('2')}` });
    expect(await actionsOf(userId)).toHaveLength(1);
  });
});

describe('the roles of the application', () => {
  const as = (role: string, statement: ReturnType<typeof sql>): Promise<unknown> =>
    transaction(async () => {
      await db.execute(sql.raw(`set local role ${role}`));
      return db.execute(statement);
    });
  const insert = sql`insert into "AuditEvent" (action, subject) values ('test', '\\x00')`;

  test.each(['mytx_user', 'mytx_service'])('%s adds to the record, and can’t change or empty it', async (role) => {
    await as(role, insert);
    const before = await db.execute(sql`select * from "AuditEvent" order by id`);
    for (const statement of [
      sql`update "AuditEvent" set action = 'x'`,
      sql`delete from "AuditEvent"`,
      sql`truncate "AuditEvent"`,
      sql`alter table "AuditEvent" disable row level security`,
    ]) {
      await expect(as(role, statement)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(await db.execute(sql`select * from "AuditEvent" order by id`)).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  test('mytx_service reads it, mytx_user does not', async () => {
    await as('mytx_service', insert);
    expect(((await as('mytx_service', sql`select 1 from "AuditEvent" limit 1`)) as unknown[]).length).toBe(1);
    await expect(as('mytx_user', sql`select 1 from "AuditEvent"`)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

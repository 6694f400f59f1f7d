// Signing in, and changing a password. Their time and their bounds at full cost are in tests/db/passwords/.

import { randomUUID } from 'node:crypto';
import { hashSync, verify } from '@node-rs/bcrypt';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareWithHash } from '../../db/passwords.ts';
import {
  changePassword,
  configurePasswords,
  createUser,
  db,
  getUser,
  transaction,
  verifyPassword,
  withDeadline,
} from '../../db/queries.ts';
import { type User, user } from '../../db/schema.ts';
import { auditOf } from './audit-record.ts';
import { everythingSaid } from './everything-said.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
/** Called once, behind the next statement. */
let whenRead: (() => void) | undefined;
useTestDatabase({
  logger: (event) => {
    recorder.logger(event);
    whenRead?.();
    whenRead = undefined;
  },
});
beforeEach(() => void configurePasswords({ cost: 4 }));
afterEach(() => void configurePasswords());

const password = 'correct horse';
/** Of cost 14, and of no text that is known: a second of work. */
const slowHash = `$2b$14$${'.'.repeat(22)}${'a'.repeat(31)}`;
const newAddress = (): string => `${randomUUID().slice(0, 18)}@example.com`;

/** A user as another application may have stored one. */
async function store(stored: string | null, email = newAddress()): Promise<User> {
  const [row] = await db.insert(user).values({ email, password: stored }).returning();
  return row as User;
}

const hashOf = (id: string): Promise<string | null | undefined> =>
  db.query.user.findFirst({ where: eq(user.id, id) }).then((row) => row?.password);

describe('a sign-in', () => {
  test('gives the user without the hash, and null for anything else', async () => {
    const email = newAddress();
    const [created] = await createUser(email, password);
    expect(await verifyPassword({ email, password })).toEqual(created);
    expect(created).not.toHaveProperty('password');
    for (const wrong of ['correct hors', `${password} `, 'Correct horse', password.toUpperCase()]) {
      expect(await verifyPassword({ email, password: wrong }), wrong).toBeNull();
    }
    expect(await verifyPassword({ email: newAddress(), password })).toBeNull();
    expect(await verifyPassword({ email: (await store(null)).email, password })).toBeNull();
  });

  test('takes the hashes of other libraries, and nothing of a column that holds none', async () => {
    const hash = hashSync(password, { cost: 4 });
    for (const variant of ['$2a$', '$2b$', '$2y$']) {
      const { email } = await store(hash.replace('$2b$', variant));
      expect(await verifyPassword({ email, password })).toMatchObject({ email });
    }
    for (const stored of ['', password, 'x'.repeat(60), `$2b$99$${'.'.repeat(53)}`]) {
      const { email } = await store(stored);
      for (const typed of [password, stored]) {
        expect(await verifyPassword({ email, password: typed }), stored).toBeNull();
      }
    }
  });

  test('with a text that can be no password is null, also where bcrypt by itself would take it', async () => {
    const whole = 'x'.repeat(72);
    const [long, short, none] = [hashSync(whole, { cost: 4 }), hashSync('ab', { cost: 4 }), hashSync('', { cost: 4 })];
    for (const [stored, typed] of [
      [long, `${whole}y`],
      [long, 'x'.repeat(1_000_000)],
      [short, 'ab\0ab'],
      [none, ''],
      [hashSync('\uFFFD', { cost: 4 }), '\uD83C'],
    ] as const) {
      const { email } = await store(stored);
      expect(await verify(typed, stored)).toBe(true);
      expect(await verifyPassword({ email, password: typed })).toBeNull();
    }
    expect(await verifyPassword({ email: (await store(long)).email, password: whole })).not.toBeNull();
  });

  test('finds the address however it is written', async () => {
    const name = randomUUID().slice(0, 12);
    const [created] = await createUser(`  Zoe\u0308.${name}@Example.COM\n`, password);
    expect(created?.email).toBe(`zo\u00eb.${name}@example.com`);
    for (const email of [
      `zo\u00eb.${name}@example.com`,
      `ZOE\u0308.${name}@EXAMPLE.com`,
      ` Zo\u00eb.${name}@example.com `,
    ]) {
      expect(await verifyPassword({ email, password }), email).toEqual(created);
      expect((await getUser(email))[0]?.id).toBe(created?.id);
      await expect(createUser(email, password)).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    }
  });

  test('finds an address that was stored otherwise, as it was stored', async () => {
    const email = `Zoe\u0308.${randomUUID().slice(0, 12)}@Example.com`;
    await store(hashSync(password, { cost: 4 }), email);
    expect(await verifyPassword({ email, password })).toMatchObject({ email });
  });

  test('with no text for an address or a password is refused by name', async () => {
    const email = newAddress();
    for (const [args, code, argument] of [
      [undefined, 'MISSING_ARGUMENT', 'the argument of verifyPassword'],
      [{ password }, 'MISSING_ARGUMENT', 'email'],
      [{ email }, 'MISSING_ARGUMENT', 'password'],
      [{ email: null, password }, 'INVALID_EMAIL', 'email'],
      [{ email, password: 7 }, 'INVALID_PASSWORD', 'password'],
    ] as const) {
      await recorder.expectRefused(() => verifyPassword(args as never), code, argument);
    }
  });
});

describe('the cost', () => {
  test('is that of new hashes; at sign-in a hash of a lower one is made anew, and none of a higher one', async () => {
    const email = newAddress();
    await createUser(email, password);
    const { id } = (await getUser(email))[0] as User;
    expect(await hashOf(id)).toMatch(/^\$2b\$04\$.{53}$/);
    configurePasswords({ cost: 5 });
    expect(await verifyPassword({ email, password: 'wrong' })).toBeNull();
    expect(await hashOf(id)).toMatch(/^\$2b\$04\$/);
    expect(await verifyPassword({ email, password })).toMatchObject({ id });
    const stronger = await hashOf(id);
    expect(stronger).toMatch(/^\$2b\$05\$/);
    configurePasswords({ cost: 4 });
    expect(await verifyPassword({ email, password })).toMatchObject({ id });
    expect(await hashOf(id)).toBe(stronger);
    expect(await auditOf(id)).toEqual([{ action: 'password.set', details: {} }]); // nobody changed it
  });

  test('that rises does not bring back a password that is changed meanwhile', async () => {
    const [created] = await createUser(newAddress(), password);
    const { id: userId, email } = created as User;
    configurePasswords({ cost: 6 });
    await Promise.all([
      ...Array.from({ length: 4 }, () => verifyPassword({ email, password })),
      changePassword({ userId, password: 'another horse' }),
      ...Array.from({ length: 4 }, () => verifyPassword({ email, password })),
    ]);
    expect(await verifyPassword({ email, password })).toBeNull();
    expect(await verifyPassword({ email, password: 'another horse' })).not.toBeNull();
  });

  test('and the line are within bounds', () => {
    for (const [wrong, argument] of [
      [{ cost: 3 }, 'cost'],
      [{ cost: 21 }, 'cost'],
      [{ cost: 10.5 }, 'cost'],
      [{ maxConcurrent: 0 }, 'maxConcurrent'],
      [{ maxWaiting: -1 }, 'maxWaiting'],
    ] as const) {
      expect(() => configurePasswords(wrong), argument).toThrow(argument);
    }
    const usual = configurePasswords();
    expect(usual).toMatchObject({ cost: 10, maxWaiting: 100 });
    expect(usual.maxConcurrent).toBeLessThan(4);
    expect(configurePasswords({ cost: 12 })).toEqual({ ...usual, cost: 12 });
  });
});

describe('a change', () => {
  test('gives the user, and the old password no longer opens', async () => {
    const [created] = await createUser(newAddress(), password);
    const { id: userId, email } = created as User;
    expect(await changePassword({ userId, password: 'another horse' })).toEqual([created]);
    expect(await verifyPassword({ email, password })).toBeNull();
    expect(await verifyPassword({ email, password: 'another horse' })).toEqual(created);
    expect(await auditOf(userId)).toEqual([
      { action: 'password.set', details: {} },
      { action: 'password.changed', details: {} },
    ]);
  });

  test('gives a user without a password the first one', async () => {
    const { id: userId, email } = await store(null);
    expect(await changePassword({ userId, password })).toMatchObject([{ id: userId }]);
    expect(await verifyPassword({ email, password })).toMatchObject({ id: userId });
    expect(await auditOf(userId)).toEqual([{ action: 'password.set', details: {} }]);
  });

  test('of a user who is not there is an empty array, and of others changes nothing', async () => {
    const [created] = await createUser(newAddress(), password);
    const nobody = randomUUID();
    expect(await changePassword({ userId: nobody, password: 'another horse' })).toEqual([]);
    expect(await auditOf(nobody)).toEqual([]);
    expect(await verifyPassword({ email: created?.email ?? '', password })).toEqual(created);
  });

  test('that is rolled back leaves the password, and no record', async () => {
    const [created] = await createUser(newAddress(), password);
    const { id: userId, email } = created as User;
    await transaction(async () => {
      await changePassword({ userId, password: 'another horse' });
      throw new Error('undone');
    }).catch(() => {});
    expect(await verifyPassword({ email, password })).toEqual(created);
    expect(await auditOf(userId)).toHaveLength(1);
  });

  test('to what can be no password is refused, without a statement', async () => {
    const userId = await newUser();
    for (const wrong of ['', 'x'.repeat(73), `${'é'.repeat(36)}x`, 'a\0a', 'half \uD83C', 7, null]) {
      const call = () => changePassword({ userId, password: wrong as string });
      await recorder.expectRefused(call, 'INVALID_PASSWORD', 'password');
    }
    await recorder.expectRefused(() => changePassword({ userId } as never), 'MISSING_ARGUMENT', 'password');
    await recorder.expectRefused(() => changePassword({ password } as never), 'MISSING_ARGUMENT', 'userId');
    await recorder.expectRefused(() => changePassword({ userId: '7', password }), 'INVALID_ID', 'userId');
  });
});

describe('the line for hashes', () => {
  /** How each of so many callers at once ended, in the order in which they ended. */
  async function endsOf(callers: number, call: () => Promise<unknown>): Promise<string[]> {
    const ends: string[] = [];
    const note = (end: string): void => void ends.push(end);
    await Promise.all(
      Array.from({ length: callers }, () =>
        call().then(
          () => note('done'),
          ({ code }) => note(code),
        ),
      ),
    );
    return ends;
  }

  test('refuses at once who comes beyond its bound, and serves all others', async () => {
    configurePasswords({ cost: 9, maxConcurrent: 1, maxWaiting: 5 });
    const userId = await newUser();
    const ends = await endsOf(20, () => changePassword({ userId, password }));
    expect(ends).toEqual([...Array(14).fill('HASHING_BUSY'), ...Array(6).fill('done')]);
    expect(await endsOf(3, () => changePassword({ userId, password }))).toEqual(Array(3).fill('done'));
  });

  test('is left by who has no more time', async () => {
    configurePasswords({ cost: 4, maxConcurrent: 1 });
    const { email } = await store(hashSync(password, { cost: 4 }));
    const sign = (): Promise<unknown> => verifyPassword({ email, password });
    const abort = new AbortController();
    const ends: string[] = [];
    const running = compareWithHash('x', slowHash).then(() => ends.push('done'));
    const late = [
      withDeadline({ timeoutMs: 50 }, sign),
      withDeadline({ signal: abort.signal }, sign),
      withDeadline({ signal: AbortSignal.abort() }, sign),
    ].map((call) => call.catch((error) => ends.push(error.code)));
    setTimeout(() => abort.abort(), 50);
    await Promise.all([running, ...late]);
    expect(ends).toEqual([...Array(3).fill('DEADLINE_EXCEEDED'), 'done']);
    expect(await verifyPassword({ email, password })).not.toBeNull();
  });

  test('that is full keeps nobody out whose hash should be stronger: the next sign-in makes it', async () => {
    const { id, email } = await store(hashSync(password, { cost: 9 }));
    configurePasswords({ cost: 10, maxConcurrent: 2 });
    const occupied = compareWithHash('x', slowHash);
    // When it is compared, there is no more room, and nobody may wait.
    whenRead = () => setImmediate(() => configurePasswords({ cost: 10, maxConcurrent: 1, maxWaiting: 0 }));
    expect(await verifyPassword({ email, password })).toMatchObject({ email });
    expect(await hashOf(id)).toMatch(/^\$2b\$09\$/);
    await occupied;
    expect(await verifyPassword({ email, password })).toMatchObject({ email });
    expect(await hashOf(id)).toMatch(/^\$2b\$10\$/);
  });
});

test('no error and no statement says an address or a password', async () => {
  const email = `canary-${newAddress()}`;
  const [created] = await createUser(email, 'canary horse');
  configurePasswords({ cost: 9, maxConcurrent: 1, maxWaiting: 0 });
  const attempts = await Promise.allSettled([
    ...[1, 2].map(() => verifyPassword({ email, password: 'canary horse' })),
    verifyPassword({ email: [email] as never, password: 'canary horse' }),
    verifyPassword({ email, password: ['canary horse'] as never }),
    changePassword({ userId: created?.id ?? '', password: 'canary'.repeat(20) }),
  ]);
  const errors = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
  expect(errors).toHaveLength(4);
  for (const error of errors) expect(everythingSaid(error)).not.toContain('canary');
  const sent = await recorder.during(async () => {
    await verifyPassword({ email, password: 'canary horse' });
    await changePassword({ userId: created?.id ?? '', password: 'canary mare' });
  });
  expect(sent.length).toBeGreaterThan(2);
  expect(sent.join()).not.toContain('canary');
});

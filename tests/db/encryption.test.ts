import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { customType, foreignKey, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { transaction } from '../../db/database.ts';
import {
  blindIndex,
  blindIndexOf,
  blindlyEquals,
  configureEncryption,
  createReservation,
  db,
  deleteMemoryById,
  EncryptionError,
  encryptedJson,
  encryptedText,
  findMemoriesByContent,
  getMemoriesByUserId,
  getReservationById,
  listMemories,
  type Memory,
  reencrypt,
  saveMemory,
  updateMemory,
  updateReservation,
  useSecrets,
} from '../../db/index.ts';
import { memories, reservation, searchSegment, user } from '../../db/schema.ts';
import { keysOf } from './encryption/keys.ts';
import { flight } from './flight.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();
afterEach(() => {
  useSecrets();
  configureEncryption();
});

/** What the database has in a column of a row. */
async function storedOf(table: 'Memory' | 'Reservation', id: string): Promise<string> {
  const column = table === 'Memory' ? sql`content` : sql`details::text`;
  const rows = await db.execute<{ stored: string }>(
    sql`select ${column} as stored from ${sql.identifier(table)} where id = ${id}`,
  );
  return rows[0]?.stored as string;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

function encryptAll(...keys: string[]): void {
  useSecrets(keysOf(...keys));
  configureEncryption({ memories: true });
}

describe('reservations', () => {
  async function reserve(): Promise<{ id: string; userId: string }> {
    const ids = { id: randomUUID(), userId: await newUser() };
    await createReservation({ ...ids, details: flight });
    return ids;
  }

  test('without a key details are plaintext, with one they are not, and every query reads both ways', async () => {
    const plain = await reserve();
    expect(JSON.parse(await storedOf('Reservation', plain.id))).toEqual(flight);
    useSecrets(keysOf('k1'));
    const { id, userId } = await reserve();
    expect(await storedOf('Reservation', id)).toMatch(/^"mytx1\.k1\.[\w-]{40,}"$/);
    expect((await getReservationById({ id }))?.details).toEqual(flight);
    expect((await getReservationById({ id, userId }))?.details).toEqual(flight);
    expect((await updateReservation({ id, hasCompletedPayment: true }))?.details).toEqual(flight);
    expect(await createReservation({ id, userId, details: flight })).toMatchObject([{ id, details: flight }]);
    expect(await codeOf(createReservation({ id, userId, details: { ...flight, seats: ['1A'] } }))).toBe('ID_TAKEN');
  });

  test('relational queries and joins give them too', async () => {
    useSecrets(keysOf('k1'));
    const { id, userId } = await reserve();
    const found = await db.query.user.findFirst({ where: eq(user.id, userId), with: { reservations: true } });
    expect(found?.reservations).toMatchObject([{ id, details: flight }]);
    const one = await db.query.reservation.findFirst({ where: eq(reservation.id, id), with: { user: true } });
    expect(one).toMatchObject({ details: flight, user: { id: userId } });
    const joined = await db
      .select()
      .from(user)
      .leftJoin(reservation, eq(reservation.userId, user.id))
      .where(eq(user.id, userId));
    expect(joined).toMatchObject([{ Reservation: { details: flight } }]);
  });

  test('plaintext where a key is configured is refused, but in the transition', async () => {
    const { id } = await reserve();
    useSecrets(keysOf('k1'));
    expect(await codeOf(getReservationById({ id }))).toBe('PLAINTEXT_FOUND');
    configureEncryption({ transition: true });
    expect((await getReservationById({ id }))?.details).toEqual(flight);
  });

  test('a key that is gone, and a value from another row’s column, are errors with a name and no value', async () => {
    useSecrets(keysOf('k1'));
    configureEncryption({ memories: true });
    const { id, userId } = await reserve();
    const [memory] = await saveMemory({ userId, content: 'canary content' });
    await db.execute(
      sql`update "Reservation" set details = (select to_jsonb(content) from "Memory" where id = ${memory?.id}) where id = ${id}`,
    );
    expect(await codeOf(getReservationById({ id }))).toBe('CIPHERTEXT_DAMAGED');
    useSecrets(keysOf('k2'));
    const error = await getReservationById({ id }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(EncryptionError);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'EncryptionError',
      code: 'UNKNOWN_ENCRYPTION_KEY',
      message:
        'a value of Reservation.details was encrypted with the key "k1", which is not among MYTX_ENCRYPTION_KEYS',
      hint: 'Add that key behind the current one, as id:base64. Without it the value is lost.',
      details: { schema: 'public', table: 'Reservation', column: 'details', keyId: 'k1' },
    });
  });
});

describe('memories', () => {
  const contents = (rows: readonly Memory[]): string[] => rows.map(({ content }) => content);

  test('are plaintext until it is switched on, and encrypted then; each query reads both together in the transition', async () => {
    const userId = await newUser();
    useSecrets(keysOf('k1'));
    const [plain] = await saveMemory({ userId, content: 'Allergic to peanuts' });
    expect(await storedOf('Memory', plain?.id as string)).toBe('Allergic to peanuts');
    configureEncryption({ memories: true, transition: true });
    const [secret] = await saveMemory({ userId, content: 'Passport 417, peanut-free' });
    expect(await storedOf('Memory', secret?.id as string)).toMatch(/^mytx1\.k1\./);
    expect(contents(await getMemoriesByUserId({ userId }))).toEqual([
      'Passport 417, peanut-free',
      'Allergic to peanuts',
    ]);
    const page = await listMemories({ userId, limit: 1 });
    expect(contents(page.items)).toEqual(['Passport 417, peanut-free']);
    expect(contents((await listMemories({ userId, limit: 1, cursor: page.nextCursor })).items)).toEqual([
      'Allergic to peanuts',
    ]);
    const relational = await db.query.user.findFirst({ where: eq(user.id, userId), with: { memories: true } });
    expect(relational?.memories.map(({ content }) => content).sort()).toEqual([
      'Allergic to peanuts',
      'Passport 417, peanut-free',
    ]);
    expect(contents(await findMemoriesByContent({ userId, contentQuery: 'PEANUT' }))).toHaveLength(2);
    expect(contents(await findMemoriesByContent({ userId, contentQuery: 'peanut', offset: 1 }))).toEqual([
      'Allergic to peanuts',
    ]);
    expect(contents(await findMemoriesByContent({ userId, contentQuery: '417' }))).toEqual([
      'Passport 417, peanut-free',
    ]);
    expect(await deleteMemoryById({ id: secret?.id as string, userId })).toMatchObject([
      { content: 'Passport 417, peanut-free' },
    ]);
  });

  test('plaintext ones are refused once the transition is over', async () => {
    const userId = await newUser();
    await saveMemory({ userId, content: 'old' });
    encryptAll('k1');
    expect(await codeOf(getMemoriesByUserId({ userId }))).toBe('PLAINTEXT_FOUND');
    expect(await codeOf(findMemoriesByContent({ userId, contentQuery: 'ol' }))).toBe('PLAINTEXT_FOUND');
  });

  test('the same text again returns the row there is: encrypted, plaintext, under another key, and ten at once', async () => {
    const userId = await newUser();
    const [plain] = await saveMemory({ userId, content: 'plain' });
    encryptAll('k1');
    configureEncryption({ memories: true, transition: true });
    const [first] = await saveMemory({ userId, content: 'secret' });
    useSecrets(keysOf('k2', 'k1'));
    expect((await saveMemory({ userId, content: 'secret' }))[0]).toEqual(first);
    expect((await saveMemory({ userId, content: 'plain' }))[0]).toEqual(plain);
    const saves = await Promise.all(Array.from({ length: 10 }, () => saveMemory({ userId, content: 'at once' })));
    expect(new Set(saves.map(([row]) => row?.id)).size).toBe(1);
    configureEncryption({ memories: false });
    expect((await saveMemory({ userId, content: 'secret' }))[0]).toEqual(first);
    expect(await getMemoriesByUserId({ userId })).toHaveLength(3);
  });

  test('a text is changed to another one, and not to one that another row has', async () => {
    const userId = await newUser();
    const [plain] = await saveMemory({ userId, content: 'plain' });
    encryptAll('k1');
    configureEncryption({ memories: true, transition: true });
    const [secret] = await saveMemory({ userId, content: 'secret' });
    const id = secret?.id as string;
    useSecrets(keysOf('k2', 'k1'));
    expect(await codeOf(updateMemory({ id, userId, content: 'plain' }))).toBe('MEMORY_EXISTS');
    expect(await codeOf(updateMemory({ id: plain?.id as string, userId, content: 'secret' }))).toBe('MEMORY_EXISTS');
    expect(await updateMemory({ id, userId, content: 'secret' })).toEqual([secret]);
    expect(await updateMemory({ id, userId, content: 'changed' })).toMatchObject([{ id, content: 'changed' }]);
    expect(await storedOf('Memory', id)).toMatch(/^mytx1\.k2\./);
    expect(await updateMemory({ id, userId: await newUser(), content: 'of another' })).toEqual([]);
    configureEncryption({ memories: false });
    expect(await updateMemory({ id, userId, content: 'open again' })).toMatchObject([{ content: 'open again' }]);
    expect(await storedOf('Memory', id)).toBe('open again');
  });

  test('two users with the same text have two indexes', async () => {
    encryptAll('k1');
    const [one, other] = [await newUser(), await newUser()];
    for (const userId of [one, other]) await saveMemory({ userId, content: 'shared' });
    const rows = await db
      .select({ index: memories.contentIndex })
      .from(memories)
      .where(sql`${memories.userId} in (${one}, ${other})`);
    expect(new Set(rows.map(({ index }) => index?.toString('hex'))).size).toBe(2);
    expect(rows.every(({ index }) => index?.length === 32)).toBe(true);
  });

  test('the longest text fits, in letters of four bytes', async () => {
    encryptAll('k1');
    const userId = await newUser();
    const content = '🍵'.repeat(10_000);
    await saveMemory({ userId, content });
    expect(contents(await findMemoriesByContent({ userId, contentQuery: '🍵🍵' }))).toEqual([content]);
  });

  test('a search decrypts 10,000, not more', async () => {
    encryptAll('k1');
    const userId = await newUser();
    // The unique index is on the digest of the ciphertext: each row gets one of its own.
    const envelopes = Array.from({ length: 10_001 }, () => memories.content.mapToDriverValue('one of many') as string);
    const insert = (list: readonly string[], from: number): Promise<unknown> =>
      db.execute(sql`insert into "Memory" (user_id, content, content_index)
        select ${userId}::uuid, content, int4send(${from}::int + n::int)
        from json_array_elements_text(${JSON.stringify(list)}::json) with ordinality as given (content, n)`);
    await insert(envelopes.slice(0, 10_000), 0);
    const found = await findMemoriesByContent({ userId, contentQuery: 'MANY', limit: 10_000 });
    expect(new Set(found.map(({ id }) => id)).size).toBe(10_000);
    await insert(envelopes.slice(10_000), 10_000);
    expect(await codeOf(findMemoriesByContent({ userId, contentQuery: 'many' }))).toBe('TOO_MANY_ENCRYPTED');
  });

  test('switched on without a key nothing is saved', async () => {
    const userId = await newUser();
    useSecrets({ encryptionKeys: '' });
    configureEncryption({ memories: true });
    expect(await codeOf(saveMemory({ userId, content: 'secret' }))).toBe('ENCRYPTION_KEY_MISSING');
    configureEncryption({ memories: false });
    expect(await getMemoriesByUserId({ userId })).toEqual([]);
  });

  test('a plaintext that looks like an envelope is refused, encrypted it is stored', async () => {
    const userId = await newUser();
    const content = 'mytx1.k1.AAAA';
    expect(await codeOf(saveMemory({ userId, content }))).toBe('INVALID_TEXT');
    const [other] = await saveMemory({ userId, content: 'other' });
    expect(await codeOf(updateMemory({ id: other?.id as string, userId, content }))).toBe('INVALID_TEXT');
    await deleteMemoryById({ id: other?.id as string, userId });
    encryptAll('k1');
    await saveMemory({ userId, content });
    expect(contents(await getMemoriesByUserId({ userId }))).toEqual([content]);
  });
});

const contacts = pgTable(
  'Contact',
  {
    userId: uuid('userId').notNull(),
    number: integer('number').notNull(),
    phone: encryptedText('phone'),
    phoneIndex: blindIndex('phone_index', {
      of: 'phone',
      perUser: 'userId',
      normalize: (phone) => phone.replaceAll(' ', ''),
    }),
    card: encryptedJson<{ name: string } | string | null | number[]>('card'),
    note: text('note'),
  },
  (table) => [
    unique('Contact_key').on(table.userId, table.phoneIndex),
    foreignKey({ name: 'Contact_userId_fkey', columns: [table.userId], foreignColumns: [user.id] }),
  ],
);

describe('columns of an application', () => {
  const keyed = pgTable('KeyedContact', {
    id: integer('id').primaryKey(),
    text: encryptedText(),
    same: encryptedText('renamed', { boundTo: { column: 'text' } }),
  });

  beforeAll(async () => {
    await db.execute(
      sql`create table "Contact" ("userId" uuid not null, number integer not null, phone text, phone_index bytea, card jsonb, note text, unique ("userId", phone_index))`,
    );
    await db.execute(sql`create table "KeyedContact" (id integer primary key, text text, renamed text)`);
  });

  test('take and give values in every way Drizzle has, null and all JSON included', async () => {
    for (const keys of [[], ['k1']]) {
      useSecrets(keysOf(...keys));
      const userId = await newUser();
      const cards = [{ name: 'דנה "Lily" \\ 🍵' }, 'a text', '"quoted"', [1, 2.5], null];
      const rows = cards.map((card, number) => ({ userId, number, card, phone: number === 4 ? null : `0${number}` }));
      expect(await db.insert(contacts).values(rows).returning({ card: contacts.card })).toEqual(
        cards.map((card) => ({ card })),
      );
      const read = await db.select().from(contacts).where(eq(contacts.userId, userId)).orderBy(contacts.number);
      expect(read.map(({ card, phone }) => ({ card, phone }))).toEqual(
        rows.map(({ card, phone }) => ({ card, phone })),
      );
      await db
        .update(contacts)
        .set({ phone: 'changed' })
        .where(and(eq(contacts.userId, userId), eq(contacts.number, 1)));
      const [changed] = await db
        .select({ phone: contacts.phone })
        .from(contacts)
        .where(and(eq(contacts.userId, userId), eq(contacts.number, 1)));
      expect(changed).toEqual({ phone: 'changed' });
    }
  });

  test('refuse what is no text, no JSON, or looks like an envelope where it would be plaintext', async () => {
    useSecrets({ encryptionKeys: '' });
    const userId = await newUser();
    const insert = (values: object): Promise<string> =>
      codeOf((async () => db.insert(contacts).values({ userId, number: 1, ...values }))());
    expect(await insert({ phone: 5 })).toBe('INVALID_TEXT');
    expect(await insert({ card: { a: Number.NaN } })).toBe('INVALID_ARGUMENT');
    for (const phone of ['mytx1.', 'mytx2.k1.x', 'mytx1.k1.AAAA']) expect(await insert({ phone })).toBe('INVALID_TEXT');
    for (const card of ['mytx1.k1.AAAA', '"mytx1.k1.AAAA"']) expect(await insert({ card })).toBe('INVALID_TEXT');
    expect(await insert({ phone: 'mytx', card: 'mytx1' })).toBe('no error');
    useSecrets(keysOf('k1'));
    expect(await insert({ phone: 'mytx1.k1.AAAA', card: '"mytx1.k1.AAAA"' })).toBe('no error');
    const read = await db
      .select()
      .from(contacts)
      .where(and(eq(contacts.userId, userId), sql`phone like 'mytx1.%'`));
    expect(read).toMatchObject([{ phone: 'mytx1.k1.AAAA', card: '"mytx1.k1.AAAA"' }]);
  });

  test('a value moved to another column or table is refused; a column that was renamed reads what it had', async () => {
    useSecrets(keysOf('k1'));
    await db.insert(keyed).values({ id: 1, text: 'canary', same: 'here' });
    await db.execute(sql`update "KeyedContact" set renamed = text`);
    expect(await db.select().from(keyed)).toEqual([{ id: 1, text: 'canary', same: 'canary' }]);
    const userId = await newUser();
    await db.execute(
      sql`insert into "Contact" ("userId", number, phone) select ${userId}::uuid, 1, text from "KeyedContact"`,
    );
    expect(await codeOf((async () => db.select().from(contacts).where(eq(contacts.userId, userId)))())).toBe(
      'CIPHERTEXT_DAMAGED',
    );
  });

  test('a row is found by its blind index, under an older key and without one too, and only its user’s', async () => {
    const [userId, other] = [await newUser(), await newUser()];
    const add = (number: number, phone: string): Promise<unknown> =>
      transaction(async () => {
        const phoneIndex = blindIndexOf(contacts.phoneIndex, phone, { userId });
        await db.insert(contacts).values({ userId, number, phone, phoneIndex });
      });
    await add(1, '054 1');
    useSecrets(keysOf('k1'));
    configureEncryption({ transition: true });
    await add(2, '054 2');
    useSecrets(keysOf('k2', 'k1'));
    await add(3, '054 3');
    const find = async (phone: string, of: string): Promise<number[]> => {
      const rows = await db
        .select({ number: contacts.number })
        .from(contacts)
        .where(blindlyEquals(contacts.phoneIndex, phone, { userId: of }));
      return rows.map(({ number }) => number);
    };
    expect([await find('0541', userId), await find('05 42', userId), await find('054 3', userId)]).toEqual([
      [1],
      [2],
      [3],
    ]);
    expect(await find('054 3', other)).toEqual([]);
    expect(() => blindIndexOf(contacts.phoneIndex, 'x')).toThrow(expect.objectContaining({ code: 'MISSING_ARGUMENT' }));
    expect(() => blindIndexOf(contacts.phone, 'x')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('a default in the database would be plaintext: refused when the table is made', () => {
    expect(() => pgTable('Bad', { secret: encryptedText('secret').default('x') })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    const numbers = customType<{ data: number }>({ dataType: () => 'integer' });
    expect(() =>
      pgTable('Good', { n: numbers('n').default(1), secret: encryptedText('secret').$defaultFn(() => 'x') }),
    ).not.toThrow();
  });
});

describe('reencrypt', () => {
  test('encrypts what is plaintext in the transition, and leaves it outside of it', async () => {
    useSecrets({ encryptionKeys: '' });
    await db.delete(memories);
    await db.delete(reservation);
    const userId = await newUser();
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await createReservation({ id, userId, details: flight });
    for (const content of ['one', 'two', 'three']) await saveMemory({ userId, content });
    await db
      .insert(searchSegment)
      .values({ userId, kind: 'memory', documents: 3, gramBits: 0, oldestAt: new Date(), newestAt: new Date() });
    encryptAll('k1');
    const refused = await reencrypt();
    expect(refused).toMatchObject({ keyId: 'k1', isComplete: false });
    expect(refused.columns).toMatchObject([
      { column: 'Reservation.details', rows: 2, rewritten: 0, plaintext: 2 },
      { column: 'Memory.content', rows: 3, rewritten: 0, plaintext: 3 },
    ]);
    expect(refused.columns[0]?.left.flat().sort()).toEqual([...ids].sort());

    configureEncryption({ memories: true, transition: true });
    const dry = await reencrypt({ isDryRun: true });
    expect(dry.columns.map(({ rewritten }) => rewritten)).toEqual([2, 3]);
    expect(JSON.parse(await storedOf('Reservation', ids[0] as string))).toEqual(flight);
    const seen: number[] = [];
    const done = await reencrypt({ onProgress: ({ rewritten }) => seen.push(rewritten) });
    expect(done).toMatchObject({ isComplete: true, columns: [{ rewritten: 2 }, { rewritten: 3 }] });
    expect(seen).toContain(3);
    configureEncryption({ memories: true, transition: false });
    expect((await getMemoriesByUserId({ userId })).map(({ content }) => content).sort()).toEqual([
      'one',
      'three',
      'two',
    ]);
    expect((await getReservationById({ id: ids[0] as string }))?.details).toEqual(flight);
    expect(await codeOf(saveMemory({ userId, content: 'one' }))).toBe('no error');
    expect(await getMemoriesByUserId({ userId })).toHaveLength(3);
    expect(await db.select().from(searchSegment).where(eq(searchSegment.userId, userId))).toEqual([]);
    expect((await reencrypt()).columns.map(({ rewritten }) => rewritten)).toEqual([0, 0]);

    useSecrets(keysOf('k2', 'k1'));
    configureEncryption({ memories: false }); // what is encrypted still gets the new key
    expect(await reencrypt({ rowsPerSecond: 100 })).toMatchObject({
      keyId: 'k2',
      isComplete: true,
      columns: [{ rewritten: 2 }, { rewritten: 3 }],
    });
    useSecrets(keysOf('k2'));
    expect(await getMemoriesByUserId({ userId })).toHaveLength(3);
    expect((await saveMemory({ userId, content: 'two' }))[0]?.content).toBe('two');
    expect(await getMemoriesByUserId({ userId })).toHaveLength(3);
  });

  test('names what it can’t read or write, does the rest, and takes columns of an application with their indexes', async () => {
    const people = pgTable('Person', {
      id: integer('id').primaryKey(),
      userId: uuid('userId').notNull(),
      phone: encryptedText('phone'),
      phoneIndex: blindIndex('phoneIndex', { of: 'phone', perUser: 'userId' }),
      card: encryptedJson('card'),
    });
    await db.execute(
      sql`create table "Person" (id integer primary key, "userId" uuid not null, phone text, "phoneIndex" bytea, card jsonb, unique ("userId", "phoneIndex"))`,
    );
    const userId = await newUser();
    const add = (id: number, phone: string | null, card: unknown): Promise<unknown> =>
      (async () =>
        db.insert(people).values({
          id,
          userId,
          phone,
          phoneIndex: phone === null ? null : blindIndexOf(people.phoneIndex, phone, { userId }),
          card,
        }))();
    useSecrets(keysOf('k0'));
    await add(1, 'lost', { lost: true });
    useSecrets(keysOf('k1'));
    await add(2, 'rotated', ['rotated']);
    await add(3, null, null);
    await add(4, 'twice', 'mytx1.k1.text');
    await add(5, 'damaged', 5);
    await db.execute(sql`update "Person" set phone = left(phone, -3) where id = 5`);
    useSecrets(keysOf('k2', 'k1'));
    await add(6, 'twice', 'mytx1.k1.text');
    const report = await reencrypt({ columns: [people.phone, people.card] });
    expect(report).toEqual({
      keyId: 'k2',
      isComplete: false,
      columns: [
        {
          column: 'Person.phone',
          rows: 6,
          rewritten: 1,
          plaintext: 0,
          unreadable: 2,
          duplicates: 1,
          changing: 0,
          left: [['1'], ['5'], ['4']],
        },
        {
          column: 'Person.card',
          rows: 6,
          rewritten: 3,
          plaintext: 0,
          unreadable: 1,
          duplicates: 0,
          changing: 0,
          left: [['1']],
        },
      ],
    });
    useSecrets(keysOf('k2'));
    const [rotated] = await db
      .select()
      .from(people)
      .where(blindlyEquals(people.phoneIndex, 'rotated', { userId }));
    expect(rotated).toMatchObject({ id: 2, phone: 'rotated', card: ['rotated'] });
    const cards = await db.select({ card: people.card }).from(people).where(sql`id > 2`).orderBy(people.id);
    expect(cards.map(({ card }) => card)).toEqual([null, 'mytx1.k1.text', 5, 'mytx1.k1.text']);
  });

  test('refuses what it can’t work on', async () => {
    useSecrets({ encryptionKeys: '' });
    expect(await codeOf(reencrypt())).toBe('ENCRYPTION_KEY_MISSING');
    useSecrets(keysOf('k1'));
    expect(await codeOf(reencrypt({ columns: [user.email] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(reencrypt({ columns: [contacts.phone] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(reencrypt({ rowsPerSecond: 0 }))).toBe('INVALID_LIMIT');
    await expect(reencrypt({ signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});

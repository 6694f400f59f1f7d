// What importUser refuses, by the number of the line, and that nothing of it is written: files that were cut or changed,
// files that fit together and say what can't be, and people who are there.

import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { db, eraseUser, importUser, saveChat, saveMemory, transaction } from '../../db/queries.ts';
import { chat, user } from '../../db/schema.ts';
import { everythingSaid } from './everything-said.ts';
import { exportedLines, firstOf, parse, sealed, withFields } from './export-file.ts';
import { countAllRows, rowsOfPerson } from './person-rows.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { newUser, useTestDatabase } from './test-database.ts';
import { newWholePerson } from './whole-person.ts';

useTestDatabase();

const mark = 'ZqMark';
let lines: string[] = [];
let userId = '';
let rowsBefore: Record<string, number> = {};

beforeAll(async () => {
  const person = await newWholePerson(mark);
  userId = person.userId;
  lines = await exportedLines(userId);
  await eraseUser({ userId });
  rowsBefore = await countAllRows();
});

interface Refusal {
  code: string;
  message: string;
  hint: string;
  details: { line?: number };
}

/** Imports what must be refused, and looks that nothing came of it. */
async function refusalOf(file: Iterable<string | Uint8Array>): Promise<Refusal> {
  const outcome = await importUser(file).then(
    () => expect.fail('it was imported'),
    (error: unknown) => error,
  );
  expect(everythingSaid(outcome)).not.toContain(mark);
  expect(await countAllRows()).toEqual(rowsBefore);
  return outcome as Refusal;
}

const changed = (index: number, line: string): string[] => lines.with(index, line);

describe('a file that is not as it was written', () => {
  test('cut behind any line', async () => {
    for (let count = 0; count < lines.length; count += 1) {
      const { code, details } = await refusalOf(lines.slice(0, count));
      expect({ code, ...details }).toEqual({ code: 'IMPORT_REFUSED', line: count + 1 });
    }
  });

  test('one line left out, given twice, or in the place of the one before', async () => {
    for (let i = 0; i < lines.length - 1; i += 1) {
      const without = lines.toSpliced(i, 1);
      const twice = lines.toSpliced(i, 0, lines[i] ?? '');
      const swapped = lines.toSpliced(i, 2, lines[i + 1] ?? '', lines[i] ?? '');
      for (const file of [without, twice, swapped])
        expect(await refusalOf(file)).toMatchObject({ code: 'IMPORT_REFUSED' });
    }
  });

  test('bytes cut off or changed anywhere', { timeout: propertyTimeoutMs }, async () => {
    const bytes = Buffer.from(lines.join(''));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        expect(await refusalOf([bytes.subarray(0, at)])).toMatchObject({ code: 'IMPORT_REFUSED' });
        const other = Buffer.from(bytes);
        other[at] = (other[at] ?? 0) ^ difference;
        const { code } = await refusalOf([other]);
        expect(['IMPORT_REFUSED']).toContain(code);
      }),
      runs(30, 1_000),
    );
  });

  test('a line behind the last one, and no line at all', async () => {
    expect(await refusalOf([...lines, lines[1] ?? ''])).toMatchObject({
      message: `line ${lines.length + 1} comes behind the last one`,
    });
    expect(await refusalOf([])).toMatchObject({ message: 'line 1 is missing: the file is empty' });
    expect(await refusalOf(['hello\n'])).toMatchObject({ message: 'line 1 is not JSON' });
    expect(await refusalOf([lines[1] ?? ''])).toMatchObject({
      message: 'line 1 is not the first line of an export ("mytx-person")',
    });
  });

  test('a hash that is another', async () => {
    const { end } = parse(lines.at(-1));
    const file = changed(lines.length - 1, `${JSON.stringify({ end: { ...end, sha256: '0'.repeat(64) } })}\n`);
    expect(await refusalOf(file)).toMatchObject({
      message: `line ${lines.length} has the hash of other lines: the file was changed`,
    });
  });
});

describe('in pieces cut anywhere it is the same file', () => {
  test.each([1, 7, 4_096])('of %i bytes', async (size) => {
    const bytes = Buffer.from(lines.join(''));
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    expect(await importUser(pieces)).toMatchObject({ userId });
    await eraseUser({ userId });
    rowsBefore = await countAllRows();
  });
});

describe('a file that fits together and says what can’t be', () => {
  const header = (fields: Record<string, unknown>): string => `${JSON.stringify({ ...parse(lines[0]), ...fields })}\n`;
  const message = (position: number, active: boolean): number =>
    lines.findIndex((line) => line.includes(`"position":${position},"active":${active}`));

  /** What is changed, where (from 0), and what is said of which line (from 1). */
  const cases: [string, () => [index: number, file: string[]], string][] = [
    ['another version', () => [0, changed(0, header({ version: 2 }))], 'has version number 2'],
    [
      'other tables',
      () => [0, changed(0, header({ tables: ['User'] }))],
      'has other tables than version 1: User, Chat, ',
    ],
    ['no user id', () => [0, changed(0, header({ userId: 'dana' }))], 'has a userId that is no UUID in lower case'],
    [
      'a table that is not known',
      () => [3, changed(3, (lines[3] ?? '').replace('{"table":"Chat"', '{"table":"Invoice"'))],
      'has the table "Invoice"; there are User, Chat, ',
    ],
    [
      'a field that is not known',
      () => [1, changed(1, withFields(lines[1], { isAdmin: true }))],
      'has the field "isAdmin"; a row of User has id, email, ',
    ],
    [
      'a field that is missing',
      () => [1, changed(1, withFields(lines[1], { email: undefined }))],
      'lacks the field email; a row of User has id, email, ',
    ],
    [
      'another person’s row',
      () => [2, changed(2, withFields(lines[2], { userId: randomUUID() }))],
      'has a userId that is not the userId of the first line, ',
    ],
    [
      'another person',
      () => [1, changed(1, withFields(lines[1], { id: randomUUID() }))],
      'has a id that is not the userId of',
    ],
    [
      'a row that is there twice',
      () => [3, lines.toSpliced(3, 0, lines[2] ?? '')],
      'is there twice: rows of Chat are in the order of id',
    ],
    [
      'rows out of order',
      () => [3, lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? '')],
      'is not in order: rows of Chat',
    ],
    [
      'tables out of order',
      () => [
        firstOf(lines, 'Task') + 1,
        lines.toSpliced(firstOf(lines, 'Task') + 1, 0, lines[firstOf(lines, 'Memory')] ?? ''),
      ],
      'is a row of Memory behind rows of Task; the order is User, Chat, ',
    ],
    ['no person', () => [1, lines.toSpliced(1, 1)], 'is a row of Chat; the first row is that of User'],
    [
      'a message of a chat that is not there',
      () => {
        const id = parse(lines.find((line) => line.startsWith('{"table":"Message"'))).row.chatId;
        const file = lines.filter((line) => !line.startsWith(`{"table":"Chat","row":{"id":"${id}"`));
        return [firstOf(file, 'Message'), file];
      },
      'has a chatId that is not the id of a chat in this file',
    ],
    [
      'a parent that is not there',
      () => [
        message(1, false),
        changed(message(1, false), withFields(lines[message(1, false)], { parentId: randomUUID() })),
      ],
      'has a parentId that is not the id of a message of this chat one position before it',
    ],
    [
      'a first message with a parent',
      () => [
        message(0, true),
        changed(message(0, true), withFields(lines[message(0, true)], { parentId: randomUUID() })),
      ],
      'has a parentId that is not the id of',
    ],
    [
      'two active messages in one place',
      () => [-1, changed(message(1, false), withFields(lines[message(1, false)], { active: true }))],
      'is active and does not follow the active message one position before it',
    ],
    [
      'a chat that counts other messages',
      () => {
        const at = lines.findIndex((line) => /"messageCount":[1-9]/.test(line));
        return [-1, changed(at, (lines[at] ?? '').replace(/"messageCount":\d+/, '"messageCount":1'))];
      },
      'ends a chat whose messageCount and headId are not those of its active messages',
    ],
    [
      'a chat that ends in another message',
      () => {
        const at = lines.findIndex((line) => /"messageCount":[1-9]/.test(line));
        return [-1, changed(at, withFields(lines[at], { headId: randomUUID() }))];
      },
      'ends a chat whose messageCount and headId are not those of its active messages',
    ],
    [
      'a text in the place of a number',
      () => [2, changed(2, withFields(lines[2], { revision: mark }))],
      'has a revision that is a text of 6 characters; it must be a whole number',
    ],
    [
      'no time',
      () => [2, changed(2, withFields(lines[2], { createdAt: mark }))],
      'has a createdAt that is a text of 6 characters; it must be a time such as ',
    ],
    [
      'null where there is always a value',
      () => [2, changed(2, withFields(lines[2], { createdAt: null }))],
      'has a createdAt that is null, which this field never is',
    ],
    [
      'U+0000 in a text',
      () => [1, changed(1, withFields(lines[1], { displayName: `${mark}\0` }))],
      'has a displayName that is a text of 7 characters; it must be a text without U+0000',
    ],
    [
      'a message in another form',
      () => [
        message(0, true),
        changed(message(0, true), `${JSON.stringify({ ...parse(lines[message(0, true)]), extra: 1 })}\n`),
      ],
      'has the field "extra"; a line has table, row',
    ],
    [
      'a field twice',
      () => [
        message(0, true),
        changed(message(0, true), (lines[message(0, true)] ?? '').replace(',"body":', ',"body":{},"body":')),
      ],
      'is not written as exportUser writes it: body is the last field, no field is twice',
    ],
    [
      'an address that is too long',
      () => [-1, changed(1, withFields(lines[1], { email: `${mark}${'a'.repeat(80)}@example.com` }))],
      'or one of the lines from 2 on has a value that User does not take (SQLSTATE 22001)',
    ],
    [
      'an empty memory',
      () => [-1, changed(firstOf(lines, 'Memory'), withFields(lines[firstOf(lines, 'Memory')], { content: '' }))],
      'has a value that Memory does not take (constraint Memory_content_check)',
    ],
    [
      'a message that is no object',
      () => [-1, changed(message(0, true), (lines[message(0, true)] ?? '').replace(/"body":.*\n$/, '"body":[]}}\n'))],
      'has a value that Message does not take (constraint Message_body_check)',
    ],
  ];

  test.each(cases)('%s', async (_, make, said) => {
    const [index, file] = make();
    const error = await refusalOf(sealed(file));
    expect(error.message).toContain(said);
    expect(error).toMatchObject({ code: 'IMPORT_REFUSED' });
    expect(error.hint).toMatch(/^Nothing was written\. /);
    if (index >= 0) expect(error.message.startsWith(`line ${index + 1} `)).toBe(true);
  });

  test('the same file, sealed anew and changed in nothing, is imported', async () => {
    expect(sealed(lines)).toEqual(lines);
    await importUser(sealed(lines));
    await eraseUser({ userId });
    rowsBefore = await countAllRows();
  });
});

describe('a person who is there', () => {
  test('the id, the address, or a row of another person is taken: nothing is written, nothing of theirs changes', async () => {
    const file = lines;
    const email = parse(lines[1]).row.email as string;
    const chatId = parse(lines[2]).row.id as string;

    await db.insert(user).values({ id: userId, email: 'another@example.com' });
    rowsBefore = await countAllRows();
    expect(await refusalOf(file)).toMatchObject({
      code: 'USER_EXISTS',
      message: `the user ${userId} is in this database already`,
    });
    await db.delete(user).where(eq(user.id, userId));

    const other = await newUser();
    await db.update(user).set({ email: email.toUpperCase() }).where(eq(user.id, other));
    rowsBefore = await countAllRows();
    expect(await refusalOf(file)).toMatchObject({ code: 'EMAIL_TAKEN' });
    await db.update(user).set({ email: 'yet.another@example.com' }).where(eq(user.id, other));

    await saveChat({ id: chatId, userId: other, messages: [{ role: 'user', content: 'mine' }] });
    await saveMemory({ userId: other, content: 'mine too' });
    const before = await rowsOfPerson(other);
    rowsBefore = await countAllRows();
    expect(await refusalOf(file)).toMatchObject({
      code: 'ID_TAKEN',
      message: expect.stringMatching(/^a row of Chat in lines 3 to 4 has an id, /),
    });
    expect(await rowsOfPerson(other)).toEqual(before);
    await db.delete(chat).where(eq(chat.id, chatId));
    await importUser(file);
    await eraseUser({ userId });
  });

  test('userId says whose file it must be', async () => {
    const wanted = randomUUID();
    await expect(importUser(lines, { userId: wanted })).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      message: `line 1 is of the user ${userId}, and userId is ${wanted}`,
    });
    expect(await importUser(lines, { userId: userId.toUpperCase() })).toMatchObject({ userId });
    await eraseUser({ userId });
  });

  test('inside a transaction it is part of it', async () => {
    await expect(
      transaction(async () => {
        await importUser(lines);
        expect((await rowsOfPerson(userId)).Chat).toHaveLength(2);
        throw new Error('no after all');
      }),
    ).rejects.toThrow('no after all');
    expect(Object.values(await rowsOfPerson(userId)).flat()).toEqual([]);
  });

  test.each([undefined, null, 7, true])('%s is no source', async (source) => {
    await expect(importUser(source as never)).rejects.toMatchObject({
      code: source === undefined ? 'MISSING_ARGUMENT' : 'INVALID_ARGUMENT',
      details: { argument: 'source' },
    });
  });
});

// Every query with generated arguments: it gives a result or an error that has a name and keeps secrets, never a row
// of another user, never a change to one, and the same on a server as on the embedded database, which runs beside it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { type ConflictCode, type InvalidArgumentCode, MytxError, type NotFoundCode } from '../../db/errors.ts';
import { readCatalogue } from './catalogue.ts';
import { everythingSaid } from './everything-said.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { secret } from './query-arguments.ts';
import {
  argumentsOf,
  exportedFunctions,
  generatedArguments,
  goodValues,
  isOptional,
  nameOf,
  noQueries,
  type QueryCall,
  queryCalls,
  runQuery,
} from './query-calls.ts';
import { isEmbedded, useTestDatabase } from './test-database.ts';
import { fingerprintOf, idOf, isFixedId, isRowOf, type Owner, resetToTwoUsers, secretOf } from './two-users.ts';

useTestDatabase();

type Database = Awaited<ReturnType<typeof createDatabase>>;
/** The embedded database beside a server. */
let embedded: Database | undefined;

beforeAll(async () => {
  if (isEmbedded) return;
  embedded = await createDatabase({ folder: 'memory', snapshot: new Blob([readFileSync(inject('snapshotFile'))]) });
});
afterAll(() => embedded?.close());

async function reset(): Promise<void> {
  namedIds = '';
  await resetToTwoUsers();
  await embedded?.run(resetToTwoUsers);
}

/** What a query may say; anything else (a constraint, a SQLSTATE, a TypeError) was not foreseen. */
const expectedCodes: Record<InvalidArgumentCode | NotFoundCode | ConflictCode, true> = {
  CHAT_NOT_FOUND: true,
  EMAIL_TAKEN: true,
  ID_TAKEN: true,
  INVALID_ARGUMENT: true,
  INVALID_CURSOR: true,
  INVALID_DATE: true,
  INVALID_DETAILS: true,
  INVALID_EMAIL: true,
  INVALID_ID: true,
  INVALID_LIMIT: true,
  INVALID_MESSAGE: true,
  INVALID_PARTS: true,
  INVALID_PASSWORD: true,
  INVALID_STATUS: true,
  INVALID_TEXT: true,
  KEY_NOT_FOUND: true,
  KEY_TAKEN: true,
  MEMORY_EXISTS: true,
  MESSAGE_NOT_FOUND: true,
  MISSING_ARGUMENT: true,
  USER_EXISTS: true,
  USER_NOT_FOUND: true,
};

interface Outcome {
  result?: unknown;
  error?: MytxError;
}

async function outcomeOf(name: string, args: readonly unknown[]): Promise<Outcome> {
  try {
    return { result: await runQuery(name, args) };
  } catch (error) {
    if (!(error instanceof MytxError)) throw new Error('an error without a code', { cause: error });
    return { error };
  }
}

function expectDiscreet(error: MytxError): void {
  assert.ok(error.code in expectedCodes, `${error.code}: ${error.message}`);
  assert.notEqual(error.hint, '');
  const said = everythingSaid(error).toLowerCase();
  for (const text of [secret, secretOf('ada'), secretOf('bob')]) {
    assert.ok(!said.includes(text.toLowerCase()), `the error quotes ${text}: ${said}`);
  }
}

/** Whose rows a call may see: of the user it names; of anyone, where it names none. */
function callerOf({ isPositional, fields }: QueryCall, args: readonly unknown[]): Owner | undefined {
  const names = Object.keys(fields).map(nameOf);
  const name = names.includes('userId') ? 'userId' : fields.id?.good === idOf('user', 'ada') ? 'id' : undefined;
  if (name === undefined) return undefined;
  const value = isPositional ? args[names.indexOf(name)] : (args[0] as Record<string, unknown> | undefined)?.[name];
  return (['ada', 'bob'] as const).find(
    (owner) => typeof value === 'string' && value.toLowerCase() === idOf('user', owner),
  );
}

/** Ids that a caller named himself, in this call or before: his own rows may have ids that another's rows have. */
let namedIds = '';

function expectNothingOf(other: Owner, result: unknown): void {
  const found = JSON.stringify(result) ?? '';
  assert.ok(!found.includes(secretOf(other)), `what ${other} wrote is in the result: ${found}`);
  for (const [id] of found.matchAll(/00000000-0000-4000-8000-[0-9a-f]{12}/g)) {
    assert.ok(!isRowOf(other, id) || namedIds.includes(id), `the result has ${id}, a row of ${other}`);
  }
}

function name(args: readonly unknown[]): void {
  const texts = JSON.stringify(args, (_key, value) => (typeof value === 'bigint' ? 0 : value)) ?? '';
  for (const [id] of texts.toLowerCase().matchAll(/00000000-0000-4000-8000-[0-9a-f]{12}/g)) namedIds += id;
}

/** What is the same on every engine: ids that were made and the times of now are not, nor a salted hash. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return comparableTime(value);
  if (typeof value === 'string') return comparableText(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, key === 'nextCursor' && entry ? '<cursor>' : comparable(entry)]),
  );
}

/** A key that was rotated ends in a day, and so does the one that takes its place. */
function comparableTime(time: Date): string {
  const hours = (time.getTime() - Date.now()) / 3_600_000;
  if (Math.abs(hours) < 1) return '<now>';
  return Math.abs(hours - 24) < 1 ? '<in a day>' : time.toISOString();
}

function comparableText(text: string): string {
  if (/^\$2[aby]\$/.test(text)) return '<hash>';
  if (/^mytx_[a-z0-9]+_\w+$/.test(text)) return '<key>';
  return text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => (isFixedId(id) ? id : '<id>'));
}

function comparableOutcome({ result, error }: Outcome): unknown {
  return error ? comparable({ ...error.toJSON(), cause: error.cause !== undefined }) : comparable(result);
}

async function checkCall(call: QueryCall, args: unknown[]): Promise<Outcome> {
  name(args);
  const caller = callerOf(call, args);
  const other = caller === undefined ? undefined : caller === 'ada' ? 'bob' : 'ada';
  const before = other && call.writes ? await fingerprintOf(other) : '';
  const outcome = await outcomeOf(call.name, args);
  if (outcome.error) expectDiscreet(outcome.error);
  if (other) expectNothingOf(other, outcome.result);
  if (other && call.writes) assert.equal(await fingerprintOf(other), before, `rows of ${other} were changed`);
  if (!embedded) return outcome;
  const beside = await embedded.run(() => outcomeOf(call.name, args));
  assert.deepStrictEqual(comparableOutcome(outcome), comparableOutcome(beside), 'the embedded database differs');
  return outcome;
}

test('every query has arguments here', () => {
  expect([...queryCalls.map(({ name }) => name), ...noQueries].sort()).toEqual(exportedFunctions.sort());
});

describe('with any arguments: a result or a named error, nothing of another user, the same on both engines', () => {
  test.each(queryCalls)(
    '$name',
    async (call) => {
      let runsDone = 0;
      await reset();
      await fc.assert(
        fc
          .asyncProperty(generatedArguments(call), async (args) => void (await checkCall(call, args)))
          .beforeEach(async (previous) => {
            await previous();
            if (call.writes && runsDone > 0 && runsDone % 10 === 0) await reset();
            runsDone += 1;
          }),
        call.isSlow ? runs(12, 100) : runs(40, 1000),
      );
    },
    propertyTimeoutMs,
  );
});

describe('right arguments are taken; undefined is refused by name where one is required, not given where not', () => {
  beforeEach(reset);

  test.each(queryCalls)('$name', async (call) => {
    const values = goodValues(call);
    expect((await checkCall(call, argumentsOf(call, values))).error).toBeUndefined();
    for (const field of Object.keys(call.fields)) {
      const { error } = await outcomeOf(call.name, argumentsOf(call, { ...values, [field]: undefined }));
      if (isOptional(field)) expect(error?.code).toBeOneOf([undefined, 'ID_TAKEN', 'CHAT_NOT_FOUND']);
      else expect(error).toMatchObject({ code: 'MISSING_ARGUMENT', details: { argument: field } });
    }
    expect((await outcomeOf(call.name, [])).error).toMatchObject({ code: 'MISSING_ARGUMENT' });
  });
});

/** Fields that an error may quote; all others hold what a user wrote, or a key. */
const quotable = /^(id|\w+Id|rowIds|limit|offset|graceSeconds|cursor|version|status)\??$/;

describe('no error repeats what a user wrote, in whatever place it is passed', () => {
  beforeEach(reset);

  test.each(queryCalls)('$name', async (call) => {
    const wrong = [secret, secret.repeat(10_000), [secret], { [secret]: secret }, Object(secret), Symbol(secret)];
    const values = goodValues(call);
    for (const value of wrong) {
      for (const field of Object.keys(call.fields).filter((name) => !quotable.test(name))) {
        await checkCall(call, argumentsOf(call, { ...values, [field]: value }));
      }
      if (!call.isPositional) await checkCall(call, [value]);
    }
  });
});

test('no table, column, index or constraint came or went', async () => {
  const now = await readCatalogue();
  const fresh = await createDatabase({ folder: 'memory', snapshot: new Blob([readFileSync(inject('snapshotFile'))]) });
  const names = (catalogue: typeof now): unknown =>
    Object.entries(catalogue).map(([table, { columns, constraints, indexes }]) => [
      table,
      [columns, constraints, indexes].map((all) => all.map(({ name }) => name)),
    ]);
  expect(names(now)).toEqual(names(await fresh.run(readCatalogue)));
  await fresh.close();
});

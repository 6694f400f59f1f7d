// Generated arguments of queries. A field is one value that is right, and an arbitrary: mostly values that may be
// right, and what applications and attackers pass by mistake or on purpose. Texts and bodies hold a secret, which
// must not come back in an error; ids, limits, cursors and statuses have none, for those may be quoted.

import fc from 'fast-check';
import { makeKeyText } from '../../db/api-key-format.ts';
import { encodeCursor } from '../../db/cursor.ts';
import { messages } from './chat-messages.ts';
import { flight } from './flight.ts';
import { emailOf, idOf, issuedKeyOf, keyOf, type Owner, rowCount, type Table, timeOf } from './two-users.ts';

export interface Field {
  /** Accepted when all other fields are right too. */
  good: unknown;
  any: fc.Arbitrary<unknown>;
}

/** Is in what is passed, where it is not for errors; what is stored before has secrets of its own. */
export const secret = 'ZqGivenSecret';

/** Of the wrong type wherever a text, a number or an object is wanted. */
const wrongTypes: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  undefined,
  null,
  true,
  10n ** 100n,
  Symbol('x'),
  () => 'x',
  {},
  [],
  Object('text'),
  Object.create(null),
);

function mostly(right: fc.Arbitrary<unknown>, wrong: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 7, arbitrary: right },
    { weight: 2, arbitrary: wrong },
    { weight: 1, arbitrary: wrongTypes },
  );
}

const owners = fc.constantFrom<Owner[]>('ada', 'ada', 'ada', 'ada', 'bob');

function wrongIds(good: string): fc.Arbitrary<unknown> {
  return fc.constantFrom<unknown>(
    ...[
      good.toUpperCase(),
      `{${good}}`,
      `urn:uuid:${good}`,
      good.replaceAll('-', ''),
      `${good}\0`,
      ` ${good}`,
      `${good}\n`,
    ],
    ...[
      good.slice(1),
      `${good.slice(0, -1)}g`,
      '',
      '0',
      "' or true --",
      'é'.repeat(18),
      'x'.repeat(100_000),
      7,
      Number.NaN,
    ],
  );
}

/** Ada's ids more often than Bob's; ids of other tables and of nothing. */
export function id(table: Table): Field {
  const known = fc
    .tuple(
      fc.constantFrom<Table[]>(table, table, table, table, table, 'chat', 'none'),
      owners,
      fc.nat({ max: rowCount - 1 }),
    )
    .map(([of, owner, n]) => idOf(of, owner, table === 'user' || of === 'user' ? 0 : n));
  const good = idOf(table, 'ada');
  return { good, any: mostly(known, wrongIds(good)) };
}

const hostileTexts = [
  '',
  'x',
  'nul \0 inside',
  'half \ud83d pair',
  `'; drop table "User"; --`,
  '%',
  '_',
  '\\',
  '%s %n $1 {0} #{x}',
  '🍵👩‍👩‍👧',
  '\u202egnp.exe\u2066 שלום',
  '\u0130İıß ÀÉÎ',
  '\r\n\t\v\u2028',
  '<script>alert(1)</script>',
  '\x1b[31m',
];

/** The id of a row that is to be made: one that is free, or one that is taken. */
export function newId(table: Table): Field {
  const known = fc.tuple(fc.constantFrom<Table>('none', 'none', table), owners, fc.nat({ max: rowCount - 1 }));
  return {
    good: idOf('none', 'ada'),
    any: mostly(
      known.map((of) => idOf(...of)),
      wrongIds(idOf('none', 'ada')),
    ),
  };
}

/** Texts with the secret in them, about as long as allowed. */
function secretTexts(max: number): fc.Arbitrary<string> {
  const around = fc.constantFrom(...hostileTexts).map((text) => `${text}${secret}${text}`);
  const lengths = fc.constantFrom(max, max + 1, 2 * max + 2, 100_000).map((length) => secret.padEnd(length, 'é'));
  const wide = fc.constantFrom(max, max + 1).map((length) => secret + '🍵'.repeat(length - secret.length));
  return fc.oneof({ weight: 6, arbitrary: around }, { weight: 2, arbitrary: lengths }, { weight: 1, arbitrary: wide });
}

/** The last of them is of the wrong type, and quotes the secret. */
const secretThings = fc.constantFrom<unknown>([secret], { [secret]: secret }, Object(secret), new Date(Number.NaN));

export function text(max: number): Field {
  return {
    good: `${secret} good`,
    any: mostly(fc.oneof(secretTexts(max), fc.constantFrom(...hostileTexts, ' 1 100%_\\')), secretThings),
  };
}

export const email: Field = {
  good: `${secret}.new@example.com`,
  any: mostly(
    fc.oneof(
      fc.constantFrom('a', 'B', 'É', 'ß', '%', '_', "'").map((letter) => `${letter}${secret}@example.com`),
      fc.constantFrom(emailOf('ada'), emailOf('bob').toUpperCase()),
      secretTexts(64).map((local) => `${local}@example.com`),
    ),
    fc.oneof(secretTexts(64), secretThings),
  ),
};

export const password: Field = {
  good: `${secret} password`,
  any: mostly(fc.oneof(secretTexts(72), fc.constant(secret.padEnd(72, 'x'))), secretThings),
};

export const rawKey: Field = {
  good: keyOf('ada'),
  any: mostly(fc.oneof(fc.constantFrom(keyOf('ada'), keyOf('bob')), secretTexts(72)), secretThings),
};

const numbers = fc.constantFrom<unknown>(
  ...[0, -0, -1, 1.5, 1001, 10_001, 2 ** 31, 2 ** 53, 1e308, Number.NaN, Number.POSITIVE_INFINITY],
  ...['1', '1; drop table "User"', '', [1], new Date(1)],
);

export const limit: Field = { good: 3, any: mostly(fc.constantFrom<unknown>(1, 2, 3, 20, 1000, undefined), numbers) };
export const offset: Field = { good: 1, any: mostly(fc.constantFrom<unknown>(0, 1, 3, 100, undefined), numbers) };
export const version: Field = { good: 1, any: mostly(fc.constantFrom<unknown>(1, 2, 3, 2 ** 31 - 1), numbers) };
export const flag: Field = {
  good: true,
  any: mostly(fc.boolean(), fc.constantFrom<unknown>('true', 't', 1, 0, `${secret} yes`, [true])),
};

/** Keys of the two users, made-up ones whose checksum is right, and what is none. */
export const issuedKey: Field = {
  good: issuedKeyOf('ada'),
  any: mostly(
    fc.oneof(
      fc.constantFrom(issuedKeyOf('ada'), issuedKeyOf('bob'), makeKeyText('live').key),
      fc.constantFrom(keyOf('ada'), issuedKeyOf('ada').slice(1), `${issuedKeyOf('ada')}\0`),
    ),
    fc.oneof(secretTexts(60), secretThings),
  ),
};

export const scopes: Field = {
  good: ['chats:read'],
  any: mostly(
    fc.array(fc.constantFrom('chats:read', 'a', '{}', ',', 'null', "'", `${secret}:write`), { maxLength: 4 }),
    fc.oneof(
      fc.constantFrom<unknown>([''], ['a b'], ['"'], ['\\'], Array(51).fill('a'), ['x'.repeat(101)]),
      fc.constantFrom<unknown>([`${secret} x`], [[secret]], secret, [undefined]),
      secretThings,
    ),
  ),
};

export const rateLimit: Field = {
  good: { limit: 100, windowSeconds: 60 },
  any: mostly(
    fc.record({ limit: fc.constantFrom(1, 1_000_000_000), windowSeconds: fc.constantFrom(1, 31_622_400) }),
    fc.oneof(
      fc.record({ limit: numbers, windowSeconds: numbers }),
      fc.constantFrom<unknown>({ limit: 1 }, null, [secret], secret, { [secret]: 1 }),
    ),
  ),
};

/** Short enough for a time that comes of it to be taken for now, and not over while both engines are asked. */
export const graceSeconds: Field = {
  good: 60,
  any: mostly(
    fc.constantFrom<unknown>(0, 60, 1800),
    numbers.filter((value) => value !== 10_001),
  ),
};
export const env: Field = { good: 'test', any: mostly(fc.constantFrom('live', 'a', 'x9'), secretTexts(16)) };

type List = 'apiKeys' | 'auditEvents' | 'chats' | 'memories' | 'tasks' | 'protocols' | 'messages' | 'protocolVersions';

const tableOf: Record<List, Table> = {
  apiKeys: 'apiKey',
  auditEvents: 'none',
  chats: 'chat',
  memories: 'memory',
  tasks: 'task',
  protocols: 'protocol',
  messages: 'message',
  protocolVersions: 'protocol',
};

function cursorsOf(list: List): fc.Arbitrary<string> {
  return fc.tuple(owners, fc.integer({ min: -1, max: rowCount })).map(([owner, n]) => {
    if (list === 'auditEvents') return encodeCursor(list, [idOf('none', owner, Math.max(n, 0))]);
    const hasNumbers = list === 'messages' || list === 'protocolVersions';
    return encodeCursor(list, hasNumbers ? [n] : [timeOf(n).getTime(), idOf(tableOf[list], owner, Math.max(n, 0))]);
  });
}

/** Cursors of the list, of other lists, cut, changed, and texts that are none. */
/** Of a search: it belongs to one query, so that hardly any other one has it. */
export const searchCursor: Field = {
  good: null,
  any: mostly(
    fc.constantFrom<unknown>(undefined, null),
    fc.constantFrom<unknown>(
      ...['', 'x', '\0', 'x'.repeat(1000), 5, `${secret} cursor`],
      encodeCursor('searchMessages', []),
      encodeCursor('searchMessages', [1, 2, 3]),
      encodeCursor('messages', [1]),
    ),
  ),
};

export function cursor(list: List): Field {
  const ofOthers = fc.constantFrom(...(Object.keys(tableOf) as List[])).chain(cursorsOf);
  const changed = cursorsOf(list).map((whole) => whole.replace(/[a-m]/, 'z'));
  const forged = fc.constantFrom(
    encodeCursor(list, []),
    encodeCursor(list, [1, 2, 3]),
    encodeCursor(list, [Number.MAX_SAFE_INTEGER, idOf('none', 'ada')]),
    encodeCursor(list, [1.5, idOf('none', 'ada')]),
    encodeCursor(list, [0, "' or true --"]),
    encodeCursor(list, [2 ** 31]),
  );
  const none = fc.constantFrom<unknown>('', 'x', '0', '\0', 'x'.repeat(1000), 5, null);
  return {
    good: encodeCursor(
      list,
      list === 'auditEvents'
        ? [idOf('none', 'ada')]
        : list === 'messages' || list === 'protocolVersions'
          ? [2]
          : [timeOf(3).getTime(), idOf(tableOf[list], 'ada', 3)],
    ),
    any: mostly(
      fc.oneof(cursorsOf(list), fc.constantFrom(undefined, null)),
      fc.oneof(
        ofOthers,
        changed,
        forged,
        none,
        cursorsOf(list).map((whole) => whole.slice(0, -3)),
      ),
    ),
  };
}

const statuses = ['pending', 'in_progress', 'completed', 'cancelled'];

export const status: Field = {
  good: 'completed',
  any: mostly(fc.constantFrom(...statuses), fc.constantFrom<unknown>('', 'done', 'PENDING', 'pending\0', 5, statuses)),
};

export const dueAt: Field = {
  good: timeOf(5),
  any: mostly(
    fc.constantFrom<unknown>(timeOf(1), new Date(0), new Date('9999-12-31T23:59:59.999Z'), null),
    fc.constantFrom<unknown>(
      ...[new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15), new Date('0001-01-01'), `${secret} tomorrow`, 5],
    ),
  ),
};

const notJson = fc.constantFrom<unknown>(
  ...[Number.NaN, Number.POSITIVE_INFINITY, 1n, new Uint8Array(3), `${secret} text`, 5, null, { toJSON: () => 1n }],
  ...[{ [`${secret} key`]: { [`${secret}@example.com`]: Number.NaN } }, [[secret]]],
);

const secretMessages = messages.map((message) => Object.assign(message, { said: secret }));

/** What is wrong stands inside a message, or in its place. */
const wrongMessages = fc.oneof(
  notJson,
  notJson.map((value) => ({ role: 'user', content: value, text: secret })),
);

export const message: Field = {
  good: { role: 'user', content: `${secret} hi` },
  any: mostly(secretMessages, wrongMessages),
};

export const messageList: Field = {
  good: [message.good],
  any: mostly(
    fc.array(secretMessages, { maxLength: 3 }),
    fc.oneof(fc.array(wrongMessages, { minLength: 1, maxLength: 2 }), wrongMessages),
  ),
};

/** For calls of up to three messages, among them rows that are there, and Bob's. */
export const rowIds: Field = {
  good: [idOf('none', 'ada', 77)],
  any: mostly(
    fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.shuffledSubarray([1, 2, 3, 4].map((n) => idOf('none', 'ada', n))) },
      { weight: 1, arbitrary: fc.array(id('message').any, { maxLength: 3 }) },
    ),
    fc.constantFrom<unknown>('x', {}, [1], [undefined], [null, null]),
  ),
};

export const parentId: Field = { good: null, any: fc.oneof(fc.constant(null), id('message').any) };

export const parts: Field = {
  good: [{ content: `${secret} good`, extra: 1 }],
  any: mostly(
    fc.array(
      fc.oneof(
        secretTexts(300).map((content) => ({ content })),
        messages.map((fields) => ({ ...fields, content: secret })),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.oneof(
      notJson,
      notJson.map((value) => [{ content: value }]),
      fc.constantFrom<unknown>([{ content: secret.padEnd(1024 * 1024, 'x') }], [{ text: secret }], [secret], {
        content: secret,
      }),
    ),
  ),
};

export const details: Field = {
  good: { ...flight, passengerName: `${secret} good` },
  any: mostly(
    secretTexts(200).map((passengerName) => ({ ...flight, passengerName, '\0': '\ud800' })),
    fc.oneof(
      notJson,
      notJson.map((value) => ({ ...flight, passengerName: secret, note: value })),
      fc
        .constantFrom('seats', 'flightNumber', 'departure', 'totalPriceInUSD')
        .map((field) => ({ ...flight, [field]: [secret] })),
      fc.constant({ ...flight, note: secret.padEnd(70_000, 'x') }),
    ),
  ),
};

/** Instead of the object of arguments. */
export const wrongObjects: fc.Arbitrary<unknown> = fc.oneof(
  wrongTypes,
  fc.constantFrom<unknown>(`${secret} text`, 5, [secret], new Map([['userId', idOf('user', 'ada')]])),
);

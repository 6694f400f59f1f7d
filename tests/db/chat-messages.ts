// Generated messages: of few different ids, roles and contents, so that equal ones happen, and with what databases,
// JSON and JavaScript treat in their own ways (U+0000, half surrogate pairs, __proto__, numbers at the edges).

import fc from 'fast-check';

export const texts: fc.Arbitrary<string> = fc.constantFrom(
  '',
  'hi',
  ' Two\n lines\t',
  'תה ירוק 🍵',
  'nul \0 inside',
  'half \ud83d pair',
  '\udc00',
  'control \u0001\u001f',
  'C:\\users\\u0000',
  `%_'"; drop table "Chat" --`,
  'word '.repeat(300),
  '👩‍👩‍👧'.repeat(60),
);

const ownIds = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>('a', 'b', 'c') },
  { weight: 3, arbitrary: fc.constantFrom<unknown>('a\0', '\ud800', 'é', '', 1, 2, -0, 1.5, '1') },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, ['a'], { a: 1 }, new Date(0), undefined) },
);

const roles = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<unknown>('user', 'assistant', 'system', 'tool') },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 7, 'USER', 'us\0er', 'x'.repeat(65), ['user']) },
);

const values = fc.constantFrom<unknown>(
  -0,
  1e21,
  5e-324,
  1.7976931348623157e308,
  123456789012345680000,
  0.1,
  false,
  null,
  [],
  {},
  [[[[{ deep: [1, '\0'] }]]]],
  JSON.parse('{"__proto__":{"role":"user"},"constructor":1}'),
  { b: 1, a: { d: '\ud800', c: 2 } },
  new Date(86_400_000),
  { dropped: undefined, kept: [undefined, 1] },
  { toJSON: () => ({ own: 'form' }) },
);

const parts = fc.array(
  fc.oneof(
    texts.map((text) => ({ type: 'text', text })),
    fc.constantFrom<unknown>({ type: 'step-start' }, { type: 'text', text: 5 }, null, 'text', {
      type: 'file',
      url: 'x',
    }),
  ),
  { maxLength: 3 },
);

const contents = fc.oneof(
  { weight: 4, arbitrary: texts as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: parts },
  { weight: 1, arbitrary: values },
);

/** Any message that may be saved: plain objects in two orders of their keys, and now and then one with a toJSON. */
export const messages: fc.Arbitrary<object> = fc
  .tuple(
    fc.oneof(
      fc.record({ id: ownIds, role: roles, content: contents, parts, extra: values }, { requiredKeys: [] }),
      fc.record({ id: ownIds, role: roles, content: texts }),
    ),
    fc.constantFrom('as it is', 'as it is', 'reversed', 'own form', '__proto__'),
  )
  .map(([message, form]) => {
    if (form === 'reversed') return withKeysReversed(message);
    if (form === 'own form') return { role: 'user', toJSON: () => message };
    if (form === '__proto__') return Object.assign(JSON.parse('{"__proto__":{"id":"a","role":"user"}}'), message);
    return message;
  });

/** The same message to a reader of JSON, with another text. */
export function withKeysReversed(message: object): object {
  return Object.fromEntries(Object.entries(message).reverse());
}

/** The message as it is to come back. */
export function asJson(message: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(message));
}

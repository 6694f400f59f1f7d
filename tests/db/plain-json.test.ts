// The quick look at a value, and the depth of a text, against what JSON.stringify makes of it.

import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { joinedTexts } from '../../db/message-body.ts';
import { isDeeperThan } from '../../db/person/json-depth.ts';
import { QuickLook } from '../../db/plain-json.ts';
import { configureLimits } from '../../db/queries.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';

afterEach(() => void configureLimits());

const anyJson = fc.anything({
  maxDepth: 6,
  values: [
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ],
  key: fc.string({ unit: 'binary' }),
});

/** By walking through what JSON.parse gives. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('counts no more bytes than the text has, and no less than a thirteenth', { timeout: propertyTimeoutMs }, () => {
  fc.assert(
    fc.property(anyJson, (inside) => {
      const value = [inside];
      const quick = new QuickLook(Number.POSITIVE_INFINITY, 100);
      fc.pre(quick.at(value) === 'plain'); // a key may be toJSON
      const bytes = Buffer.byteLength(JSON.stringify(value));
      expect(quick.bytes).toBeLessThanOrEqual(bytes);
      expect(quick.bytes * 13).toBeGreaterThanOrEqual(bytes);
    }),
    runs(500, 20_000),
  );
  for (const value of [
    Array(9).fill(-1.7976931348623157e308),
    Array(9).fill(undefined),
    new Date(0),
    ['\0'.repeat(9)],
  ]) {
    const quick = new QuickLook(Number.POSITIVE_INFINITY, 100);
    expect(quick.at(value)).toBe('plain');
    expect(quick.bytes * 13).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(value)));
  }
});

test('knows the depth, by the value and by the text', { timeout: propertyTimeoutMs }, () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      fc.pre(new QuickLook(Number.POSITIVE_INFINITY, 100).at(value) === 'plain');
      const text = JSON.stringify(value);
      const depth = depthOf(JSON.parse(text));
      expect(new QuickLook(Number.POSITIVE_INFINITY, depth).at(value)).toBe('plain');
      expect(isDeeperThan(depth, text)).toBe(false);
      if (depth === 0) return;
      expect(new QuickLook(Number.POSITIVE_INFINITY, depth - 1).at(value)).toBe('too deep');
      expect(isDeeperThan(depth - 1, text)).toBe(true);
    }),
    runs(500, 20_000),
  );
});

test('the texts of many messages are those of each, whatever is done together', { timeout: propertyTimeoutMs }, () => {
  const message = fc.dictionary(fc.string({ unit: 'binary' }), anyJson, { maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 30 }),
      fc.constantFrom(5_000, 16 * 1024 * 1024),
      (messages, messageBytes) => {
        const each = messages.map((one) => JSON.stringify(one));
        fc.pre(each.every((text) => Buffer.byteLength(text) <= messageBytes));
        configureLimits({ messageBytes });
        const joined = [...joinedTexts(messages, messages.length)];
        expect(joined.map(({ text }) => text).join(',')).toBe(each.join(','));
        expect(joined.reduce((sum, { count }) => sum + count, 0)).toBe(messages.length);
      },
    ),
    runs(200, 5_000),
  );
});

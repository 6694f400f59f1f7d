// The text of a key, without a database: and that a made-up one never gets to one.

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { envOfPrefix, isKeyEnv, kindOfKeyText, makeKeyText, prefixOfForeignKey } from '../../../db/api-key-format.ts';
import { closeDatabase, openDatabase, verifyApiKey } from '../../../db/queries.ts';
import { recordFigures } from '../../security/figures.ts';
import { runs, seed } from '../property-runs.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const envs = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);

test('a key is its brand, its environment, 190 random bits and the CRC-32 of all that', () => {
  fc.assert(
    fc.property(envs, (env) => {
      const { key, prefix } = makeKeyText(env);
      const [brand = '', word, random = '', checksum = ''] = key.split('_');
      expect([brand, word]).toEqual(['mytx', env]);
      expect(random).toMatch(/^[0-9A-Za-z]{32}$/);
      const value = [...checksum].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
      expect(value).toBe(crc32(key.slice(0, -7)));
      expect(kindOfKeyText(key)).toBe('key');
      expect(key.startsWith(prefix) && prefix.length === brand.length + env.length + 6).toBe(true);
      expect(envOfPrefix(prefix)).toBe(env);
      expect(prefix.length).toBeLessThanOrEqual(32);
    }),
    runs(1000, 100_000),
  );
});

test('random digits are each as likely as the other, and no two keys are the same', () => {
  const counts = new Map<string, number>();
  const keys = new Set<string>();
  for (let i = 0; i < 10_000; i += 1) {
    const { key } = makeKeyText('live');
    keys.add(key);
    for (const digit of key.slice(10, 42)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  }
  expect(keys.size).toBe(10_000);
  const expected = 320_000 / 62;
  const distance = [...digits].reduce((sum, digit) => sum + ((counts.get(digit) ?? 0) - expected) ** 2 / expected, 0);
  expect(distance).toBeLessThan(150); // chi-squared with 61 degrees: more than that once in 10^9 runs
});

test('a key with one character changed, added, left out or swapped is none', () => {
  const { key } = makeKeyText('live');
  const random = [...key].map((_, i) => i);
  for (const i of random) {
    for (const digit of `${digits}_ -`) {
      const changed = key.slice(0, i) + digit + key.slice(i + 1);
      if (changed !== key) expect(kindOfKeyText(changed), changed).not.toBe('key');
    }
    expect(kindOfKeyText(key.slice(0, i) + key.slice(i + 1))).not.toBe('key');
    expect(kindOfKeyText(`${key.slice(0, i)}x${key.slice(i)}`)).not.toBe('key');
    const swapped = key.slice(0, i) + (key[i + 1] ?? '') + key[i] + key.slice(i + 2);
    if (swapped !== key) expect(kindOfKeyText(swapped), swapped).not.toBe('key');
  }
});

test('any other text is none, and takes no time', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string().map((text) => `mytx_live_${text}`),
  );
  fc.assert(
    fc.property(texts, (text) => kindOfKeyText(text) !== 'key'),
    runs(1000, 100_000),
  );
  for (const text of ['mytx_'.repeat(200_000), `mytx_live_${'a'.repeat(1_000_000)}`, `mytx_live_${'a'.repeat(32)}_`]) {
    expect(kindOfKeyText(text)).toBe('other');
  }
});

test('an environment is a short lower-case word', () => {
  for (const env of ['live', 'test', 'a', 'x86', 'a'.repeat(16)]) expect(isKeyEnv(env), env).toBe(true);
  for (const env of ['', 'Live', 'a_b', 'a-b', '1a', 'é', 'a\n', 'a'.repeat(17), null, ['a']]) {
    expect(isKeyEnv(env), String(env)).toBe(false);
  }
});

test('of somebody else’s key only a small part is shown, and nothing of a short one', () => {
  expect(prefixOfForeignKey(`mytx_${'0123456789abcdef'.repeat(4)}`)).toBe('mytx_0123');
  expect(prefixOfForeignKey('k'.repeat(32))).toBe('kkkk');
  expect(prefixOfForeignKey('k'.repeat(31))).toBe('');
  expect(prefixOfForeignKey(`kkk🔑${'k'.repeat(30)}`).isWellFormed()).toBe(true);
  for (const prefix of ['mytx_0123', 'kkkk', '', null]) expect(envOfPrefix(prefix)).toBeUndefined();
});

describe('of a million made-up keys', () => {
  test('none gets to the database', { timeout: 120_000 }, async () => {
    let statements = 0;
    await openDatabase({ folder: 'memory', logger: () => (statements += 1) });
    const before = statements;
    const next = randomFrom(seed);
    const reasons: Record<string, number> = {};
    for (let i = 0; i < 1_000_000; i += 1) {
      let text = 'mytx_live_';
      for (let n = 0; n < 39; n += 1) text += n === 32 ? '_' : digits[next() % 62];
      const verdict = await verifyApiKey(text);
      const reason = verdict.ok ? 'ok' : verdict.reason;
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    await closeDatabase();
    recordFigures('made-up-keys', { keys: reasons.malformed ?? 0, statements: statements - before });
    expect({ reasons, statements: statements - before }).toEqual({ reasons: { malformed: 1_000_000 }, statements: 0 });
  });
});

/** Quick random numbers from a seed (xorshift32). */
function randomFrom(start: number): () => number {
  let state = start | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

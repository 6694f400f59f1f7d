// What an encrypted value withstands: every change, cut and move is refused, and no error has a part of it.

import { createCipheriv, randomBytes, randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { deriveKey, encodeFields, type Place } from '../../../db/encryption/derived-keys.ts';
import { isEnvelope, seal, unseal } from '../../../db/encryption/envelope.ts';
import { EncryptionError } from '../../../db/errors.ts';
import { type Secret, secrets, useSecrets } from '../../../db/secrets.ts';
import { recordFigures } from '../../security/figures.ts';
import { keysOf, keyText } from './keys.ts';

beforeEach(() => useSecrets(keysOf('k1', 'k2')));
afterAll(() => useSecrets());

const place: Place = { schema: 'public', table: 'Contact', column: 'phone' };
const tagLengths = [0, 4, 8, 12, 13, 14, 15];
const canary = 'canary: +972 54 123 4567';
const keyOf = (index: number): Secret => secrets().encryptionKeys[index] as Secret;

/** The code of the error; fails where a text came out, or where the error says anything of what it must not. */
function refusalOf(envelope: string, at: Place = place): string {
  try {
    unseal(envelope, at);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    expect(error.cause).toBeUndefined();
    const said = `${error.message} ${error.stack} ${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`;
    const base64 = envelope.split('.')[2] ?? envelope;
    const key = keyText('k1').slice(3);
    // A few letters stand in the stack by chance, such as those of the folder that the checkout is in.
    const pieces = [base64.slice(0, 12), base64.slice(-12), key.slice(0, 10)].filter(({ length }) => length >= 8);
    for (const secret of ['canary', '4567', ...pieces]) expect(said).not.toContain(secret);
    return error.code;
  }
  throw new Error('an envelope was taken that should not have been');
}

test('a text comes back, whatever it is, and its envelope is another one each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const [one, other] = [seal(text, place, keyOf(0)), seal(text, place, keyOf(0))];
      expect(one).not.toBe(other);
      expect(isEnvelope(one)).toBe(true);
      expect([unseal(one, place), unseal(other, place)]).toEqual([text.toWellFormed(), text.toWellFormed()]);
    }),
  );
  const large = randomBytes(1_000_000).toString('latin1');
  expect(unseal(seal(large, place, keyOf(1)), place)).toBe(large);
});

test('an envelope is as documented: 12 bytes of nonce, the ciphertext, 16 bytes of tag', () => {
  const [version, keyId, base64 = ''] = seal('שלום', place, keyOf(0)).split('.');
  expect([version, keyId]).toEqual(['mytx1', 'k1']);
  expect(Buffer.from(base64, 'base64url')).toHaveLength(12 + Buffer.byteLength('שלום') + 16);
});

test('20,000 envelopes have 20,000 nonces', () => {
  const nonces = Array.from({ length: 20_000 }, () => seal('', place, keyOf(0)).slice('mytx1.k1.'.length).slice(0, 16));
  expect(new Set(nonces).size).toBe(20_000);
});

test('10,000 flips of a bit of the bytes, and every flip of a bit of the text, are refused', () => {
  const envelope = seal(canary, place, keyOf(0));
  const beginning = 'mytx1.k1.';
  const bytes = Buffer.from(envelope.slice(beginning.length), 'base64url');
  const flips = 10_000;
  let refused = 0;
  for (let i = 0; i < flips; i += 1) {
    const changed = Buffer.from(bytes);
    const at = i < bytes.length * 8 ? i : randomInt(bytes.length * 8);
    changed.writeUInt8(changed.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
    expect(refusalOf(beginning + changed.toString('base64url'))).toBe('CIPHERTEXT_DAMAGED');
    refused += 1;
  }
  const [shortestTag = 0, longestTag = 0] = [tagLengths.at(0), tagLengths.at(-1)];
  recordFigures('bit-flips', { flips, shortestTag, longestTag, taken: flips - refused });
  const codes = new Set<string>();
  for (let at = 0; at < envelope.length * 7; at += 1) {
    const changed = Buffer.from(envelope, 'latin1');
    changed.writeUInt8(changed.readUInt8(Math.floor(at / 7)) ^ (1 << (at % 7)), Math.floor(at / 7));
    codes.add(refusalOf(changed.toString('latin1')));
  }
  expect([...codes].sort()).toEqual(['CIPHERTEXT_DAMAGED', 'UNKNOWN_ENCRYPTION_KEY']);
});

test('every truncation and every addition is refused', () => {
  const envelope = seal(canary, place, keyOf(0));
  for (let length = 0; length < envelope.length; length += 1) {
    expect(refusalOf(envelope.slice(0, length))).toBe('CIPHERTEXT_DAMAGED');
    expect(refusalOf(envelope.slice(length + 1))).toBe('CIPHERTEXT_DAMAGED');
  }
  for (const more of ['A', 'AA', '=', '==', '\n', ' ', '.', '.A'])
    expect(refusalOf(envelope + more)).toBe('CIPHERTEXT_DAMAGED');
  // The last digit has bits that no byte needs: of the texts that mean the same bytes one is taken.
  const last = envelope.at(-1) as string;
  const digits = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].filter((one) => one !== last);
  for (const digit of digits) expect(refusalOf(envelope.slice(0, -1) + digit)).toBe('CIPHERTEXT_DAMAGED');
});

test.each(tagLengths)('a tag of %i bytes is refused, which would be right if it were taken', (length) => {
  const nonce = randomBytes(12);
  const key = deriveKey(keyOf(0).key, 'encryption', place);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: length >= 4 ? length : 16 });
  cipher.setAAD(encodeFields('mytx1', 'k1', 'public', 'Contact', 'phone'));
  const bytes = [nonce, cipher.update(canary), cipher.final(), cipher.getAuthTag().subarray(0, length)];
  expect(refusalOf(`mytx1.k1.${Buffer.concat(bytes).toString('base64url')}`)).toBe('CIPHERTEXT_DAMAGED');
});

test('a value of another column, table, schema or key is refused, also where names run together', () => {
  const places: Place[] = [
    place,
    { ...place, column: 'email' },
    { ...place, table: 'Reservation' },
    { ...place, schema: 'other' },
    { schema: 'public', table: 'Contactphone', column: '' },
    { schema: 'public', table: 'Con', column: 'tactphone' },
    { schema: 'publicC', table: 'ontact', column: 'phone' },
  ];
  for (const from of places) {
    for (const to of places) {
      const envelope = seal(canary, from, keyOf(0));
      if (from === to) expect(unseal(envelope, to)).toBe(canary);
      else expect(refusalOf(envelope, to)).toBe('CIPHERTEXT_DAMAGED');
    }
  }
  const [, , base64] = seal(canary, place, keyOf(0)).split('.');
  expect(refusalOf(`mytx1.k2.${base64}`)).toBe('CIPHERTEXT_DAMAGED');
});

test('a key that is gone, or another one of the same name, opens nothing', () => {
  const envelope = seal(canary, place, keyOf(0));
  useSecrets(keysOf('k2'));
  expect(refusalOf(envelope)).toBe('UNKNOWN_ENCRYPTION_KEY');
  useSecrets({ encryptionKeys: `k1:${randomBytes(32).toString('base64')}` });
  expect(refusalOf(envelope)).toBe('CIPHERTEXT_DAMAGED');
  useSecrets({ encryptionKeys: '' });
  expect(refusalOf(envelope)).toBe('UNKNOWN_ENCRYPTION_KEY');
});

test('another version is no plaintext: it is refused', () => {
  const [, keyId, base64] = seal(canary, place, keyOf(0)).split('.');
  for (const version of ['mytx0', 'mytx2', 'mytx10']) {
    expect(isEnvelope(`${version}.${keyId}.${base64}`)).toBe(true);
    expect(refusalOf(`${version}.${keyId}.${base64}`)).toBe('CIPHERTEXT_DAMAGED');
  }
});

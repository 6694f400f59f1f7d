// An encrypted value as a text: `mytx1.<key id>.<base64url of nonce, ciphertext and tag>`, AES-256-GCM. Version, key id and
// column are authenticated with it, so that a value that was changed, cut or moved to another column is refused.
// No error has a part of a value in it: neither of what was given, nor of what came out before the tag was checked.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { EncryptionError } from '../errors.ts';
import { type Secret, secrets } from '../secrets.ts';
import { deriveKey, encodeFields, type Place } from './derived-keys.ts';

const version = 'mytx1';
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Whether a text is a value that was encrypted, in this version or another one: no plaintext begins like that. */
export function isEnvelope(text: string): boolean {
  return /^mytx\d{1,3}\./.test(text);
}

/** How every envelope of a key begins. */
export function beginningOf(keyId: string): string {
  return `${version}.${keyId}.`;
}

/** Encrypts a text for one column. The same text gives another envelope each time. */
export function seal(text: string, place: Place, { id, key }: Secret): string {
  const nonce = randomBytes(nonceBytes);
  const cipherOfText = createCipheriv(cipher, deriveKey(key, 'encryption', place), nonce, { authTagLength: tagBytes });
  cipherOfText.setAAD(associatedData(id, place));
  const bytes = [nonce, cipherOfText.update(text, 'utf8'), cipherOfText.final(), cipherOfText.getAuthTag()];
  return beginningOf(id) + Buffer.concat(bytes).toString('base64url');
}

/**
 * The text of an envelope.
 * @throws EncryptionError UNKNOWN_ENCRYPTION_KEY, CIPHERTEXT_DAMAGED
 */
export function unseal(envelope: string, place: Place): string {
  const { keyId, bytes } = parse(envelope, place);
  const secret = secrets().encryptionKeys.find(({ id }) => id === keyId);
  if (!secret) throw unknownKey(keyId, place);
  const end = bytes.length - tagBytes;
  const key = deriveKey(secret.key, 'encryption', place);
  // Without authTagLength Node takes tags of 4 bytes, too.
  const decipher = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(associatedData(keyId, place));
  decipher.setAuthTag(bytes.subarray(end));
  const unverified = decipher.update(bytes.subarray(nonceBytes, end));
  try {
    return Buffer.concat([unverified, decipher.final()]).toString('utf8');
  } catch {
    throw damaged(place);
  }
}

function parse(envelope: string, place: Place): { keyId: string; bytes: Buffer } {
  const [found, keyId = '', base64 = ''] = /^mytx1\.([\w-]{1,32})\.([\w-]+)$/.exec(envelope) ?? [];
  const bytes = Buffer.from(base64, 'base64url');
  // One text for the same bytes: the last digit has bits that nothing depends on.
  const isWhole = found === envelope && bytes.length >= nonceBytes + tagBytes && bytes.toString('base64url') === base64;
  if (!isWhole) throw damaged(place);
  return { keyId, bytes };
}

function associatedData(keyId: string, { schema, table, column }: Place): Buffer {
  return encodeFields(version, keyId, schema, table, column);
}

/** As errors name a column. */
export function nameOf({ schema, table, column }: Place): string {
  return `${schema === 'public' ? '' : `${schema}.`}${table}.${column}`;
}

function unknownKey(keyId: string, place: Place): EncryptionError {
  return new EncryptionError(
    'UNKNOWN_ENCRYPTION_KEY',
    `a value of ${nameOf(place)} was encrypted with the key "${keyId}", which is not among MYTX_ENCRYPTION_KEYS`,
    'Add that key behind the current one, as id:base64. Without it the value is lost.',
    { ...place, keyId },
  );
}

function damaged(place: Place): EncryptionError {
  return new EncryptionError(
    'CIPHERTEXT_DAMAGED',
    `a value of ${nameOf(place)} is not what was encrypted for this column: changed, cut or from elsewhere`,
    'Restore the row from a backup, and find out who writes into this column past the application.',
    { ...place },
  );
}

// What is stored of an API key: HMAC-SHA-256 of its text, under a pepper where there is one. A key is random, so that a
// fast digest is enough; with a pepper a copy of the database does not even tell whether a guess is right.

import { createHmac } from 'node:crypto';
import { secrets } from './secrets.ts';

export interface KeyDigest {
  digest: string;
  /** Which pepper; null for none. */
  pepperId: string | null;
}

/** Anybody knows it. */
const noPepper = 'mytx-ai API key';

/** The digest that is stored of a new key: under the current pepper. */
export function digestOfKey(text: string): KeyDigest {
  return digestsOfKey(text)[0] as KeyDigest;
}

/** The digests under every pepper there is, the current one first, and without one: a key may be stored under any. */
export function digestsOfKey(text: string): KeyDigest[] {
  return [
    ...secrets().apiKeyPeppers.map(({ id, key }) => ({ digest: digestWith(key, text), pepperId: id })),
    { digest: digestWith(noPepper, text), pepperId: null },
  ];
}

function digestWith(key: Buffer | string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

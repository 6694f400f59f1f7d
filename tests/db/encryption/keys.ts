// Keys for the tests of encryption, as MYTX_ENCRYPTION_KEYS has them.

import { createHash } from 'node:crypto';

/** The same key for the same id. */
export function keyText(id: string): string {
  return `${id}:${createHash('sha256').update(`test key ${id}`).digest('base64')}`;
}

/** Several, the current one first. */
export function keysOf(...ids: readonly string[]): { encryptionKeys: string } {
  return { encryptionKeys: ids.map(keyText).join() };
}

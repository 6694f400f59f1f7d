// EncryptionError: a value can't be encrypted, or can't be read as one that was.

import type { EncryptionCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

const read = {
  class: 'EncryptionError',
  written: 'Nothing by a query that reads. A write whose answer could not be read was made.',
  repeat: 'Safe for reads. It fails in the same way until the cause is gone.',
} as const;

export const encryptionErrors: Record<EncryptionCode, Entry> = {
  CIPHERTEXT_DAMAGED: {
    ...read,
    happened: 'What is stored in an encrypted column is not what was encrypted for it: the check of its tag failed.',
    causes: [
      'the value was changed or cut, by hand, by a script or by a disk',
      'it was copied from another column or table, or its column or table was renamed',
      'MYTX_ENCRYPTION_KEYS has another key under the id that is in the value',
      'plaintext from before, which happens to begin with `mytx1.`',
    ],
    actions: [
      'Compare the key with the one the value was made with, where keys were changed lately.',
      'Behind a rename: say with `boundTo` what the column was called ([encryption](../encryption.md#columns-of-your-own)).',
      'Restore the row from a backup, and find out who writes into this column past the application.',
    ],
    example: {
      message: 'a value of Memory.content is not what was encrypted for this column: changed, cut or from elsewhere',
      hint: 'Restore the row from a backup, and find out who writes into this column past the application.',
    },
  },
  ENCRYPTION_INCOMPLETE: {
    class: 'EncryptionError',
    happened: '`mytx encrypt` is at its end, and some values are not encrypted with the current key.',
    causes: [
      'plaintext, which is taken in the transition mode only',
      'values of a key that is not configured, or that are damaged',
      'a memory in two rows, written at the same moment by processes with different keys',
      'a process that goes on writing with an old key',
    ],
    actions: [
      'Read the message, or `details.columns`: it counts what was left of each column and names rows.',
      'For plaintext from before encryption: MYTX_ENCRYPTION_TRANSITION=1 for this command and the application.',
      'For a memory in two rows: delete one with `deleteMemoryById`.',
      'Give every process the same keys in the same order, and run it again.',
    ],
    example: {
      message:
        'not everything is encrypted with the key "k1": Memory.content: 1 in plaintext (such as the row 019dd05e-95ed-7cc8-be29-7c3ba1a0fd02)',
      hint: 'Plaintext from before encryption is taken with MYTX_ENCRYPTION_TRANSITION=1; for the rest see docs/encryption.md. What could be done is done.',
    },
    written: 'Everything that could be.',
    repeat: 'Safe.',
  },
  ENCRYPTION_KEY_MISSING: {
    class: 'EncryptionError',
    happened: 'Something is to be encrypted, and there is no key to do it with.',
    causes: [
      'MYTX_ENCRYPT_MEMORIES is set, and MYTX_ENCRYPTION_KEYS is not',
      '`mytx encrypt` or `reencrypt` in an environment without keys',
      '`useSecrets` comes after the first query',
    ],
    actions: ['Set MYTX_ENCRYPTION_KEYS, or switch encryption of memories off.'],
    example: {
      message: 'values are to be encrypted, and there is no key in MYTX_ENCRYPTION_KEYS',
      hint: `Set MYTX_ENCRYPTION_KEYS to id:base64 of 32 bytes. A new one: node -e "console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))"`,
    },
    written: 'Nothing: it is not stored as plaintext instead.',
    repeat: 'Safe, once there is a key.',
  },
  PLAINTEXT_FOUND: {
    ...read,
    happened: 'An encrypted column has plaintext, and a key is configured: only what was encrypted is read.',
    causes: [
      'the row is from before encryption was switched on',
      'a process without the keys wrote it',
      'somebody put it there past the application',
    ],
    actions: [
      'From before: MYTX_ENCRYPTION_TRANSITION=1 until `npx mytx encrypt` is done ([encryption](../encryption.md#switch-it-on)).',
      'Give every process the same keys.',
    ],
    example: {
      message: 'a value of Memory.content is plaintext, where only what was encrypted is read',
      hint: 'Where it is from before encryption was switched on: set MYTX_ENCRYPTION_TRANSITION=1 and run npx mytx encrypt. Else find out who put it there.',
    },
  },
  TOO_MANY_ENCRYPTED: {
    class: 'EncryptionError',
    happened: 'A search would have to decrypt more than 10,000 memories of one user.',
    causes: ['encrypted memories can’t be in an index: each is read and decrypted, at each search'],
    actions: ['Page through them with `listMemories`.', 'Keep fewer: delete what is no longer needed.'],
    example: {
      message: 'the user has more than 10,000 encrypted memories, each of which would have to be decrypted',
      hint: 'Page through them with listMemories, or keep fewer: a database can’t search in what it can’t read.',
    },
    written: 'Nothing.',
    repeat: 'Safe. It fails in the same way until there are fewer.',
  },
  UNKNOWN_ENCRYPTION_KEY: {
    ...read,
    happened: 'A value was encrypted with a key that this process does not have.',
    causes: [
      'the key was taken out of MYTX_ENCRYPTION_KEYS before every value had a newer one',
      'this process has other keys than the one that wrote',
      'a copy of the database, or a backup, in a place that has other keys',
    ],
    actions: [
      'Add the key behind the current one. `details.keyId` is its id.',
      'Run `npx mytx encrypt`, until it is done, before a key is taken out.',
      'Where the key is lost, so are the values.',
    ],
    example: {
      message: 'a value of Memory.content was encrypted with the key "k1", which is not among MYTX_ENCRYPTION_KEYS',
      hint: 'Add that key behind the current one, as id:base64. Without it the value is lost.',
    },
  },
};

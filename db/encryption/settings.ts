// What is encrypted, beside the keys (db/secrets.ts): whether memories are, and whether plaintext that is there already is
// still read. From the environment, read at the first use, or from configureEncryption().

import { readEnvironment } from '../environment.ts';
import { EncryptionError } from '../errors.ts';
import { secrets } from '../secrets.ts';

export interface EncryptionSettings {
  /** Whether the content of memories is encrypted. Unless given, MYTX_ENCRYPT_MEMORIES=1. */
  memories?: boolean;
  /** Whether plaintext is read where ciphertext is expected, and `reencrypt` takes it. Unless given, MYTX_ENCRYPTION_TRANSITION=1. */
  transition?: boolean;
}

let current: Required<EncryptionSettings> | undefined;

/**
 * Takes these settings in the place of the environment's, for this process.
 * @param given what is left out is the environment's; undefined goes back to the environment
 * @example configureEncryption({ memories: true });
 */
export function configureEncryption(given?: EncryptionSettings): void {
  current = given && complete(given);
}

/** Whether memories are encrypted from now on. Those that are there stay as they are until `mytx encrypt`. */
export function encryptsMemories(): boolean {
  return settings().memories;
}

/** Whether plaintext is read where ciphertext is expected. */
export function isInTransition(): boolean {
  return settings().transition;
}

function settings(): Required<EncryptionSettings> {
  current ??= complete({});
  return current;
}

function complete({ memories, transition }: EncryptionSettings): Required<EncryptionSettings> {
  const environment = readEnvironment();
  return {
    memories: memories ?? environment.MYTX_ENCRYPT_MEMORIES === '1',
    transition: transition ?? environment.MYTX_ENCRYPTION_TRANSITION === '1',
  };
}

/**
 * What to say of the settings when a database is opened.
 * @throws EncryptionError ENCRYPTION_KEY_MISSING; InvalidSecretError INVALID_SECRET
 */
export function encryptionWarnings(): string[] {
  const hasKey = secrets().encryptionKeys.length > 0;
  if (encryptsMemories() && !hasKey) throw keyMissing('MYTX_ENCRYPT_MEMORIES is on');
  if (!hasKey) return ['MYTX_ENCRYPTION_KEYS is not set: the details of reservations are stored as plaintext'];
  return isInTransition()
    ? [
        'MYTX_ENCRYPTION_TRANSITION is on: plaintext is read as if it had been encrypted; turn it off behind mytx encrypt',
      ]
    : [];
}

export function keyMissing(why: string): EncryptionError {
  return new EncryptionError(
    'ENCRYPTION_KEY_MISSING',
    `${why}, and there is no key in MYTX_ENCRYPTION_KEYS`,
    `Set MYTX_ENCRYPTION_KEYS to id:base64 of 32 bytes. A new one: node -e "console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))"`,
  );
}

// The keys that an application keeps outside of its database: a copy of the database alone is worth nothing without
// them. From the environment, read at the first use, or from useSecrets(). Never in a message, a log or an error.

import { readEnvironment } from './environment.ts';
import { InvalidSecretError } from './errors.ts';
import { textLimits } from './limits.ts';

/** A key with its name, which is stored beside what was made with it. */
export interface Secret {
  id: string;
  key: Buffer;
}

/** Of each kind the first one is used for what is new, the others for what was made with them. */
export interface Secrets {
  /** For the digests of API keys; none: digests without a pepper. */
  apiKeyPeppers: readonly Secret[];
  /** For encrypted columns, 32 bytes each; none: they hold plaintext. */
  encryptionKeys: readonly Secret[];
  /** For the digests of people in the audit table; none: digests under a key that everybody knows. */
  auditKeys: readonly Secret[];
}

/** As texts: `id:base64`, separated by commas, the current one first. */
export interface SecretTexts {
  apiKeyPeppers?: string;
  encryptionKeys?: string;
  auditKeys?: string;
}

const variables: Readonly<Record<keyof Secrets, string>> = {
  apiKeyPeppers: 'MYTX_API_KEY_PEPPERS',
  encryptionKeys: 'MYTX_ENCRYPTION_KEYS',
  auditKeys: 'MYTX_AUDIT_KEYS',
};

let current: Secrets | undefined;

/** @throws InvalidSecretError INVALID_SECRET, with the name of the variable and the place in it */
export function secrets(): Secrets {
  current ??= parse({});
  return current;
}

/**
 * Takes these keys in the place of the environment's: for an application that has them from a vault, and for tests.
 * @param given what is left out is the environment's; undefined goes back to the environment
 * @throws InvalidSecretError INVALID_SECRET
 * @example useSecrets({ encryptionKeys: `2026:${await vault.read('mytx')}` });
 */
export function useSecrets(given?: SecretTexts): void {
  current = given && parse(given);
}

function parse(given: SecretTexts): Secrets {
  const environment = readEnvironment();
  const read = (kind: keyof Secrets, exactBytes?: number): Secret[] =>
    parseSecrets(variables[kind], given[kind] ?? environment[variables[kind]] ?? '', exactBytes);
  return {
    apiKeyPeppers: read('apiKeyPeppers'),
    encryptionKeys: read('encryptionKeys', 32),
    auditKeys: read('auditKeys'),
  };
}

const leastBytes = 16;
const generate = `node -e "console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))"`;

function parseSecrets(variable: string, text: string, exactBytes: number | undefined): Secret[] {
  const found: Secret[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const trimmed = entry.trim();
    if (trimmed === '' && text.trim() === '') break;
    const refuse = (problem: string): never => {
      const hint = `Write id:base64, separated by commas, the current one first. A new one: ${generate}`;
      throw new InvalidSecretError('INVALID_SECRET', `entry ${index + 1} of ${variable} ${problem}`, hint, {
        variable,
      });
    };
    const [id = '', base64 = ''] = trimmed.split(':', 2);
    if (!/^[A-Za-z0-9_-]+$/.test(id) || id.length > textLimits.keyId) {
      refuse(`has no id of 1 to ${textLimits.keyId} letters, digits, - and _ before a colon`);
    }
    const key = Buffer.from(base64, 'base64');
    const isBase64 = /^[A-Za-z0-9+/_-]+=*$/.test(base64) && trimmed === `${id}:${base64}`;
    const fits = exactBytes === undefined ? key.length >= leastBytes : key.length === exactBytes;
    if (!isBase64 || !fits) {
      refuse(`is not base64 of ${exactBytes === undefined ? `at least ${leastBytes}` : exactBytes} bytes`);
    }
    if (found.some((other) => other.id === id)) refuse('has the id of an entry before it');
    found.push({ id, key });
  }
  return found;
}

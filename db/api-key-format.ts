// The text of an API key: mytx_<env>_<random>_<checksum>. A text that was cut, mistyped or made up is told from a key
// without a database. Knows nothing of what is stored.

import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 190 bits. */
const randomLength = 32;
/** 62^6 is more than 2^32. */
const checksumLength = 6;
/** Of the random part, so many are shown in lists: 166 bits stay unknown. */
const shownLength = 4;

const envPattern = /^[a-z][a-z0-9]{0,15}$/;
const keyPattern = new RegExp(
  `^(mytx_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{${randomLength}})_([0-9A-Za-z]{${checksumLength}})$`,
);

/** Whether `env` may stand in a key: a word of 1 to 16 lower-case letters and digits, such as `live` or `test`. */
export function isKeyEnv(env: unknown): env is string {
  return typeof env === 'string' && envPattern.test(env);
}

export interface NewKeyText {
  /** To be shown once. */
  key: string;
  /** Its beginning, to recognise it by. */
  prefix: string;
}

/** A new key of this environment. */
export function makeKeyText(env: string): NewKeyText {
  const body = `mytx_${env}_${randomDigits()}`;
  const prefix = body.slice(0, body.length - randomLength + shownLength);
  return { key: `${body}_${checksumOf(body)}`, prefix };
}

/** `key`: a key, as far as its text can say. `malformed`: looks like one and can't be. `other`: no key of ours. */
export function kindOfKeyText(text: string): 'key' | 'malformed' | 'other' {
  const [, body = '', checksum] = keyPattern.exec(text) ?? [];
  if (checksum === undefined) return 'other';
  return checksumOf(body) === checksum ? 'key' : 'malformed';
}

/** The environment in the prefix of a key; undefined where it is none of ours. */
export function envOfPrefix(prefix: string | null): string | undefined {
  const [brand, env, shown] = (prefix ?? '').split('_');
  return brand === 'mytx' && shown !== undefined && isKeyEnv(env) ? env : undefined;
}

/** The beginning of a key that somebody else made; nothing of one that is too short to show a part of. */
export function prefixOfForeignKey(text: string): string {
  const shown = text.startsWith('mytx_') ? 9 : 4;
  return text.length >= 32 ? text.slice(0, shown).toWellFormed() : '';
}

function randomDigits(): string {
  let text = '';
  while (text.length < randomLength) {
    // 248 is 4 times 62: a larger byte would make some digits likelier than others.
    for (const byte of randomBytes(randomLength * 2)) if (byte < 248) text += digits[byte % 62];
  }
  return text.slice(0, randomLength);
}

function checksumOf(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < checksumLength; i += 1) {
    text = digits[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

// Which database a command is about, from the environment and `.env.local`. One place, so that all verbs agree.

import { findTarget, type Target } from '../db/development.ts';
import { readEnvironment } from '../db/environment.ts';

/** @throws ConnectionError INVALID_URL, PLAINTEXT_REFUSED */
export function targetOfEnvironment(): Target {
  const { POSTGRES_URL: url, MYTX_ALLOW_PLAINTEXT, NODE_ENV } = readEnvironment();
  return findTarget({ url, allowPlaintext: MYTX_ALLOW_PLAINTEXT === '1', isProduction: NODE_ENV === 'production' });
}

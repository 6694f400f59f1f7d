// What a pooler says when it refuses a connection, as errors of ours. PgBouncer has one SQLSTATE for nearly all of it,
// 08P01, which from a server means that the protocol broke: so its words are read. Quotes none of them.

import { ConnectionError, type MytxError } from '../errors.ts';

/** The error for a pooler in transaction mode that the URL does not mention. */
export function poolerUndeclared(target: string): ConnectionError {
  return new ConnectionError(
    'POOLER_UNDECLARED',
    `${target} is a pooler, and POSTGRES_URL does not say pgbouncer=true`,
    'Add pgbouncer=true to the parameters of POSTGRES_URL (?pgbouncer=true), or connect to the server itself.',
  );
}

const refusals: readonly [RegExp, (target: string) => MytxError][] = [
  [/^unsupported startup parameter/, (target): MytxError => poolerUndeclared(target)],
  [
    /^(no such database|database ".*" does not exist|no such user|(password|SASL|"trust"|PAM|certificate) authentication failed|login rejected)/,
    (target): MytxError =>
      new ConnectionError(
        'ACCESS_REFUSED',
        `${target} refused the connection (a pooler, SQLSTATE 08P01)`,
        'Correct user, password and database in POSTGRES_URL, or the pooler’s list of them.',
        { sqlState: '08P01' },
      ),
  ],
  [
    /^(no more connections allowed|client connections exceeded)/,
    (target): MytxError =>
      new ConnectionError(
        'SERVER_BUSY',
        `${target} takes no connections now (a pooler, SQLSTATE 08P01)`,
        'Wait and call again. If it is full, lower the pool size or raise max_client_conn of the pooler.',
        { sqlState: '08P01' },
      ),
  ],
];

/** The error for what a pooler said when a connection was opened; undefined for anything else. */
export function poolerRefusal(text: string, target: string): MytxError | undefined {
  const found = refusals.find(([pattern]) => pattern.test(text));
  return found?.[1](target);
}

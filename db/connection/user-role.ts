// What makes a transaction a user's: the role that row-level security holds for, and the user's id, both SET LOCAL, so
// that they are gone with it. Not `set_config()`: Citus does not pass that on to its workers. SET takes no parameters, so
// the id stands in the statement: only ever one that is a UUID.

import { AccessError, StatementError } from '../errors.ts';
import { sqlStateOf } from './failure.ts';

/** The role of `asUser`: it sees the rows of the user in `app.user_id`, and none where that is not set. */
export const userRole = 'mytx_user';
/** The role that calls outside of `asUser` work as, by membership: it sees every row. */
export const serviceRole = 'mytx_service';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @param userId checked by the caller; anything but a UUID in lower case never gets into a statement */
export function becomeUser(userId: string): string {
  if (!uuid.test(userId)) throw new Error('the id of a user is no UUID');
  return `set local role ${userRole}; set local app.user_id = '${userId}'`;
}

/** To the role and the setting that the session has by itself. */
export const leaveUser = "set local role to default; set local app.user_id to ''";

/**
 * A prepared statement has another text as a user: its plan depends on the role under row-level security, and one that is
 * run in turn as the user and as the login would be planned anew each time.
 */
export function textAsUser(statement: string): string {
  return `${statement} /* as ${userRole} */`;
}

export function otherUser(userId: string): AccessError {
  return new AccessError(
    'OTHER_USER',
    `asUser was called for ${userId} inside asUser of another user`,
    'End the one before the other begins. What must see several users runs outside of asUser.',
    { userId },
  );
}

/** The session could not become the user's. */
export function roleRefused(target: string, cause: unknown): AccessError {
  return new AccessError(
    'RLS_NOT_READY',
    `${target} does not let this login work as ${userRole}`,
    'checkRowSecurity() lists what an administrator has to run.',
    { sqlState: sqlStateOf(cause) },
    cause,
  );
}

/** What a statement's failure is inside of `asUser`. */
export function failureAsUser(error: unknown): unknown {
  if (!(error instanceof StatementError) || error.details.sqlState !== '42501') return error;
  const { routine } = error.cause as { routine?: string };
  if (routine === 'ExecWithCheckOptions') {
    return new AccessError(
      'ROW_REFUSED',
      'row-level security refused a row: it is not of the user that asUser works as',
      'Write rows of this user only; what writes for others runs outside of asUser.',
      error.details,
      error.cause,
    );
  }
  return new StatementError(
    'PERMISSION_DENIED',
    `${userRole}, the role of asUser, may not do this (SQLSTATE 42501)`,
    'Do it outside of asUser. If it is a table of your own, checkRowSecurity() lists the statements that let asUser in.',
    error.details,
    error.cause,
  );
}

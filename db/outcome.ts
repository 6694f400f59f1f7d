// What a failed write means to its caller: SQLSTATEs that have a name of ours, and how to repeat safely.

import { sqlStateOf } from './connection/failure.ts';
import { ConflictError, ConnectionError, type MytxError, NotFoundError } from './errors.ts';

/** Runs a write; a failure with one of the SQLSTATEs given becomes the error made for it. */
export async function named<T>(write: Promise<T>, errors: Record<string, (cause: unknown) => MytxError>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const make = errors[sqlStateOf(error) ?? ''];
    throw make ? make(error) : error;
  }
}

/** 23503 of a row whose only parent is its user. */
export const userMissing = {
  '23503': (): MytxError =>
    new NotFoundError(
      'USER_NOT_FOUND',
      'userId is not the id of a user',
      'Create the user first: createUser(email, password).',
    ),
};

/** `repeatWith` of an OUTCOME_UNKNOWN error: arguments that make the same call again safe. */
export async function repeatable<T>(repeatWith: Record<string, unknown>, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ConnectionError) || error.code !== 'OUTCOME_UNKNOWN') throw error;
    throw new ConnectionError(error.code, error.message, error.hint, { ...error.details, repeatWith }, error.cause);
  }
}

export function idTaken(argument: string): ConflictError {
  return new ConflictError(
    'ID_TAKEN',
    `${argument} is the id of another row`,
    'Make a new id with crypto.randomUUID(), or leave it out where it is optional.',
  );
}

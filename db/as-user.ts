// Work on behalf of one user, under row-level security: a forgotten `where` finds nothing of anybody else's.

import { requireId } from './arguments.ts';
import type { OpenDatabase } from './connection/open-database.ts';
import { scopedUser } from './connection/scope.ts';
import { runTransaction, type TransactionOptions } from './connection/transaction.ts';
import { currentDatabase } from './database.ts';
import { requireRowSecurity } from './row-security.ts';

/**
 * Runs every query called inside `work`, those of this package and those on `db`, in one transaction that sees and writes
 * the rows of this user only, whatever a query asks for. Works as `transaction()` does in all else: an error that leaves
 * `work` rolls back, a conflict runs `work` again, `transaction()` and `asUser()` of the same user inside are savepoints.
 * Inside of a `transaction()` it is a savepoint, too. At its end role and setting are what they were.
 *
 * @throws InvalidArgumentError INVALID_ID; AccessError OTHER_USER inside of another user's, ROW_REFUSED for a row that
 *   would be somebody else's, RLS_NOT_READY with the statements for an administrator
 * @throws StatementError PERMISSION_DENIED for a table that asUser has no part in; and what `transaction()` throws
 * @example
 * const chats = await asUser(session.userId, () => db.select().from(chat)); // no `where`: this user's chats
 */
export async function asUser<T>(userId: string, work: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  const user = requireId('userId', userId);
  if (scopedUser() === undefined) {
    const database = await currentDatabase();
    if (!ready.has(database)) {
      await requireRowSecurity(database.engine.target);
      ready.add(database);
    }
  }
  return runTransaction(currentDatabase, work, options, user);
}

/** Looked at once for each open database: checkRowSecurity() looks again. */
const ready = new WeakSet<OpenDatabase>();

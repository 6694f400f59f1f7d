// TransactionError: a transaction that was rolled back as a whole, or a call that came after its end.

import type { TransactionCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const transactionErrors: Record<TransactionCode, Entry> = {
  TRANSACTION_ABORTED: {
    class: 'TransactionError',
    happened:
      'A statement inside `transaction()` failed, its error was caught inside, and PostgreSQL then takes nothing more: the whole was rolled back.',
    causes: ['a `try` and `catch` around one query inside `transaction()`'],
    actions: [
      'Let the error leave the function that was given to `transaction()`.',
      'Where one statement may fail, put it into a nested `transaction()`: that is a savepoint, and only it is rolled back.',
      '`cause` is the error of the statement that failed.',
    ],
    example: {
      message: 'a statement failed inside the transaction, its error was caught, and PostgreSQL rolled everything back',
      hint: 'Let the error leave the function given to transaction(), or put the statement that may fail into a nested transaction().',
    },
    written: 'Nothing: the whole transaction was rolled back.',
    repeat: 'Safe. Whether it fails again depends on the statement in `cause`.',
  },
  TRANSACTION_CLOSED: {
    class: 'TransactionError',
    happened: 'A query that began inside a transaction was called after the transaction had ended.',
    causes: [
      'a promise inside `transaction()` that nobody awaited',
      'a timer or an event handler that was set up inside and fired later',
    ],
    actions: [
      'Await every query inside, for instance with `Promise.all`.',
      'Move work that comes later out of the function.',
    ],
    example: {
      message: 'a query was called after its transaction had ended',
      hint: 'Await every query inside the function given to transaction().',
    },
    written: 'Nothing by this call. The transaction itself ended as its own result says.',
    repeat: 'Safe, outside of the transaction.',
  },
  TRANSACTION_CONFLICT: {
    class: 'TransactionError',
    happened:
      'Other transactions changed the same rows at the same time (SQLSTATE 40001 or 40P01), and this one was rolled back each time it was tried.',
    causes: [
      'many writers of the same row under `serializable` or `repeatable read`',
      'two transactions that take the same rows in another order (a deadlock)',
      'a long transaction that waits for something else than the database',
    ],
    actions: [
      'Call again a moment later; `details.attempts` says how often it was tried.',
      'Make the transaction shorter, and take rows in one order everywhere.',
      'Raise `maxAttempts` (5 unless given) where waiting is cheaper than failing. A single query outside of `transaction()` is tried 5 times too.',
    ],
    example: {
      message: 'the transaction met others 5 times and was rolled back each time',
      hint: 'Call again later, or make the transaction shorter. Nothing was written.',
    },
    written: 'Nothing: every attempt was rolled back.',
    repeat: 'Safe, and useful: a moment later the others are done.',
  },
};

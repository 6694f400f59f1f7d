// PersonDataError: the data of one person that was not exported, imported or erased as a whole.

import type { PersonDataCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const personErrors: Record<PersonDataCode, Entry> = {
  ERASE_REFUSED: {
    class: 'PersonDataError',
    happened:
      '`eraseUser` or `mytx erase` met rows of the person, in a table of the application’s own, that would have stayed. `details.tables` names it. `mytx erase` exits with 3.',
    causes: [
      'a table with a foreign key to `User`, or to another table of a person’s, without `on delete cascade` or `set null`',
      'a table beside ours with a column `userId` or `user_id`, without a foreign key',
    ],
    actions: [
      'Give the table a foreign key to `User` with `on delete cascade`.',
      'Or delete its rows in the same transaction: `transaction(async () => { …; await eraseUser({ userId }); })`.',
      'A row that has to stay, such as an invoice: take the person out of it first.',
    ],
    example: {
      message: 'nothing was erased: "Invoice" has their id, and rows there would stay',
      hint: 'Delete these rows in the same transaction(), before eraseUser, or give the table a foreign key to "User" with on delete cascade.',
    },
    written: 'Nothing.',
    repeat: 'Safe. It fails in the same way until the rows are gone.',
  },
  EXPORT_REFUSED: {
    class: 'PersonDataError',
    happened: '`exportUser` was called in a transaction whose statements each see another moment.',
    causes: ['a call inside `transaction(fn)`', 'a call inside `asUser(userId, fn)`, which is such a transaction'],
    actions: [
      'Call it outside: it has a transaction of its own, and reads rows of this person alone.',
      "Or begin the transaction with `{ isolationLevel: 'repeatable read' }`.",
    ],
    example: {
      message:
        'exportUser was called inside a transaction whose isolation level is read committed; it needs repeatable read',
      hint: "Call it outside of transaction() and asUser(), or inside transaction(fn, { isolationLevel: 'repeatable read' }).",
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless in the same place.',
  },
  IMPORT_REFUSED: {
    class: 'PersonDataError',
    happened:
      '`importUser` or `mytx import` read a line that is not as `exportUser` writes it, or does not fit the lines before. `details.line` is its number. `mytx import` exits with 3.',
    causes: [
      'a file that was cut, or changed in an editor',
      'a file of another version of the format',
      'rows that never came from `exportUser`: a parent that is not there, another person’s row, a value beyond its limit',
      'a message, details, parts or a chat that is more than [configureLimits](../queries.md#limits) allows here: then `details` has `limit`, `size` and `max`',
    ],
    actions: [
      'Import the file as it was written; [personal data](../personal-data.md#the-file-line-by-line) says what a line is.',
      'Export the person again.',
    ],
    example: {
      message: 'line 2 is missing: the file was cut, an export ends with {"end":…}',
      hint: 'Nothing was written. Import the file as exportUser wrote it, or export the person again.',
    },
    written: 'Nothing.',
    repeat: 'Safe. It fails in the same way until it is another file.',
  },
};

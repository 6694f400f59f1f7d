// InvalidArgumentError: an argument that no statement was sent for.

import type { InvalidArgumentCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

const refused = {
  class: 'InvalidArgumentError',
  written: 'Nothing. Arguments are checked before the first statement is sent.',
  repeat: 'Safe, and useless: the same argument is refused again. Correct it first.',
} as const;

export const argumentErrors: Record<InvalidArgumentCode, Entry> = {
  INVALID_ARGUMENT: {
    ...refused,
    happened: 'An argument has the wrong kind of value, and no code of its own.',
    causes: [
      'a text where true or false is expected, such as a form field',
      'positional arguments where the function takes one object',
      'as many `rowIds` as there are messages were expected, and there were more or fewer',
    ],
    actions: ['Read `details.argument`: it names the argument. The message says what it must be.'],
    example: {
      message: 'hasCompletedPayment is a text of 3 characters; it must be true or false',
      hint: 'Pass a boolean for hasCompletedPayment.',
    },
  },
  INVALID_CURSOR: {
    ...refused,
    happened: 'The cursor is not one that this list gave.',
    causes: [
      'a page number, an offset or an id passed as `cursor`',
      'the cursor of another list, for instance of `listChats` in `listTasks`',
      'a cursor that was cut or changed on its way through a URL',
    ],
    actions: [
      'Pass `nextCursor` of the page before, as it came.',
      'Leave `cursor` out, or pass null, for the first page.',
    ],
    example: {
      message: 'cursor is a text of 6 characters; it must be the nextCursor of a page of the same list',
      hint: 'Pass nextCursor as it came, or leave cursor out for the first page.',
    },
  },
  INVALID_DATE: {
    ...refused,
    happened: 'A moment is not a `Date` that the database can hold and give back.',
    causes: [
      'a text such as `2026-12-31` or a number of milliseconds instead of a `Date`',
      '`new Date(text)` of a text that is no date: it makes an invalid `Date`',
      'a year before 100 or after 9999',
    ],
    actions: ['Pass `new Date(...)`, and check it with `Number.isNaN(date.getTime())` where a person typed it.'],
    example: {
      message: 'dueAt is a Date that is invalid or out of range; it must be a Date between the years 100 and 9999',
      hint: 'Pass a Date, or null for none.',
    },
  },
  INVALID_DETAILS: {
    ...refused,
    happened: 'The details of a reservation are not those of a flight, or not JSON.',
    causes: [
      'a required field is missing or has another type: seats, flightNumber, departure, arrival, passengerName, totalPriceInUSD',
      'a value that JSON can’t hold: NaN, a BigInt, bytes, an object that holds itself',
      'more than 64 KiB of JSON, or deeper than 200 levels, unless [configureLimits](../queries.md#limits) says otherwise',
    ],
    actions: [
      'Read `details.problems`: one line for each field. Fields beyond the required ones are kept as they are.',
    ],
    example: {
      message: 'details is not a flight reservation: totalPriceInUSD: Invalid input: expected number, received string',
      hint: 'Pass seats, flightNumber, departure, arrival, passengerName and totalPriceInUSD; other fields are kept as they are.',
    },
  },
  INVALID_EMAIL: {
    ...refused,
    happened: 'The text is not an e-mail address that a user can be created with.',
    causes: [
      'no @, more than one, or white space around or inside the address',
      'more than 64 characters',
      'a user’s name instead of the address',
    ],
    actions: ['Trim and check the address where the user types it. The text itself is never part of the error.'],
    example: {
      message: 'email is not an e-mail address (a text of 12 characters); it must look like name@example.com',
      hint: 'Check the address before it gets here, for instance with zod.',
    },
  },
  INVALID_ID: {
    ...refused,
    happened: 'An id is not a UUID.',
    causes: [
      'the id of another system (a session, an SDK’s message id) instead of the row’s',
      'a route parameter that nobody checked',
      'a whole row instead of its `id`',
    ],
    actions: [
      'Pass the `id` of a row. A message’s row id comes from `listMessages` or `appendMessages`; the id inside a message is the SDK’s.',
      'In a web handler answer such a request with 404.',
    ],
    example: {
      message: 'userId is "42"; it must be a UUID such as 0198c5a2-7b1e-7c3a-9f00-3d2b6a41e8f5',
      hint: 'Pass the id of a row, or make a new one with crypto.randomUUID().',
    },
  },
  INVALID_LIMIT: {
    ...refused,
    happened: 'A number is not whole or not within its bounds: a limit, an offset, a version or a setting.',
    causes: [
      '`limit: 0`, a negative or a fractional number',
      'more rows at once than a list gives: 1,000, or 10,000 for the `get*ByUserId` functions that return an array',
      'a text from a query string instead of a number',
    ],
    actions: ['Leave it out for the default, or page with `cursor` instead of a larger limit.'],
    example: {
      message: 'limit is number 0; it must be a whole number from 1 to 1000',
      hint: 'Pass a number within these bounds, or leave limit out.',
    },
  },
  INVALID_MESSAGE: {
    ...refused,
    happened: 'A message is not a JSON object, JSON would lose a part of it, or it is too large.',
    causes: [
      '`JSON.stringify(messages)` instead of the messages themselves',
      'a BigInt, NaN, bytes (`Uint8Array`, `Buffer`) or an object that holds itself; the message names the place',
      'more than 16 MiB, or deeper than 200 levels; more than 100,000 messages or 256 MiB in one call. `details` has `limit` (its name), `size` and `max`',
      'less than that, where [configureLimits](../queries.md#limits) has lowered it',
    ],
    actions: [
      'Pass the objects as the SDK gives them. `undefined` fields are fine, they are dropped as JSON does.',
      'Keep files elsewhere and put their URL into the message.',
      'Hand over a long history in several calls: `saveChat` with its beginning, then `appendMessages`.',
    ],
    example: {
      message: "messages[1] has a BigInt at .usage.tokens, which JSON can't hold",
      hint: 'Pass what JSON can hold: texts, finite numbers, booleans, null, arrays and objects; bytes as a URL or base64.',
    },
  },
  INVALID_PARTS: {
    ...refused,
    happened: 'The parts of a protocol are not a list of objects with a text `content`.',
    causes: [
      'an empty list',
      'a list of texts instead of objects',
      'JSON text instead of the list',
      'more than 1 MiB of JSON, or deeper than 200 levels, unless [configureLimits](../queries.md#limits) says otherwise',
    ],
    actions: ['Pass one object for each part; its fields beside `content` are kept.'],
    example: {
      message: 'parts has no text `content` at [1]; it must be an array of one or more objects with a text `content`',
      hint: "Pass for instance [{ content: 'First step' }]; other fields of a part are kept as they are.",
    },
  },
  INVALID_PASSWORD: {
    ...refused,
    happened: 'The password is empty, longer than bcrypt reads, or not a text that UTF-8 can hold.',
    causes: [
      'more than 72 bytes: bcrypt would ignore the rest, so that two long passwords could open the same account',
      'an empty text',
      'half of a surrogate pair, usually from cutting a text inside an emoji, or a U+0000, which ends a password in bcrypt',
    ],
    actions: ['Limit the field where the password is typed to 72 bytes (not characters: é is 2 bytes, an emoji 4).'],
    example: {
      message: 'password has 80 bytes; it must be a text of 1 to 72 bytes',
      hint: 'bcrypt reads 72 bytes and would ignore the rest. Ask for a shorter password.',
    },
  },
  INVALID_STATUS: {
    ...refused,
    happened: 'A task’s status is not one of those there are.',
    causes: ['another word for it, or another case', 'a status that a model made up'],
    actions: ['Pass one of `taskStatuses`, which the package exports; give the same list to a model as an enum.'],
    example: {
      message: 'status is "done"; it must be one of pending, in_progress, completed, cancelled',
      hint: "Pass one of 'pending', 'in_progress', 'completed', 'cancelled'.",
    },
  },
  INVALID_TEXT: {
    ...refused,
    happened: 'A text is empty, too long, or not a text.',
    causes: ['an empty form field', 'a text longer than its limit, counted in characters (code points)'],
    actions: [
      'Read `details`: it has `length`, `min` and `max`. The text itself is never part of the error.',
      'All limits stand in db/limits.ts; the database checks the same numbers.',
    ],
    example: {
      message: 'content has 0 characters; it must be a text of 1 to 10000 characters',
      hint: 'Pass a text of 1 to 10000 characters.',
    },
  },
  MISSING_ARGUMENT: {
    ...refused,
    happened: 'A required argument is `undefined`.',
    causes: [
      'a session without a user, read as `session.user?.id`',
      'a misspelt name in the argument object',
      'a call without its argument object',
    ],
    actions: [
      'Find out why the value is missing before the call. A condition with `undefined` would be dropped and the query would see everybody’s rows, which is why it is refused by name.',
    ],
    example: {
      message: 'userId is missing (undefined); a UUID is required',
      hint: 'Pass userId. A query without it would not be limited to what you mean, so nothing was sent.',
    },
  },
};

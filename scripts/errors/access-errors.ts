// AccessError and InvalidSecretError: who may see what, and the keys that keep it so.

import type { AccessCode, SecretCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const accessErrors: Record<AccessCode | SecretCode, Entry> = {
  OTHER_USER: {
    class: 'AccessError',
    happened: '`asUser()` was called for one user inside `asUser()` of another.',
    causes: [
      'a request handler runs as its user, and calls a helper that runs as the owner of what is shared',
      'a loop over users inside of `asUser()`',
    ],
    actions: [
      'End the one before the other begins.',
      'What must see the rows of several users runs outside of `asUser()`, with the user in each query.',
    ],
    example: {
      message: 'asUser was called for 01981a5e-9f00-7000-8000-0000000000f2 inside asUser of another user',
      hint: 'End the one before the other begins. What must see several users runs outside of asUser.',
    },
    written: 'Nothing by this call. If the error leaves the outer `asUser()`, that is rolled back.',
    repeat: 'It fails again inside of the other one, and works outside.',
  },
  RLS_NOT_READY: {
    class: 'AccessError',
    happened:
      'Row-level security is not in place: `asUser()` would not hold, or the login would see no row. Nothing was run.',
    causes: [
      'the role that ran the migrations may not create roles, as on many managed servers: they left row-level security off, with a warning',
      'a login that was made after the migrations, and is in neither of the roles `mytx_user` and `mytx_service`',
      'a table of your own that `mytx_user` can read and that has no policies',
      'somebody switched it off, for instance `drizzle-kit push`, which does so on each run',
    ],
    actions: [
      'Run the statements of the hint (`details.statements`), those on roles as an administrator, the others as the owner of the tables.',
      '`checkRowSecurity()` tells all that is missing, in a list, and can be called at any time.',
      'Until then queries outside of `asUser()` work as ever.',
    ],
    example: {
      message: 'row-level security is not ready on embedded, in memory: the owner of "Task" is above its policies',
      hint: 'An administrator, or the tables\' owner, runs:\nalter table "Task" force row level security;',
    },
    written: 'Nothing.',
    repeat: 'Safe; it fails until the statements were run. No restart is needed.',
  },
  ROW_REFUSED: {
    class: 'AccessError',
    happened: "Inside of `asUser()` a row was to be written that would be somebody else's.",
    causes: [
      'the id of another user in an insert, or in an update of the column that says whose row it is',
      '`createUser()` inside of `asUser()`: the new user is another one',
    ],
    actions: ['Write rows of this user only.', 'What writes for others runs outside of `asUser()`.'],
    example: {
      message: 'row-level security refused a row: it is not of the user that asUser works as',
      hint: 'Write rows of this user only; what writes for others runs outside of asUser.',
    },
    written: 'Nothing: PostgreSQL rolls the whole `asUser()` back, or the nested `transaction()` that it happened in.',
    repeat: 'It fails again with the same row.',
  },
  INVALID_SECRET: {
    class: 'InvalidSecretError',
    happened: "A variable that holds keys, or what was given to `useSecrets()`, can't be read.",
    causes: [
      'no id before the key, or one with other characters than letters, digits, `-` and `_`',
      'a key that is not base64, or too short (an encryption key has 32 bytes)',
      'two keys with one id',
    ],
    actions: [
      'Write `id:base64`, separated by commas, the current one first.',
      'The message names the variable and the place in it, never the key.',
    ],
    example: {
      message: 'entry 1 of MYTX_AUDIT_KEYS is not base64 of at least 16 bytes',
      hint: "Write id:base64, separated by commas, the current one first. A new one: node -e \"console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))\"",
    },
    written: 'Nothing.',
    repeat: 'It fails until the keys are right.',
  },
};

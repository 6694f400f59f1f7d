// DeployError: a migration that was not generated, or not rewritten.

import type { DeployErrorCode } from '../../deploy/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export type GenerateErrorCode = Extract<
  DeployErrorCode,
  'ANSWER_INVALID' | 'ANSWER_NEEDED' | 'GENERATE_FAILED' | 'REWRITE_REFUSED'
>;

const nothing = { class: 'DeployError', written: 'Nothing.' };

export const generateErrors: Record<GenerateErrorCode, Entry> = {
  ANSWER_NEEDED: {
    ...nothing,
    happened:
      'Something went from the schema and something came: whether that is a rename, drizzle-kit can’t know, and nobody said.',
    causes: ['a column, a table or an enum got another name', 'one was taken out, and another one added'],
    actions: [
      'Say which it is: `npx mytx generate --rename users.name:users.full_name`, or `--create users.full_name` for something new.',
      'Many answers go into a file, one on each line (`rename users.name:users.full_name`, `create users.age`): `--answers answers.txt`. The exit code is 2.',
    ],
    example: {
      message: 'is the column users.full_name new, or was it users.name? Nothing was written',
      hint: 'Run it again with one of: --create users.full_name, --rename users.name:users.full_name',
    },
    repeat: 'Safe, and the same question again.',
  },
  ANSWER_INVALID: {
    ...nothing,
    happened: 'An answer can’t be read, or names what is not there; or a version of PostgreSQL is not known.',
    causes: ['a name that is misspelt', 'a rename with one name alone', 'a target that is none of 15 to 18'],
    actions: [
      'Write the old name and the new one, with a colon between: `users.name:users.full_name`, `users:people`.',
    ],
    example: {
      message:
        'the rename "users.name" does not name both; write old:new, such as users.name:users.full_name, or users:people',
      hint: 'Correct it and run the same command again. Nothing was written.',
    },
    repeat: 'Safe, and refused again.',
  },
  GENERATE_FAILED: {
    ...nothing,
    happened: 'drizzle-kit ended without a migration, or is not installed. Its own text is in the message.',
    causes: ['a schema file that can’t be loaded', 'a snapshot of another version of drizzle-kit'],
    actions: ['Correct what drizzle-kit names. `npx drizzle-kit generate` says the same.'],
    example: {
      message: 'there is no drizzle-kit in /home/dana/travel or a folder above it',
      hint: 'Install it: npm install --save-dev drizzle-kit',
    },
    repeat: 'Safe.',
  },
  REWRITE_REFUSED: {
    ...nothing,
    happened:
      'The migration is applied, wholly or half: another text in its file would be an edit that no database gets.',
    causes: ['`npx mytx rewrite` of a migration that the database has'],
    actions: ['Leave it as it is, and make the next change in a new migration.'],
    example: {
      message: 'drizzle/0007_orders.sql is applied in the database; nothing was written',
      hint: 'What is applied stays as it is: make the change in a new migration.',
    },
    repeat: 'Safe, and refused again.',
  },
};

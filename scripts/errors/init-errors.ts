// InitError: a project that `mytx init` did not change, or not whole.

import type { InitErrorCode } from '../../init/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const initErrors: Record<InitErrorCode, Entry> = {
  INIT_REFUSED: {
    class: 'InitError',
    happened:
      'A file of yours is where `mytx init` would put one of its own, so that it wrote none at all. It exits with 3.',
    causes: [
      'a `db/schema` or `db/migrate` of your own',
      'a `drizzle.config` that names other files, or another folder of migrations',
      'migrations of your own in `lib/drizzle`',
      'a migration that the package brings and that changes what one of yours changes',
    ],
    actions: [
      'Do what stands indented below each file that is marked `refuse`, and run the same command again.',
      'Where the application has a history of migrations of its own, leave the command out: the queries can be imported from `mytx-ai`, and `npx mytx migrate` makes its tables in a database of their own.',
    ],
    example: {
      message: 'nothing was written: db/schema.ts is there already, and is not of mytx-ai',
      hint: 'Do by hand what stands above at each of these, then run the same command again.',
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless until it is corrected.',
  },
  INIT_UNFINISHED: {
    class: 'InitError',
    happened:
      'A file could not be written, or was changed by somebody while `mytx init` ran. The message says which files are there.',
    causes: [
      'a file that was saved between the question and the answer',
      'a full disk, or a folder that this user may not write to',
      'a file where a folder is needed, such as one of the name `db`',
    ],
    actions: ['Correct what the message says, and run the same command again: it goes on from there.'],
    example: {
      message: [
        '.gitignore was changed by somebody meanwhile',
        'written: nothing',
        'not written: db/schema.ts, .gitignore',
      ].join('\n'),
      hint: 'Correct what it says, and run the same command again: it goes on from there.',
    },
    written: 'The files that the message names, each whole.',
    repeat: 'Safe: that is what to do.',
  },
  PROJECT_NOT_FOUND: {
    class: 'InitError',
    happened: 'The folder that `mytx init` was started in has no package.json.',
    causes: ['the command was started in another folder than the application’s', 'there is no application yet'],
    actions: ['Go to the folder with the package.json, or make one with `npm init -y`.'],
    example: {
      message: '/home/dana/travel has no package.json: there is no project to add anything to',
      hint: 'Go to the folder of the application or, for a new one, run npm init -y; then run this again.',
    },
    written: 'Nothing.',
    repeat: 'Safe.',
  },
  PROJECT_UNREADABLE: {
    class: 'InitError',
    happened: 'The package.json of the project is damaged, so that `mytx init` does not know what the project is.',
    causes: ['a comma too many or the marks of a merge conflict', 'an empty file'],
    actions: ['Correct it: `npm pkg get name` says where it is wrong.'],
    example: {
      message: 'package.json is not a JSON object, or its scripts are none',
      hint: 'Correct it (npm pkg get name says where it is wrong) and run this again. Nothing was changed.',
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless until it is corrected.',
  },
};

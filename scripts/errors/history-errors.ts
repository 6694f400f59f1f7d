// DeployError: a deploy that did not begin, because files and history don't fit together or nobody said yes; or stopped.

import type { DeployErrorCode } from '../../deploy/errors.ts';
import type { Entry } from '../error-catalogue.ts';
import type { GenerateErrorCode } from './generate-errors.ts';

type HistoryErrorCode = Exclude<
  DeployErrorCode,
  | GenerateErrorCode
  | 'MIGRATION_FAILED'
  | 'MIGRATION_LOCK_HELD'
  | 'MIGRATION_INTERRUPTED'
  | 'MIGRATIONS_UNREADABLE'
  | 'HISTORY_UNREADABLE'
  | 'POOLER_REFUSED'
  | 'RESET_REFUSED'
  | 'LINT_REFUSED'
  | 'GIT_UNREADABLE'
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_UNREADABLE'
  | 'ENVIRONMENT_UNKNOWN'
  | 'ENVIRONMENT_MISMATCH'
  | 'ENVIRONMENT_UNREADABLE'
>;

const nothing = { class: 'DeployError', written: 'Nothing: it is refused before anything is applied.' };

export const historyErrors: Record<HistoryErrorCode, Entry> = {
  MIGRATION_LATE: {
    ...nothing,
    happened: 'A migration is not applied, and is older than the newest one that is.',
    causes: [
      'two branches: the one with the older migration was merged later',
      'Drizzle’s own migrator ran meanwhile, which goes by the newest one alone and passes older ones over in silence',
    ],
    actions: [
      'Read whether the migration can still run behind those that are applied.',
      'If so: `npx mytx deploy --include-late`. The exit code is 2.',
    ],
    example: {
      message:
        'not applied, and older than the newest that is (Drizzle’s own migrator passes them over): 0007_comments; nothing was applied',
      hint: 'Read whether they can still run behind the newer ones; if so: --include-late.',
    },
    repeat: 'Safe, and refused until it is said that late ones are meant.',
  },
  MIGRATION_EDITED: {
    ...nothing,
    happened: 'The file of a migration that was applied is another one now. No database that has it gets the edit.',
    causes: ['a correction in an old file', 'a formatter, or other line endings'],
    actions: [
      'Put the file back as it was, and make the change in a new migration.',
      'To go on all the same: `npx mytx deploy --accept edited`.',
    ],
    example: {
      message:
        'edited after they were applied, so that the edit is in no database that has them: 0007_comments; nothing was applied',
      hint: 'Put the files back as they were, and make the change in a new migration; or go on all the same: --accept edited.',
    },
    repeat: 'Safe.',
  },
  MIGRATION_RENAMED: {
    ...nothing,
    happened: 'A migration was applied under another name or time than its file has now; the text is the same.',
    causes: ['a journal whose entries were dated anew, after a merge', 'a folder of the 1.0 layout that was renamed'],
    actions: [
      'Put name and time back: Drizzle’s own migrator would apply it a second time.',
      'To go on all the same, since this engine does not: `npx mytx deploy --accept renamed`.',
    ],
    example: {
      message: 'applied under another name or time: 0007_comments; nothing was applied',
      hint: 'Put name and time back as they were, or Drizzle’s own tools apply them again; to go on, since this engine does not: --accept renamed.',
    },
    repeat: 'Safe.',
  },
  MIGRATION_DELETED: {
    ...nothing,
    happened: 'The database has a migration that is in no file, and that is older than the newest file.',
    causes: ['a file that was deleted, or squashed into another', 'another branch was deployed to this database'],
    actions: ['Restore the file from version control.', 'To go on without it: `npx mytx deploy --accept deleted`.'],
    example: {
      message: 'applied, and in no file: of 2026-11-28T10:00:00 (hash 1f2e3d4c); nothing was applied',
      hint: 'Restore the files from version control; or go on without them: --accept deleted.',
    },
    repeat: 'Safe.',
  },
  MIGRATION_DUPLICATED: {
    ...nothing,
    happened: 'A migration is there twice: two files with one name or time, or two rows of the history.',
    causes: [
      'two entries of `meta/_journal.json` with the same `when`, after a merge',
      'several processes ran Drizzle’s own migrator at once, and it was applied by each',
    ],
    actions: [
      'Two files: take one away and generate it anew, so that each has a time of its own.',
      'Two rows: look at what was done twice, put it right, and delete the second row.',
    ],
    example: {
      message:
        'there twice, by name or time, in the files or in the history: 0007_comments, 0007_likes; nothing was applied',
      hint: 'Two files: generate one of them anew (npx drizzle-kit generate), so that each has a time of its own. Two rows of the history: it was applied twice; look at what it did, then delete the second row.',
    },
    repeat: 'Safe, and refused until one of them is gone.',
  },
  DATABASE_AHEAD: {
    ...nothing,
    happened: 'The database has migrations that are newer than every file: it was deployed from newer code.',
    causes: ['an older checkout, or a rollback of the code', 'the wrong database'],
    actions: [
      'Check the target that the first line names.',
      'Deploy from the code that has them. To go on with the older files: `npx mytx deploy --accept ahead`.',
    ],
    example: {
      message:
        'the database has migrations that are newer than all files: of 2026-11-28T10:00:00 (hash 1f2e3d4c); nothing was applied',
      hint: 'Deploy from the code that has them; or, to go on with older files all the same: --accept ahead.',
    },
    repeat: 'Safe.',
  },
  MIGRATION_CHANGED: {
    class: 'DeployError',
    happened:
      'A migration that is half applied, step by step, has another beginning in its file now: what is done can’t be told from what is not.',
    causes: ['the file was edited where it was applied already, behind a failure of a later statement'],
    actions: [
      'Put the steps that are done back as they were; `mytx_deploy.step` has their statements.',
      'Run the same command again, and make the further change in a new migration.',
    ],
    example: {
      message: '0007_comments is half applied, and step 1 of it, which is done, is another one in the file now',
      hint: 'Put the beginning of lib/drizzle/0007_comments.sql back as it was (version control has it), run this again, and make further changes in a new migration.',
    },
    written: 'Nothing by this run; the steps that are done stay.',
    repeat: 'Safe, after the correction.',
  },
  MIGRATION_REFUSED: {
    ...nothing,
    happened: 'A statement of a migration can’t be run so that an interruption is safe.',
    causes: [
      '`BEGIN` or `COMMIT` in a file: a failure behind it would leave half of it, without a record',
      '`CREATE INDEX CONCURRENTLY` without a name',
      'the mark `mytx:backfill` before something other than one plain `UPDATE`, or of a table without a primary key',
    ],
    actions: ['Correct the statement at the file and line that the message names.'],
    example: {
      message: [
        '0007_comments is not applied: lib/drizzle/0007_comments.sql:3: CREATE INDEX CONCURRENTLY without a name: whether it was built could not be told after an interruption',
        'statement: create index concurrently on "Chat" (title)',
      ].join('\n'),
      hint: 'Give the index a name in the file. Nothing was applied.',
    },
    repeat: 'Safe, after the correction.',
  },
  LEDGER_UNREADABLE: {
    class: 'DeployError',
    happened:
      'A migration runs in several steps, and the table that says which ones are done can’t be made, read or written.',
    causes: ['a role that may not create a schema, or has no rights on `mytx_deploy`'],
    actions: ['Let the database’s owner create the schema for this role, as the hint says.'],
    example: {
      message:
        "the steps that were done can't be read from or kept in mytx_deploy.step (SQLSTATE 42501: permission denied for database assistant)",
      hint: "As the database's owner run: create schema if not exists mytx_deploy authorization <this role>; then run this again.",
    },
    written: 'Nothing of that migration.',
    repeat: 'Safe, after the rights were granted.',
  },
  DEPLOY_UNCONFIRMED: {
    ...nothing,
    happened: 'Pending migrations were not applied: nobody confirmed them, or what was confirmed is not what there is.',
    causes: [
      'an environment with `protected: true`, and no `--confirm`',
      'the files, the history or the database changed behind `mytx plan` or `mytx status`',
    ],
    actions: ['Read `npx mytx plan`, then pass the hash that it prints. The exit code is 2.'],
    example: {
      message:
        'db.example.com:5432/assistant is protected: 1 pending (0007_comments) are applied only with the hash of the plan',
      hint: 'Read what would be applied (npx mytx plan), then: npx mytx deploy --confirm 0a1b2c3d4e5f',
    },
    repeat: 'Safe, with the hash.',
  },
  DEPLOY_STOPPED: {
    class: 'DeployError',
    happened: 'The deploy was asked to stop, by Ctrl-C or an AbortSignal, and did so between two steps.',
    causes: ['somebody stopped it'],
    actions: ['Run the same command again: it goes on where this one stopped. The exit code is 130.'],
    example: {
      message: 'stopped between two steps, because it was asked to: what was done before stays',
      hint: 'Run the same command again: it goes on where this one stopped.',
    },
    written: 'The steps before; each whole.',
    repeat: 'Safe: that is what to do.',
  },
  SCHEMA_MISMATCH: {
    ...nothing,
    happened: '`requireSchema` was asked at an application’s start, and the database is not at its migrations.',
    causes: [
      'the application is started before the deploy has run',
      'an older release is started on a schema of a newer one',
    ],
    actions: [
      'Run `npx mytx deploy` before the application starts.',
      'Where older code runs beside newer while a release is rolled out: `allowAhead: true`.',
    ],
    example: {
      message: 'the database lacks 0007_comments',
      hint: 'Bring it up to date before the application starts: npx mytx deploy',
    },
    written: 'Nothing: it reads.',
    repeat: 'Safe, after the deploy.',
  },
};

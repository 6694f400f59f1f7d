// DeployError: a schema change that did not happen, or not whole.

import type { DeployErrorCode } from '../../deploy/errors.ts';
import type { Entry } from '../error-catalogue.ts';
import { generateErrors } from './generate-errors.ts';
import { historyErrors } from './history-errors.ts';
import { lintErrors } from './lint-errors.ts';

export const deployErrors: Record<DeployErrorCode, Entry> = {
  ...historyErrors,
  ...generateErrors,
  ...lintErrors,
  MIGRATION_FAILED: {
    class: 'DeployError',
    happened:
      'A statement of a migration failed. Its file was rolled back whole, or, where it runs in steps, the step was; what came before stays.',
    causes: [
      'rows that break the new rule: duplicates under a unique index, nulls under NOT NULL',
      'a change that was made by hand before, so that the table or column is there already',
      'a lock that was not to be had for two minutes (SQLSTATE 55P03): somebody holds the table',
    ],
    actions: [
      'Read the message: file and line, SQLSTATE, PostgreSQL’s text, the statement, what was applied and what was not.',
      'Correct the data or the file, and run the same command again: it goes on with this file.',
      'A file that is applied somewhere else already must not be edited; add a new one.',
    ],
    example: {
      message: [
        '0007_comments failed at lib/drizzle/0007_comments.sql:3 (SQLSTATE 42P01): relation "Chats" does not exist',
        'statement: alter table "Chats" add column "note" text',
        'applied before it: nothing',
        'not applied: 0007_comments',
      ].join('\n'),
      hint: 'Correct the file (none of it was applied) and run the same command again.',
    },
    written:
      'The files before it, each whole with its history row; of this one nothing, or the steps that the message counts.',
    repeat: 'Safe, after the correction.',
  },
  MIGRATION_LOCK_HELD: {
    class: 'DeployError',
    happened: 'Another deploy held the lock of this database for the whole time this one waited (60 seconds).',
    causes: ['two deployments at once', 'a deploy that hangs, often behind a long transaction of the application'],
    actions: [
      'Wait for the other one and run this again. The exit code is 4.',
      'If it hangs, look at the process that the message names in `pg_stat_activity`; `pg_terminate_backend(pid)` ends it, and its lock goes with it.',
    ],
    example: {
      message: 'another deploy (server process 4711) held the lock for 60 s',
      hint: 'Wait for it and run this again. If it hangs, look at it in pg_stat_activity and end it with pg_terminate_backend(pid).',
    },
    written: 'Nothing by this one.',
    repeat: 'Safe.',
  },
  MIGRATION_INTERRUPTED: {
    class: 'DeployError',
    happened: 'The connection broke while a migration was applied. The file is in the database whole, or not at all.',
    causes: [
      'the server was restarted, or the session was ended with `pg_terminate_backend`',
      'a firewall or pooler dropped the connection',
    ],
    actions: ['Run the same command again: it reads the history and goes on from there.'],
    example: {
      message: [
        'the connection broke while 0007_comments was applied (08006)',
        'applied before it: nothing',
        '0007_comments itself is applied whole or not at all: its history row says which',
      ].join('\n'),
      hint: 'Run the same command again: it reads the history and goes on from there.',
    },
    written: 'The files before it. Of the one under way everything or nothing.',
    repeat: 'Safe: that is what to do.',
  },
  MIGRATIONS_UNREADABLE: {
    class: 'DeployError',
    happened: 'The folder of migrations is not whole: its journal, or a file that the journal names, can’t be read.',
    causes: [
      'a SQL file that was deleted by hand while `meta/_journal.json` still names it',
      'a journal with the marks of a merge conflict',
      '`lib/drizzle` was not copied into the image or bundle',
    ],
    actions: [
      'Restore the file from version control.',
      'After a merge keep one journal with the entries of both sides, then `npx drizzle-kit generate`.',
    ],
    example: {
      message: "lib/drizzle/0007_comments.sql can't be read (ENOENT)",
      hint: 'Generate the migrations with `npx drizzle-kit generate`, or restore the file from version control.',
    },
    written: 'Nothing: the files are read before anything is applied.',
    repeat: 'Safe, after the correction.',
  },
  HISTORY_UNREADABLE: {
    class: 'DeployError',
    happened: 'PostgreSQL refused to read or create the table of applied migrations. It is never taken for empty.',
    causes: [
      'a role without rights on the schema `drizzle`',
      'a table `drizzle.__drizzle_migrations` of another shape, made by another tool',
    ],
    actions: ['Migrate with the role that owns the tables, or grant this one the rights that the hint names.'],
    example: {
      message:
        "the migrations that were applied can't be read from drizzle.__drizzle_migrations (SQLSTATE 42501: permission denied for table __drizzle_migrations)",
      hint: 'Run as the owner of the schema drizzle, or grant this role usage on it and select and insert on drizzle.__drizzle_migrations.',
    },
    written: 'Nothing.',
    repeat: 'Safe, after the rights were granted.',
  },
  POOLER_REFUSED: {
    class: 'DeployError',
    happened:
      'A migration or a reset was asked for by way of a pooler in transaction mode, which has no session for its lock.',
    causes: [
      '`POSTGRES_URL` says `pgbouncer=true`',
      'it does not, and the answers showed a pooler in transaction mode, or one whose mode can’t be told',
    ],
    actions: [
      'Run the command with the server’s own host and port in `POSTGRES_URL`; the application keeps its own URL. The exit code is 3.',
      'For a pooler in session mode say `pgbouncer=false`.',
    ],
    example: {
      message:
        'localhost:6432/assistant is a pooler in transaction mode: a schema change needs a session of its own, for its lock',
      hint: 'Run this with the server’s own host and port in POSTGRES_URL, without pgbouncer=true. Nothing was changed.',
    },
    written: 'Nothing: no lock was taken and nothing was applied.',
    repeat: 'Safe, and useless by the same way.',
  },
  RESET_REFUSED: {
    class: 'DeployError',
    happened: 'A reset, which deletes every row, was asked for where it is never allowed.',
    causes: ['`POSTGRES_URL` names a server that is not on this machine', '`NODE_ENV` is `production`'],
    actions: [
      'Check the target that the message names.',
      'For a development database elsewhere, drop and create it with the tools of that server.',
    ],
    example: {
      message: 'db.example.com:5432/assistant is not on this machine: it is not reset',
      hint: 'A reset deletes every row. Use it on a development database on this machine only.',
    },
    written: 'Nothing was dropped.',
    repeat: 'Safe, and useless on this target.',
  },
  CONFIG_NOT_FOUND: {
    class: 'DeployError',
    happened: 'A command about a Drizzle project was run where none is found.',
    causes: [
      'there is no `drizzle.config.ts`, `.js`, `.mjs` or `.json` in this folder or one above it',
      '`--config` names a file that is not there',
    ],
    actions: [
      'Run it in a folder of the project; any below that of the configuration will do.',
      'Name a configuration of another name with `--config`.',
    ],
    example: {
      message:
        'there is no drizzle.config.ts, drizzle.config.js, drizzle.config.mjs, drizzle.config.json in /home/dana/travel or a folder above it',
      hint: 'Run this in the folder of a Drizzle project, or name its configuration with --config.',
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless in the same folder.',
  },
  CONFIG_UNREADABLE: {
    class: 'DeployError',
    happened:
      '`drizzle.config.ts` or `mytx.config.ts` can’t be loaded, or has a setting that is not allowed. The message has the file and the reason, and neither a connection string nor a password.',
    causes: [
      'the file throws, or ends the process, because a variable is not set',
      'it imports a package that is not installed here, or has an error of syntax',
      'its dialect is not postgresql',
      'mytx.config.ts has a setting that is misspelt, or a URL in the place of a variable’s name',
    ],
    actions: [
      'Correct what the message names.',
      'Set the variable in the environment, in `.env.local`, or in the `.env` of the folder that drizzle-kit is run in.',
      'Where the message is not enough: `npx drizzle-kit check` loads the same file and prints all it says.',
    ],
    example: {
      message:
        '/home/dana/travel/drizzle.config.json can\'t be used: it has the dialect "sqlite"; only "postgresql" is deployed',
      hint: 'Correct the file and run the same command again. Nothing was changed.',
    },
    written: 'Nothing.',
    repeat: 'Safe, after the correction.',
  },
  ENVIRONMENT_UNKNOWN: {
    class: 'DeployError',
    happened: 'It is not said which database is meant. The exit code is 2.',
    causes: [
      'mytx.config.ts has several environments, and none was named',
      'the name that was given is not in mytx.config.ts',
      'the variable of the environment is not set',
      'there are no environments, no `POSTGRES_URL`, no `DATABASE_URL` and no `dbCredentials`',
      'the driver is `pglite`, and `dbCredentials` names a folder that holds something else, or none (`memory://`)',
    ],
    actions: [
      'Name one of those that the message lists with `--environment`.',
      'Set the variable that it names, or give the URL with `--url`.',
      'For PGlite name [the folder that the application opens](../deploying.md#a-folder-of-pglite), or one that is not there yet.',
    ],
    example: {
      message: 'mytx.config.ts has several environments and none was named: production (protected), staging',
      hint: 'Name one of them: --environment staging.',
    },
    written: 'Nothing: no database was connected to.',
    repeat: 'Safe, with the name.',
  },
  ENVIRONMENT_MISMATCH: {
    class: 'DeployError',
    happened:
      'The database is marked with the name of another environment than the one that was asked for. The exit code is 3.',
    causes: [
      'the variable of one environment has the URL of another’s database',
      'a database was restored or copied from another environment, with its mark',
      'an environment was renamed in mytx.config.ts',
    ],
    actions: [
      'Look at the host and database that the first line of the command names, and correct the variable.',
      'Where the mark is what is wrong, set it with the statement of the hint.',
    ],
    example: {
      message: 'this database is marked as "staging", and "production" was asked for; nothing was changed',
      hint: "Look at which database the URL of production names. Where this one was renamed: update mytx_deploy.environment set name = 'production';",
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless until the URL or the mark is corrected.',
  },
  ENVIRONMENT_UNREADABLE: {
    class: 'DeployError',
    happened:
      'The environment’s name that the database has can’t be read or written. That is no proof that it has none.',
    causes: ['the role has no rights on the schema mytx_deploy or its table', 'somebody changed the table'],
    actions: [
      'Run as the owner of the schema, the role that deployed first.',
      'For a role that only reads: `grant usage on schema mytx_deploy to ...; grant select on mytx_deploy.environment to ...;`',
    ],
    example: {
      message:
        "the environment's name can't be read from mytx_deploy.environment (SQLSTATE 42501: permission denied for schema mytx_deploy)",
      hint: 'Run as the owner of the schema mytx_deploy, or grant this role usage on it and select on mytx_deploy.environment.',
    },
    written: 'Nothing.',
    repeat: 'Safe, after the rights were granted.',
  },
};

// SchemaError and StatementError: the tables are not those this code was written for, or PostgreSQL refused a statement.

import type { SchemaCode, StatementCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

const refused = {
  class: 'StatementError',
  written: 'Nothing by this statement; inside a transaction, nothing of the whole.',
} as const;

export const statementErrors: Record<SchemaCode | StatementCode, Entry> = {
  SCHEMA_BEHIND: {
    class: 'SchemaError',
    happened: 'The server lacks migrations, a table or a column that this code needs.',
    causes: [
      'a deploy that started the new code before `npx tsx db/migrate.ts` ran',
      '`POSTGRES_URL` names another database than the one that was migrated',
      'a query of your own with a name that is not there (SQLSTATE 42P01, 42703)',
    ],
    actions: [
      'Apply the migrations: `npx tsx db/migrate.ts`. Its first line names the database.',
      'Run it in the deployment before the new code starts.',
    ],
    example: {
      message: 'localhost:5432/assistant lacks 1 migration: 0007_comments',
      hint: 'Apply them: npx tsx db/migrate.ts',
    },
    written: 'Nothing.',
    repeat: 'Safe, after the migrations were applied.',
  },
  SCHEMA_UNREADABLE: {
    class: 'SchemaError',
    happened: 'The role may not read which migrations the server has, so that nobody knows whether the schema fits.',
    causes: ['an application role that is not the owner and was not granted the schema `drizzle`'],
    actions: ['As the owner grant the two rights that the hint names, with the application’s role.'],
    example: {
      message: 'the role may not read which migrations localhost:5432/assistant has',
      hint: 'As its owner run: grant usage on schema drizzle to <role>; grant select on drizzle.__drizzle_migrations to <role>;',
    },
    written: 'Nothing.',
    repeat: 'Safe, after the rights were granted.',
  },
  CONSTRAINT_VIOLATED: {
    ...refused,
    happened: 'A row would break a constraint that has no error of its own (SQLSTATE 23xxx).',
    causes: [
      'a query of your own with `db` whose values a CHECK, a unique index, a foreign key or NOT NULL refuses',
      'a parent row that was deleted a moment earlier',
    ],
    actions: [
      'Read `details.sqlState`, `details.table`, `details.constraint` and, for NOT NULL, `details.column`.',
      'Branch on the SQLSTATE, not on the constraint’s name: 23505 unique, 23503 foreign key, 23514 check, 23502 not null.',
    ],
    example: {
      message: 'a row would break a constraint in "Task" (SQLSTATE 23514)',
      hint: 'Look at `details.constraint` and `details.table`, and correct the values.',
    },
    repeat: 'Safe. It fails in the same way until values or rows have changed.',
  },
  INVALID_VALUE: {
    ...refused,
    happened: 'A value does not fit the type of its column or of an expression (SQLSTATE 22xxx).',
    causes: [
      'a text where the statement needs a number, a UUID or a date',
      'a text with more characters than a `varchar` holds, a number out of range, a division by zero',
    ],
    actions: ['Check the values of your own query; those of this package are checked before they are sent.'],
    example: {
      message: 'a value does not fit its type (SQLSTATE 22P02)',
      hint: 'Check the values against the column types.',
    },
    repeat: 'Safe. It fails in the same way until the value is another.',
  },
  PERMISSION_DENIED: {
    ...refused,
    happened: 'The database role may not do this (SQLSTATE 42501).',
    causes: [
      'tables that belong to another role than the one in `POSTGRES_URL`',
      'a migration run by a role that may not create tables or schemas',
    ],
    actions: [
      'Grant the right, or migrate and connect with the owner’s role.',
      'For migrations the role needs CREATE on the database (for the schema `drizzle`) and on the schema `public`.',
    ],
    example: {
      message: 'the role may not do this (SQLSTATE 42501)',
      hint: 'Grant the right, or connect as a role that has it.',
    },
    repeat: 'Safe, after the right was granted.',
  },
  STATEMENT_CANCELED: {
    ...refused,
    happened: 'The statement was ended before it was done (SQLSTATE 57014).',
    causes: [
      'a `statement_timeout` of the server, the role or the database',
      '`pg_cancel_backend` by an administrator',
    ],
    actions: [
      'Make the statement cheaper: a narrower condition, an index, a page instead of a whole list.',
      'Raise the deadline.',
    ],
    example: {
      message: 'the statement was canceled (SQLSTATE 57014)',
      hint: 'Raise the deadline, or make the statement cheaper.',
    },
    repeat: 'Safe.',
  },
  STATEMENT_FAILED: {
    ...refused,
    happened: 'PostgreSQL or the driver refused a statement, and no other code fits.',
    causes: [
      'a mistake in a query of your own: syntax (SQLSTATE 42601), types (42883, 42804)',
      'a parameter that is an array or an object: pass JSON as text with a cast',
      'no memory or disk on the server (53100, 53200)',
    ],
    actions: [
      'Read `details.statement` and `cause`, which has PostgreSQL’s own text where it can’t hold a value.',
      'For a statement of this package, please report it.',
    ],
    example: {
      message: 'PostgreSQL refused a statement (SQLSTATE 42601)',
      hint: 'Read `cause` and the statement in `details`.',
    },
    repeat: 'Safe. It usually fails in the same way.',
  },
};

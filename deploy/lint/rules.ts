// The rules of the lint, ours and squawk's: what each finds, what to do about it, and how severe it is unless mytx.config.ts
// says otherwise. docs/linting.md is made of this (npm run docs:linting).

/** `off`: what the rule finds is in no report. */
export type Severity = 'error' | 'warning' | 'off';

export interface Rule {
  /** What it finds, in a sentence without its end. */
  finds: string;
  /** What to do about it. */
  help: string;
  severity: Severity;
  /** Of a rule that is off: why. */
  why?: string;
  /** Where in some places the severity is another one: which, and where. */
  milder?: string;
  /** What it looks at beside the files: without it nothing is found. */
  needs?: 'database' | 'deployed';
}

const ours = {
  'blocking-statement': {
    finds: 'a statement that reads, rewrites or indexes a large table while nobody can write to it, or read it',
    help: 'Take the form that does not block: CONCURRENTLY for an index, NOT VALID and then VALIDATE for a constraint, a new column and a backfill for a type.',
    severity: 'error',
    needs: 'database',
  },
  'lock-held-long': {
    finds:
      'a transaction that locks a large table and then does what takes long, so that the lock is held all that time',
    help: 'Put the work into a migration of its own, or the statement that locks behind it.',
    severity: 'error',
    needs: 'database',
  },
  'unbatched-write': {
    finds:
      'an UPDATE or DELETE of a large table in one transaction: its rows are locked to the end, and replicas fall behind',
    help: 'Let an UPDATE run in batches: a line `-- mytx:backfill` before it. Delete in parts.',
    severity: 'error',
    milder: 'a warning where the statement has a WHERE',
    needs: 'database',
  },
  'locks-two-tables': {
    finds:
      'statements of one transaction that lock two tables against writers or readers: both are held to its end, and two such transactions can wait for each other',
    help: 'Put the statements into migrations of their own, one for each table.',
    severity: 'warning',
  },
  'long-transaction': {
    finds:
      'a transaction that is open for long and has a table that a statement locks, or that an index built CONCURRENTLY waits for',
    help: 'Wait until it is over, or end it: select pg_terminate_backend(<the process>).',
    severity: 'warning',
    needs: 'database',
  },
  'unindexed-foreign-key': {
    finds:
      'a foreign key whose columns no index begins with: each delete or change of a row that is pointed to reads the whole table',
    help: 'Add an index on these columns, in the same change.',
    severity: 'warning',
  },
  'breaks-deployed-code': {
    finds:
      'a change that the code in production (`--deployed`) does not survive: a table, view or column that its schema names is dropped or renamed, or a column is required that it does not write',
    help: 'Change the code first, so that it does not need what goes; deploy it; change the table in a later migration.',
    severity: 'error',
    milder: 'a warning where the code may write NULL into a column that becomes NOT NULL',
    needs: 'deployed',
  },
  'required-column': {
    finds: 'a new column that is NOT NULL and has no default, on a table with rows: it fails',
    help: 'Give it a DEFAULT, or add it nullable, fill it with a backfill, and set NOT NULL then.',
    severity: 'error',
    needs: 'database',
  },
  'violating-rows': {
    finds:
      'rows that are against the new rule: duplicates under a unique index, NULL under NOT NULL. Only tables that are not large are looked into',
    help: 'Correct the rows first, in a statement before it or by hand.',
    severity: 'error',
    needs: 'database',
  },
  'enum-value-used': {
    finds: 'a new value of an enum that is used in the file that adds it',
    help: 'Use the value in a migration of its own.',
    severity: 'off',
    why: 'mytx deploy commits ADD VALUE before it goes on. For a project whose files Drizzle’s own migrate() applies, too, which fails there (SQLSTATE 55P04).',
  },
  'syntax-error': {
    finds: 'what PostgreSQL’s grammar (that of version 18) does not know',
    help: 'Correct the statement.',
    severity: 'error',
  },
  'refused-by-deploy': {
    finds:
      'what mytx deploy does not run, because an interruption could not be told from success: COMMIT in a file, an index without a name built CONCURRENTLY',
    help: 'See docs/errors/MIGRATION_REFUSED.md.',
    severity: 'error',
  },
  'suppression-without-reason': {
    finds: 'a comment mytx:ignore that names no rule or gives no reason',
    help: 'Write -- mytx:ignore <rule>: <reason>',
    severity: 'error',
  },
  'unused-suppression': {
    finds: 'a comment mytx:ignore behind which the rule finds nothing',
    help: 'Take the comment out, or correct the name of the rule.',
    severity: 'warning',
  },
  'squawk-missing': {
    finds: 'that squawk could not be run here, so that none of its rules was looked at',
    help: 'Install squawk-cli with its optional dependencies: npm install --include=optional. It is there for Linux, macOS and Windows.',
    severity: 'warning',
  },
} satisfies Record<string, Rule>;

const takenCareOf = 'Add the comment to the file only where something else than mytx deploy runs it.';

/** squawk's own, of version 2.66, by the names that it gives them. */
const squawks = {
  'adding-field-with-default': {
    finds: 'a new column with a default that is another one for each row, which rewrites the table',
    help: 'Add the column, set the default, and fill the rows that are there with a backfill.',
    severity: 'warning',
  },
  'adding-foreign-key-constraint': {
    finds: 'a foreign key that is checked against all rows while both tables are locked against writers',
    help: 'Add it NOT VALID, and VALIDATE it in a statement behind it.',
    severity: 'warning',
  },
  'adding-not-nullable-field': {
    finds: 'SET NOT NULL, which reads the whole table while nobody reads or writes',
    help: 'Prove it first: a CHECK (… IS NOT NULL) NOT VALID, VALIDATE it, SET NOT NULL, drop the check.',
    severity: 'warning',
  },
  'adding-required-field': {
    finds: 'a new column that is NOT NULL and has no default',
    help: 'Give it a DEFAULT, or add it nullable.',
    severity: 'warning',
  },
  'adding-serial-primary-key-field': {
    finds: 'a primary key that is added to a table, which builds its index while nobody reads or writes',
    help: 'Build a unique index CONCURRENTLY, and add the key USING INDEX.',
    severity: 'warning',
  },
  'ban-alter-domain-with-add-constraint': {
    finds: 'a constraint that is added to a domain, which reads every table that uses it',
    help: 'Put the constraint on the column.',
    severity: 'warning',
  },
  'ban-char-field': {
    finds: 'char(n), which is filled up with spaces',
    help: 'Take text.',
    severity: 'warning',
  },
  'ban-concurrent-index-creation-in-transaction': {
    finds: 'CREATE INDEX CONCURRENTLY in a file that is run in a transaction',
    help: takenCareOf,
    severity: 'off',
    why: 'mytx deploy runs the statement outside of the transaction, and the rest of the file in steps.',
  },
  'ban-create-domain-with-constraint': {
    finds: 'a domain with a constraint, which is hard to change later',
    help: 'Put the constraint on the column.',
    severity: 'warning',
  },
  'ban-drop-column': {
    finds: 'a column that is dropped: code that runs may read it, and what was in it is gone',
    help: 'Deploy code that does not name it, then drop it. With --deployed it is known whether it is named.',
    severity: 'warning',
  },
  'ban-drop-database': { finds: 'a database that is dropped', help: 'Do it by hand.', severity: 'warning' },
  'ban-drop-not-null': {
    finds: 'NOT NULL that is dropped: code that runs may not expect NULL',
    help: 'Deploy code that takes NULL first.',
    severity: 'warning',
  },
  'ban-drop-table': {
    finds: 'a table that is dropped: code that runs may read it, and what was in it is gone',
    help: 'Deploy code that does not name it, then drop it. With --deployed it is known whether it is named.',
    severity: 'warning',
  },
  'ban-duplicate-column-assignments': {
    finds: 'an UPDATE that sets a column twice',
    help: 'Set it once.',
    severity: 'warning',
  },
  'ban-truncate-cascade': {
    finds: 'TRUNCATE … CASCADE, which empties every table that points to this one, too',
    help: 'Name the tables.',
    severity: 'warning',
  },
  'ban-uncommitted-transaction': {
    finds: 'a transaction that is begun and not ended',
    help: 'Take BEGIN out: a migration is a transaction by itself.',
    severity: 'warning',
  },
  'changing-column-type': {
    finds: 'another type of a column, which may rewrite the table, and which code that runs may not expect',
    help: 'Add a new column, fill it with a backfill, and change over in the code.',
    severity: 'warning',
  },
  'constraint-missing-not-valid': {
    finds: 'a constraint that is checked against all rows while nobody writes',
    help: 'Add it NOT VALID, and VALIDATE it in a statement behind it.',
    severity: 'warning',
  },
  'disallowed-unique-constraint': {
    finds: 'a unique constraint that builds its index while nobody reads or writes',
    help: 'Build a unique index CONCURRENTLY, and add the constraint USING INDEX.',
    severity: 'warning',
  },
  'identifier-too-long': {
    finds: 'a name of more than 63 bytes, which PostgreSQL cuts',
    help: 'Take a shorter one.',
    severity: 'warning',
  },
  'prefer-bigint-over-int': {
    finds: 'a column of 32 bits, which may come to its end',
    help: 'Take bigint.',
    severity: 'warning',
  },
  'prefer-bigint-over-smallint': {
    finds: 'a column of 16 bits, which may come to its end',
    help: 'Take bigint.',
    severity: 'warning',
  },
  'prefer-identity': {
    finds: 'a serial column',
    help: 'Take GENERATED … AS IDENTITY.',
    severity: 'warning',
  },
  'prefer-repack': {
    finds: 'VACUUM FULL or CLUSTER, which keeps everybody out',
    help: 'Take REPACK or pg_repack.',
    severity: 'warning',
  },
  'prefer-robust-stmts': {
    finds: 'a statement that fails where it is run a second time',
    help: takenCareOf,
    severity: 'off',
    why: 'mytx deploy knows which statements are done, and runs none twice. IF NOT EXISTS would take an index that was left invalid for a good one.',
  },
  'prefer-text-field': {
    finds: 'varchar(n), whose length is hard to change',
    help: 'Take text, with a CHECK on its length.',
    severity: 'warning',
  },
  'prefer-timestamp-tz': {
    finds: 'a timestamp without its time zone',
    help: 'Take timestamptz.',
    severity: 'warning',
  },
  'renaming-column': {
    finds: 'a column that is renamed: code that runs reads the old name',
    help: 'Add a new column and change over in the code. With --deployed it is known whether the old one is read.',
    severity: 'warning',
  },
  'renaming-table': {
    finds: 'a table that is renamed: code that runs reads the old name',
    help: 'Leave a view of the old name behind, in the same migration.',
    severity: 'warning',
  },
  'require-concurrent-index-creation': {
    finds: 'an index that is built while nobody writes',
    help: 'CREATE INDEX CONCURRENTLY.',
    severity: 'warning',
  },
  'require-concurrent-index-deletion': {
    finds: 'an index whose drop waits for all who read the table, while everybody else waits behind it',
    help: 'DROP INDEX CONCURRENTLY.',
    severity: 'warning',
  },
  'require-concurrent-partition-detach': {
    finds: 'a partition that is detached while nobody reads or writes',
    help: 'DETACH PARTITION … CONCURRENTLY.',
    severity: 'warning',
  },
  'require-concurrent-reindex': {
    finds: 'an index that is rebuilt while nobody writes',
    help: 'REINDEX … CONCURRENTLY.',
    severity: 'warning',
  },
  'require-enum-value-ordering': {
    finds: 'a new value of an enum that stands at the end because no place is said',
    help: 'Say BEFORE or AFTER.',
    severity: 'warning',
  },
  'require-lock-timeout': {
    finds: 'a statement that locks, without SET lock_timeout before it',
    help: takenCareOf,
    severity: 'off',
    why: 'mytx deploy sets a lock_timeout of 500 ms for every statement that locks, and tries again.',
  },
  'require-statement-timeout': {
    finds: 'a statement that may take long, without SET statement_timeout before it',
    help: takenCareOf,
    severity: 'off',
    why: 'What blocks nobody may take as long as it needs, and a limit would break it off near its end; what blocks is found by blocking-statement.',
  },
  'require-table-schema': {
    finds: 'a table that is named without its schema',
    help: 'Name the schema.',
    severity: 'off',
    why: 'drizzle-kit names the schema of a table only where it is not public. squawk has it off, too.',
  },
  'require-timeout-settings': {
    finds: 'both of require-lock-timeout and require-statement-timeout',
    help: takenCareOf,
    severity: 'off',
    why: 'As these two. squawk has it off, too.',
  },
  'syntax-error': {
    finds: 'what squawk’s grammar does not know; none of its rules looks at such a file',
    help: 'Correct the statement. Where PostgreSQL takes it, it is squawk that lacks something.',
    severity: 'warning',
  },
  'transaction-nesting': {
    finds: 'BEGIN, COMMIT or ROLLBACK in a file that is run in a transaction',
    help: 'Take it out.',
    severity: 'warning',
  },
  'unused-ignore': {
    finds: 'a comment squawk-ignore behind which the rule finds nothing',
    help: 'Take the comment out.',
    severity: 'warning',
  },
} satisfies Record<string, Rule>;

/** One of ours. */
export type OurRule = keyof typeof ours;

/** Every rule by its name; squawk's have `squawk/` before theirs. */
export const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...Object.entries(ours),
  ...Object.entries(squawks).map(([name, rule]): [string, Rule] => [`squawk/${name}`, rule]),
]);

/** What squawk looks for only where it is asked to. */
export const optInRules: readonly string[] = ['require-table-schema', 'require-timeout-settings'];

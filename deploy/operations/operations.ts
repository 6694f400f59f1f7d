// The operations that a schema change consists of: what each does to a table, and what it means for who uses it. Which
// locks it takes is measured on each version of PostgreSQL, and stands in measured-locks.json.

/** What a statement does beside its entry in the catalogue: what its duration depends on. */
export type Work =
  /** Nothing: milliseconds, however large the table is. */
  | 'none'
  /** Reads every row. */
  | 'scan'
  /** Reads every row and looks for it in the table that is pointed to. */
  | 'foreign-key'
  /** Reads every row and builds an index. */
  | 'index'
  /** Builds every index of the table anew, or one of them. */
  | 'reindex'
  /** Writes the table and all its indexes anew. */
  | 'rewrite'
  /** Reads or changes the rows that its condition chooses. */
  | 'rows'
  /** Not known to us. */
  | 'unknown';

export interface OperationFacts {
  /** For people. */
  title: string;
  work: Work;
  /** It waits until every transaction has ended that is older than itself. */
  isConcurrent?: true;
  /** What running code meets behind it. */
  breaks?: string;
  /** What is gone behind it, and comes back from a backup alone. */
  loses?: string;
  /** When it fails. */
  failsWhere?: string;
  /** The first version of PostgreSQL that has it, where that is not the oldest one. */
  since?: number;
}

const dropped = 'code that still uses it fails';
const renamed = 'code that still uses the old name fails';
const duplicates = 'rows have the same value';
const violations = 'a row violates it';

const all = {
  'add-column': { title: 'add a column', work: 'none' },
  'add-column-constant-default': { title: 'add a column with a constant default', work: 'none' },
  'add-column-stable-default': { title: 'add a column with a default of now()', work: 'none' },
  'add-column-volatile-default': { title: 'add a column with a volatile default', work: 'rewrite' },
  'add-column-serial': { title: 'add a serial column', work: 'rewrite' },
  'add-column-identity': { title: 'add an identity column', work: 'rewrite' },
  'add-column-generated-stored': { title: 'add a generated column, stored', work: 'rewrite' },
  'add-column-generated-virtual': { title: 'add a generated column, virtual', work: 'none', since: 18 },
  'add-column-not-null': {
    title: 'add a column NOT NULL without a default',
    work: 'none',
    failsWhere: 'the table has rows',
  },
  'add-column-foreign-key': { title: 'add a column with a foreign key', work: 'none' },
  'add-column-check': { title: 'add a column with a check', work: 'scan' },
  'add-column-unique': { title: 'add a column that is unique', work: 'index' },
  'add-column-primary-key': {
    title: 'add a column as the primary key',
    work: 'index',
    failsWhere: 'the table has rows, and the column no value for each',
  },
  'drop-column': { title: 'drop a column', work: 'none', breaks: dropped, loses: 'the column’s values' },
  'rename-column': { title: 'rename a column', work: 'none', breaks: renamed },
  'set-default': { title: 'set a default', work: 'none' },
  'drop-default': { title: 'drop a default', work: 'none' },
  'set-not-null': { title: 'set NOT NULL', work: 'scan', failsWhere: 'a row has no value' },
  'set-not-null-proven': { title: 'set NOT NULL behind a valid check', work: 'none' },
  'drop-not-null': { title: 'drop NOT NULL', work: 'none' },
  'alter-type-compatible': { title: 'change a type to one that is stored alike', work: 'none' },
  'alter-type-rewrite': {
    title: 'change a type to one that is stored otherwise',
    work: 'rewrite',
    breaks: 'code that expects the old type may fail',
    failsWhere: 'a value does not fit',
  },
  'set-storage': { title: 'set how a column is stored', work: 'none' },
  'set-compression': { title: 'set how a column is compressed', work: 'none' },
  'set-statistics': { title: 'set a column’s statistics', work: 'none' },
  'add-identity': { title: 'make a column an identity', work: 'none' },
  'drop-identity': { title: 'make a column no identity', work: 'none' },
  'set-identity': { title: 'change a column’s identity', work: 'none' },
  'drop-expression': { title: 'make a generated column a plain one', work: 'none' },

  'add-check': { title: 'add a check', work: 'scan', failsWhere: violations },
  'add-check-not-valid': { title: 'add a check, NOT VALID', work: 'none' },
  'validate-check': { title: 'validate a check', work: 'scan', failsWhere: violations },
  'add-foreign-key': { title: 'add a foreign key', work: 'foreign-key', failsWhere: violations },
  'add-foreign-key-not-valid': { title: 'add a foreign key, NOT VALID', work: 'none' },
  'validate-foreign-key': { title: 'validate a foreign key', work: 'foreign-key', failsWhere: violations },
  'add-not-null': { title: 'add a NOT NULL constraint', work: 'scan', since: 18, failsWhere: 'a row has no value' },
  'add-not-null-not-valid': { title: 'add a NOT NULL constraint, NOT VALID', work: 'none', since: 18 },
  'validate-not-null': {
    title: 'validate a NOT NULL constraint',
    work: 'scan',
    since: 18,
    failsWhere: 'a row has no value',
  },
  'add-unique': { title: 'add a unique constraint', work: 'index', failsWhere: duplicates },
  'add-unique-using-index': { title: 'add a unique constraint by an index', work: 'none' },
  'add-primary-key': { title: 'add a primary key', work: 'index', failsWhere: duplicates },
  'add-primary-key-using-index': { title: 'add a primary key by an index', work: 'none' },
  'add-primary-key-using-index-nullable': {
    title: 'add a primary key by an index of columns that may be null',
    work: 'scan',
    failsWhere: 'a row has no value',
  },
  'add-exclude': { title: 'add an EXCLUDE constraint', work: 'index', failsWhere: violations },
  'drop-check': { title: 'drop a check', work: 'none' },
  'drop-foreign-key': { title: 'drop a foreign key', work: 'none' },
  'drop-unique': { title: 'drop a unique constraint', work: 'none' },
  'drop-primary-key': { title: 'drop a primary key', work: 'none' },
  'alter-constraint': { title: 'change whether a foreign key is deferred', work: 'none' },
  'rename-constraint': { title: 'rename a constraint', work: 'none' },

  'create-index': { title: 'create an index', work: 'index' },
  'create-index-concurrently': { title: 'create an index, CONCURRENTLY', work: 'index', isConcurrent: true },
  'create-unique-index': { title: 'create a unique index', work: 'index', failsWhere: duplicates },
  'create-unique-index-concurrently': {
    title: 'create a unique index, CONCURRENTLY',
    work: 'index',
    isConcurrent: true,
    failsWhere: duplicates,
  },
  'drop-index': { title: 'drop an index', work: 'none' },
  'drop-index-concurrently': { title: 'drop an index, CONCURRENTLY', work: 'none', isConcurrent: true },
  'rename-index': { title: 'rename an index', work: 'none' },
  'reindex-index': { title: 'REINDEX INDEX', work: 'reindex' },
  'reindex-index-concurrently': { title: 'REINDEX INDEX CONCURRENTLY', work: 'reindex', isConcurrent: true },
  'reindex-table': { title: 'REINDEX TABLE', work: 'reindex' },
  'reindex-table-concurrently': { title: 'REINDEX TABLE CONCURRENTLY', work: 'reindex', isConcurrent: true },

  'create-table': { title: 'create a table', work: 'none' },
  'create-table-foreign-key': { title: 'create a table with a foreign key', work: 'none' },
  'create-table-as': { title: 'CREATE TABLE AS', work: 'rows' },
  'create-partition': { title: 'create a partition', work: 'none' },
  'drop-table': { title: 'drop a table', work: 'none', breaks: dropped, loses: 'the table’s rows' },
  'rename-table': { title: 'rename a table', work: 'none', breaks: renamed },
  'set-schema': { title: 'move a table to another schema', work: 'none', breaks: renamed },
  'set-logged': { title: 'SET LOGGED', work: 'rewrite' },
  'set-unlogged': {
    title: 'SET UNLOGGED',
    work: 'rewrite',
    loses: 'the table’s rows, when the server crashes; replicas no longer have them',
  },
  'set-owner': { title: 'change a table’s owner', work: 'none' },
  'set-options': { title: 'set a table’s storage parameters', work: 'none' },
  'set-replica-identity': { title: 'REPLICA IDENTITY', work: 'none' },
  'add-inherit': { title: 'INHERIT', work: 'none' },
  'drop-inherit': { title: 'NO INHERIT', work: 'none' },
  'attach-partition': { title: 'attach a partition', work: 'scan', failsWhere: 'a row is not of the partition' },
  'attach-partition-proven': { title: 'attach a partition behind a valid check', work: 'none' },
  'detach-partition': { title: 'detach a partition', work: 'none', breaks: 'its rows are no longer in the table' },
  'detach-partition-concurrently': {
    title: 'detach a partition, CONCURRENTLY',
    work: 'none',
    isConcurrent: true,
    breaks: 'its rows are no longer in the table',
  },
  cluster: { title: 'CLUSTER', work: 'rewrite' },
  'cluster-on': { title: 'CLUSTER ON', work: 'none' },
  vacuum: { title: 'VACUUM', work: 'scan' },
  'vacuum-full': { title: 'VACUUM FULL', work: 'rewrite' },
  analyze: { title: 'ANALYZE', work: 'scan' },
  truncate: { title: 'TRUNCATE', work: 'none', loses: 'the table’s rows' },
  'lock-table': { title: 'LOCK TABLE', work: 'none' },
  comment: { title: 'comment on a table or column', work: 'none' },
  grant: { title: 'grant or revoke rights on a table', work: 'none' },
  'create-statistics': { title: 'create extended statistics', work: 'none' },

  'enable-row-security': {
    title: 'enable row level security',
    work: 'none',
    breaks: 'a role without a policy sees no rows',
  },
  'disable-row-security': { title: 'disable row level security', work: 'none', breaks: 'policies hold no longer' },
  'force-row-security': {
    title: 'force row level security',
    work: 'none',
    breaks: 'an owner without a policy sees no rows',
  },
  'no-force-row-security': { title: 'no longer force row level security', work: 'none' },
  'create-policy': { title: 'create a policy', work: 'none' },
  'alter-policy': { title: 'change a policy', work: 'none' },
  'drop-policy': { title: 'drop a policy', work: 'none' },
  'create-trigger': { title: 'create a trigger', work: 'none' },
  'drop-trigger': { title: 'drop a trigger', work: 'none' },
  'enable-trigger': { title: 'enable triggers', work: 'none' },
  'disable-trigger': { title: 'disable triggers', work: 'none' },
  'create-rule': { title: 'create a rule', work: 'none' },

  'create-view': { title: 'create a view', work: 'none' },
  'replace-view': { title: 'replace a view', work: 'none' },
  'drop-view': { title: 'drop a view', work: 'none', breaks: dropped },
  'rename-view': { title: 'rename a view', work: 'none', breaks: renamed },
  'create-materialized-view': { title: 'create a materialized view', work: 'rows' },
  'refresh-materialized-view': { title: 'refresh a materialized view', work: 'rows' },
  'refresh-materialized-view-concurrently': { title: 'refresh a materialized view, CONCURRENTLY', work: 'rows' },
  'drop-materialized-view': { title: 'drop a materialized view', work: 'none', breaks: dropped },
  'create-sequence': { title: 'create a sequence', work: 'none' },
  'alter-sequence': { title: 'change a sequence', work: 'none' },
  'drop-sequence': { title: 'drop a sequence', work: 'none', breaks: dropped },
  'create-type': { title: 'create a type', work: 'none' },
  'drop-type': { title: 'drop a type', work: 'none', breaks: dropped },
  'rename-type': { title: 'rename a type', work: 'none', breaks: renamed },
  'add-enum-value': { title: 'add a value to an enum', work: 'none' },
  'rename-enum-value': { title: 'rename a value of an enum', work: 'none', breaks: renamed },
  'create-domain': { title: 'create a domain', work: 'none' },
  'add-domain-check': { title: 'add a check to a domain', work: 'scan', failsWhere: violations },
  'create-function': { title: 'create or replace a function', work: 'none' },
  'drop-function': { title: 'drop a function', work: 'none', breaks: dropped },
  'create-schema': { title: 'create a schema', work: 'none' },
  'create-extension': { title: 'create an extension', work: 'none' },
  'set-setting': { title: 'SET of a setting', work: 'none' },

  insert: { title: 'INSERT', work: 'rows' },
  update: { title: 'UPDATE', work: 'rows' },
  delete: { title: 'DELETE', work: 'rows', loses: 'the rows it chooses' },
  select: { title: 'SELECT', work: 'rows' },

  other: { title: 'something that is not in our table', work: 'unknown' },
} as const satisfies Record<string, OperationFacts>;

export type OperationId = keyof typeof all;

/** Every operation, by its id. */
export const operations: Readonly<Record<OperationId, OperationFacts>> = all;

// What can go wrong while a schema change is on its way, as one class. Each code has a page in docs/errors/.

export type DeployErrorCode =
  | 'DATABASE_AHEAD'
  | 'DEPLOY_STOPPED'
  | 'DEPLOY_UNCONFIRMED'
  | 'LEDGER_UNREADABLE'
  | 'MIGRATION_CHANGED'
  | 'MIGRATION_DELETED'
  | 'MIGRATION_DUPLICATED'
  | 'MIGRATION_EDITED'
  | 'MIGRATION_FAILED'
  | 'MIGRATION_INTERRUPTED'
  | 'MIGRATION_LATE'
  | 'MIGRATION_LOCK_HELD'
  | 'MIGRATION_REFUSED'
  | 'MIGRATION_RENAMED'
  | 'MIGRATIONS_UNREADABLE'
  | 'HISTORY_UNREADABLE'
  | 'POOLER_REFUSED'
  | 'SCHEMA_MISMATCH'
  | 'RESET_REFUSED';

interface DeployErrorParts {
  code: DeployErrorCode;
  message: string;
  /** What to do next. */
  hint: string;
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** A schema change that did not happen, or not whole: `details` says what was applied and what was not. */
export class DeployError extends Error {
  readonly code: DeployErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor({ code, message, hint, details, cause }: DeployErrorParts) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DeployError';
    this.code = code;
    this.hint = hint;
    this.details = details ?? {};
  }
}

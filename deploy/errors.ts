// What can go wrong while a schema change is on its way, as one class. Each code has a page in docs/errors/.

export type DeployErrorCode =
  | 'MIGRATION_FAILED'
  | 'MIGRATION_INTERRUPTED'
  | 'MIGRATION_LOCK_HELD'
  | 'MIGRATIONS_UNREADABLE'
  | 'HISTORY_UNREADABLE'
  | 'POOLER_REFUSED'
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

// What can go wrong while a schema change is on its way, as one class. Each code has a page in docs/errors/.

export type DeployErrorCode =
  | 'ANSWER_INVALID'
  | 'ANSWER_NEEDED'
  | 'GENERATE_FAILED'
  | 'REWRITE_REFUSED'
  | 'DATABASE_AHEAD'
  | 'DEPLOY_STOPPED'
  | 'DEPLOY_UNCONFIRMED'
  | 'GIT_UNREADABLE'
  | 'LEDGER_UNREADABLE'
  | 'LINT_REFUSED'
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
  | 'RESET_REFUSED'
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_UNREADABLE'
  | 'ENVIRONMENT_UNKNOWN'
  | 'ENVIRONMENT_MISMATCH'
  | 'ENVIRONMENT_UNREADABLE';

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

/** A configuration file that can't be loaded, or says what is not allowed; `problem` quotes no value that may be secret. */
export function configUnreadable(file: string, problem: string): DeployError {
  return new DeployError({
    code: 'CONFIG_UNREADABLE',
    message: `${file} can't be used: ${problem}`,
    hint: 'Correct the file and run the same command again. Nothing was changed.',
    details: { file },
  });
}

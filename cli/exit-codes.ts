// What a command's exit code says, the same for every verb. Scripts branch on these numbers: never change one.

export const exitCodes = {
  done: 0,
  failed: 1,
  needsAnswer: 2,
  refused: 3,
  inUse: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

/** The command line's own error codes, beside those of db/, deploy/ and init/. Each has a page in docs/errors/. */
export type CliErrorCode = 'CONFIRMATION_NEEDED' | 'INTERRUPTED' | 'UNEXPECTED' | 'USAGE';

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byErrorCode: Readonly<Record<string, ExitCode>> = {
  CONFIRMATION_NEEDED: exitCodes.needsAnswer,
  DEPLOY_STOPPED: exitCodes.interrupted,
  DEPLOY_UNCONFIRMED: exitCodes.needsAnswer,
  MIGRATION_LATE: exitCodes.needsAnswer,
  MIGRATION_REFUSED: exitCodes.refused,
  ENVIRONMENT_UNKNOWN: exitCodes.needsAnswer,
  ENVIRONMENT_MISMATCH: exitCodes.refused,
  EMBEDDED_VERSION: exitCodes.refused,
  ERASE_REFUSED: exitCodes.refused,
  EXPORT_REFUSED: exitCodes.refused,
  IMPORT_REFUSED: exitCodes.refused,
  INIT_REFUSED: exitCodes.refused,
  SNAPSHOT_DAMAGED: exitCodes.refused,
  RESET_REFUSED: exitCodes.refused,
  SEED_REFUSED: exitCodes.refused,
  PLAINTEXT_REFUSED: exitCodes.refused,
  POOLER_REFUSED: exitCodes.refused,
  POOLER_UNDECLARED: exitCodes.refused,
  EMBEDDED_IN_USE: exitCodes.inUse,
  EMBEDDED_LOST: exitCodes.inUse,
  MIGRATION_LOCK_HELD: exitCodes.inUse,
  UNREACHABLE: exitCodes.unreachable,
  CONNECTION_LOST: exitCodes.unreachable,
  MIGRATION_INTERRUPTED: exitCodes.unreachable,
  INTERRUPTED: exitCodes.interrupted,
};

/** The exit code of a failure, by the error's own code. */
export function exitCodeOf(errorCode: string): ExitCode {
  return byErrorCode[errorCode] ?? exitCodes.failed;
}

/** For `--help`. */
export const exitCodeHelp = `Exit codes:
  0    done, or nothing to do
  1    failed
  2    an answer is needed, or the command line is wrong
  3    refused, because it is not safe
  4    another deploy holds the lock, or another process the embedded database
  5    the database is not reachable
  130  interrupted`;

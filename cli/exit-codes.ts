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
  ANSWER_INVALID: exitCodes.needsAnswer,
  ANSWER_NEEDED: exitCodes.needsAnswer,
  CONFIRMATION_NEEDED: exitCodes.needsAnswer,
  DEPLOY_STOPPED: exitCodes.interrupted,
  DEPLOY_UNCONFIRMED: exitCodes.needsAnswer,
  MIGRATION_LATE: exitCodes.needsAnswer,
  MIGRATION_REFUSED: exitCodes.refused,
  ENVIRONMENT_UNKNOWN: exitCodes.needsAnswer,
  ENVIRONMENT_MISMATCH: exitCodes.refused,
  LINT_REFUSED: exitCodes.refused,
  USAGE: exitCodes.needsAnswer,
  EMBEDDED_VERSION: exitCodes.refused,
  ERASE_REFUSED: exitCodes.refused,
  EXPORT_REFUSED: exitCodes.refused,
  IMPORT_REFUSED: exitCodes.refused,
  INIT_REFUSED: exitCodes.refused,
  SNAPSHOT_DAMAGED: exitCodes.refused,
  RESET_REFUSED: exitCodes.refused,
  REWRITE_REFUSED: exitCodes.refused,
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

/** The codes of the errors that end so; of exit code 1 only those that are not to be found here. */
export function errorCodesOf(exitCode: ExitCode): string[] {
  return Object.keys(byErrorCode).filter((code) => byErrorCode[code] === exitCode);
}

/** What each exit code says, for people. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.done, 'done, or nothing to do'],
  [exitCodes.failed, 'failed'],
  [exitCodes.needsAnswer, 'an answer is needed, or the command line is wrong'],
  [exitCodes.refused, 'refused, because it is not safe'],
  [exitCodes.inUse, 'another deploy holds the lock, or another process the embedded database'],
  [exitCodes.unreachable, 'the database is not reachable'],
  [exitCodes.interrupted, 'interrupted'],
];

/** For `--help`. */
export const exitCodeHelp: string = [
  'Exit codes:',
  ...exitCodeMeanings.map(([code, meaning]) => `  ${`${code}`.padEnd(5)}${meaning}`),
].join('\n');

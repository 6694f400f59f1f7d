// What keeps `mytx init` from its work, as one class. Each code has a page in docs/errors/.

export type InitErrorCode = 'INIT_REFUSED' | 'INIT_UNFINISHED' | 'PROJECT_NOT_FOUND' | 'PROJECT_UNREADABLE';

/** A project that was not changed, or not whole: `details` says which files. */
export class InitError extends Error {
  readonly code: InitErrorCode;
  /** What to do next. */
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: InitErrorCode,
    message: string,
    hint: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'InitError';
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

// What can go wrong in the data layer, as classes. Every error has a code, what to do next (`hint`) and,
// where there is more to know, `details` and a `cause`. Texts quote ids, numbers and closed sets;
// they never hold an e-mail, a password, a key, a text of the user's or a connection string.
// Each code has a page in docs/errors/.

/** Facts about a failure that a program can read; never a value that belongs to a user. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

interface ErrorParts<Code extends string> {
  code: Code;
  message: string;
  /** What to do next: a sentence, often with a command. */
  hint: string;
  details?: ErrorDetails;
  cause?: unknown;
}

/** The base of every error this package throws. Branch on `code`. */
export abstract class MytxError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor({ code, message, hint, details, cause }: ErrorParts<Code>) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.details = details ?? {};
    this.name = new.target.name;
  }

  /** What a log or an API answer may hold. */
  toJSON(): { name: string; code: Code; message: string; hint: string; details: ErrorDetails } {
    return { name: this.name, code: this.code, message: this.message, hint: this.hint, details: this.details };
  }
}

export type InvalidArgumentCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_CURSOR'
  | 'INVALID_DATE'
  | 'INVALID_DETAILS'
  | 'INVALID_EMAIL'
  | 'INVALID_ID'
  | 'INVALID_LIMIT'
  | 'INVALID_MESSAGE'
  | 'INVALID_PARTS'
  | 'INVALID_PASSWORD'
  | 'INVALID_STATUS'
  | 'INVALID_TEXT'
  | 'MISSING_ARGUMENT';

/** An argument that no statement was sent for. `details.argument` names it. */
export class InvalidArgumentError extends MytxError<InvalidArgumentCode> {
  constructor(
    code: InvalidArgumentCode,
    argument: string,
    problem: string,
    hint: string,
    details: ErrorDetails = {},
    cause?: unknown,
  ) {
    super({ code, message: `${argument} ${problem}`, hint, details: { argument, ...details }, cause });
  }
}

export type NotFoundCode = 'CHAT_NOT_FOUND' | 'KEY_NOT_FOUND' | 'MESSAGE_NOT_FOUND' | 'USER_NOT_FOUND';

/** A row that is not there, or not there for this user: the two look the same. */
export class NotFoundError extends MytxError<NotFoundCode> {
  constructor(code: NotFoundCode, message: string, hint: string, details: ErrorDetails = {}) {
    super({ code, message, hint, details });
  }
}

export type ConflictCode = 'EMAIL_TAKEN' | 'ID_TAKEN' | 'KEY_TAKEN' | 'MEMORY_EXISTS' | 'USER_EXISTS';

/** A write that would break a unique rule. Nothing was written. */
export class ConflictError extends MytxError<ConflictCode> {
  constructor(code: ConflictCode, message: string, hint: string, cause?: unknown) {
    super({ code, message, hint, cause });
  }
}

export type TransactionCode = 'TRANSACTION_ABORTED' | 'TRANSACTION_CLOSED' | 'TRANSACTION_CONFLICT';

/** A transaction that was rolled back as a whole, or a call that came after its end. */
export class TransactionError extends MytxError<TransactionCode> {
  constructor(code: TransactionCode, message: string, hint: string, cause?: unknown, details: ErrorDetails = {}) {
    super({ code, message, hint, cause, details });
  }
}

export type ConnectionCode =
  | 'ACCESS_REFUSED'
  | 'CONNECTION_LOST'
  | 'DATABASE_CLOSED'
  | 'DATABASE_MISSING'
  | 'DATABASE_OPEN'
  | 'DEADLINE_EXCEEDED'
  | 'EMBEDDED_IN_USE'
  | 'EMBEDDED_LOST'
  | 'EMBEDDED_MISSING'
  | 'TEST_DATABASE_REFUSED'
  | 'EMBEDDED_VERSION'
  | 'INVALID_URL'
  | 'OUTCOME_UNKNOWN'
  | 'PLAINTEXT_REFUSED'
  | 'POOLER_UNDECLARED'
  | 'POOL_EXHAUSTED'
  | 'SERVER_BUSY'
  | 'UNREACHABLE';

/** Something between this process and the database. */
export class ConnectionError extends MytxError<ConnectionCode> {
  constructor(code: ConnectionCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type BusyCode = 'HASHING_BUSY';

/** This process has more to do than it takes on. Nothing was begun. */
export class BusyError extends MytxError<BusyCode> {
  constructor(code: BusyCode, message: string, hint: string, details: ErrorDetails = {}) {
    super({ code, message, hint, details });
  }
}

export type LimitCode = 'CHAT_FULL';

/** What is stored would become larger than it may be. Nothing was written. */
export class LimitError extends MytxError<LimitCode> {
  constructor(code: LimitCode, message: string, hint: string, details: ErrorDetails = {}) {
    super({ code, message, hint, details });
  }
}

export type AccessCode = 'OTHER_USER' | 'RLS_NOT_READY' | 'ROW_REFUSED';

/** Row-level security said no, or is not there to say it. Nothing was written. */
export class AccessError extends MytxError<AccessCode> {
  constructor(code: AccessCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type SecretCode = 'INVALID_SECRET';

/** A key in the environment can't be used. The text names the variable, never the key. */
export class InvalidSecretError extends MytxError<SecretCode> {
  constructor(code: SecretCode, message: string, hint: string, details: ErrorDetails = {}) {
    super({ code, message, hint, details });
  }
}

export type EncryptionCode =
  | 'CIPHERTEXT_DAMAGED'
  | 'ENCRYPTION_INCOMPLETE'
  | 'ENCRYPTION_KEY_MISSING'
  | 'PLAINTEXT_FOUND'
  | 'TOO_MANY_ENCRYPTED'
  | 'UNKNOWN_ENCRYPTION_KEY';

/** A value can't be encrypted, or can't be read as one that was. Names the column, never a key or a part of a value. */
export class EncryptionError extends MytxError<EncryptionCode> {
  constructor(code: EncryptionCode, message: string, hint: string, details: ErrorDetails = {}) {
    super({ code, message, hint, details });
  }
}

export type PersonDataCode = 'ERASE_REFUSED' | 'EXPORT_REFUSED' | 'IMPORT_REFUSED';

/** The data of one person was not exported, not imported or not erased as a whole: then nothing of it was written. */
export class PersonDataError extends MytxError<PersonDataCode> {
  constructor(code: PersonDataCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type SnapshotCode = 'SNAPSHOT_DAMAGED' | 'SNAPSHOT_FAILED' | 'SNAPSHOT_NOT_FOUND';

/** A snapshot of the embedded database could not be saved, found or restored. The database is as it was. */
export class SnapshotError extends MytxError<SnapshotCode> {
  constructor(code: SnapshotCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type SeedCode = 'SEED_REFUSED';

/** Sample data is not for this database. Nothing was written. */
export class SeedError extends MytxError<SeedCode> {
  constructor(code: SeedCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type SchemaCode = 'SCHEMA_BEHIND' | 'SCHEMA_UNREADABLE';

/** The database's schema is not the one that this code was written for, or can't be compared with it. */
export class SchemaError extends MytxError<SchemaCode> {
  constructor(code: SchemaCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

export type StatementCode =
  | 'CONSTRAINT_VIOLATED'
  | 'INVALID_VALUE'
  | 'PERMISSION_DENIED'
  | 'STATEMENT_CANCELED'
  | 'STATEMENT_FAILED';

/** PostgreSQL refused a statement. `details` has the SQLSTATE and, where known, table and constraint. */
export class StatementError extends MytxError<StatementCode> {
  constructor(code: StatementCode, message: string, hint: string, details: ErrorDetails = {}, cause?: unknown) {
    super({ code, message, hint, details, cause });
  }
}

/** Every code this half of the package throws: an exhaustive list, for docs and tests. */
export type MytxErrorCode =
  | InvalidArgumentCode
  | NotFoundCode
  | ConflictCode
  | TransactionCode
  | ConnectionCode
  | BusyCode
  | LimitCode
  | AccessCode
  | SecretCode
  | EncryptionCode
  | PersonDataCode
  | SnapshotCode
  | SeedCode
  | SchemaCode
  | StatementCode;

// Turns what a driver throws into an error of ours. PostgreSQL's own texts often quote the value that failed
// (and Drizzle's error all parameters), so of a cause only facts that hold no value are kept.

import {
  ConnectionError,
  MytxError,
  SchemaError,
  type StatementCode,
  StatementError,
  TransactionError,
} from '../errors.ts';
import { poolerRefusal } from './pooler-refusals.ts';

/** What was under way when a statement failed. */
export interface FailureContext {
  target: string;
  statement: string;
  /** Whether losing the connection leaves it open if anything was written. */
  outcome: 'read' | 'write' | 'in-transaction' | 'commit';
  /** Set when the client ended the statement. */
  expired?: { expiry: 'deadline' | 'signal'; timeoutMs: number };
}

interface DriverError extends Error {
  code?: unknown;
  severity?: string;
  severity_local?: string;
  table?: string;
  table_name?: string;
  column?: string;
  column_name?: string;
  constraint?: string;
  constraint_name?: string;
  routine?: string;
  position?: string;
}

/** Node's and the driver's codes for "no connection was made". */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
  'ENOENT',
]);
/** ... and for "a connection broke". */
const lost = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The SQLSTATE of a failure (also one of ours), or undefined. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof MytxError) return error.details.sqlState as string | undefined;
  const code = (error as DriverError | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !lost.has(code) && code !== 'EPIPE'
    ? code
    : undefined;
}

/** Whether a driver's failure is one of the connection, and not the server's answer to a statement. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  const code = (error as DriverError | undefined)?.code;
  if (typeof code !== 'string') return false;
  const state = sqlStateOf(error);
  // 53100 (disk full) and 53200 (out of memory) refuse a statement, and the session goes on.
  const refusesSession = state !== undefined && (/^(28|3D|57P|53300)/.test(state) || endsConnection(state));
  return unreachable.has(code) || lost.has(code) || isTlsFailure(error as DriverError) || refusesSession;
}

/** Whether running the whole transaction once more may succeed: a serialization failure or a deadlock. */
export function isRetriable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01';
}

/** The error to throw in the place of what a driver threw. */
export function translateFailure(error: unknown, context: FailureContext): MytxError {
  if (error instanceof MytxError) return error;
  const driverError = error as DriverError;
  if (context.expired) return expired(driverError, context);
  const code = typeof driverError?.code === 'string' ? driverError.code : '';
  if (unreachable.has(code)) return serverUnreachable(context, code);
  if (lost.has(code) || isTlsFailure(driverError)) return connectionLost(context, code, driverError);
  const sqlState = sqlStateOf(error);
  const byPooler = sqlState === '08P01' ? poolerRefusal(driverError.message, context.target) : undefined;
  if (byPooler) return byPooler;
  if (sqlState !== undefined && endsConnection(sqlState)) return connectionLost(context, sqlState, driverError);
  if (sqlState !== undefined) return refused(driverError, sqlState, context);
  return new StatementError(
    'STATEMENT_FAILED',
    `a statement failed in the driver: ${driverError?.name ?? 'unknown error'}`,
    'Look at the statement in `details`; if it is one of this package, please report it.',
    { statement: context.statement, driverCode: code },
    withoutValues(
      driverError,
      driverError instanceof TypeError ? driverError.message : 'the driver refused the statement',
    ),
  );
}

/** A statement that the client ended: canceled by the server, or without an answer. */
function expired(error: DriverError, context: FailureContext): MytxError {
  const { target, statement, outcome } = context;
  const expiry = context.expired?.expiry ?? 'deadline';
  const isCanceled = sqlStateOf(error) === '57014';
  if (isCanceled) return deadlineExceeded(target, expiry, 'the statement was canceled and wrote nothing', statement);
  if (outcome === 'write' || outcome === 'commit') return connectionLost(context, expiry, error);
  const rest = outcome === 'in-transaction' ? 'the transaction was rolled back' : 'nothing was written';
  return deadlineExceeded(target, expiry, `the server did not answer, its connection was dropped, ${rest}`, statement);
}

export function deadlineExceeded(
  target: string,
  expiry: 'deadline' | 'signal',
  what: string,
  statement?: string,
): ConnectionError {
  return new ConnectionError(
    'DEADLINE_EXCEEDED',
    `${expiry === 'signal' ? 'the caller’s signal was aborted' : 'the deadline has passed'} (${target}): ${what}`,
    'Call again with more time (withDeadline, statementTimeoutMs), or find out what the statement waited for.',
    { expiry, statement },
  );
}

/** The server ended the session: terminated, shut down or crashed (57P01, 57P02), or the protocol broke (08). */
function endsConnection(sqlState: string): boolean {
  return sqlState === '57P01' || sqlState === '57P02' || sqlState.startsWith('08');
}

function isTlsFailure(error: DriverError | undefined): boolean {
  return (
    typeof error?.code === 'string' &&
    /^(EPROTO|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL)/.test(error.code)
  );
}

function serverUnreachable({ target }: FailureContext, reason: string): ConnectionError {
  return new ConnectionError(
    'UNREACHABLE',
    `no connection to ${target} (${reason})`,
    'Check that the server runs and that host and port of POSTGRES_URL are right; nothing was sent.',
    { reason },
  );
}

function connectionLost(context: FailureContext, reason: string, error: DriverError): ConnectionError {
  if (isTlsFailure(error)) {
    return new ConnectionError(
      'ACCESS_REFUSED',
      `the certificate of ${context.target} was not accepted (${reason})`,
      'Use a certificate that is signed for this host by a known authority. Nothing was sent.',
      { reason },
    );
  }
  const details = { reason, statement: context.statement };
  if (context.outcome === 'write' || context.outcome === 'commit') {
    return new ConnectionError(
      'OUTCOME_UNKNOWN',
      `the connection to ${context.target} broke before the server said whether the write was done`,
      'Call again with the same arguments and `details.repeatWith`, where it is given: what was written is not written twice.',
      details,
    );
  }
  const rolledBack = context.outcome === 'in-transaction' ? ' and the transaction was rolled back' : '';
  return new ConnectionError(
    'CONNECTION_LOST',
    `the connection to ${context.target} broke${rolledBack}`,
    'Call again: nothing was written.',
    details,
  );
}

function refused(error: DriverError, sqlState: string, context: FailureContext): MytxError {
  const table = error.table ?? error.table_name;
  const constraint = error.constraint ?? error.constraint_name;
  const column = error.column ?? error.column_name;
  const details = { sqlState, table, column, constraint, statement: context.statement };
  const cause = withoutValues(error, isFreeOfValues(error, sqlState) ? error.message : `SQLSTATE ${sqlState}`);
  const at = table === undefined ? '' : ` in "${table}"`;

  if (sqlState.startsWith('28') || sqlState === '3D000') {
    return new ConnectionError(
      'ACCESS_REFUSED',
      `${context.target} refused the connection (SQLSTATE ${sqlState})`,
      sqlState === '3D000'
        ? 'The database does not exist: create it, or correct its name in POSTGRES_URL.'
        : 'Correct user and password in POSTGRES_URL, or pg_hba.conf of the server.',
      { sqlState },
      cause,
    );
  }
  if (sqlState === '53300' || sqlState.startsWith('57P')) {
    return new ConnectionError(
      'SERVER_BUSY',
      `${context.target} takes no connections now (SQLSTATE ${sqlState})`,
      'Wait and call again. If it is full, lower the pool size or raise max_connections.',
      { sqlState },
      cause,
    );
  }
  if (sqlState === '42P01' || sqlState === '42703') {
    return new SchemaError(
      'SCHEMA_BEHIND',
      `${context.target} has no such table or column (SQLSTATE ${sqlState})`,
      'Apply the migrations: npx tsx db/migrate.ts',
      details,
      cause,
    );
  }
  if (isRetriable(error)) {
    return new TransactionError(
      'TRANSACTION_CONFLICT',
      `the statement met another transaction's (SQLSTATE ${sqlState}) and was rolled back`,
      'Call again, or do it inside transaction(), which repeats itself.',
      cause,
      details,
    );
  }
  const [code, message, hint] = classify(sqlState);
  return new StatementError(code, `${message}${at} (SQLSTATE ${sqlState})`, hint, details, cause);
}

function classify(sqlState: string): [StatementCode, string, string] {
  if (sqlState.startsWith('23')) {
    return [
      'CONSTRAINT_VIOLATED',
      'a row would break a constraint',
      'Look at `details.constraint` and `details.table`, and correct the values.',
    ];
  }
  if (sqlState.startsWith('22')) {
    return ['INVALID_VALUE', 'a value does not fit its type', 'Check the values against the column types.'];
  }
  if (sqlState === '42501') {
    return ['PERMISSION_DENIED', 'the role may not do this', 'Grant the right, or connect as a role that has it.'];
  }
  if (sqlState === '53100') {
    return [
      'STATEMENT_FAILED',
      'the disk of the server is full',
      'Free space on the server, then call again: nothing was written. Reads go on.',
    ];
  }
  if (sqlState === '57014') {
    return ['STATEMENT_CANCELED', 'the statement was canceled', 'Raise the deadline, or make the statement cheaper.'];
  }
  return ['STATEMENT_FAILED', 'PostgreSQL refused a statement', 'Read `cause` and the statement in `details`.'];
}

/**
 * Whether PostgreSQL's text names objects and states, and no value: transaction states, resources, operators; syntax and
 * names where it points into the statement, for a value may be read as a query or a name, too (`to_tsquery($1)`,
 * `$1::regclass`). Never of RAISE, which has whatever SQLSTATE and text a function of the application's gives it.
 */
function isFreeOfValues({ routine, position }: DriverError, sqlState: string): boolean {
  if (routine === 'exec_stmt_raise') return false;
  if (sqlState.startsWith('42')) return position !== undefined || sqlState === '42501';
  return /^(08|25|28|3D|40|53|55|57|58)/.test(sqlState);
}

/** A cause that can be logged: the driver's text only where it can't hold a value, and where it happened. */
function withoutValues(error: DriverError | undefined, message: string): Error {
  const cause = new Error(message);
  cause.name = 'PostgresError';
  delete cause.stack;
  return Object.assign(cause, {
    sqlState: sqlStateOf(error),
    severity: error?.severity ?? error?.severity_local,
    routine: error?.routine,
    position: error?.position,
  });
}

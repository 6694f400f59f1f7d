// A database that is open: its engine, its connections, and the statements that run outside a transaction.

import { ConnectionError } from '../errors.ts';
import { Alarms } from './alarms.ts';
import { defaultMaxAttempts, waitAfterAttempt } from './conflict.ts';
import {
  type Connection,
  type Engine,
  encode,
  type GuestSocket,
  type Line,
  type StatementResult,
  type WireValue,
} from './connection.ts';
import { type Deadlines, defaultDeadlines } from './deadlines.ts';
import { deadlineExceeded, type FailureContext, isRetriable, translateFailure } from './failure.ts';
import { Pool, type PoolFigures } from './pool.ts';
import { type Replicas, type RowOwner, WrittenRows } from './replicas.ts';
import { runOutside, scopedDeadline, scopedReader } from './scope.ts';
import { StatementWatch } from './statement-watch.ts';

/** What a `logger` is told of each statement: never a parameter's value. */
export interface StatementEvent {
  statement: string;
  /** Where it ran: `host:port/database` of the server or a replica, or where the embedded database is. */
  target: string;
  durationMs: number;
  /** Rows returned or written; absent when it failed. */
  rows?: number;
  /** The error's code when it failed. */
  errorCode?: string;
}

export type StatementLogger = (event: StatementEvent) => void;

export interface OpenDatabaseOptions {
  logger?: StatementLogger;
  deadlines?: Partial<Deadlines>;
  /** How many callers may wait for a connection; 1,000 unless given. */
  maxWaiting?: number;
}

export class OpenDatabase {
  /** Databases that may answer reads in the place of this one. */
  replicas: Replicas | undefined;
  /** What other processes come in through: the embedded database has it. */
  guestSocket: GuestSocket | undefined;
  /** Whether the server itself answers, and no pooler: several statements may be under way in one connection. */
  isDirect = false;
  /** Called when it is closed. */
  onClosed: (() => void) | undefined;
  private readonly pool: Pool;
  private readonly logger: StatementLogger | undefined;
  private readonly statementTimeoutMs: number;
  private readonly alarms: Alarms;

  constructor(
    readonly engine: Engine,
    { logger, deadlines, maxWaiting = 1000 }: OpenDatabaseOptions = {},
  ) {
    const { poolWaitMs, statementTimeoutMs } = { ...defaultDeadlines, ...deadlines };
    this.pool = new Pool(engine, { maxWaiting, waitMs: poolWaitMs });
    this.logger = logger;
    this.statementTimeoutMs = statementTimeoutMs || Number.POSITIVE_INFINITY;
    this.alarms = new Alarms(this.statementTimeoutMs);
  }

  /** Runs `work` with one connection to itself. */
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.pool.use(work, this.remainingMs);
  }

  /** The same in two halves: a connection to itself, which is to be given back whatever happens. */
  borrow(): Connection | Promise<Connection> {
    return this.pool.borrow(this.remainingMs);
  }

  giveBack(connection: Connection): void {
    this.pool.giveBack(connection);
  }

  /**
   * Runs one statement by itself: a read that a replica may answer there, anything else here.
   * @param owner whose rows it writes
   */
  run(statement: string, params: readonly unknown[], prepare: boolean, owner?: RowOwner): Promise<StatementResult> {
    const { replicas } = this;
    return replicas
      ? this.runBeside(replicas, statement, params, prepare, owner)
      : this.runHere(statement, params, prepare);
  }

  private async runBeside(
    replicas: Replicas,
    statement: string,
    params: readonly unknown[],
    prepare: boolean,
    owner: RowOwner | undefined,
  ): Promise<StatementResult> {
    if (!isRead(statement)) return this.write(replicas, () => this.runHere(statement, params, prepare), owner);
    const reader = scopedReader();
    const answer = reader === undefined ? undefined : await replicas.tryRead(reader, statement, params, prepare);
    return answer ?? this.runHere(statement, params, prepare);
  }

  private async write(
    replicas: Replicas,
    run: () => Promise<StatementResult>,
    owner: RowOwner | undefined,
  ): Promise<StatementResult> {
    try {
      const result = await run();
      replicas.wrote(new WrittenRows().add(owner, result));
      return result;
    } catch (error) {
      if (isOutcomeUnknown(error)) replicas.wrote(new WrittenRows().add(owner));
      throw error;
    }
  }

  /** Runs one statement in whatever connection of this database is free; again when it met another transaction. */
  async runHere(statement: string, params: readonly unknown[], prepare: boolean): Promise<StatementResult> {
    const outcome = isRead(statement) ? 'read' : 'write';
    for (let attempt = 1; ; attempt += 1) {
      const borrowed = this.pool.borrow(this.remainingMs);
      const connection = borrowed instanceof Promise ? await borrowed : borrowed;
      try {
        return await this.runIn(connection, statement, params, prepare, outcome);
      } catch (error) {
        if (attempt === defaultMaxAttempts || !isRetriable(error)) throw error;
      } finally {
        this.pool.giveBack(connection);
      }
      await waitAfterAttempt(attempt);
    }
  }

  /** Asks a question of our own, before all who wait for a connection. */
  ask(question: string): Promise<StatementResult> {
    const run = (connection: Connection): Promise<StatementResult> =>
      this.runIn(connection, question, [], true, 'read');
    return this.pool.use(run, this.remainingMs, true);
  }

  /** Runs one statement in a connection that the caller holds; failures are errors of ours. */
  runIn(
    connection: Connection,
    statement: string,
    params: readonly unknown[],
    prepare: boolean,
    outcome: FailureContext['outcome'],
  ): Promise<StatementResult> {
    return this.watched(connection, statement, outcome, () => {
      const wire = params.length === 0 ? noParams : params.map(encode);
      return connection.run(statement, wire, prepare);
    });
  }

  /** Runs one COPY into a table, inside a transaction. */
  copyIn(connection: Connection, statement: string, chunks: readonly Buffer[]): Promise<StatementResult> {
    return this.watched(connection, statement, 'in-transaction', () => connection.copyIn(statement, chunks));
  }

  /**
   * Begins a transaction; behind a pooler with the deadlines that a session there can't keep.
   * @param rest what is set in it at once
   */
  async begin(connection: Connection, statement: string, rest = ''): Promise<void> {
    const behindBegin = `${this.engine.behindBegin ?? ''}${rest && `; ${rest}`}`;
    if (!behindBegin) {
      await this.runIn(connection, statement, [], false, 'read');
      return;
    }
    try {
      await this.scriptIn(connection, statement + behindBegin, 'read');
    } catch (error) {
      await connection.discard(); // it may have failed behind `begin`, inside a transaction
      throw error;
    }
  }

  /** Runs statements without parameters, separated by semicolons, in a connection that the caller holds. */
  scriptIn(connection: Connection, script: string, outcome: FailureContext['outcome']): Promise<StatementResult> {
    return this.watched(connection, script, outcome, async () => {
      await connection.script(script);
      return { rows: [], columns: [], count: 0 };
    });
  }

  /** Sends one statement, ends it when its time is over, tells the logger, and makes failures errors of ours. */
  private async watched(
    connection: Connection,
    statement: string,
    outcome: FailureContext['outcome'],
    send: () => Promise<StatementResult>,
  ): Promise<StatementResult> {
    const deadline = scopedDeadline();
    const timeoutMs = Math.min(this.statementTimeoutMs, this.remainingMs(deadline));
    const { target } = this.engine;
    const startMs = this.logger ? performance.now() : 0;
    const watch = connection.cancel && new StatementWatch(connection, timeoutMs, deadline?.signal, this.alarms);
    try {
      const result = await send();
      this.logger?.({ statement, target, durationMs: performance.now() - startMs, rows: result.count });
      return result;
    } catch (error) {
      const context: FailureContext = { target, statement, outcome };
      if (watch?.expiry) context.expired = { expiry: watch.expiry, timeoutMs };
      const failure = translateFailure(error, context);
      this.logger?.({ statement, target, durationMs: performance.now() - startMs, errorCode: failure.code });
      throw failure;
    } finally {
      const canceling = watch?.stop();
      if (canceling) await canceling;
    }
  }

  /** What the caller's deadline leaves. @throws ConnectionError DEADLINE_EXCEEDED when that is nothing */
  private readonly remainingMs = (deadline = scopedDeadline()): number => {
    if (!deadline) return Number.POSITIVE_INFINITY;
    const remaining = deadline.atMs - performance.now();
    if (remaining > 0 && !deadline.signal?.aborted) return remaining;
    throw deadlineExceeded(this.engine.target, deadline.signal?.aborted ? 'signal' : 'deadline', 'nothing was sent');
  };

  /**
   * Lets other processes in, in the line of this one's callers, where the engine has a way for that.
   * @param idleMs how long one may hold the connection without a word
   * @throws why they can't come in
   */
  async letGuestsIn(idleMs: number): Promise<void> {
    const line: Line = (work) => runOutside(() => this.withConnection(work));
    this.guestSocket = await this.engine.letGuestsIn?.(line, idleMs);
  }

  figures(): PoolFigures {
    return this.pool.figures();
  }

  /** @param isEnding the process ends behind it */
  async close(isEnding = false): Promise<void> {
    await this.replicas?.close();
    await Promise.all([this.guestSocket?.close(), this.pool.close(isEnding)]);
    this.onClosed?.();
  }
}

const noParams: readonly WireValue[] = [];

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === 'OUTCOME_UNKNOWN';
}

/** A plain select can be sent again; what begins with anything else, also `with`, may have written. */
export function isRead(statement: string): boolean {
  return /^\s*select\b/i.test(statement);
}

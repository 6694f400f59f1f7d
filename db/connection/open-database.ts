// A database that is open: its engine, its connections, and the statements that run outside a transaction.

import { defaultMaxAttempts, waitAfterAttempt } from './conflict.ts';
import { type Connection, type Engine, encode, type StatementResult, type WireValue } from './connection.ts';
import { type FailureContext, isRetriable, translateFailure } from './failure.ts';
import { Pool } from './pool.ts';

/** What a `logger` is told of each statement: never a parameter's value. */
export interface StatementEvent {
  statement: string;
  durationMs: number;
  /** Rows returned or written; absent when it failed. */
  rows?: number;
  /** The error's code when it failed. */
  errorCode?: string;
}

export type StatementLogger = (event: StatementEvent) => void;

export class OpenDatabase {
  private readonly pool: Pool;

  constructor(
    readonly engine: Engine,
    private readonly logger?: StatementLogger,
  ) {
    this.pool = new Pool(engine);
  }

  /** Runs `work` with one connection to itself. */
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.pool.use(work);
  }

  /** Runs one statement by itself, in whatever connection is free; again when it met another transaction. */
  async run(statement: string, params: readonly unknown[], prepare: boolean): Promise<StatementResult> {
    const outcome = isRead(statement) ? 'read' : 'write';
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.pool.use((connection) => this.runIn(connection, statement, params, prepare, outcome));
      } catch (error) {
        if (attempt === defaultMaxAttempts || !isRetriable(error)) throw error;
      }
      await waitAfterAttempt(attempt);
    }
  }

  /** Runs one statement in a connection that the caller holds; failures are errors of ours. */
  async runIn(
    connection: Connection,
    statement: string,
    params: readonly unknown[],
    prepare: boolean,
    outcome: FailureContext['outcome'],
  ): Promise<StatementResult> {
    const startMs = this.logger ? performance.now() : 0;
    try {
      const wire = params.length === 0 ? noParams : params.map(encode);
      const result = await connection.run(statement, wire, prepare);
      this.logger?.({ statement, durationMs: performance.now() - startMs, rows: result.count });
      return result;
    } catch (error) {
      const failure = translateFailure(error, { target: this.engine.target, statement, outcome });
      this.logger?.({ statement, durationMs: performance.now() - startMs, errorCode: failure.code });
      throw failure;
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

const noParams: readonly WireValue[] = [];

/** A plain select can be sent again; what begins with anything else, also `with`, may have written. */
function isRead(statement: string): boolean {
  return /^\s*select\b/i.test(statement);
}

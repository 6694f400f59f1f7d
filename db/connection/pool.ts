// A fixed number of connections, handed to one caller at a time in the order of asking. The line of those who wait
// has a bound in length and in time. Never hands a connection to two callers: the next statement of a transaction
// must find its own session.

import { ConnectionError } from '../errors.ts';
import type { Connection, Engine } from './connection.ts';

export interface PoolLimits {
  /** How many callers may wait; beyond that a caller is refused at once. */
  maxWaiting: number;
  /** How long one may wait. */
  waitMs: number;
}

/** What a health page shows of a pool. */
export interface PoolFigures {
  /** Most connections there may be. */
  size: number;
  /** Connections there are, busy or idle. */
  open: number;
  busy: number;
  /** Callers in line. */
  waiting: number;
  /** How long the first in line has waited; 0 for an empty line. */
  oldestWaitMs: number;
  /** Callers that were refused, or gave up waiting, since the start. */
  refused: number;
}

interface Waiter {
  sinceMs: number;
  /** Undefined once it was served or gave up. */
  resolve: ((connection: Connection) => void) | undefined;
  reject(error: unknown): void;
}

export class Pool {
  private readonly idle: Connection[] = [];
  private readonly all: Connection[] = [];
  private readonly line = new WaitingLine<Waiter>();
  private waiting = 0;
  private refused = 0;
  private closed: Promise<void> | undefined;
  private isEnding = false;

  constructor(
    private readonly engine: Engine,
    private readonly limits: PoolLimits = { maxWaiting: 1000, waitMs: 10_000 },
  ) {}

  /**
   * Waits for a free connection, runs `work` with it alone, and gives it back.
   * @param waitMs says how long this caller can wait, where that is less than the pool's own limit; asked if it has to
   * @param isFirst goes before all who wait: for a question of our own that others wait for
   * @throws ConnectionError POOL_EXHAUSTED, DATABASE_CLOSED
   */
  async use<T>(
    work: (connection: Connection) => Promise<T>,
    waitMs: () => number = () => Number.POSITIVE_INFINITY,
    isFirst = false,
  ): Promise<T> {
    const borrowed = this.borrow(waitMs, isFirst);
    const connection = borrowed instanceof Promise ? await borrowed : borrowed;
    try {
      return await work(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** The same in two halves, for who can't afford the function between: a connection, to be given back whatever happens. */
  borrow(waitMs: () => number = () => Number.POSITIVE_INFINITY, isFirst = false): Connection | Promise<Connection> {
    if (this.isEnding) return new Promise(() => {});
    return this.take() ?? this.wait(Math.min(waitMs(), this.limits.waitMs), isFirst);
  }

  figures(): PoolFigures {
    const first = this.nextWaiter(false);
    return {
      size: this.engine.size,
      open: this.all.length,
      busy: this.all.length - this.idle.length,
      waiting: this.waiting,
      oldestWaitMs: first ? Math.round(performance.now() - first.sinceMs) : 0,
      refused: this.refused,
    };
  }

  /**
   * Waits for the work under way, then closes every connection. What still waits or comes later is refused.
   * @param isEnding the process ends behind it: callers are kept waiting instead, because one that does not expect the
   * error would end the process sooner, with the database open
   */
  close(isEnding = false): Promise<void> {
    this.isEnding ||= isEnding;
    this.closed ??= this.shutDown();
    return this.closed;
  }

  private take(): Connection | undefined {
    if (this.closed) throw databaseClosed();
    const connection = this.idle.pop();
    if (connection || this.all.length === this.engine.size) return connection;
    const opened = this.engine.connect();
    this.all.push(opened);
    return opened;
  }

  private wait(waitMs: number, isFirst: boolean): Promise<Connection> {
    if (this.waiting >= this.limits.maxWaiting && !isFirst) {
      this.refused += 1;
      throw this.exhausted(`${this.waiting} callers wait already`);
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { sinceMs: performance.now(), resolve: undefined, reject };
      const timer = setTimeout(() => {
        waiter.resolve = undefined;
        this.waiting -= 1;
        this.refused += 1;
        reject(this.exhausted(`none was free within ${Math.round(waitMs)} ms`));
      }, waitMs);
      waiter.resolve = (connection): void => {
        clearTimeout(timer);
        resolve(connection);
      };
      waiter.reject = (error): void => {
        clearTimeout(timer);
        reject(error);
      };
      if (isFirst) this.line.unshift(waiter);
      else this.line.push(waiter);
      this.waiting += 1;
    });
  }

  giveBack(connection: Connection): void {
    const next = this.nextWaiter(true);
    if (!next) {
      this.idle.push(connection);
      return;
    }
    this.waiting -= 1;
    next.resolve?.(connection);
  }

  /** The first in line that has not given up. */
  private nextWaiter(remove: boolean): Waiter | undefined {
    for (;;) {
      const first = this.line.first();
      if (first === undefined) return undefined;
      const isWaiting = first.resolve !== undefined;
      if (remove || !isWaiting) this.line.shift();
      if (isWaiting) return first;
    }
  }

  private exhausted(reason: string): ConnectionError {
    return new ConnectionError(
      'POOL_EXHAUSTED',
      `no free connection to ${this.engine.target}: ${reason}`,
      'Call again later. If it lasts, look for slow statements, or raise poolSize within what the server allows.',
      { ...this.figures() },
    );
  }

  private async shutDown(): Promise<void> {
    for (let waiter = this.nextWaiter(true); waiter; waiter = this.nextWaiter(true)) {
      this.waiting -= 1;
      if (!this.isEnding) waiter.reject(databaseClosed());
    }
    while (this.idle.length < this.all.length) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(this.all.map((connection) => connection.close()));
    await this.engine.close();
  }
}

function databaseClosed(): ConnectionError {
  return new ConnectionError(
    'DATABASE_CLOSED',
    'the database was closed while this call waited, or before it',
    'Call closeDatabase() after the last query; the next query opens the database again.',
  );
}

/** First in, first out, with both ends in constant time however long the line gets. */
class WaitingLine<T> {
  private entries: T[] = [];
  private head = 0;

  push(entry: T): void {
    this.entries.push(entry);
  }

  unshift(entry: T): void {
    if (this.head > 0) {
      this.head -= 1;
      this.entries[this.head] = entry;
    } else {
      this.entries.unshift(entry);
    }
  }

  first(): T | undefined {
    return this.entries[this.head];
  }

  shift(): void {
    this.head += 1;
    if (this.head >= this.entries.length) {
      this.entries.length = 0;
      this.head = 0;
    } else if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}

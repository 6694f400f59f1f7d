// A fixed number of connections, handed to one caller at a time in the order of asking.
// Never hands a connection to two callers: the next statement of a transaction must find its own session.

import { ConnectionError } from '../errors.ts';
import type { Connection, Engine } from './connection.ts';

interface Waiter {
  resolve(connection: Connection): void;
  reject(error: unknown): void;
}

export class Pool {
  private readonly idle: Connection[] = [];
  private readonly all: Connection[] = [];
  private readonly waiting = new WaitingLine<Waiter>();
  private closed: Promise<void> | undefined;

  constructor(private readonly engine: Engine) {}

  /** Waits for a free connection, runs `work` with it alone, and gives it back. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = this.take() ?? (await this.wait());
    try {
      return await work(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** Waits for the work under way, then closes every connection. What still waits or comes later is refused. */
  close(): Promise<void> {
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

  private wait(): Promise<Connection> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private giveBack(connection: Connection): void {
    const next = this.waiting.shift();
    if (next) next.resolve(connection);
    else this.idle.push(connection);
  }

  private async shutDown(): Promise<void> {
    for (let waiter = this.waiting.shift(); waiter; waiter = this.waiting.shift()) waiter.reject(databaseClosed());
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

  shift(): T | undefined {
    const entry = this.entries[this.head];
    if (entry === undefined) return undefined;
    this.head += 1;
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    } else if (this.head === this.entries.length) {
      this.entries.length = 0;
      this.head = 0;
    }
    return entry;
  }
}

// One client of the embedded database's socket. It stands in the line of the owner's callers, and once it has the
// session keeps it to the end of its transaction; what it prepared is prepared again when it comes back.
// Never leaves a transaction behind: one that is silent for too long, or gone, is rolled back.

import type { Socket } from 'node:net';
import type { Line } from '../connection/connection.ts';
import { refusalOf } from './deadly-statements.ts';
import type { EmbeddedSession } from './session.ts';
import {
  errorMessage,
  messagesOf,
  parameterStatus,
  parseMessage,
  queryMessage,
  readStartup,
  readyForQuery,
  textsOf,
} from './wire.ts';

export interface GuestOptions {
  session: EmbeddedSession;
  line: Line;
  /** How long it may hold the session without a word; 0 for ever. */
  idleMs: number;
  /** Whether there is a place for it among the guests. */
  mayEnter(): boolean;
  /** Told that it has gone, or was sent away. */
  left(guest: Guest): void;
}

type Send = (bytes: Buffer) => void;

/** Messages by type: those of more than 10,000 bytes would end PostgreSQL, and so would unknown ones. */
const anyLength = new Set(['Q', 'P', 'B', 'F']);
const short = new Set(['D', 'E', 'C', 'H', 'S']);
const longestShort = 10_000;
const longest = 256 * 1024 * 1024;
/** What follows a COPY that was refused, and what says goodbye: no answer. */
const withoutAnswer = new Set(['d', 'c', 'f', 'X']);
/** Those behind which PostgreSQL is ready for the next; PGlite says so behind every failed one. */
const endsRound = new Set(['Q', 'S', 'F']);

/** Settings of a start-up message that PGlite can't keep, and those that are no settings. */
const noSettings = /^(user|database|replication|options|_pq_\..*|.*_timeout)$/i;

const tooMany = 'sorry, too many clients already';
const tooManyHint = 'The embedded database lets few in at once. End one of them, or use a PostgreSQL server.';

/** The part of pglite-socket's queue that its handler of a connection uses: here one for each connection. */
export class Guest {
  private readonly statements = new Map<string, Buffer>();
  /** Of those, what the session knows now. */
  private readonly known = new Set<string>();
  private readonly told = new Map<string, string>();
  private settings = new Map<string, string>();
  /** Set while it holds the session. */
  private letGo: (() => void) | undefined;
  /** PostgreSQL passes over everything up to the next Sync, because a message failed. */
  private isIgnoring = false;
  /** The same, done here: it was refused before it had the session. */
  private isSkipping = false;
  private mayHoldLocks = false;
  /** A statement was given up by its name in SQL: which ones are left has to be asked. */
  private isStale = false;
  hasGreeted = false;
  private hasEnded = false;
  private idleTimer: NodeJS.Timeout | undefined;
  private heardAtMs = 0;
  private silentSinceMs: number | undefined;
  private previous: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly socket: Socket,
    private readonly options: GuestOptions,
  ) {
    // A part of a long message is a word, too.
    socket.on('data', () => {
      this.heardAtMs = performance.now();
    });
  }

  /** A message of the client, whole; the handler sends what `onData` is given. */
  enqueue(_handlerId: number, message: Uint8Array, onData: (data: Uint8Array) => void): Promise<number> {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    let sent = 0;
    const send: Send = (data) => {
      sent += data.length;
      onData(data);
    };
    const handled = this.previous.then(async () => {
      await this.take(bytes, send);
      await this.untilWritten();
      return sent;
    });
    this.previous = handled.catch(() => {});
    return handled;
  }

  /** The handler's word for "the client has gone". */
  clearQueueForHandler(): void {
    this.hasEnded = true;
    this.endSilence();
    this.options.left(this);
  }

  /** Rolls back what a client that has gone left open. */
  async clearTransactionIfNeeded(): Promise<void> {
    this.clearQueueForHandler();
    this.previous = this.previous.then(() => this.leave());
    await this.previous;
  }

  getQueueLength(): number {
    return 0;
  }

  /** Says why, closes the connection, and rolls back what was open. */
  async dismiss(sqlState: string, text: string, hint = ''): Promise<void> {
    this.end(errorMessage('FATAL', sqlState, text, hint), (bytes) => this.socket.write(bytes));
    await this.clearTransactionIfNeeded();
  }

  private end(why: Buffer, send: Send): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    send(why);
    this.socket.end();
    setTimeout(() => this.socket.destroy(), 1000).unref();
  }

  private async take(message: Buffer, send: Send): Promise<void> {
    if (this.hasEnded) return;
    if (!this.hasGreeted) return this.greet(message, send);
    const type = String.fromCharCode(message[0] as number);
    if (withoutAnswer.has(type)) return;
    if (!isSafe(type, message.length)) {
      return this.end(errorMessage('FATAL', '08P01', `invalid message of type ${JSON.stringify(type)}`), send);
    }
    if (this.letGo === undefined && !(await this.mayGoOn(type, send))) return;
    this.endSilence();
    try {
      await this.pass(type, message, send);
    } catch (error) {
      this.letGo?.();
      this.letGo = undefined;
      const { code, message: text } = error as { code?: string; message: string };
      this.end(errorMessage('FATAL', '57P01', `the embedded database can’t go on (${code ?? text})`), send);
    }
  }

  private async greet(message: Buffer, send: Send): Promise<void> {
    const parameters = readStartup(message);
    const user = parameters?.get('user');
    const database = parameters?.get('database') ?? user;
    const hint = 'The embedded database has one user, postgres, and one database, postgres.';
    if (!parameters) return this.end(errorMessage('FATAL', '08P01', 'no start-up message of protocol 3.0'), send);
    if (user !== 'postgres') return this.end(errorMessage('FATAL', '28000', 'there is no such role', hint), send);
    if (database !== 'postgres')
      return this.end(errorMessage('FATAL', '3D000', 'there is no such database', hint), send);
    if (!this.options.mayEnter()) return this.end(errorMessage('FATAL', '53300', tooMany, tooManyHint), send);
    this.settings = new Map([...parameters].filter(([name]) => !noSettings.test(name)));
    const greeting = await this.options.session.greet();
    for (const { type, body } of messagesOf(greeting)) if (type === 'S') this.told.set(...textsOf(body));
    this.hasGreeted = true;
    send(greeting);
  }

  /** Before it has the session: whether it has it now, or what is said instead. */
  private async mayGoOn(type: string, send: Send): Promise<boolean> {
    if (type === 'S') {
      this.isSkipping = false;
      send(readyForQuery);
    }
    if (this.isSkipping || type === 'S' || type === 'H') return false;
    try {
      await this.standInLine();
    } catch (error) {
      const { message: text, hint } = error as { message: string; hint?: string };
      const isEnding = (error as { code?: string }).code !== 'POOL_EXHAUSTED';
      if (isEnding) this.end(errorMessage('FATAL', '57P01', text, hint), send);
      else send(errorMessage('ERROR', '53300', text, hint));
      this.isSkipping = !endsRound.has(type);
      if (!this.isSkipping && !isEnding) send(readyForQuery);
      return false;
    }
    return this.makeOwn(send);
  }

  private standInLine(): Promise<void> {
    return new Promise((resolve, reject) => {
      const work = (): Promise<void> =>
        new Promise((letGo) => {
          this.letGo = letGo;
          resolve();
        });
      this.options.line(work).catch(reject);
    });
  }

  /** Takes the session over from whoever had it. @returns false when there is nobody to have it, or it can't be had */
  private async makeOwn(send: Send): Promise<boolean> {
    const { session } = this.options;
    try {
      if (!this.hasEnded && (await session.enter(this, this.settings))) this.known.clear();
    } catch (error) {
      const { message: text, hint } = error as { message: string; hint?: string };
      this.end(errorMessage('FATAL', '42704', text, hint), send);
    }
    if (this.hasEnded) {
      this.letGo?.();
      this.letGo = undefined;
      return false;
    }
    for (const [name, value] of session.parameters) {
      if (this.told.get(name) !== value) send(parameterStatus(name, value));
      this.told.set(name, value);
    }
    return true;
  }

  /** Sends a message to PostgreSQL and the answer back, and lets the session go at the end of a transaction. */
  private async pass(type: string, message: Buffer, send: Send): Promise<void> {
    const { session } = this.options;
    const safe = this.withoutDeadly(type, message);
    await this.prepareAgain(type, message, send);
    const answer = await session.exchange(safe);
    const kept: Buffer[] = [];
    let from = 0;
    let isReady = false;
    for (const reply of messagesOf(answer)) {
      const isExtra = reply.type === 'Z' && !endsRound.has(type);
      if (isExtra) {
        const at = reply.bytes.byteOffset - answer.byteOffset;
        kept.push(answer.subarray(from, at));
        from = at + reply.bytes.length;
      } else {
        await this.note(type, safe, reply.type, reply.body);
        if (reply.type === 'Z') isReady = reply.body.toString() === 'I';
      }
    }
    kept.push(answer.subarray(from));
    send(kept.length === 1 ? answer : Buffer.concat(kept));
    if (type === 'S') this.isIgnoring = false;
    if (isReady && !(await this.holdsLocks())) this.release();
    else this.beSilentFor();
  }

  /** What an answer says of the session: its settings, what is prepared, and whether a message failed. */
  private async note(type: string, message: Buffer, reply: string, body: Buffer): Promise<void> {
    if (reply === 'S') this.told.set(...textsOf(body));
    if (reply === 'E' && !endsRound.has(type)) this.isIgnoring = true;
    if (reply === '1') {
      const [name] = textsOf(message, 5);
      this.statements.set(name, message);
      this.known.add(name);
    }
    if (reply === '3' && message[5] === statementKind) this.forget(textsOf(message, 6)[0]);
    if (reply !== 'C') return;
    if (type === 'Q') this.forget('');
    const tag = body.toString('latin1', 0, body.length - 1);
    if (tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL')
      for (const name of [...this.statements.keys()]) this.forget(name);
    else if (tag === 'DEALLOCATE') this.isStale = true;
  }

  private forget(name: string): void {
    this.statements.delete(name);
    this.known.delete(name);
  }

  /** Statements that this message uses, and that were prepared before somebody else had the session. */
  private async prepareAgain(type: string, message: Buffer, send: Send): Promise<void> {
    if (this.isIgnoring) return;
    for (const name of this.namesIn(type, message)) {
      const parse = this.known.has(name) ? undefined : this.statements.get(name);
      if (!parse) continue;
      for (const reply of messagesOf(await this.options.session.exchange(parse))) {
        if (reply.type === '1') this.known.add(name);
        if (reply.type !== 'E') continue;
        this.isIgnoring = true; // and so the message that uses it is passed over
        send(reply.bytes);
      }
    }
  }

  private namesIn(type: string, message: Buffer): Iterable<string> {
    if (type === 'B') return [textsOf(message, message.indexOf(0, 5) + 1)[0]];
    if (type === 'D' && message[5] === statementKind) return [textsOf(message, 6)[0]];
    const text = sqlOf(type, message);
    return text !== undefined && /\b(execute|deallocate)\b/i.test(text) ? [...this.statements.keys()] : [];
  }

  /** A statement that would end PostgreSQL becomes one that fails, with what to do instead. */
  private withoutDeadly(type: string, message: Buffer): Buffer {
    const text = sqlOf(type, message);
    if (text === undefined) return message;
    if (/advisory/i.test(text)) this.mayHoldLocks = true;
    const refusal = refusalOf(text);
    if (!refusal) return message;
    const failing = `do $mytx$ begin raise exception using errcode = '0A000', message = '${refusal.message}', hint = '${refusal.hint}'; end $mytx$`;
    return type === 'Q' ? queryMessage(failing) : parseMessage(textsOf(message, 5)[0], failing);
  }

  /**
   * Advisory locks of the session outlive its transactions, and a deploy relies on one: while the guest has any it
   * keeps the session. Those taken inside a function of the database, out of sight, end when it is handed on.
   */
  private async holdsLocks(): Promise<boolean> {
    const { session } = this.options;
    if (this.isStale) {
      this.isStale = false;
      const left = new Set(await session.column('select name from pg_prepared_statements where not from_sql'));
      for (const name of this.known) if (name !== '' && !left.has(name)) this.forget(name);
    }
    if (!this.mayHoldLocks) return false;
    const [count] = await session.column(`select count(*) from pg_locks where locktype = 'advisory'`);
    this.mayHoldLocks = count !== '0';
    return this.mayHoldLocks;
  }

  private release(): void {
    const { letGo } = this;
    this.letGo = undefined;
    letGo?.();
  }

  /** Waits for the client's next word, though not for ever. */
  private beSilentFor(): void {
    const { idleMs } = this.options;
    if (idleMs <= 0 || this.hasEnded) return;
    const text = 'terminating connection due to idle-in-transaction timeout';
    const hint = 'End a transaction, or give up an advisory lock, before waiting for something else.';
    // Where this process stood still, what the client said meanwhile is read before the immediate.
    const look = (): void => {
      if (this.silentSinceMs !== sinceMs) return;
      const silentMs = performance.now() - Math.max(sinceMs, this.heardAtMs);
      if (silentMs >= idleMs) void this.dismiss('25P03', text, hint);
      else this.idleTimer = setTimeout(() => setImmediate(look), idleMs - silentMs).unref();
    };
    const sinceMs = performance.now();
    this.silentSinceMs = sinceMs;
    look();
  }

  private endSilence(): void {
    clearTimeout(this.idleTimer);
    this.silentSinceMs = undefined;
  }

  private async leave(): Promise<void> {
    if (this.letGo === undefined) return;
    try {
      await this.options.session.rollBack(this.isIgnoring);
    } catch {
      // PostgreSQL has ended, or is another process's: there is nothing to roll back.
    } finally {
      this.release();
    }
  }

  /** A client that reads slowly gets its next answer when it has the last one; it does not hold the session for that. */
  private async untilWritten(): Promise<void> {
    if (!this.socket.writableNeedDrain || this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.socket.off('drain', goOn).off('close', goOn);
        resolve();
      };
      this.socket.on('drain', goOn).on('close', goOn);
    });
  }
}

const statementKind = 'S'.charCodeAt(0);

function isSafe(type: string, length: number): boolean {
  return short.has(type) ? length <= longestShort : anyLength.has(type) && length <= longest;
}

/** The SQL of a query or parse message. */
function sqlOf(type: string, message: Buffer): string | undefined {
  if (type === 'Q') return textsOf(message, 5)[0];
  return type === 'P' ? textsOf(message, 5)[1] : undefined;
}

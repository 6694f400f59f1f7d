// Connections to a PostgreSQL server: the one file of db/ that imports the driver `postgres`.
// Each connection is a client of its own with one socket, so that we, not the driver, decide which session a
// statement runs in: the driver would send a transaction's next statement over a new socket after a reconnect.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { ConnectionError } from '../errors.ts';
import { type Connection, decodersFor, type Engine, type StatementResult, type WireValue } from './connection.ts';
import { type Deadlines, localSettings, serverSettings } from './deadlines.ts';
import { type Dialed, Dialer } from './dialer.ts';
import { isConnectionFailure } from './failure.ts';
import type { ServerAddress } from './url.ts';

const defaultPoolSize = 10;

/** An engine of `size` connections (10 unless given) to the server at `address`. Opens none yet. */
export function serverEngine(address: ServerAddress, deadlines: Deadlines, size: number = defaultPoolSize): Engine {
  const dialer = new Dialer(address.dial, address.target, deadlines.connectTimeoutMs);
  return {
    kind: 'server',
    target: address.target,
    size,
    isPooled: address.isPooled,
    behindBegin: address.isPooled ? localSettings(deadlines) : '',
    connect: (): Connection => new ServerConnection(address, deadlines, dialer),
    close: async (): Promise<void> => {},
  };
}

const asItIs = (value: unknown): unknown => value;

/** What the driver knows of a statement that is running, though its types do not say so. */
interface RunningQuery {
  state?: { pid: number | null; secret: number | null } | null;
}

/**
 * The driver asks first which types the parameters of an unnamed statement have, and waits for the answer: twice the
 * time. Ours are texts whatever the type, so all of it goes in one message.
 */
function sendAtOnce<T extends object>(query: T): T {
  return Object.defineProperty(query, 'describeFirst', { get: () => false, set: () => {} });
}

/** What the driver does with a COPY: it gives a stream for the rows first, and says what came of them when all are in. */
interface CopyQuery extends RunningQuery {
  resolve(given: Writable | CopyResult): void;
  reject(error: unknown): void;
  execute(): void;
}

interface CopyResult {
  count: number | null;
}

/**
 * The driver's own way would wait for ever where the last rows are refused: it lets go of its stream before the server has
 * said what it makes of them (3.4.9). Both answers are taken here instead.
 */
function sendRows(query: CopyQuery, chunks: readonly Buffer[]): Promise<CopyResult> {
  return new Promise((resolve, reject) => {
    let stream: Writable | undefined;
    query.resolve = (given): void => {
      if (given instanceof Writable) {
        stream = given;
        pipeline(chunks, stream).catch(() => {}); // what ends the stream early is told by `reject`, too
      } else {
        resolve(given);
      }
    };
    query.reject = (error): void => {
      stream?.destroy();
      reject(error);
    };
    query.execute();
  });
}

/**
 * When a statement fails behind its first rows, the driver (3.4.9) goes on counting from there: so many places are empty
 * at the beginning of the next result.
 */
function withoutHoles(rows: unknown[][]): unknown[][] {
  return rows.length === 0 || 0 in rows ? rows : rows.filter(() => true);
}

/** The driver hangs statement and parameters onto what its socket failed with: onto an error of the dialer's, too. */
function withoutParameters(error: unknown): unknown {
  if (!(error instanceof ConnectionError)) return error;
  return new ConnectionError(error.code, error.message, error.hint, error.details, error.cause);
}

function resultOf(rows: postgres.ValuesRowList<postgres.Row[]>, sinceMs: number): StatementResult {
  return {
    rows: withoutHoles(rows as unknown as unknown[][]),
    columns: rows.columns ?? [],
    count: rows.count ?? 0,
    sessionSinceMs: sinceMs,
  };
}

/** A pooler takes only what it can restore in each server that it hands out. */
function startupSettings({ isPooled }: ServerAddress, deadlines: Deadlines): Record<string, string | number> {
  const common = { application_name: 'mytx-ai', TimeZone: 'UTC' };
  // Word for word as the server reports it, or PgBouncer would set it anew before each transaction.
  if (isPooled) return { ...common, DateStyle: 'ISO, MDY' };
  return { ...common, DateStyle: 'ISO', ...serverSettings(deadlines) };
}

class ServerConnection implements Connection {
  generation = 0;
  announcedProcess: number | undefined;
  private client: postgres.Sql;
  private hasClosed = false;
  /** The client's socket, once there is one; until then it is being dialed. */
  private dialed: Dialed | undefined;
  private dialing = new AbortController();
  private startingSession: NodeJS.Timeout | undefined;
  private running: RunningQuery | undefined;
  /** When this session gave its first answer. */
  private sinceMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly address: ServerAddress,
    private readonly deadlines: Deadlines,
    private readonly dialer: Dialer,
  ) {
    this.client = this.open();
  }

  private open(): postgres.Sql {
    const { options } = this.address;
    const client = postgres({
      ...options,
      max: 1,
      // Both would end the socket between two statements of a transaction, which the driver can't see here.
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 0, // the driver's would begin when there is a socket; limitStart counts from the beginning
      onparameter: () => clearTimeout(this.startingSession),
      fetch_types: false,
      socket: this.dialOnce(this.dialing.signal),
      onnotice: () => {},
      onclose: () => {
        if (client === this.client) this.markClosed();
      },
      connection: { ...startupSettings(this.address, this.deadlines), ...options.connection },
    } as postgres.Options<Record<string, never>>);
    const { parsers, serializers } = client.options;
    Object.assign(parsers, decodersFor(Object.keys(parsers)));
    for (const type of Object.keys(serializers)) serializers[Number(type)] = asItIs;
    return client as unknown as postgres.Sql;
  }

  /**
   * The driver opens one socket for each client, and not again and again where the server closes it. It would begin a
   * session for a client that was dropped meanwhile, which nobody would ever end: that one gets no socket.
   */
  private dialOnce(signal: AbortSignal): () => Promise<Socket> {
    let hasDialed = false;
    return async (): Promise<Socket> => {
      if (hasDialed) throw this.dialer.unreachable('closed, or silent, while it was opened');
      hasDialed = true;
      const dialed = await this.dialer.dial(signal);
      if (signal.aborted) {
        dialed.socket.destroy();
        dialed.released();
        throw this.dialer.unreachable('not wanted any more');
      }
      this.dialed = dialed;
      this.limitStart(dialed);
      return dialed.socket;
    };
  }

  /** A server that takes a connection and says nothing is given up, as one that closes it: `dialOnce` says so. */
  private limitStart({ socket, deadlineMs }: Dialed): void {
    clearTimeout(this.startingSession);
    const timer = setTimeout(() => socket.destroy(), deadlineMs - performance.now());
    socket.once('close', () => clearTimeout(timer));
    this.startingSession = timer;
  }

  private markClosed(): void {
    if (this.hasClosed) return;
    this.hasClosed = true;
    this.generation += 1;
    this.dialed?.failed();
  }

  /** A client whose socket closed is replaced: it would fail its next statement with the error of the last session. */
  private current(): postgres.Sql {
    if (this.hasClosed) {
      void this.client.end({ timeout: 0 });
      this.renew();
    }
    return this.client;
  }

  private renew(): void {
    this.hasClosed = false;
    this.sinceMs = Number.POSITIVE_INFINITY;
    this.dialed?.failed();
    this.dialed = undefined;
    this.dialing.abort();
    this.dialing = new AbortController();
    this.client = this.open();
  }

  run(text: string, params: readonly WireValue[], prepare: boolean): Promise<StatementResult> {
    // `simple: false` (missing in the driver's types) keeps statements without parameters to the extended protocol.
    const isNamed = prepare && !this.address.isPooled;
    const options = { prepare: isNamed, simple: false };
    const query = this.current()
      .unsafe(text, params as WireValue[], options)
      .values();
    if (!isNamed) sendAtOnce(query);
    return this.settle(query as unknown as RunningQuery & typeof query, resultOf);
  }

  async script(text: string): Promise<void> {
    const query = this.current().unsafe(text).simple();
    await this.settle(query as unknown as RunningQuery & typeof query, () => undefined);
  }

  copyIn(statement: string, chunks: readonly Buffer[]): Promise<StatementResult> {
    const query = this.current().unsafe(`${statement} from stdin`).simple() as unknown as CopyQuery;
    const answered = sendRows(query, chunks);
    const running = Object.defineProperty(answered, 'state', { get: () => query.state });
    return this.settle(running, ({ count }, sinceMs) => ({
      rows: [],
      columns: [],
      count: count ?? 0,
      sessionSinceMs: sinceMs,
    }));
  }

  /** Waits for a statement, and keeps in mind whether the server could be talked to. */
  private async settle<T, Result>(
    query: RunningQuery & PromiseLike<T>,
    read: (answer: T, sinceMs: number) => Result,
  ): Promise<Result> {
    const { client } = this;
    this.running = query;
    try {
      // Not the driver's promise itself, which is of a class of its own: awaiting that takes two promises more.
      const answer = await query.then();
      this.dialed?.answered();
      if (client === this.client && this.sinceMs === Number.POSITIVE_INFINITY) this.sinceMs = performance.now();
      return read(answer, this.sinceMs);
    } catch (error) {
      // A client that was dropped on purpose fails its statement later: that says nothing of the one behind it.
      if (client === this.client) {
        if (isConnectionFailure(error)) this.markClosed();
        else this.dialed?.answered();
      }
      throw withoutParameters(error);
    } finally {
      this.announcedProcess = query.state?.pid ?? undefined;
      if (this.running === query) this.running = undefined; // else the next one is under way already
    }
  }

  /** PostgreSQL's CancelRequest: 16 bytes over a connection of its own, which the server closes when it has seen it. */
  async cancel(signal: AbortSignal): Promise<void> {
    const { pid, secret } = this.running?.state ?? {};
    if (!pid || !secret) return;
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80_877_102, 4);
    // Unsigned, as the driver read them: of two secrets one is over 2^31, and a pooler's process ids are random, too.
    request.writeUInt32BE(pid, 8);
    request.writeUInt32BE(secret, 12);
    const socket = await this.dialer.dialForCancel(signal);
    if (!socket) return;
    socket.on('error', () => {}); // the statement's own deadline decides
    const giveUp = (): void => void socket.destroy();
    signal.addEventListener('abort', giveUp);
    // Left open until the other side closes it: PgBouncer 1.18 drops a request whose sender has hung up.
    socket.setTimeout(this.deadlines.connectTimeoutMs, giveUp);
    if (signal.aborted) giveUp();
    else socket.write(request);
    await once(socket.resume(), 'close');
    signal.removeEventListener('abort', giveUp);
  }

  async discard(): Promise<void> {
    const { client: dropped, dialed } = this;
    this.generation += 1;
    this.renew();
    await dropped.end({ timeout: 0 });
    dialed?.socket.destroy(); // the driver only says goodbye, which nobody may hear
  }

  async close(): Promise<void> {
    await this.client.end({ timeout: this.hasClosed ? 0 : 5 });
    this.dialed?.released();
  }
}

// A TCP proxy on loopback between a client and a PostgreSQL server, that breaks connections when a test asks it to.
// It reads the wire protocol far enough to know which reply belongs to which statement; it cannot see into TLS.
// It never changes a byte that it passes on, and never delays, swallows or cuts one unless a fault says so.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FaultProxy {
  readonly port: number;
  /** Clients connected now. */
  readonly connectionCount: number;
  /**
   * The next statement that holds this text (in its SQL or in a text parameter, case counts) is done by the server,
   * but the client's connection breaks before it hears a word of the reply. `times` is 1 where none is given.
   * Check `cut.count` at the end: a fault that never struck proves nothing.
   */
  cutOnReplyTo(text: string, options?: { times?: number }): Cut;
  /** Breaks every connection there is now. */
  dropAll(): void;
  /** Breaks every connection there is now with a TCP reset. */
  resetAll(): void;
  /** While true, nobody listens on the port (ECONNREFUSED), as with a server that is down. */
  refuseNew(refuse: boolean): Promise<void>;
  /** What the network does to connections, those there are and new ones, from now on; undefined: nothing. */
  setNetwork(network: Network | undefined): void;
  /** When each connection of a client was accepted, by `performance.now()`: cancel requests too. */
  readonly acceptedAtMs: readonly number[];
  stop(): Promise<void>;
}

export type Direction = 'to-server' | 'to-client';

/** A broken network. What it did to a connection stays done when the network is good again. */
export type Network =
  /** Bytes disappear and sockets stay open; a connection that lost bytes says nothing ever again. */
  | { kind: 'black-hole'; directions: readonly Direction[] }
  /** Bytes arrive late, in order. */
  | { kind: 'delay'; delayMs: number; jitterMs: number }
  /** A connection is reset when so many bytes have passed in that direction from now on, the last ones torn off. */
  | { kind: 'cut'; direction: Direction; afterBytes: number }
  /** New connections are accepted and closed at once; those there are go on. */
  | { kind: 'close-at-start' };

export interface Cut {
  /** How often it has struck. */
  readonly count: number;
  /** It strikes no more. */
  disarm(): void;
}

interface ArmedCut extends Cut {
  text: string;
  timesLeft: number;
  count: number;
}

/**
 *     const proxy = await startProxy({ target: { host: '127.0.0.1', port: server.port } });
 *     const cut = proxy.cutOnReplyTo('commit');
 */
export async function startProxy({ target }: { target: { host: string; port: number } }): Promise<FaultProxy> {
  const cuts: ArmedCut[] = [];
  const connections = new Set<Connection>();
  const acceptedAtMs: number[] = [];
  let network: Network | undefined;
  // Half open, so that it is not the system that answers a client's end of the conversation, where nobody hears it.
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    acceptedAtMs.push(performance.now());
    if (network?.kind === 'close-at-start') {
      client.on('error', () => {}).end();
      return;
    }
    const connection = new Connection(client, connect({ ...target, noDelay: true }), cuts);
    connection.setNetwork(network);
    connections.add(connection);
    client.on('close', () => connections.delete(connection));
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  function dropAll(): void {
    for (const connection of connections) connection.destroy();
  }
  async function refuseNew(refuse: boolean): Promise<void> {
    if (refuse === !listener.listening) return;
    if (refuse) listener.close();
    else await once(listener.listen(port, '127.0.0.1'), 'listening');
  }
  return {
    port,
    get connectionCount() {
      return connections.size;
    },
    cutOnReplyTo(text, { times = 1 } = {}) {
      const cut: ArmedCut = {
        text,
        timesLeft: times,
        count: 0,
        disarm(): void {
          cut.timesLeft = 0;
        },
      };
      cuts.push(cut);
      return cut;
    },
    dropAll,
    resetAll() {
      for (const connection of connections) connection.reset();
    },
    refuseNew,
    setNetwork(next) {
      network = next;
      for (const connection of connections) connection.setNetwork(next);
    },
    acceptedAtMs,
    async stop() {
      await refuseNew(true);
      dropAll();
    },
  };
}

class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #lanes: Record<Direction, Lane>;

  constructor(client: Socket, server: Socket, cuts: ArmedCut[]) {
    this.#client = client;
    this.#server = server;
    const conversation = new Conversation(cuts);
    const tear = (): void => this.reset();
    const toServer = new Lane((bytes) => server.write(bytes), tear);
    const toClient = new Lane((bytes) => client.write(bytes), tear);
    this.#lanes = { 'to-server': toServer, 'to-client': toClient };
    client.on('data', (bytes) => {
      conversation.hearClient(bytes);
      toServer.pass(bytes);
    });
    server.on('data', (bytes) => {
      const { pass, isCut } = conversation.hearServer(bytes);
      toClient.pass(pass);
      if (!isCut) return;
      client.destroySoon(); // after replies to earlier statements, which came in the same packet
      server.destroy();
    });
    // 'error' is always followed by 'close'; without a listener it would end the test process.
    client
      .on('error', () => {})
      .on('end', () => toServer.end(() => server.end()))
      .on('close', () => server.end());
    server.on('error', () => {}).on('close', () => toClient.end(() => client.destroySoon()));
  }

  setNetwork(network: Network | undefined): void {
    for (const direction of ['to-server', 'to-client'] as const) this.#lanes[direction].setNetwork(network, direction);
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }
}

/** One direction of a connection. */
class Lane {
  readonly #write: (bytes: Buffer) => void;
  readonly #tear: () => void;
  #network: Network | undefined;
  #bytesLeft = Number.POSITIVE_INFINITY;
  #hasLostBytes = false;
  /** What happens when the other side hears that this one has ended. */
  #endToCome: (() => void) | undefined;
  /** Bytes on their way, and when the last of them arrive. */
  readonly #late: Buffer[] = [];
  #lastAtMs = 0;

  constructor(write: (bytes: Buffer) => void, tear: () => void) {
    this.#write = write;
    this.#tear = tear;
  }

  setNetwork(network: Network | undefined, direction: Direction): void {
    const isFree = network?.kind === 'black-hole' && !network.directions.includes(direction);
    this.#network = isFree ? undefined : network;
    this.#bytesLeft =
      network?.kind === 'cut' && network.direction === direction ? network.afterBytes : Number.POSITIVE_INFINITY;
    if (this.#network?.kind !== 'black-hole') this.#endToCome?.();
  }

  get isBlack(): boolean {
    return this.#hasLostBytes || this.#network?.kind === 'black-hole';
  }

  pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.isBlack) {
      this.#hasLostBytes = true;
    } else if (bytes.length > this.#bytesLeft) {
      this.#write(bytes.subarray(0, this.#bytesLeft));
      this.#bytesLeft = 0;
      setImmediate(this.#tear); // behind the write
    } else {
      this.#bytesLeft -= bytes.length;
      this.#send(bytes);
    }
  }

  /** What was sent arrives before the end. In a black hole nobody hears of that, either, until the network is good. */
  end(arrive: () => void): void {
    if (this.#network?.kind === 'black-hole') this.#endToCome = arrive;
    else if (this.#late.length === 0) arrive();
    else setTimeout(arrive, this.#lastAtMs - performance.now());
  }

  #send(bytes: Buffer): void {
    const now = performance.now();
    const { delayMs, jitterMs } = this.#network?.kind === 'delay' ? this.#network : { delayMs: 0, jitterMs: 0 };
    const atMs = Math.max(this.#lastAtMs, now + delayMs + (Math.random() * 2 - 1) * jitterMs);
    if (atMs <= now && this.#late.length === 0) {
      this.#write(bytes);
      return;
    }
    this.#lastAtMs = atMs;
    this.#late.push(bytes);
    setTimeout(() => this.#write(this.#late.shift() as Buffer), atMs - now);
  }
}

const sslRequest = 80877103;
const gssRequest = 80877104;
const cancelRequest = 80877102;

/**
 * What both sides have said on one connection. A Query, a Sync or the startup asks for one ReadyForQuery; so the nth
 * ReadyForQuery ends the reply to the nth such question, however the bytes are cut up and however many are on the way.
 */
class Conversation {
  readonly #cuts: ArmedCut[];
  readonly #client = new MessageReader();
  readonly #server = new MessageReader();
  readonly #statements = new Map<string, Buffer>();
  #state: 'starting' | 'asking to encrypt' | 'readable' | 'unreadable' = 'starting';
  #asked = 0;
  #answered = 0;
  #withheld: { question: number; cut: ArmedCut } | undefined;

  constructor(cuts: ArmedCut[]) {
    this.#cuts = cuts;
  }

  hearClient(bytes: Buffer): void {
    if (this.#state === 'unreadable') return;
    this.#client.add(bytes);
    for (;;) {
      const message = this.#client.next({ hasType: this.#state === 'readable' });
      if (!message) return;
      if (this.#state === 'readable') this.#hearMessage(message);
      else this.#hearStartup(message);
    }
  }

  /** What of the server's bytes may go on to the client, and whether the connection is to break behind them. */
  hearServer(bytes: Buffer): { pass: Buffer; isCut: boolean } {
    if (this.#state === 'asking to encrypt') this.#state = bytes.toString() === 'N' ? 'starting' : 'unreadable';
    if (this.#state !== 'readable') return { pass: bytes, isCut: false };
    this.#server.add(bytes);
    const passed: Buffer[] = [];
    for (;;) {
      const message = this.#server.next({ hasType: true });
      if (!message) return { pass: Buffer.concat(passed), isCut: false };
      if (this.#withheld?.question !== this.#answered + 1) passed.push(message);
      if (typeOf(message) === 'Z') this.#answered += 1;
      if (this.#withheld?.question !== this.#answered) continue;
      this.#withheld.cut.count += 1;
      return { pass: Buffer.concat(passed), isCut: true };
    }
  }

  #hearStartup(message: Buffer): void {
    const code = message.readUInt32BE(4);
    if (code === cancelRequest) return;
    this.#state = code === sslRequest || code === gssRequest ? 'asking to encrypt' : 'readable';
    if (this.#state === 'readable') this.#asked = 1;
  }

  #hearMessage(message: Buffer): void {
    const type = typeOf(message);
    if (type === 'P') this.#rememberStatement(message);
    if (type === 'Q' || type === 'B') this.#armAgainst(message);
    if (type === 'Q' || type === 'S' || type === 'F') this.#asked += 1;
  }

  /** Parse does nothing yet, and what it prepared may be run again and again without its SQL: so Bind is what counts. */
  #rememberStatement(parse: Buffer): void {
    const [name, rest] = splitText(parse.subarray(5));
    this.#statements.set(name.toString(), splitText(rest)[0]);
  }

  #armAgainst(message: Buffer): void {
    if (this.#withheld) return;
    const sql = typeOf(message) === 'B' ? this.#statementOf(message) : undefined;
    const cut = this.#cuts.find(
      ({ text, timesLeft }) => timesLeft > 0 && (message.includes(text) || sql?.includes(text)),
    );
    if (!cut) return;
    cut.timesLeft -= 1;
    this.#withheld = { question: this.#asked + 1, cut };
  }

  #statementOf(bind: Buffer): Buffer | undefined {
    const [, afterPortal] = splitText(bind.subarray(5));
    return this.#statements.get(splitText(afterPortal)[0].toString());
  }
}

/** Puts a stream of bytes together into whole messages: a type byte (the startup has none), a length, the rest. */
class MessageReader {
  #waiting: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
  }

  next({ hasType }: { hasType: boolean }): Buffer | null {
    const start = hasType ? 1 : 0;
    if (this.#waiting.length < start + 4) return null;
    const end = start + this.#waiting.readUInt32BE(start);
    if (this.#waiting.length < end) return null;
    const message = this.#waiting.subarray(0, end);
    this.#waiting = this.#waiting.subarray(end);
    return message;
  }
}

function typeOf(message: Buffer): string {
  return String.fromCharCode(message[0] ?? 0);
}

/** The bytes before the first NUL, and those behind it. */
function splitText(bytes: Buffer): [Buffer, Buffer] {
  const end = bytes.indexOf(0);
  return [bytes.subarray(0, end), bytes.subarray(end + 1)];
}

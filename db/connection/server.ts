// Connections to a PostgreSQL server: the one file of db/ that imports the driver `postgres`.
// Each connection is a client of its own with one socket, so that we, not the driver, decide which session a
// statement runs in: the driver would send a transaction's next statement over a new socket after a reconnect.

import postgres from 'postgres';
import { type Connection, decodersFor, type Engine, type StatementResult, type WireValue } from './connection.ts';
import type { ServerAddress } from './url.ts';

const defaultPoolSize = 10;
const connectTimeoutSeconds = 10;

/** An engine of `size` connections (10 unless given) to the server at `address`. Opens none yet. */
export function serverEngine(address: ServerAddress, size: number = defaultPoolSize): Engine {
  return {
    kind: 'server',
    target: address.target,
    size,
    connect: (): Connection => new ServerConnection(address),
    close: async (): Promise<void> => {},
  };
}

const asItIs = (value: unknown): unknown => value;

class ServerConnection implements Connection {
  generation = 0;
  private client: postgres.Sql;
  private hasClosed = false;

  constructor(private readonly address: ServerAddress) {
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
      connect_timeout: connectTimeoutSeconds,
      fetch_types: false,
      onnotice: () => {},
      onclose: () => {
        if (client !== this.client) return; // one that was replaced already
        this.hasClosed = true;
        this.generation += 1;
      },
      connection: { application_name: 'mytx-ai', TimeZone: 'UTC', DateStyle: 'ISO', ...options.connection },
    });
    const { parsers, serializers } = client.options;
    Object.assign(parsers, decodersFor(Object.keys(parsers)));
    for (const type of Object.keys(serializers)) serializers[Number(type)] = asItIs;
    return client;
  }

  /** A client whose socket closed is replaced: it would fail its next statement with the error of the last session. */
  private current(): postgres.Sql {
    if (this.hasClosed) {
      void this.client.end({ timeout: 0 });
      this.hasClosed = false;
      this.client = this.open();
    }
    return this.client;
  }

  async run(text: string, params: readonly WireValue[], prepare: boolean): Promise<StatementResult> {
    // `simple: false` (missing in the driver's types) keeps statements without parameters to the extended protocol.
    const options = { prepare, simple: false };
    const rows = await this.current()
      .unsafe(text, params as WireValue[], options)
      .values();
    return {
      rows: rows as unknown as unknown[][],
      columns: rows.columns ?? [],
      count: rows.count ?? 0,
    };
  }

  async script(text: string): Promise<void> {
    await this.current().unsafe(text).simple();
  }

  async discard(): Promise<void> {
    const dropped = this.client;
    this.generation += 1;
    this.hasClosed = false;
    this.client = this.open();
    await dropped.end({ timeout: 0 });
  }

  async close(): Promise<void> {
    await this.client.end({ timeout: this.hasClosed ? 0 : 5 });
  }
}

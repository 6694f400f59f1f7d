// What the rest of db/ knows of a driver: a connection runs one statement at a time and gives rows as arrays.
// Values travel as text in both directions, decoded here by type, so that a server and the embedded
// database give the same values. The drivers' own conversions are switched off.

/** A parameter as it is sent: text in PostgreSQL's own notation, or null. */
export type WireValue = string | null;

export interface ResultColumn {
  name: string;
  /** The OID of the column's type. */
  type: number;
}

export interface StatementResult {
  rows: unknown[][];
  columns: ResultColumn[];
  /** Rows returned or, for a write without RETURNING, rows written. */
  count: number;
  /** By `performance.now()`: the session that answered was there then, and ever since. Absent on the embedded one. */
  sessionSinceMs?: number;
}

/** One session of a database. Never used by two callers at once: `Pool` sees to that. */
export interface Connection {
  /** Runs one statement. `prepare` keeps its plan in the session, under its text. */
  run(text: string, params: readonly WireValue[], prepare: boolean): Promise<StatementResult>;
  /** Runs statements without parameters, separated by semicolons. */
  script(text: string): Promise<void>;
  /**
   * Runs a COPY into a table with rows in the text format (copy-text.ts).
   * @param statement without its source, which each driver has its own way to name: `copy "Chat" (id, "userId")`
   */
  copyIn(statement: string, chunks: readonly Buffer[]): Promise<StatementResult>;
  /** The server process that the session was said to be when it began; undefined before, and on the embedded one. */
  readonly announcedProcess?: number | undefined;
  /** Grows each time the link to the server breaks: a transaction that began under another one is gone. */
  readonly generation: number;
  /**
   * Asks the server to cancel the running statement; resolves when it has seen the request, or when the signal says
   * that it need not any more. Absent: can't.
   */
  cancel?(signal: AbortSignal): Promise<void>;
  /** Drops the session, whatever it is doing; the next statement begins in a new one. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

/** What a database is, for messages: never with a user's name or a password in it. */
export interface Engine {
  readonly kind: 'server' | 'embedded';
  /** `host:port/database`, or the folder of the embedded database. */
  readonly target: string;
  /** How many connections there may be at once. */
  readonly size: number;
  /** Behind a pooler that hands out a server for a transaction, as the URL says; undefined where it says nothing. */
  readonly isPooled?: boolean | undefined;
  /** Sent in one message behind `begin`: what the session itself can't be told. */
  readonly behindBegin?: string;
  connect(): Connection;
  /** Lets other processes in, by a socket, in one line with the callers of this one. Absent: it needs none, or can't. */
  letGuestsIn?(line: Line, idleMs: number): Promise<GuestSocket>;
  close(): Promise<void>;
}

/** Waits for the one connection, and gives it back when what `work` returned has settled. */
export type Line = (work: () => Promise<void>) => Promise<void>;

/** What guests come in through. */
export interface GuestSocket {
  /** For POSTGRES_URL and psql. */
  readonly url: string;
  /** Sends the guests away; what they have not committed is rolled back. */
  close(): Promise<void>;
}

const readNumber = (text: string): number => Number(text);
const readText = (text: string): string => text;

/** Decoders by type OID; every other type stays text (also int8, numeric, dates, json and arrays). */
export const decoders: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't', // bool
  17: (text) => Buffer.from(text.slice(2), 'hex'), // bytea
  21: readNumber, // int2
  23: readNumber, // int4
  26: readNumber, // oid
  700: readNumber, // float4
  701: readNumber, // float8
};

/** Types whose values are JSON: decoded where no Drizzle column does it. */
export const jsonTypes: ReadonlySet<number> = new Set([114, 3802]);

/** `decoders` with "stays text" for every other type that `known` lists. */
export function decodersFor(known: Iterable<string | number>): Record<number, (text: string) => unknown> {
  const all: Record<number, (text: string) => unknown> = {};
  for (const type of known) all[Number(type)] = readText;
  return { ...all, ...decoders };
}

/** Writes a parameter as PostgreSQL's text. Arrays and plain objects have no one notation: refused. */
export function encode(value: unknown): WireValue {
  if (value === null) return null;
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  throw new TypeError(
    `a parameter is ${value === undefined ? 'undefined' : `a ${typeof value}`}; pass a text, number, boolean, Date, bytes or null`,
  );
}

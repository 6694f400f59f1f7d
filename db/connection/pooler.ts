// Finds out whether a pooler is between us and the server, by the server processes that answer. Never says that it is
// in transaction mode without a proof: a warning then, no error.

import type { Connection } from './connection.ts';
import type { OpenDatabase } from './open-database.ts';
import { poolerUndeclared } from './pooler-refusals.ts';
import { runUnder } from './scope.ts';

/**
 * Who answers: the server itself; something that gives each connection a server process to itself (a pooler in
 * session mode, a proxy); something that gives one for each transaction; or it could not be found out.
 */
export type Pooling = 'none' | 'sessions' | 'transactions' | 'unknown';

/** Reads which server process answers. */
export const processColumn = 'pg_backend_pid()';

/**
 * Compares what the URL says of a pooler with who answered the first statement of a connection.
 * @param pid what `processColumn` gave in it
 * @returns warnings
 * @throws ConnectionError POOLER_UNDECLARED when transaction mode is proven and the URL says nothing
 */
export async function checkPooling(database: OpenDatabase, connection: Connection, pid: unknown): Promise<string[]> {
  const { isPooled, target } = database.engine;
  const isServer = connection.announcedProcess === pid;
  database.isDirect = isServer && !isPooled;
  if (isPooled === false) return [];
  if (isServer) return isPooled ? [noPoolerWarning(target)] : [];
  if (isPooled) return [];
  if ((await compareTwo(database, connection)) === 'transactions') throw poolerUndeclared(target);
  return [poolerWarning(target)];
}

/** Who answers. Needs one statement where it is the server. */
export function findPooling(database: OpenDatabase): Promise<Pooling> {
  return database.withConnection(async (connection) => {
    const pid = await askProcess(database, connection);
    return connection.announcedProcess === pid ? 'none' : compareTwo(database, connection);
  });
}

const probeTimeoutMs = 2000;

/**
 * Tells the modes of a pooler apart with a second connection, when both are open and idle: in session mode each has
 * one server process, always its own. A connection that sees two, or two that see the same, prove transaction mode.
 */
async function compareTwo(database: OpenDatabase, first: Connection): Promise<Pooling> {
  const second = database.engine.connect();
  try {
    return await runUnder({ atMs: performance.now() + probeTimeoutMs }, () => askInTurn(database, first, second));
  } catch {
    return 'unknown'; // no second connection: a pool of one, in session mode, would end like this
  } finally {
    await second.close();
  }
}

/**
 * Not simply in turn: a pooler that hands out two processes in turn would look like two sessions. And often,
 * because one that others keep busy hands out whichever is free, which for some statements may be one's own. */
async function askInTurn(database: OpenDatabase, first: Connection, second: Connection): Promise<Pooling> {
  const generations = [first.generation, second.generation];
  const seen = new Map<Connection, unknown>();
  const turns = [first, second, second, first, first, second, first, second];
  for (const connection of [...turns, ...turns, ...turns]) {
    const pid = await askProcess(database, connection);
    const before = seen.get(connection) ?? pid;
    seen.set(connection, pid);
    const isProof = before !== pid || seen.get(first) === seen.get(second);
    if (first.generation !== generations[0] || second.generation !== generations[1]) return 'unknown';
    if (isProof) return 'transactions';
  }
  return 'sessions';
}

async function askProcess(database: OpenDatabase, connection: Connection): Promise<unknown> {
  const { rows } = await database.runIn(connection, `select ${processColumn}`, [], false, 'read');
  return rows[0]?.[0];
}

/** What is said of one that could not be shown to be in transaction mode. */
function poolerWarning(target: string): string {
  return (
    `something between here and the server answers at ${target}: a pooler or a proxy. In transaction mode it needs ` +
    'pgbouncer=true in POSTGRES_URL; if sessions are kept whole, say pgbouncer=false'
  );
}

/** What is said where the URL names a pooler and the server itself answers. */
function noPoolerWarning(target: string): string {
  return `${target} is no pooler: without pgbouncer=true in POSTGRES_URL statements are prepared, and faster`;
}

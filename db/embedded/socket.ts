// The Unix socket of an embedded database: other processes come in through its owner, as guests of its one session.
// Speaks to nobody but the user of its owner (socket-folder.ts), and lets few in at once.

import { renameSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { GuestSocket, Line } from '../connection/connection.ts';
import { Guest } from './guest.ts';
import { importAtRunTime } from './run-time-import.ts';
import type { EmbeddedSession } from './session.ts';
import { prepareSocketFolder, socketUrl } from './socket-folder.ts';

export interface SocketOptions {
  session: EmbeddedSession;
  socketFolder: string;
  line: Line;
  /** How long a guest may hold the session without a word; 0 for ever. */
  idleMs: number;
}

const mostGuests = 50;
const startupMs = 10_000;
const cancelCode = 80_877_102;

/** Opens the socket. It keeps no process alive. @throws in a sentence why it can't be opened */
export async function openSocket(options: SocketOptions): Promise<GuestSocket> {
  const { session, socketFolder, line, idleMs } = options;
  const { path, openedAt } = prepareSocketFolder(socketFolder);
  const { PGLiteSocketHandler } =
    await importAtRunTime<typeof import('@electric-sql/pglite-socket')>('@electric-sql/pglite-socket');
  await line(async () => void (await session.greet()));

  const guests = new Set<Guest>();
  const mayEnter = (): boolean => [...guests].filter(({ hasGreeted }) => hasGreeted).length < mostGuests;
  const left = (guest: Guest): void => void guests.delete(guest);
  const server = createServer((socket) => {
    socket.unref();
    const guest = new Guest(socket, { session, line, idleMs, mayEnter, left });
    guests.add(guest);
    endWithoutStart(socket, guest);
    // Of the queue that the handler wants it uses what a guest has.
    void new PGLiteSocketHandler({ queryQueue: guest as never }).attach(socket);
  });
  await listen(server, openedAt);
  renameSync(openedAt, path);
  return {
    url: socketUrl(socketFolder),
    async close(): Promise<void> {
      server.close();
      const text = 'terminating connection: the owner closes the embedded database';
      await Promise.all([...guests].map((guest) => guest.dismiss('57P01', text)));
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject).on('error', () => {}); // too many open files, say: the next client may come in again
      resolve();
    });
    server.unref();
  });
}

/**
 * Hangs up on who does not begin a session: a client that says nothing, and one that asks to cancel a statement, which
 * can't be done, and waits to be hung up on.
 */
function endWithoutStart(socket: Socket, guest: Guest): void {
  socket.once('data', (bytes) => {
    if (bytes.length === 16 && bytes.readInt32BE(4) === cancelCode) socket.end();
  });
  setTimeout(() => {
    if (!guest.hasGreeted) socket.destroy();
  }, startupMs).unref();
}

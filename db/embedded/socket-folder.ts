// Where the socket of an embedded database is, and the URL that leads to it. Nobody but the user of its owner may
// enter the folder: mode 0700. Never uses a folder that somebody else could have made or may look into.

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** PostgreSQL's own name for it: psql looks for it in the folder that is given as host. */
const socketName = '.s.PGSQL.5432';
/** The system's limit for the path of a socket, on Linux 107 bytes, on macOS 103. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/**
 * `socket` in the database's folder; where that is too long a path for a socket, one among temporary files whose name
 * depends on the database's folder, so that it is the same the next time.
 */
export function chooseSocketFolder(folder: string): string {
  const inside = resolve(folder, 'socket');
  if (Buffer.byteLength(join(inside, socketName)) <= longestPath) return inside;
  const name = createHash('sha256').update(inside).digest('hex').slice(0, 16);
  return join(tmpdir(), `mytx-socket-${name}`);
}

export interface SocketPaths {
  /** Where clients look for it. */
  path: string;
  /** Where it is opened, to be renamed: who closes it takes away what has this name, which is not another one's. */
  openedAt: string;
}

/**
 * Makes the folder, or checks the one that is there.
 * @throws in a sentence why it is not used
 */
export function prepareSocketFolder(socketFolder: string): SocketPaths {
  if (!existsSync(socketFolder)) mkdirSync(socketFolder, { mode: 0o700 });
  const problem = problemOf(socketFolder);
  if (problem) throw new Error(`${socketFolder} ${problem}`);
  const openedAt = join(socketFolder, '.new');
  rmSync(openedAt, { force: true });
  return { path: join(socketFolder, socketName), openedAt };
}

/** Takes the socket away, and its folder, if nothing else is in it. Touches nothing in a folder that is not used. */
export function removeSocket(socketFolder: string): void {
  if (!existsSync(socketFolder) || problemOf(socketFolder)) return;
  rmSync(join(socketFolder, socketName), { force: true });
  if (readdirSync(socketFolder).length === 0) rmdirSync(socketFolder);
}

function problemOf(socketFolder: string): string | undefined {
  const found = lstatSync(socketFolder);
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if (!found.isDirectory()) return 'is no folder';
  if (found.uid !== process.getuid?.()) return `belongs to another user (${found.uid})`;
  return mode === '0700' ? undefined : `has mode ${mode}; chmod 700 makes it yours alone`;
}

/** The URL of a socket, for POSTGRES_URL and psql. */
export function socketUrl(socketFolder: string): string {
  return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder).replaceAll('%2F', '/')}`;
}

/** The URL of the socket in a folder, where there is one. */
export function findSocketUrl(socketFolder: string | undefined): string | undefined {
  return socketFolder && existsSync(join(socketFolder, socketName)) ? socketUrl(socketFolder) : undefined;
}

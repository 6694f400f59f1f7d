// Where the socket of an embedded database is, and the URL that leads to it. Nobody but the user of its owner may
// enter the folder: mode 0700. Never uses a folder that somebody else could have made or may look into.

import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** PostgreSQL's own name for it: psql looks for it in the folder that is given as host. */
const socketName = '.s.PGSQL.5432';
/** The system's limit for the path of a socket, on Linux 107 bytes, on macOS 103. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/** `socket` in the database's folder; where that is too long a path for a socket, a new one among temporary files. */
export function chooseSocketFolder(folder: string): string {
  const inside = resolve(folder, 'socket');
  if (Buffer.byteLength(join(inside, socketName)) <= longestPath) return inside;
  return join(tmpdir(), `mytx-${randomBytes(8).toString('hex')}`);
}

/** Makes the folder, or checks the one that is there, and removes a socket that a killed owner left. @returns its path */
export function prepareSocketFolder(socketFolder: string): string {
  if (!existsSync(socketFolder)) mkdirSync(socketFolder, { mode: 0o700 });
  const found = lstatSync(socketFolder);
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if (!found.isDirectory()) throw new Error(`${socketFolder} is no folder`);
  if (found.uid !== process.getuid?.()) throw new Error(`${socketFolder} belongs to another user (${found.uid})`);
  if (mode !== '0700') throw new Error(`${socketFolder} has mode ${mode}; chmod 700 makes it yours alone`);
  const path = join(socketFolder, socketName);
  rmSync(path, { force: true });
  return path;
}

/** Takes the folder away, if it is one among temporary files, and the socket in any case. */
export function removeSocket(socketFolder: string): void {
  rmSync(join(socketFolder, socketName), { force: true });
  if (socketFolder.startsWith(join(tmpdir(), 'mytx-'))) rmSync(socketFolder, { recursive: true, force: true });
}

/** The URL of a socket, for POSTGRES_URL and psql. */
export function socketUrl(socketFolder: string): string {
  return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder).replaceAll('%2F', '/')}`;
}

/** The URL of the socket in a folder, where there is one. */
export function findSocketUrl(socketFolder: string | undefined): string | undefined {
  return socketFolder && existsSync(join(socketFolder, socketName)) ? socketUrl(socketFolder) : undefined;
}

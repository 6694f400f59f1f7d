// Makes the temporary folder a test server lives in: a copy of the npm binaries, and a fresh data folder.
// All of it belongs to the unprivileged user the server runs as, because PostgreSQL refuses to run as root.
// It never writes outside that folder, and never into node_modules.
import { execFile } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import { cp, lchown, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { FoundInstallation } from './installations.ts';

/** The uid and gid for spawn; empty when we are not root and the server runs as ourselves. */
export type ServerOwner = { uid: number; gid: number } | Record<string, never>;

export interface ServerFolder {
  folder: string;
  dataFolder: string;
  owner: ServerOwner;
}

/** Nothing of the caller's environment reaches a server: PGDATA, PGPORT or a locale would change what is tested. */
export const serverEnvironment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };

export async function createServerFolder(version: number): Promise<ServerFolder> {
  const folder = await mkdtemp(join(tmpdir(), `mytx-postgres-${version}-`));
  const owner = findServerOwner();
  await giveTo(owner, folder);
  return { folder, dataFolder: join(folder, 'data'), owner };
}

export async function deleteServerFolder({ folder }: ServerFolder): Promise<void> {
  // A killed server's processes may write for another moment (ENOTEMPTY): hence the retries.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Returns the folder of binaries to run: Debian's own, or a copy of npm's with the links that npm cannot pack. */
export async function installBinaries(installation: FoundInstallation, place: ServerFolder): Promise<string> {
  const { packageFolder, binFolder } = installation;
  if (!packageFolder) return binFolder;
  const copy = join(place.folder, 'native');
  await cp(join(packageFolder, 'native'), copy, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await makeLinks(place.folder, join(copy, 'pg-symlinks.json'));
  await giveTreeTo(place.owner, copy);
  return join(copy, 'bin');
}

/** Makes the data folder with a superuser `postgres` who has this password: UTF8, locale C, scram-sha-256. */
export async function initialiseData(binFolder: string, place: ServerFolder, password: string): Promise<void> {
  const { folder, dataFolder, owner } = place;
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveTo(owner, passwordFile);
  const options = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'];
  await promisify(execFile)(
    join(binFolder, 'initdb'),
    [`--pgdata=${dataFolder}`, `--pwfile=${passwordFile}`, ...options],
    { ...owner, cwd: folder, env: serverEnvironment },
  );
  await rm(passwordFile);
}

async function makeLinks(folder: string, listFile: string): Promise<void> {
  const links = JSON.parse(await readFile(listFile, 'utf8')) as { source: string; target: string }[];
  // Each link lies beside the file it names.
  await Promise.all(links.map(({ source, target }) => symlink(basename(source), join(folder, target))));
}

export async function giveTo(owner: ServerOwner, path: string): Promise<void> {
  if ('uid' in owner) await lchown(path, owner.uid, owner.gid);
}

/** An npm install under a strict umask leaves files that only their owner can read: so the server must own them. */
async function giveTreeTo(owner: ServerOwner, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true });
  await Promise.all([folder, ...entries.map((entry) => join(folder, entry))].map((path) => giveTo(owner, path)));
}

export function findServerOwner(): ServerOwner {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) throw new Error('PostgreSQL refuses to run as root, and /etc/passwd has neither postgres nor nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

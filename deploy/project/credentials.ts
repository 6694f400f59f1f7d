// Which database the `dbCredentials` of a Drizzle configuration name, as one URL, or as the folder of an embedded one.
// Nothing of them is quoted anywhere: they hold passwords.

import { resolve } from 'node:path';

type Credentials = Readonly<Record<string, unknown>>;

/**
 * The connection URL: `url` as it stands, or one made of `host`, `port`, `user`, `password`, `database` and `ssl`.
 * @returns undefined where they name no database, such as a variable that is not set, or that of an HTTP API
 * @example urlOf({ host: 'db.example.com', user: 'app', database: 'app', ssl: true })
 * // postgres://app@db.example.com/app?sslmode=verify-full
 */
export function urlOf(credentials: Credentials): string | undefined {
  const { url, host, port, user, password, database } = credentials;
  if (isText(url)) return url;
  if (!isText(host) || !isText(database)) return undefined;
  const isSocket = host.startsWith('/');
  const made = new URL(`postgres://${isSocket ? 'localhost' : bracketed(host)}`);
  if (port !== undefined && port !== '') made.port = String(port);
  if (isText(user)) made.username = encodeURIComponent(user);
  if (isText(password)) made.password = encodeURIComponent(password);
  made.pathname = `/${encodeURIComponent(database)}`;
  if (isSocket) made.searchParams.set('host', host);
  const mode = sslMode(credentials.ssl);
  if (mode !== undefined) made.searchParams.set('sslmode', mode);
  return made.href;
}

/** The folder of an embedded database, absolute; `memory` for one that is in no folder: in memory, or in a browser. */
export function embeddedFolderOf({ url }: Credentials, root: string): string | undefined {
  if (!isText(url)) return undefined;
  if (url === ':memory:' || /^(memory:|idb:|[a-z-]+-ahp:)/.test(url)) return 'memory';
  return resolve(root, url.replace(/^file:(\/\/)?/, ''));
}

/** What `ssl` means for node-postgres: true verifies, and so does an object that does not say otherwise. */
function sslMode(ssl: unknown): string | undefined {
  if (typeof ssl === 'string') return ssl;
  if (ssl === true) return 'verify-full';
  if (ssl === false) return 'disable';
  if (typeof ssl !== 'object' || ssl === null) return undefined;
  return 'rejectUnauthorized' in ssl && ssl.rejectUnauthorized === false ? 'require' : 'verify-full';
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

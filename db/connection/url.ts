// Reads a connection URL and decides on TLS: verified for every host that is not loopback or a Unix socket.
// The URL is parsed, never added to as text, and never appears in an error: it holds a password.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type postgres from 'postgres';
import { ConnectionError } from '../errors.ts';
import type { DialTarget } from './dialer.ts';

type Options = NonNullable<Parameters<typeof postgres>[1]>;

export interface ServerAddress {
  /** `host:port/database`: what messages and logs show. */
  target: string;
  isLoopback: boolean;
  /** What `pgbouncer=` says: behind a pooler in transaction mode, or not; undefined where it says nothing. */
  isPooled: boolean | undefined;
  /** Where the socket is opened. */
  dial: DialTarget;
  options: Pick<Options, 'database' | 'username' | 'password' | 'ssl' | 'connection'>;
  /** Said once when the database is opened: a weaker set-up than the default. */
  warnings: string[];
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];

const knownParameters = ['sslmode', 'sslrootcert', 'host', 'application_name', 'options', 'pgbouncer'];
/** What hosted databases put into the URL they show, and what is safe without it: passed over with a warning. */
const passedOver = ['channel_binding', 'connect_timeout'];

/**
 * @param text `postgres://user:password@host:port/database?sslmode=...`
 * @param allowPlaintext accept a connection without TLS to a host that is not loopback
 * @throws ConnectionError INVALID_URL, PLAINTEXT_REFUSED
 */
export function parseServerUrl(text: string, allowPlaintext = false): ServerAddress {
  const url = parse(text);
  const parameters = readParameters(url);
  const host = parameters.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalidUrl('names no host');
  if (host.includes(',')) throw invalidUrl('names several hosts; one is connected to');
  const port = Number(url.port || 5432);
  const database = decodeURIComponent(url.pathname.slice(1));
  const username = decodeURIComponent(url.username);
  if (database === '') throw invalidUrl('names no database');
  if (database.includes('/')) throw invalidUrl('names a database with a slash in it');

  const isLoopback = host.startsWith('/') || isLoopbackHost(host);
  const ignored = passedOver.filter((name) => parameters.has(name));
  const { ssl, warnings } = decideTls({
    mode: parameters.get('sslmode') as SslMode | undefined,
    rootCertificate: parameters.get('sslrootcert'),
    host,
    isLoopback,
    allowPlaintext,
  });
  const connection = Object.fromEntries(
    [...parameters].filter(([name]) => name === 'application_name' || name === 'options'),
  );
  return {
    target: `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`,
    isLoopback,
    isPooled: readPooled(parameters),
    warnings: [...warnings, ...ignored.map((name) => `the URL’s parameter ${name} is not used`)],
    dial: host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port },
    options: {
      database,
      ...(username === '' ? {} : { username }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ssl,
      connection,
    },
  };
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The cause keeps the whole URL in `input`, password and all: it is left out.
    throw invalidUrl('is not a URL');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw invalidUrl(`begins with ${JSON.stringify(url.protocol)} instead of postgres://`);
  }
  // Behind the host there is no "@" but in the rest of a password that was not encoded: to be quoted nowhere below.
  if (/@/.test(url.pathname + url.search)) throw invalidUrl('has an "@" behind the host, which must be written as %40');
  if (url.hash !== '') throw invalidUrl('has a "#", which must be written as %23');
  try {
    decodeURIComponent(url.username + url.password + url.pathname + url.hostname);
  } catch {
    throw invalidUrl('has a % that is not followed by two hexadecimal digits');
  }
  return url;
}

function readParameters(url: URL): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (![...knownParameters, ...passedOver].includes(name)) {
      throw invalidUrl(
        `has the parameter ${JSON.stringify(name.slice(0, 40))}; known are ${knownParameters.join(', ')}`,
      );
    }
    if (parameters.has(name)) throw invalidUrl(`has ${name} twice`);
    // `...?a=b?sslmode=require`: the second question mark makes sslmode a part of a's value, and plaintext of TLS.
    if (value.includes('?')) throw invalidUrl(`has a second "?" in the value of ${name}; parameters are joined by "&"`);
    parameters.set(name, value);
  }
  const mode = parameters.get('sslmode');
  if (mode !== undefined && !sslModes.includes(mode as SslMode)) {
    throw invalidUrl(`has sslmode=${mode.slice(0, 20)}; known are ${sslModes.join(', ')}`);
  }
  return parameters;
}

function readPooled(parameters: Map<string, string>): boolean | undefined {
  const value = parameters.get('pgbouncer');
  if (value === undefined) return undefined;
  if (value === 'false') return false;
  if (value !== 'true') throw invalidUrl(`has pgbouncer=${value.slice(0, 20)}; known are true, false`);
  if (!parameters.has('options')) return true;
  throw invalidUrl(
    'has options and pgbouncer=true: a pooler takes no options',
    'Leave options out, and set what it says for the role: alter role <name> set statement_timeout = 30000;',
  );
}

function isLoopbackHost(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true; // nothing below it: that name may be answered by any DNS
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1';
}

type Tls = { ssl: Options['ssl']; warnings: string[] };

interface TlsWish {
  mode: SslMode | undefined;
  /** A file of certificates to trust in the place of the system's; 'system' or undefined for those. */
  rootCertificate: string | undefined;
  host: string;
  isLoopback: boolean;
  allowPlaintext: boolean;
}

function decideTls({ mode, rootCertificate, host, isLoopback, allowPlaintext }: TlsWish): Tls {
  const verified = {
    rejectUnauthorized: true,
    ...(isIP(host) ? { host } : { servername: host }),
    ...readRootCertificate(rootCertificate),
  };
  if (mode === 'verify-full') return { ssl: verified, warnings: [] };
  // As libpq means it: signed by whom we trust, for whatever host.
  if (mode === 'verify-ca') return { ssl: { ...verified, checkServerIdentity: () => undefined }, warnings: [] };
  // libpq verifies the signature with `require`, too, when a root certificate is given.
  if (mode === 'require' && rootCertificate) {
    return { ssl: { ...verified, checkServerIdentity: () => undefined }, warnings: [] };
  }
  if (mode === 'require') {
    const warnings = isLoopback
      ? []
      : ['sslmode=require does not verify the server’s certificate; use sslmode=verify-full, or leave sslmode out'];
    return { ssl: { rejectUnauthorized: false }, warnings };
  }
  if (mode === undefined && rootCertificate) return { ssl: verified, warnings: [] };
  if (isLoopback) return { ssl: mode === 'prefer' ? 'prefer' : false, warnings: [] };
  if (mode === undefined && !allowPlaintext) return { ssl: verified, warnings: [] };
  if (!allowPlaintext) {
    throw new ConnectionError(
      'PLAINTEXT_REFUSED',
      `sslmode=${mode} lets the connection to ${host} go without TLS`,
      'Use sslmode=verify-full or leave sslmode out. For a network you trust, set MYTX_ALLOW_PLAINTEXT=1.',
    );
  }
  return {
    ssl: mode === 'prefer' ? 'prefer' : false,
    warnings: [`the connection to ${host} may go without TLS (MYTX_ALLOW_PLAINTEXT)`],
  };
}

function readRootCertificate(path: string | undefined): { ca?: string } {
  if (path === undefined || path === 'system') return {};
  try {
    return { ca: readFileSync(path, 'utf8') };
  } catch (error) {
    throw invalidUrl(`names an sslrootcert that can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

const form = 'Write it as postgres://user:password@host:5432/database; percent-encode @ : / ? # in the password.';

function invalidUrl(problem: string, hint: string = form): ConnectionError {
  return new ConnectionError('INVALID_URL', `POSTGRES_URL ${problem}`, hint);
}

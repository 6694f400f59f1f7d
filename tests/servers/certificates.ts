// Certificates for tests of TLS: an authority, what it signed rightly and wrongly, and one that nobody signed.
// Made by the openssl command, because Node can read certificates and not make them.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  certificate: string;
  key: string;
}

export interface Certificates {
  /** The file of the authority's certificate: what a client trusts. */
  authorityFile: string;
  /** For 127.0.0.1 and localhost. */
  good: Certificate;
  /** For another host. */
  wrongHost: Certificate;
  /** For 127.0.0.1 and localhost, until yesterday. */
  expired: Certificate;
  /** Signed by itself. */
  selfSigned: Certificate;
}

/** Whether the openssl command is here. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Makes them all in a folder. */
export function makeCertificates(folder: string): Certificates {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=Test authority',
  );

  function read(name: string): Certificate {
    return { certificate: readFileSync(path(`${name}.crt`), 'utf8'), key: readFileSync(path(`${name}.key`), 'utf8') };
  }
  function signed(name: string, hosts: string, days: string): Certificate {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(path(`${name}.ext`), `subjectAltName=${hosts}\n`);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...authority,
      '-out',
      `${name}.crt`,
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
    );
    return read(name);
  }
  openssl('req', '-x509', ...newKey, '-keyout', 'self.key', '-out', 'self.crt', '-days', '2', '-subj', '/CN=localhost');
  const here = 'IP:127.0.0.1,DNS:localhost';
  return {
    authorityFile: path('ca.crt'),
    good: signed('good', here, '2'),
    wrongHost: signed('wrong', 'DNS:db.example.com', '2'),
    expired: signed('expired', here, '-1'),
    selfSigned: read('self'),
  };
}

// TLS against real servers: what a URL asks for is read back from pg_stat_ssl, and what can't be trusted gets no
// byte of the password.

import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../db/connection/connection.ts';
import { defaultDeadlines } from '../../../db/connection/deadlines.ts';
import { translateFailure } from '../../../db/connection/failure.ts';
import { serverEngine } from '../../../db/connection/server.ts';
import { parseServerUrl } from '../../../db/connection/url.ts';
import { type Certificate, type Certificates, hasOpenssl, makeCertificates } from '../../servers/certificates.ts';
import { findInstallations, isFound } from '../../servers/installations.ts';
import { type RunningServer, startServer } from '../../servers/server.ts';

const installations = findInstallations().filter(isFound);

describe.skipIf(!hasOpenssl())('with certificates (made by the openssl command, where it is here)', () => {
  let certificates: Certificates;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mytx-certificates-'));
    certificates = makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(installations)('on PostgreSQL $version', (installation) => {
    let server: RunningServer;
    let admin: postgres.Sql;
    beforeAll(async () => {
      server = await startServer(installation);
      admin = postgres(server.url('postgres'), { max: 1 });
    });
    afterAll(async () => {
      await admin.end();
      await server.stop();
    });

    /** Gives the server a certificate, or takes TLS away, for the connections that are made from now on. */
    async function present(certificate: Certificate | undefined): Promise<void> {
      if (certificate) {
        writeOwned('server.crt', certificate.certificate);
        writeOwned('server.key', certificate.key);
        await admin.unsafe(`alter system set ssl_cert_file = '${join(server.folder, 'server.crt')}'`);
        await admin.unsafe(`alter system set ssl_key_file = '${join(server.folder, 'server.key')}'`);
      }
      await admin.unsafe(`alter system set ssl = ${certificate ? 'on' : 'off'}`);
      await admin`select pg_reload_conf()`;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }

    function writeOwned(name: string, content: string): void {
      const path = join(server.folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      const { uid, gid } = statSync(server.folder);
      if (process.getuid?.() === 0) chownSync(path, uid, gid);
    }

    const urlWith = (query: string): string =>
      `${server.url('postgres')}${query.replace('CA', encodeURIComponent(certificates.authorityFile))}`;

    /** 'on' or 'off' as the server sees it, or the code of the refusal. */
    async function connectWith(query: string, host = '127.0.0.1'): Promise<string> {
      return outcomeOf(urlWith(query).replace('127.0.0.1', host));
    }

    test('a server with a good certificate', async () => {
      await present(certificates.good);
      expect({
        plain: await connectWith(''),
        disable: await connectWith('?sslmode=disable'),
        prefer: await connectWith('?sslmode=prefer'),
        require: await connectWith('?sslmode=require'),
        requireRoot: await connectWith('?sslmode=require&sslrootcert=CA'),
        verifyCa: await connectWith('?sslmode=verify-ca&sslrootcert=CA'),
        verifyFull: await connectWith('?sslmode=verify-full&sslrootcert=CA'),
        verifyFullByName: await connectWith('?sslmode=verify-full&sslrootcert=CA', 'localhost'),
        rootAlone: await connectWith('?sslrootcert=CA'),
        systemRoots: await connectWith('?sslmode=verify-full&sslrootcert=system'),
        noRoot: await connectWith('?sslmode=verify-full'),
      }).toEqual({
        plain: 'off', // loopback
        disable: 'off',
        prefer: 'on',
        require: 'on',
        requireRoot: 'on',
        verifyCa: 'on',
        verifyFull: 'on',
        verifyFullByName: 'on',
        rootAlone: 'on',
        systemRoots: 'ACCESS_REFUSED',
        noRoot: 'ACCESS_REFUSED',
      });
    });

    test('a certificate for another host, an expired one and one that nobody signed are refused', async () => {
      const refusals: Record<string, string[]> = {};
      for (const [name, certificate] of Object.entries({
        wrongHost: certificates.wrongHost,
        expired: certificates.expired,
        selfSigned: certificates.selfSigned,
      })) {
        await present(certificate);
        refusals[name] = [
          await connectWith('?sslmode=verify-full&sslrootcert=CA'),
          await connectWith('?sslmode=verify-full&sslrootcert=CA', 'localhost'),
          await connectWith('?sslmode=verify-ca&sslrootcert=CA'),
        ];
      }
      expect(refusals).toEqual({
        wrongHost: ['ACCESS_REFUSED', 'ACCESS_REFUSED', 'on'], // verify-ca asks for the signature alone, as libpq
        expired: ['ACCESS_REFUSED', 'ACCESS_REFUSED', 'ACCESS_REFUSED'],
        selfSigned: ['ACCESS_REFUSED', 'ACCESS_REFUSED', 'ACCESS_REFUSED'],
      });
    });

    test('a server without TLS is refused by whoever asks for it', async () => {
      await present(undefined);
      expect({
        prefer: await connectWith('?sslmode=prefer'),
        require: refused(await connectWith('?sslmode=require')),
        verifyFull: refused(await connectWith('?sslmode=verify-full&sslrootcert=CA')),
      }).toEqual({ prefer: 'off', require: true, verifyFull: true });
    });
  });

  test.each(['require', 'verify-ca', 'verify-full'])(
    'sslmode=%s sends no byte of the password to what answers "no TLS"',
    async (mode) => {
      const heard: Buffer[] = [];
      const fake = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          heard.push(chunk);
          if (heard.length === 1) socket.write('N');
          // It would ask for a password in clear text, if it were spoken to.
          else socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        });
      });
      await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
      const { port } = fake.address() as AddressInfo;
      const root = encodeURIComponent(certificates.authorityFile);
      const url = `postgres://somebody:hunter2-secret@127.0.0.1:${port}/app?sslmode=${mode}&sslrootcert=${root}`;
      expect(refused(await outcomeOf(url))).toBe(true);
      const bytes = Buffer.concat(heard);
      expect(bytes.length).toBeGreaterThan(8); // the TLS request and the client's hello
      expect(bytes.includes('hunter2')).toBe(false);
      expect(bytes.includes('somebody')).toBe(false);
      fake.close();
    },
  );
});

function refused(outcome: string): boolean {
  return ['ACCESS_REFUSED', 'CONNECTION_LOST', 'UNREACHABLE'].includes(outcome);
}

async function outcomeOf(url: string): Promise<string> {
  const engine = serverEngine(parseServerUrl(url), { ...defaultDeadlines, connectTimeoutMs: 2000 });
  const connection: Connection = engine.connect();
  try {
    const { rows } = await connection.run('select ssl from pg_stat_ssl where pid = pg_backend_pid()', [], false);
    return rows[0]?.[0] === true ? 'on' : 'off';
  } catch (error) {
    const failure = translateFailure(error, { target: engine.target, statement: '', outcome: 'read' });
    expect(`${failure.stack}${JSON.stringify(failure)}`).not.toContain('hunter2');
    return failure.code;
  } finally {
    await connection.close();
  }
}

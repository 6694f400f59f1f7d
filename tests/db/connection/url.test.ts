import { describe, expect, test } from 'vitest';
import { parseServerUrl } from '../../../db/connection/url.ts';
import type { ConnectionError } from '../../../db/errors.ts';

const secret = 'hunter2-secret';

/** URL, target, TLS: off, verified, or on without verification. */
const accepted: [string, string, 'off' | 'verified' | 'unverified' | 'prefer'][] = [
  [`postgres://u:${secret}@localhost/app`, 'localhost:5432/app', 'off'],
  [`postgresql://u:${secret}@127.0.0.1:6543/app`, '127.0.0.1:6543/app', 'off'],
  [`postgres://u:${secret}@127.8.9.1/app`, '127.8.9.1:5432/app', 'off'],
  [`postgres://u:${secret}@[::1]:5433/app`, '[::1]:5433/app', 'off'],
  ['postgres:///app?host=/var/run/postgresql', '/var/run/postgresql:5432/app', 'off'],
  ['postgres://u@%2Fvar%2Frun%2Fpostgresql/app', '/var/run/postgresql:5432/app', 'off'],
  [`postgres://u:${secret}@localhost/app?sslmode=prefer`, 'localhost:5432/app', 'prefer'],
  [`postgres://u:${secret}@localhost/app?sslmode=require`, 'localhost:5432/app', 'unverified'],
  [`postgres://u:${secret}@localhost/app?sslmode=verify-full`, 'localhost:5432/app', 'verified'],
  [`postgres://u:${secret}@db.example.com/app`, 'db.example.com:5432/app', 'verified'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=verify-full`, 'db.example.com:5432/app', 'verified'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=verify-ca`, 'db.example.com:5432/app', 'verified'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=require`, 'db.example.com:5432/app', 'unverified'],
  [
    `postgres://u:${secret}@db.example.com/app?sslmode=require&channel_binding=require`,
    'db.example.com:5432/app',
    'unverified',
  ],
  [`postgres://u:${secret}@10.0.0.5/app?application_name=x`, '10.0.0.5:5432/app', 'verified'],
  [`POSTGRES://u:${secret}@LOCALHOST/app`, 'LOCALHOST:5432/app', 'off'],
  [`  postgres://u:${secret}@localhost/app  `, 'localhost:5432/app', 'off'],
  ['postgres://localhost/app', 'localhost:5432/app', 'off'],
  ['postgres://u@localhost/app?', 'localhost:5432/app', 'off'],
  ['postgres://u@localhost:/app', 'localhost:5432/app', 'off'],
  ['postgres://u@localhost/app?sslmode=disable', 'localhost:5432/app', 'off'],
  ['postgres://u@localhost/app?sslmode=verify-ca', 'localhost:5432/app', 'verified'],
  ['postgres://u@localhost/app?sslrootcert=system', 'localhost:5432/app', 'verified'],
  ['postgres://u@localhost/app?options=-c%20statement_timeout%3D5000', 'localhost:5432/app', 'off'],
  ['postgres://u@localhost/app?connect_timeout=10', 'localhost:5432/app', 'off'],
  ['postgres:///app?host=127.0.0.1', '127.0.0.1:5432/app', 'off'],
  ['postgres:///app?host=db.example.com', 'db.example.com:5432/app', 'verified'],
  ['postgres://u@localhost/app?host=db.example.com', 'db.example.com:5432/app', 'verified'],
  ['postgres://u@127.0.0.1.example.com/app', '127.0.0.1.example.com:5432/app', 'verified'],
  ['postgres://u@localhost.example.com/app', 'localhost.example.com:5432/app', 'verified'],
  ['postgres://u@db.localhost/app', 'db.localhost:5432/app', 'verified'],
  ['postgres://u@[fe80::1]/app', '[fe80::1]:5432/app', 'verified'],
  ['postgres://u@[::ffff:127.0.0.1]/app', '[::ffff:7f00:1]:5432/app', 'verified'],
  ['postgres://u@0.0.0.0/app', '0.0.0.0:5432/app', 'verified'],
  ['postgres://u@db.example.com/app?sslrootcert=system', 'db.example.com:5432/app', 'verified'],
  ['postgres://u@localhost:6432/app?pgbouncer=true', 'localhost:6432/app', 'off'],
  ['postgres://u@localhost:6432/app?pgbouncer=false&options=-c%20work_mem%3D5000', 'localhost:6432/app', 'off'],
  ['postgres://u@pooler.example.com/app?sslmode=verify-full&pgbouncer=true', 'pooler.example.com:5432/app', 'verified'],
  ['postgres://u@localhost/app?pgbouncer=true&application_name=x', 'localhost:5432/app', 'off'],
];

const refused: [string, string][] = [
  ['nonsense', 'INVALID_URL'],
  ['', 'INVALID_URL'],
  [`mysql://u:${secret}@localhost/app`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost:99999/app`, 'INVALID_URL'],
  [`postgres://u:${secret}%zz@localhost/app`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?sslmode=REQUIRE`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?sslmode=yes`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?sslmode=require&sslmode=disable`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?application_name=x?sslmode=require`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?schema=public`, 'INVALID_URL'],
  [`postgres://u:${secret}@db1.example.com,db2.example.com/app`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app#fragment`, 'INVALID_URL'],
  [`postgres://u:${secret}#more@localhost/app`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app/more`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?sslmode=`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?ssl=true`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?connect_timeout=10?sslmode=require`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?sslrootcert=/nowhere/ca.crt`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?application_name=a&application_name=b`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer=yes`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer=TRUE`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer=`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer=true&pgbouncer=true`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?pgbouncer=true?sslmode=require`, 'INVALID_URL'],
  [`postgres://u:${secret}@localhost/app?options=-c%20work_mem%3D5000&pgbouncer=true`, 'INVALID_URL'],
  [`http://u:${secret}@localhost/app`, 'INVALID_URL'],
  [`localhost:5432/app?password=${secret}`, 'INVALID_URL'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=disable`, 'PLAINTEXT_REFUSED'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=allow`, 'PLAINTEXT_REFUSED'],
  [`postgres://u:${secret}@db.example.com/app?sslmode=prefer`, 'PLAINTEXT_REFUSED'],
];

test('sixty forms and more are in the two tables', () => {
  expect(accepted.length + refused.length).toBeGreaterThanOrEqual(60);
});

describe('accepted', () => {
  test.each(accepted)('%s', (url, target, tls) => {
    const address = parseServerUrl(url);
    expect(address.target).toBe(target);
    const ssl = address.options.ssl as false | 'prefer' | { rejectUnauthorized: boolean };
    const seen = ssl === false ? 'off' : ssl === 'prefer' ? ssl : ssl.rejectUnauthorized ? 'verified' : 'unverified';
    expect(seen).toBe(tls);
  });

  test('user, password and database are percent-decoded', () => {
    const { options } = parseServerUrl('postgres://us%40er:p%2Fa%3Fs%23s@localhost/my%20app');
    expect(options).toMatchObject({ username: 'us@er', password: 'p/a?s#s', database: 'my app' });
  });

  test('a pooler is what pgbouncer says, and not known where it says nothing', () => {
    const isPooled = (query: string): unknown => parseServerUrl(`postgres://u@localhost/app${query}`).isPooled;
    expect([isPooled('?pgbouncer=true'), isPooled('?pgbouncer=false'), isPooled('')]).toEqual([true, false, undefined]);
  });

  test('what weakens TLS says so in a warning', () => {
    expect(parseServerUrl('postgres://u@db.example.com/app?sslmode=require').warnings.join()).toContain('verify-full');
    expect(parseServerUrl('postgres://u@db.example.com/app?sslmode=disable', true).warnings.join()).toContain(
      'without TLS',
    );
    expect(parseServerUrl('postgres://u@db.example.com/app').warnings).toEqual([]);
  });
});

test('options are refused before a pooler, with what to do instead', () => {
  const parse = (): unknown => parseServerUrl('postgres://u@localhost/app?options=-c%20work_mem%3D5000&pgbouncer=true');
  expect(parse).toThrow('has options and pgbouncer=true');
  expect(parse).toThrow(expect.objectContaining({ hint: expect.stringContaining('alter role') }));
});

describe('refused, without a word of the password', () => {
  test.each(refused)('%s', (url, code) => {
    let error: ConnectionError | undefined;
    try {
      parseServerUrl(url);
    } catch (reason) {
      error = reason as ConnectionError;
    }
    expect(error?.code).toBe(code);
    expect(error?.hint).toBeTruthy();
    expect(`${error?.stack}${JSON.stringify(error)}`).not.toContain(secret);
  });
});

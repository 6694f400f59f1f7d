// What the command line says and exits with when it cannot do what was asked. No database is reached here.

import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../cli/exit-codes.ts';
import { cleanUpCommands, mytx, newFolder } from './command.ts';

cleanUpCommands();
const folder = newFolder();

function withUrl(POSTGRES_URL: string): { folder: string; env: Record<string, string> } {
  return { folder, env: { POSTGRES_URL } };
}

describe('POSTGRES_URL', () => {
  test('of a server that does not answer: exit 5', async () => {
    const { exitCode, stdout, stderr } = await mytx(
      ['start'],
      withUrl(`postgres://u:hush@127.0.0.1:${await freePort()}/x`),
    );
    expect(stdout).toMatch(/^target: 127\.0\.0\.1:\d+\/x\n$/);
    expect(stderr).toMatch(/^error UNREACHABLE: no connection to 127\.0\.0\.1:\d+\/x \(ECONNREFUSED\)\nnext: .*\n$/m);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(exitCode).toBe(5);
  });

  test('that is none: exit 1, with its text nowhere', async () => {
    const { exitCode, stdout, stderr } = await mytx(['start', '--json'], withUrl('postgres//u:hush@h/x'));
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, target: null, error: { code: 'INVALID_URL' } });
    expect(stderr).toMatch(/^error INVALID_URL: .*\nnext: .*\n$/);
    expect(stdout + stderr).not.toContain('hush');
    expect(exitCode).toBe(1);
  });

  test('of another machine: neither migrated nor filled', async () => {
    const { exitCode, stdout, stderr } = await mytx(['start'], withUrl('postgres://u:hush@db.example.invalid/x'));
    expect(stdout).toBe(
      'target: db.example.invalid:5432/x\nnote: db.example.invalid:5432/x is not on this machine: migrations are not applied and the sample assistant is not loaded\n',
    );
    expect(stderr).toContain('error UNREACHABLE: ');
    expect(exitCode).toBe(5);
  });

  test('of another machine without TLS: exit 3', async () => {
    const { exitCode, stderr } = await mytx(['start'], withUrl('postgres://u@db.example.invalid/x?sslmode=disable'));
    expect(stderr).toContain('error PLAINTEXT_REFUSED: ');
    expect(exitCode).toBe(3);
  });

  test('of another machine: reset is refused before anything is connected to', async () => {
    // Its name cannot be looked up: a connection would have failed with UNREACHABLE.
    const { exitCode, stdout, stderr } = await mytx(['reset', '--json'], withUrl('postgres://u@db.example.invalid/x'));
    const { ok, command, target, error } = JSON.parse(stdout);
    expect({ ok, command, target }).toEqual({ ok: false, command: 'reset', target: 'db.example.invalid:5432/x' });
    expect(error.code).toBe('RESET_REFUSED');
    expect(stderr).toContain('db.example.invalid:5432/x is not on this machine: it is not reset\nnext: ');
    expect(exitCode).toBe(3);
  });
});

test('.env.local that cannot be read is an error, not an embedded database', async () => {
  const odd = newFolder();
  mkdirSync(join(odd, '.env.local'));
  const { exitCode, stderr } = await mytx(['start', '--once'], { folder: odd });
  expect(stderr).toMatch(/^error EISDIR: .*\nnext: .*\n$/);
  expect(exitCode).toBe(1);
});

describe('the command line', () => {
  test('with an unknown verb exits 2 and suggests one', async () => {
    const { exitCode, stdout, stderr } = await mytx(['strat'], { folder });
    expect(stderr).toContain("error: unknown command 'strat'\n(Did you mean start?)\n");
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });

  test('with an unknown option exits 2, in JSON too', async () => {
    const { exitCode, stdout } = await mytx(['start', '--onec', '--json'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'USAGE' } });
    expect(JSON.parse(stdout).error.message).toContain('(Did you mean --once?)');
    expect(exitCode).toBe(2);
  });

  test('without a verb shows the help and exits 2', async () => {
    const { exitCode, stderr } = await mytx([], { folder });
    expect(stderr).toMatch(/^Examples:\n {2}npx mytx start\n/);
    expect(exitCode).toBe(2);
  });

  test('with --help shows examples first, and every exit code', async () => {
    const { exitCode, stdout } = await mytx(['start', '--help'], { folder });
    expect(stdout).toMatch(/^Examples:\n {2}npx mytx start\n[\s\S]*\nUsage: mytx start \[options\]\n/);
    for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(stdout).toMatch(new RegExp(`^ {2}${code} +\\w`, 'm'));
    expect(exitCode).toBe(0);
  });
});

test.each([
  ['MIGRATION_LOCK_HELD', 4],
  ['EMBEDDED_IN_USE', 4],
  ['CONNECTION_LOST', 5],
  ['SCHEMA_BEHIND', 1],
  ['UNEXPECTED', 1],
])('%s exits %i', (code, exitCode) => {
  expect(exitCodeOf(code)).toBe(exitCode);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

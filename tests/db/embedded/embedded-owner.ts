// For tests of the socket of an embedded database: a database that this process owns, and ways for others to come in.
// Everything that a test opens is closed behind it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, inject } from 'vitest';
import { messagesOf, startupMessage } from '../../../db/embedded/wire.ts';
import { createDatabase, type DatabaseOptions, db } from '../../../db/index.ts';
import { findInstallations, isFound } from '../../servers/installations.ts';

type Database = Awaited<ReturnType<typeof createDatabase>>;

const ends: (() => unknown)[] = [];
const endsOfTest: (() => unknown)[] = [];

/** Call once in a file: guests go behind each test, databases behind all of them. */
export function closeBehindTests(): void {
  const close = async (list: (() => unknown)[]): Promise<void> => {
    for (const end of list.splice(0).reverse()) await end();
  };
  afterEach(() => close(endsOfTest));
  afterAll(() => close(ends));
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-owner-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Owner {
  folder: string;
  database: Database;
  url: string;
  /** What a client opens. */
  socketPath: string;
  /** Runs a statement as the owner. */
  run(statement: string): Promise<Record<string, unknown>[]>;
  /** Another session's statements, by the driver `postgres`. */
  client(options?: postgres.Options<Record<string, never>>): postgres.Sql;
}

/** A migrated database in a folder of its own, which this process owns. */
export async function newOwner(options: DatabaseOptions = {}): Promise<Owner> {
  const folder = options.folder ?? newFolder();
  const isNew = !existsSync(join(folder, 'database'));
  const snapshot = isNew ? { snapshot: new Blob([readFileSync(inject('snapshotFile'))]) } : {};
  const database = await createDatabase({ folder, ...snapshot, ...options });
  ends.push(() => database.close());
  const url = database.report.socketUrl ?? '';
  const socketPath = url && join(new URL(url).searchParams.get('host') ?? '', '.s.PGSQL.5432');
  return {
    folder,
    database,
    url,
    socketPath,
    run: (statement) => database.run(async () => [...(await db.execute<Record<string, unknown>>(statement))]),
    client(more = {}): postgres.Sql {
      const sql = postgres({
        path: socketPath,
        username: 'postgres',
        database: 'postgres',
        max: 1,
        onnotice: () => {},
        ...more,
      } as postgres.Options<Record<string, never>>);
      endsOfTest.push(() => sql.end({ timeout: 1 }));
      return sql as unknown as postgres.Sql;
    },
  };
}

/** psql of the PostgreSQL that is installed here, or why there is none. */
export const psqlProgram: { path: string } | { missing: string } = findPsql();

function findPsql(): { path: string } | { missing: string } {
  const [oldest] = findInstallations();
  if (!oldest) return { missing: 'no PostgreSQL is known' };
  return isFound(oldest) ? { path: join(oldest.binFolder, 'psql') } : { missing: oldest.missing };
}

export interface Printed {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs psql with a URL; never waited for in a blocking way, because this process has to answer it. */
export function psql(url: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Printed> } {
  if ('missing' in psqlProgram) throw new Error(psqlProgram.missing);
  return run(psqlProgram.path, ['--no-psqlrc', url, ...args], {});
}

/** Runs a command in a folder. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> },
): { child: ChildProcess; ended: Promise<Printed> } {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
  });
  endsOfTest.push(() => child.kill('SIGKILL'));
  const printed: Printed = { exitCode: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  const ended = new Promise<Printed>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ ...printed, exitCode }));
  });
  return { child, ended };
}

/** A session of raw messages. */
export class RawClient {
  readonly socket: Socket;
  hasClosed = false;
  #received = Buffer.alloc(0);

  private constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.hasClosed = true;
    });
    endsOfTest.push(() => this.socket.destroy());
  }

  /** Connects, and sends nothing. */
  static silent(path: string): RawClient {
    return new RawClient(path);
  }

  /** Connects and begins a session. */
  static async begin(path: string, settings: Record<string, string> = {}): Promise<RawClient> {
    const client = new RawClient(path);
    client.send(startupMessage({ user: 'postgres', database: 'postgres', ...settings }));
    await client.untilReady();
    return client;
  }

  send(...messages: Uint8Array[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** The answers up to the next ReadyForQuery, or to the end: types, and bodies as texts. */
  async untilReady(): Promise<{ type: string; text: string }[]> {
    for (;;) {
      const replies = [...messagesOf(this.#received, true)].filter(
        ({ bytes, body }) => bytes.length === body.length + 5 && bytes.length === 1 + bytes.readInt32BE(1),
      );
      const end = replies.findIndex(({ type }) => type === 'Z');
      if (end !== -1 || this.hasClosed) {
        const taken = end === -1 ? replies : replies.slice(0, end + 1);
        this.#received = this.#received.subarray(taken.reduce((sum, { bytes }) => sum + bytes.length, 0));
        return taken.map(({ type, body }) => ({ type, text: body.toString('latin1') }));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

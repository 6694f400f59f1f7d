// Loading: mytx seed beside a bare COPY of the same rows into the same table, with its indexes and constraints, and the
// memory that it takes at its peak.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import postgres, { type Sql } from 'postgres';
import { createDatabase } from '../db/database.ts';
import { loadScaledSample } from '../db/sample/load-scaled.ts';
import { scaledChats } from '../db/sample/scaled-chats.ts';
import { createTestDatabase } from '../db/testing/index.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';
import { startBenchServer, timeOf } from './harness.ts';
import type { Peers } from './peers.ts';

const mostMiB = 300;
const embeddedMessages = 100_000;
/** A round of a million messages takes a minute. */
const mostRounds = 3;
const tables = ['User', 'Chat', 'Message'] as const;

interface Seeded {
  seconds: number;
  messagesPerSecond: number;
  peakMiB: number;
}

/**
 * @param url any database of the server: it is measured in one of its own
 * @param beside who else keeps the same chats, and whether the embedded database does: fewer of them, since both take longer
 */
export async function measureSeed(
  url: string,
  { rounds, seedMessages }: Effort,
  { peers, embedded = false }: { peers?: Peers | undefined; embedded?: boolean } = {},
): Promise<Figure[]> {
  const database = await createTestDatabase({ url });
  const sql = postgres(database.url as string, { max: 1, onnotice: () => {} });
  const folder = mkdtempSync(join(tmpdir(), 'mytx-bench-seed-'));
  const peaks: number[] = [];
  const say = (text: string): void =>
    console.error(`loading ${seedMessages.toLocaleString('en-US')} messages: ${text}`);
  const seedRate = async (): Promise<number> => {
    const { seconds, messagesPerSecond, peakMiB } = await seed(sql, database.url as string, seedMessages);
    say(`mytx seed ${messagesPerSecond} a second, ${seconds.toFixed(1)} s, ${peakMiB.toFixed(0)} MiB`);
    peaks.push(peakMiB / mostMiB);
    return messagesPerSecond;
  };
  const copyRate = async (): Promise<number> => {
    const seconds = (await copyBare(sql, folder)) / 1000;
    say(`bare COPY ${Math.round(seedMessages / seconds)} a second, ${seconds.toFixed(1)} s`);
    return seedMessages / seconds;
  };
  try {
    await seed(sql, database.url as string, seedMessages);
    for (const table of tables) await capture(sql, table, fileOf(folder, table));
    const rates = await compare(copyRate, { ours: seedRate }, { rounds: Math.min(rounds, mostRounds) });
    const others = peers && (await othersTo(await copyRate(), peers, seedMessages));
    if (embedded) say(`on the embedded database, ${embeddedMessages.toLocaleString('en-US')} at most`);
    const onEmbedded = embedded ? { embedded: await seedEmbedded(Math.min(seedMessages, embeddedMessages)) } : {};
    const name = `\`mytx seed\` of ${seedMessages.toLocaleString('en-US')} messages`;
    const to = 'a bare COPY of the same rows into the same table: rows a second';
    return [
      { ...figureOf({ group: 'Loading', name, to, target: { least: 0.5 } }, { ...rates, ...others }), ...onEmbedded },
      figureOf(
        { group: 'Loading', name: `memory of ${name} at its peak`, to: `${mostMiB} MiB`, target: { most: 1 } },
        { ours: peaks },
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await sql.end();
    await database.close();
  }
}

/** Rates of those who save one chat after the other, to that of a bare COPY. */
async function othersTo(
  copyRate: number,
  { spec, langGraph }: Peers,
  messages: number,
): Promise<Partial<Record<'spec' | 'langGraph', number[]>>> {
  const rateOf = async (most: number, save: (id: string, list: object[]) => Promise<unknown>): Promise<number[]> => {
    const count = Math.min(messages, most);
    const ms = await timeOf(async () => {
      for (const { id, makeMessages } of scaledChats(count)) await save(id, makeMessages());
    });
    return [count / (ms / 1000) / copyRate];
  };
  const userId = randomUUID();
  const textsOf = (list: object[]): { role: string; text: string }[] =>
    list.map((message) => ({ role: (message as { role: string }).role, text: JSON.stringify(message) }));
  return {
    spec: await rateOf(100_000, (id, list) => spec.saveChat({ id, userId, messages: list })),
    ...(langGraph ? { langGraph: await rateOf(10_000, (_, list) => langGraph.newThread(textsOf(list))) } : {}),
  };
}

/** The same on the embedded database: the rate of the load to that of a COPY by its driver, behind it. */
async function seedEmbedded(messages: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-bench-seed-'));
  try {
    const database = await createDatabase({ folder, keepSnapshots: false });
    const seedMs = await database.run(() => timeOf(() => loadScaledSample({ messages })));
    await database.close();
    const client = await PGlite.create({ dataDir: join(folder, 'database') });
    const rows = new Map<string, Blob | undefined>();
    for (const table of tables) rows.set(table, (await client.query(`copy "${table}" to '/dev/blob'`)).blob);
    await client.query('truncate "User" cascade');
    const copy = (table: string): Promise<unknown> =>
      client.query(`copy "${table}" from '/dev/blob'`, [], { blob: rows.get(table) as Blob });
    await copy('User');
    await copy('Chat');
    const copyMs = await timeOf(() => copy('Message'));
    await client.close();
    return copyMs / seedMs;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const fileOf = (folder: string, table: string): string => join(folder, `${table}.txt`);

/** In a process of its own, so that its memory can be told. */
async function seed(sql: Sql, url: string, messages: number): Promise<Seeded> {
  await empty(sql);
  const script = fileURLToPath(new URL('seed-process.ts', import.meta.url));
  const env = { ...process.env, BENCH_URL: url }; // an error of execFile says the arguments
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, String(messages)], {
    env,
  });
  return JSON.parse(stdout) as Seeded;
}

/** How long the messages take; users and chats are there already. */
async function copyBare(sql: Sql, folder: string): Promise<number> {
  await empty(sql);
  for (const table of ['User', 'Chat']) await copyIn(sql, table, fileOf(folder, table));
  return timeOf(() => copyIn(sql, 'Message', fileOf(folder, 'Message')));
}

/** A checkpoint, so that each begins with as many whole pages to log. */
async function empty(sql: Sql): Promise<void> {
  await sql`truncate "User" cascade`;
  await sql`checkpoint`;
}

async function copyIn(sql: Sql, table: string, file: string): Promise<void> {
  await pipeline(createReadStream(file), await sql`copy ${sql(table)} from stdin`.writable());
}

/** Written as it comes: the driver (3.4.9) never goes on where a stream that it gives is full. */
async function capture(sql: Sql, table: string, file: string): Promise<void> {
  const descriptor = openSync(file, 'w');
  const rows = await sql`copy ${sql(table)} to stdout`.readable();
  rows.on('data', (bytes: Buffer) => writeSync(descriptor, bytes));
  await once(rows, 'end');
  closeSync(descriptor);
}

if (process.argv[1] === import.meta.filename) {
  const isQuick = process.argv.includes('--quick');
  const { server, url } = await startBenchServer();
  try {
    const effort: Effort = {
      rounds: mostRounds,
      readMs: 0,
      seedMessages: isQuick ? 50_000 : 1_000_000,
      apiKeys: 0,
      searchedMessages: 0,
      migrations: 10,
      backfilledRows: 20_000,
      changedRows: 0,
      longestThread: 0,
    };
    for (const { name, to, ratio, middle } of await measureSeed(url, effort)) {
      console.log(`${ratio.toFixed(2)} (${middle.map((one) => one.toFixed(2)).join(' to ')})  ${name}, to ${to}`);
    }
  } finally {
    await server.stop();
  }
}

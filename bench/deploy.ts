// Deploying: the status of many migrations, many small ones applied beside Drizzle's own migrator, and a backfill beside one
// UPDATE of the whole table, with writers beside it.

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { deploy, status } from '../db/deployment.ts';
import { startNode, withBuiltCommand } from './built-command.ts';
import { compare, type Effort, type Figure, figureOf } from './figure.ts';
import { timeOf } from './harness.ts';

const writers = 4;
/** A writer may wait so long for a row of a batch. */
const mostWaitMs = 100;

export async function measureDeploy(url: string, { rounds, migrations, backfilledRows }: Effort): Promise<Figure[]> {
  const few = Math.max(1, Math.min(rounds, 3));
  console.error(`deploy: ${migrations} migrations`);
  // Drizzle's one transaction takes 0.5 or 0.9 s by chance.
  const applied = await measureMany(url, Math.min(rounds, 9), migrations);
  console.error(`deploy: a backfill of ${backfilledRows.toLocaleString('en-US')} rows`);
  return [...applied, ...(await measureBackfill(url, few, backfilledRows))];
}

const facts = { group: 'Deploying' } as const;

async function measureMany(url: string, rounds: number, migrations: number): Promise<Figure[]> {
  const migrationsFolder = writeMigrations(
    Array.from({ length: migrations }, (_, n) => `create table "t${n}" (id int primary key, name text)`),
  );
  const inNew = async (work: (own: string) => Promise<unknown>): Promise<number> => {
    const own = await newDatabase(url);
    return timeOf(() => work(own)).finally(() => dropDatabase(url, own));
  };
  const byDrizzle = async (own: string): Promise<void> => {
    const sql = postgres(own, { max: 1, onnotice: () => {} });
    await migrate(drizzle(sql), { migrationsFolder }).finally(() => sql.end());
  };
  const ratios = await compare(
    () => inNew(byDrizzle),
    { ours: () => inNew((own) => deploy({ url: own, migrationsFolder })) },
    { rounds },
  );
  const own = await newDatabase(url);
  await deploy({ url: own, migrationsFolder });
  const took: number[] = [];
  for (let i = 0; i < 5; i += 1) took.push((await timeOf(() => status({ url: own, migrationsFolder }))) / 1000);
  const command = await measureCommand(own, migrationsFolder, rounds, migrations);
  await dropDatabase(url, own);
  rmSync(migrationsFolder, { recursive: true });
  return [
    figureOf(
      {
        ...facts,
        name: `\`deploy\` of ${migrations} small migrations`,
        to: 'Drizzle’s migrate(): time',
        target: { most: 1.5 },
      },
      ratios,
    ),
    figureOf(
      { ...facts, name: `\`status\` of ${migrations} migrations`, to: 'a second', target: { most: 1 } },
      { ours: took },
    ),
    ...command,
  ];
}

/** The same as a command, with all that it takes: Node's start, the project's configuration, the connection. */
async function measureCommand(
  url: string,
  migrationsFolder: string,
  rounds: number,
  migrations: number,
): Promise<Figure[]> {
  const project = mkdtempSync(join(tmpdir(), 'mytx-bench-'));
  const config = { dialect: 'postgresql', out: migrationsFolder, dbCredentials: { url } };
  writeFileSync(join(project, 'drizzle.config.json'), JSON.stringify(config));
  const name = `\`mytx status\` of ${migrations} migrations, as a command`;
  const starts = 3;
  try {
    return await withBuiltCommand(async (command) => {
      const start = (): Promise<number> => startNode([command, 'status', '--url', url], { cwd: project, starts });
      const took: number[] = [];
      for (let i = 0; i < rounds; i += 1) took.push((await start()) / starts / 1000);
      const ratios = await compare(() => startNode(['-e', '0'], { starts }), { ours: start }, { rounds });
      return [
        figureOf({ ...facts, name, to: 'a second', target: { most: 1 } }, { ours: took }),
        figureOf({ ...facts, name, to: '`node -e 0`: time' }, ratios),
      ];
    });
  } finally {
    rmSync(project, { recursive: true });
  }
}

const fill = `update wide set full_name = first || ' ' || last where full_name is null`;

async function measureBackfill(url: string, rounds: number, rows: number): Promise<Figure[]> {
  const small = Math.round(rows / 10);
  const folder = writeMigrations([`-- mytx:backfill\n${fill}`]);
  const rateOf = async (count: number, work: (own: string) => Promise<unknown>): Promise<number> => {
    const own = await newDatabase(url);
    await fillTable(own, count);
    const ms = await timeOf(() => work(own)).finally(() => dropDatabase(url, own));
    return count / ms;
  };
  const backfill = (own: string): Promise<unknown> => deploy({ url: own, migrationsFolder: folder });
  const byOneUpdate = async (own: string): Promise<void> => {
    const sql = postgres(own, { max: 1 });
    await sql.unsafe(fill).finally(() => sql.end());
  };
  const growing = await compare(() => rateOf(small, backfill), { ours: () => rateOf(rows, backfill) }, { rounds });
  const beside = await compare(() => rateOf(rows, byOneUpdate), { ours: () => rateOf(rows, backfill) }, { rounds });
  const waits: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const own = await newDatabase(url);
    await fillTable(own, small);
    waits.push((await longestWait(own, small, () => backfill(own))) / mostWaitMs);
    await dropDatabase(url, own);
  }
  rmSync(folder, { recursive: true });
  const name = `a backfill of ${rows.toLocaleString('en-US')} rows`;
  return [
    figureOf(
      { ...facts, name: `rows a second of ${name}`, to: `of ${small.toLocaleString('en-US')}`, target: { least: 0.8 } },
      growing,
    ),
    figureOf(
      { ...facts, name: `rows a second of ${name}`, to: 'one UPDATE of the whole table', target: { least: 0.5 } },
      beside,
    ),
    figureOf(
      {
        ...facts,
        name: `longest wait of ${writers} writers beside a backfill`,
        to: `${mostWaitMs} ms`,
        target: { most: 1 },
      },
      { ours: waits },
    ),
  ];
}

/** Writers that update rows anywhere, one at a time each, until the work is done. @returns milliseconds */
async function longestWait(url: string, rows: number, work: () => Promise<unknown>): Promise<number> {
  const sql = postgres(url, { max: writers });
  let isOver = false;
  let longestMs = 0;
  const write = async (): Promise<void> => {
    while (!isOver) {
      const id = 1 + Math.floor(Math.random() * rows);
      longestMs = Math.max(longestMs, await timeOf(() => sql`update wide set n = n + 1 where id = ${id}`));
      await sleep(2);
    }
  };
  await sql`select 1`;
  const writing = Array.from({ length: writers }, write);
  await sleep(200);
  longestMs = 0; // connected, planned
  await work();
  isOver = true;
  await Promise.all(writing);
  await sql.end();
  return longestMs;
}

async function fillTable(url: string, rows: number): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql.unsafe(`create table wide (id int primary key, first text, last text, n int not null default 0, full_name text);
    insert into wide select n, md5(n::text), md5((-n)::text) from generate_series(1, ${rows}) n`);
  await sql.unsafe('vacuum analyze wide');
  await sql.unsafe('checkpoint');
  await sql.end();
}

export function writeMigrations(texts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-bench-'));
  mkdirSync(join(folder, 'meta'));
  const entries = texts.map((_, idx) => ({
    idx,
    tag: `${String(idx).padStart(4, '0')}_m`,
    when: 1_700_000_000_000 + idx,
  }));
  for (const { idx, tag } of entries) writeFileSync(join(folder, `${tag}.sql`), texts[idx] as string);
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify({ entries }));
  return folder;
}

/** An empty database, or a copy of the one at `template`, on the disk like it. */
export async function newDatabase(url: string, template?: string): Promise<string> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  const sql = postgres(url, { max: 1 });
  const copied = template === undefined ? '' : ` template ${nameOf(template)} strategy file_copy`;
  await sql.unsafe(`create database ${name}${copied}`).finally(() => sql.end());
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

export async function dropDatabase(url: string, own: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql.unsafe(`drop database ${nameOf(own)} with (force)`).finally(() => sql.end());
}

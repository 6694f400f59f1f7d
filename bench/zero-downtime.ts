// Twelve usual changes of a schema, each made to a large table while others read and write it: drizzle-kit's own SQL by
// Drizzle's migrate(), which is what `drizzle-kit migrate` does, and the same SQL rewritten and applied by deploy().

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { deploy } from '../db/deployment.ts';
import { rewriteMigration } from '../deploy/rewrite/rewrite-migration.ts';
import { dropDatabase, newDatabase, writeMigrations } from './deploy.ts';
import { type Effort, type Figure, figureOf } from './figure.ts';
import { timeOf } from './harness.ts';
import { fillStatements, makeSchemaChanges } from './schema-changes.ts';
import { openTraffic, type Traffic, type TrafficOptions } from './traffic.ts';

/** How readers and writers fared beside a change. */
export interface Fared {
  longestReadMs: number;
  longestWriteMs: number;
  requests: number;
  failed: number;
  /** How long the change took. */
  tookMs: number;
}

export interface ChangeResult {
  name: string;
  drizzleKit: Fared;
  ours: Fared;
}

export interface ChangesResult {
  rows: number;
  readers: number;
  writers: number;
  /** Without any change, for as long: what the machine itself makes them wait. */
  undisturbed: Fared;
  changes: ChangeResult[];
}

const people = { readers: 8, writers: 8, pauseMs: 20 } as const;

/** A change that takes a moment is looked at for so long behind its end. */
const afterwardsMs = 100;

/** Nobody may wait longer. */
export const mostWaitMs = 600;

export async function measureChanges(
  url: string,
  { changedRows: rows, readMs }: Effort,
): Promise<{ figures: Figure[]; result: ChangesResult }> {
  console.error(`zero-downtime: a table of ${rows.toLocaleString('en-US')} rows`);
  const { first, schema, changes } = await makeSchemaChanges();
  const template = await fillTemplate(url, first, rows);
  const traffic = openTraffic();
  const measure = (work: (own: string) => Promise<unknown>): Promise<Fared> =>
    onCopy(url, template, (own) => fare(traffic, { url: own, rows, ...people }, () => work(own)));
  try {
    const undisturbed = await measure(() => sleep(20 * readMs));
    console.error(`zero-downtime: without a change: ${inWords(undisturbed)}`);
    const results: ChangeResult[] = [];
    for (const { name, plain, ours } of changes) {
      const rewritten = ours ?? (await rewriteMigration(plain, { schema })).text;
      const byDrizzleKit = await withMigrations([first, plain], (folder) =>
        measure((own) => migrateByDrizzle(own, folder)),
      );
      const byUs = await withMigrations([first, rewritten], (folder) =>
        measure((own) => deploy({ url: own, migrationsFolder: folder })),
      );
      console.error(`zero-downtime: ${name}: ${inWords(byDrizzleKit)}; ours: ${inWords(byUs)}`);
      results.push({ name, drizzleKit: byDrizzleKit, ours: byUs });
    }
    const { readers, writers } = people;
    const result = { rows, readers, writers, undisturbed, changes: results };
    return { figures: figuresOf(result), result };
  } finally {
    traffic.close();
    await dropDatabase(url, template);
  }
}

export const longestMs = ({ longestReadMs, longestWriteMs }: Fared): number => Math.max(longestReadMs, longestWriteMs);

const inWords = (fared: Fared): string =>
  `${longestMs(fared).toFixed(0)} ms at most, ${fared.failed} of ${fared.requests} failed, took ${fared.tookMs.toFixed(0)} ms`;

function figuresOf({ rows, readers, writers, changes }: ChangesResult): Figure[] {
  const facts = { group: 'Changing a schema' } as const;
  const people = `of ${readers} readers and ${writers} writers of ${rows.toLocaleString('en-US')} rows`;
  return [
    ...changes.map(({ name, ours }) =>
      figureOf(
        { ...facts, name: `${name}: longest wait ${people}`, to: `${mostWaitMs} ms`, target: { most: 1 } },
        { ours: [longestMs(ours) / mostWaitMs] },
      ),
    ),
    figureOf(
      { ...facts, name: `their requests that failed, in ${changes.length} changes`, to: '1', target: { most: 0 } },
      { ours: [changes.reduce((sum, { ours }) => sum + ours.failed, 0)] },
    ),
  ];
}

async function withMigrations<T>(texts: readonly string[], work: (folder: string) => Promise<T>): Promise<T> {
  const folder = writeMigrations(texts);
  return work(folder).finally(() => rmSync(folder, { recursive: true }));
}

async function migrateByDrizzle(url: string, migrationsFolder: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await migrate(drizzle(sql), { migrationsFolder }).finally(() => sql.end());
}

/** A database with the first migration and its rows, that others are copies of. */
async function fillTemplate(url: string, first: string, rows: number): Promise<string> {
  const own = await newDatabase(url);
  await withMigrations([first], (folder) => migrateByDrizzle(own, folder));
  const sql = postgres(own, { max: 1 });
  for (const statement of fillStatements(rows)) await sql.unsafe(statement);
  await sql.unsafe('vacuum analyze');
  await sql.end();
  return own;
}

async function onCopy<T>(url: string, template: string, work: (own: string) => Promise<T>): Promise<T> {
  const own = await newDatabase(url, template);
  return work(own).finally(() => dropDatabase(url, own));
}

async function fare(traffic: Traffic, options: TrafficOptions, work: () => Promise<unknown>): Promise<Fared> {
  let tookMs = 0;
  const { firstFailure, ...fared } = await traffic.beside(options, async () => {
    tookMs = await timeOf(work);
    await sleep(afterwardsMs);
  });
  if (firstFailure !== undefined) console.error(`zero-downtime: ${fared.failed} failed, the first: ${firstFailure}`);
  return { ...fared, tookMs };
}

// Where figures are measured: this package on a database, and the driver alone on one with the same rows. On a server
// both are in one database; the embedded one has room for one process's one connection, so the driver gets a copy.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import postgres from 'postgres';
import type { StatementLogger } from '../db/connection/open-database.ts';
import { createDatabase } from '../db/database.ts';

export const callers = 32;

/** The driver alone. Statements are prepared, where it can. */
export interface RawDriver {
  run(text: string, params?: readonly (string | number)[]): Promise<Record<string, unknown>[]>;
  transaction(work: (run: RawDriver['run']) => Promise<unknown>): Promise<unknown>;
}

export interface Stage {
  engine: 'server' | 'embedded';
  /** Of a server: for other processes. */
  url?: string;
  /** Runs `work` on this package's database. */
  run<T>(work: () => Promise<T>): Promise<T>;
  raw: RawDriver;
  /** The first statement that a call of this package sends. */
  firstStatement(call: () => Promise<unknown>): Promise<string>;
  close(): Promise<void>;
}

/** As many connections as callers on both sides, so that nobody waits for one. */
export async function openServerStage(url: string): Promise<Stage> {
  const database = await createDatabase({ url, poolSize: callers });
  const sql = postgres(url, { max: callers, onnotice: () => {} });
  const runIn = (within: postgres.ISql): RawDriver['run'] => {
    return async (text, params = []): ReturnType<RawDriver['run']> =>
      within.unsafe(text, [...params], { prepare: true });
  };
  return {
    engine: 'server',
    url,
    run: database.run,
    raw: { run: runIn(sql), transaction: (work) => sql.begin((within) => work(runIn(within))) },
    // Not of the database that is measured: a logger is told of each statement.
    async firstStatement(call): Promise<string> {
      const ear = newEar();
      const listening = await createDatabase({ url, poolSize: 1, logger: ear.logger });
      const statement = await ear.firstDuring(() => listening.run(call));
      await listening.close();
      return statement;
    },
    async close(): Promise<void> {
      await sql.end();
      await database.close();
    },
  };
}

/** @param prepare writes the rows that both sides have */
export async function openEmbeddedStage<Rows>(prepare: () => Promise<Rows>): Promise<{ stage: Stage; rows: Rows }> {
  const place = mkdtempSync(join(tmpdir(), 'mytx-bench-'));
  const options = { folder: join(place, 'ours'), keepSnapshots: false as const };
  const first = await createDatabase(options);
  const rows = await first.run(prepare);
  await first.close();
  cpSync(join(place, 'ours/database'), join(place, 'raw'), { recursive: true });
  const client = await PGlite.create({ dataDir: join(place, 'raw') });
  const ear = newEar();
  const database = await createDatabase({ ...options, logger: ear.logger });
  const runIn = (within: Pick<PGlite, 'query'>): RawDriver['run'] => {
    return async (text, params = []): ReturnType<RawDriver['run']> =>
      (await within.query<Record<string, unknown>>(text, [...params])).rows;
  };
  const stage: Stage = {
    engine: 'embedded',
    run: database.run,
    raw: { run: runIn(client), transaction: (work) => client.transaction((within) => work(runIn(within))) },
    firstStatement: (call) => ear.firstDuring(() => database.run(call)),
    async close(): Promise<void> {
      await client.close();
      await database.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
  return { stage, rows };
}

interface Ear {
  logger: StatementLogger;
  firstDuring(work: () => Promise<unknown>): Promise<string>;
}

function newEar(): Ear {
  let heard: string[] | undefined;
  return {
    logger: ({ statement }): void => void heard?.push(statement),
    async firstDuring(work): Promise<string> {
      const statements: string[] = [];
      heard = statements;
      await work();
      heard = undefined;
      return statements[0] as string;
    },
  };
}

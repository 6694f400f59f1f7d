// The embedded PostgreSQL (PGlite): the one file of db/ that loads it, and only when it is opened, because it is WASM.
// One process, one connection: statements of all callers run one after another.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { type Connection, decodersFor, type Engine, type StatementResult, type WireValue } from './connection.ts';
import { takeOwnership } from './owner.ts';

export interface EmbeddedOptions {
  /** The folder that holds the database and its owner's file, such as `.mytx`; none keeps it all in memory. */
  folder?: string;
  /** A snapshot to start from, as PGlite's `dumpDataDir` makes it; only for a database that is not there yet. */
  snapshot?: Blob;
  /** Called before work that takes seconds, with a sentence that says what it is. */
  onProgress?(message: string): void;
}

/** Opens the embedded database, creating it where there is none. Takes seconds the first time. */
export async function embeddedEngine({ folder, snapshot, onProgress }: EmbeddedOptions): Promise<Engine> {
  const release = folder === undefined ? (): void => {} : takeOwnership(folder);
  try {
    const dataFolder = folder === undefined ? undefined : join(folder, 'database');
    if (dataFolder !== undefined && !existsSync(join(dataFolder, 'PG_VERSION'))) {
      onProgress?.(`creating the embedded database in ${dataFolder} (initdb, 4 to 8 seconds, once)`);
    }
    const { PGlite } = await import('@electric-sql/pglite');
    const client = await PGlite.create({
      ...(dataFolder ? { dataDir: dataFolder } : {}),
      ...(snapshot ? { loadDataDir: snapshot } : {}),
    });
    await client.exec(`set time zone 'UTC'; set datestyle to 'ISO'`);
    return {
      kind: 'embedded',
      target: folder === undefined ? 'embedded, in memory' : `embedded, ${dataFolder}`,
      size: 1,
      connect: () => new EmbeddedConnection(client),
      close: async (): Promise<void> => {
        await client.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

class EmbeddedConnection implements Connection {
  readonly generation = 0;
  private readonly parsers: Record<number, (text: string) => unknown>;
  private readonly serializers: Record<number, (value: unknown) => string>;

  constructor(private readonly client: PGlite) {
    this.parsers = decodersFor(Object.keys(client.parsers));
    this.serializers = Object.fromEntries(
      Object.keys(client.serializers).map((type) => [type, (value: unknown): string => value as string]),
    );
  }

  async run(text: string, params: readonly WireValue[]): Promise<StatementResult> {
    const { parsers, serializers } = this;
    const result = await this.client.query<unknown[]>(text, params as WireValue[], {
      rowMode: 'array',
      parsers,
      serializers,
    });
    return {
      rows: result.rows,
      columns: result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
      count: result.rows.length || (result.affectedRows ?? 0),
    };
  }

  async script(text: string): Promise<void> {
    await this.client.exec(text);
  }

  /** There is only one session: a transaction left open in it is rolled back. */
  async discard(): Promise<void> {
    await this.client.exec('rollback');
  }

  async close(): Promise<void> {}
}

/** The bytes of an embedded database, to start others from (`snapshot`). */
export async function dumpEmbedded(folder: string): Promise<Blob> {
  const { PGlite } = await import('@electric-sql/pglite');
  const client = await PGlite.create(join(folder, 'database'));
  try {
    return await client.dumpDataDir('none');
  } finally {
    await client.close();
  }
}

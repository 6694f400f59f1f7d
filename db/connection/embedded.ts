// The embedded PostgreSQL (PGlite): the one file of db/ that loads it, and only when it is opened, because it is WASM.
// One process, one connection: statements of all callers run one after another.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { type Connection, decodersFor, type Engine, type StatementResult, type WireValue } from './connection.ts';
import { takeOwnership } from './owner.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { SnapshotPolicy } from './snapshot-policy.ts';
import { prepareFolder } from './version-change.ts';

export interface EmbeddedOptions {
  /** The folder that holds the database and its owner's file, such as `.mytx`; none keeps it all in memory. */
  folder?: string;
  /** A snapshot to start from, as PGlite's `dumpDataDir` makes it; only for a database that is not there yet. */
  snapshot?: Blob;
  /** Which snapshots are taken while it is open and when it is closed; none unless given. */
  keepSnapshots?: SnapshotPolicy | null;
  /** Called before work that takes seconds, with a sentence that says what it is. */
  onProgress?(message: string): void;
}

export interface EmbeddedEngine extends Engine {
  /** Takes snapshots; absent for a database in memory. */
  readonly snapshots?: SnapshotKeeper;
  /** What happened to the folder when it was opened, a sentence each. */
  readonly warnings: readonly string[];
}

/** Opens the embedded database, creating it where there is none. Takes seconds the first time. */
export async function embeddedEngine(options: EmbeddedOptions): Promise<EmbeddedEngine> {
  const { folder, snapshot, onProgress } = options;
  const release = folder === undefined ? (): void => {} : takeOwnership(folder);
  try {
    const dataFolder = folder === undefined ? undefined : join(folder, 'database');
    const progress = onProgress ? { onProgress } : {};
    const warnings = folder === undefined ? [] : await prepareFolder({ folder, openClient, ...progress });
    if (dataFolder !== undefined && !existsSync(join(dataFolder, 'PG_VERSION'))) {
      onProgress?.(`creating the embedded database in ${dataFolder} (initdb, 4 to 8 seconds, once)`);
    }
    const client = await openClient(dataFolder, snapshot);
    await client.exec(`set time zone 'UTC'; set datestyle to 'ISO'`);
    const snapshots = await keepSnapshots(client, options);
    return {
      kind: 'embedded',
      target: folder === undefined ? 'embedded, in memory' : `embedded, ${dataFolder}`,
      size: 1,
      ...(snapshots ? { snapshots } : {}),
      warnings,
      connect: () => new EmbeddedConnection(client),
      close: async (): Promise<void> => {
        try {
          await (snapshots ?? client).close();
        } finally {
          release();
        }
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Loads PGlite and opens a folder with it, or a database in memory; from bytes where some are given. */
export async function openClient(dataFolder?: string, bytes?: Blob): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  return PGlite.create({ ...(dataFolder ? { dataDir: dataFolder } : {}), ...(bytes ? { loadDataDir: bytes } : {}) });
}

/** Also where none are to be taken: the folder has to say whether it was closed. */
async function keepSnapshots(
  client: PGlite,
  { folder, keepSnapshots: policy = null, onProgress }: EmbeddedOptions,
): Promise<SnapshotKeeper | undefined> {
  if (folder === undefined) return undefined;
  const dataFolder = join(folder, 'database');
  const progress = onProgress ? { onProgress } : {};
  return SnapshotKeeper.begin({ client, folder, dataFolder, policy, ...progress });
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
  const client = await openClient(join(folder, 'database'));
  try {
    return await client.dumpDataDir('none');
  } finally {
    await client.close();
  }
}

// The embedded PostgreSQL (PGlite): the one file of db/ that loads it, and only when it is opened, because it is WASM.
// One process, one connection: statements of all callers run one after another.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import {
  type Connection,
  decodersFor,
  type Engine,
  type GuestSocket,
  type Line,
  type StatementResult,
  type WireValue,
} from '../connection/connection.ts';
import { ConnectionError } from '../errors.ts';
import { takeOwnership } from './owner.ts';
import { createPlain, findEmbeddedPlace, lockFileOf, notOpened, refuseUnfit, waitForIt } from './plain-folder.ts';
import { placePrepared, readPrepared } from './prepared.ts';
import { importAtRunTime } from './run-time-import.ts';
import { EmbeddedSession } from './session.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { SnapshotPolicy } from './snapshot-policy.ts';
import { openSocket } from './socket.ts';
import { chooseSocketFolder } from './socket-folder.ts';
import { installedMajor, prepareFolder } from './version-change.ts';

export interface EmbeddedOptions {
  /** The folder that holds the database and its owner's file, such as `.mytx`; none keeps it all in memory. */
  folder?: string;
  /** A snapshot to start from, as PGlite's `dumpDataDir` makes it; only for a database that is not there yet. */
  snapshot?: Blob;
  /** Whether a new one may begin as the migrated database that comes with the package; no unless given. */
  mayBePrepared?: boolean;
  /** Whether other processes are to come in through a socket in the folder; no unless given. */
  hasSocket?: boolean;
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

/**
 * Opens the embedded database, creating it where there is none. Takes seconds the first time.
 * @throws ConnectionError EMBEDDED_IN_USE, EMBEDDED_VERSION, where it is in a folder
 */
export async function embeddedEngine({ folder, ...options }: EmbeddedOptions): Promise<EmbeddedEngine> {
  if (folder === undefined) {
    const session = await EmbeddedSession.begin(
      await openClient(undefined, options.snapshot ?? (options.mayBePrepared ? preparedBlob() : undefined)),
      () => {},
    );
    return { ...engineOver(session, 'embedded, in memory'), warnings: [], close: () => session.close() };
  }
  const socketFolder = options.hasSocket ? chooseSocketFolder(folder) : undefined;
  const ownership = await takeOwnership(folder, socketFolder ? { socketFolder } : {});
  try {
    const dataFolder = join(folder, 'database');
    const { client, warnings } = await openFolder(folder, dataFolder, options);
    const session = await EmbeddedSession.begin(client, (trustMs) => ownership.assertKept(trustMs));
    const snapshots = await keepSnapshots(session, { folder, dataFolder, ...options });
    return {
      ...engineOver(session, `embedded, ${dataFolder}`),
      ...(socketFolder ? { letGuestsIn: guestsOf(session, socketFolder) } : {}),
      snapshots,
      warnings,
      close: async (): Promise<void> => {
        try {
          await snapshots.close();
        } finally {
          ownership.release();
        }
      },
    };
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/**
 * Opens a folder of PGlite itself, creating the database where there is none: nothing of ours stays in it, no snapshots
 * are taken and nobody else is let in.
 * @throws ConnectionError EMBEDDED_IN_USE, EMBEDDED_VERSION
 */
export async function plainEngine({
  folder,
  onProgress,
}: Pick<EmbeddedOptions, 'onProgress'> & { folder: string }): Promise<EmbeddedEngine> {
  const ownership = await takeOwnership(folder, { lockFile: lockFileOf(folder), hint: waitForIt });
  try {
    const client = await openPlain(folder, onProgress);
    try {
      const session = await EmbeddedSession.begin(client, (trustMs) => ownership.assertKept(trustMs));
      const close = (): Promise<void> => session.close().finally(() => ownership.release());
      return { ...engineOver(session, `embedded, ${folder}`), warnings: [], close };
    } catch (error) {
      await client.close().catch(() => {}); // what failed first is what is told
      throw error;
    }
  } catch (error) {
    ownership.release();
    throw error;
  }
}

async function openPlain(folder: string, onProgress: EmbeddedOptions['onProgress']): Promise<PGlite> {
  const place = findEmbeddedPlace(folder);
  if (place.kind === 'plain' && !place.isThere) {
    onProgress?.(`creating the PGlite database in ${folder} (initdb, 4 to 8 seconds, once)`);
    await createPlain(folder, async (unfinished) => (await openClient(unfinished)).close());
  }
  refuseUnfit(folder, installedMajor);
  try {
    return await openClient(folder);
  } catch (error) {
    if (error instanceof ConnectionError) throw error; // PGlite itself is not there
    throw notOpened(folder, installedMajor, error);
  }
}

async function openFolder(
  folder: string,
  dataFolder: string,
  { snapshot, mayBePrepared, onProgress }: EmbeddedOptions,
): Promise<{ client: PGlite; warnings: string[] }> {
  const warnings = await prepareFolder({ folder, openClient, ...(onProgress ? { onProgress } : {}) });
  const isThere = existsSync(join(dataFolder, 'PG_VERSION'));
  if (!isThere && (snapshot || !mayBePrepared || !placePrepared(folder, installedMajor))) {
    onProgress?.(
      `creating the embedded database in ${dataFolder} (${snapshot ? 'from a snapshot' : 'initdb, 4 to 8 seconds, once'})`,
    );
  }
  return { client: await openClient(dataFolder, isThere ? undefined : snapshot), warnings };
}

function preparedBlob(): Blob | undefined {
  const bytes = readPrepared();
  return bytes && new Blob([bytes]);
}

/** Loads PGlite and opens a folder with it, or a database in memory; from bytes where some are given. */
export async function openClient(dataFolder?: string, bytes?: Blob): Promise<PGlite> {
  const { PGlite } = await importAtRunTime<typeof import('@electric-sql/pglite')>('@electric-sql/pglite');
  return PGlite.create({ ...(dataFolder ? { dataDir: dataFolder } : {}), ...(bytes ? { loadDataDir: bytes } : {}) });
}

function engineOver(session: EmbeddedSession, target: string): Omit<Engine, 'close'> {
  return { kind: 'embedded', target, size: 1, connect: () => new EmbeddedConnection(session) };
}

function guestsOf(session: EmbeddedSession, socketFolder: string): NonNullable<Engine['letGuestsIn']> {
  return (line: Line, idleMs: number): Promise<GuestSocket> => openSocket({ session, socketFolder, line, idleMs });
}

/** Also where none are to be taken: the folder has to say whether it was closed. */
function keepSnapshots(
  session: EmbeddedSession,
  {
    folder,
    dataFolder,
    keepSnapshots: policy = null,
    onProgress,
  }: EmbeddedOptions & { folder: string; dataFolder: string },
): Promise<SnapshotKeeper> {
  return SnapshotKeeper.begin({
    client: session.client,
    enter: () => session.asOwner('', async () => {}),
    closeClient: () => session.close(),
    folder,
    dataFolder,
    policy,
    ...(onProgress ? { onProgress } : {}),
  });
}

class EmbeddedConnection implements Connection {
  readonly generation = 0;
  private readonly parsers: Record<number, (text: string) => unknown>;
  private readonly serializers: Record<number, (value: unknown) => string>;

  constructor(private readonly session: EmbeddedSession) {
    const { parsers, serializers } = session.client;
    this.parsers = decodersFor(Object.keys(parsers));
    this.serializers = Object.fromEntries(
      Object.keys(serializers).map((type) => [type, (value: unknown): string => value as string]),
    );
  }

  async run(text: string, params: readonly WireValue[]): Promise<StatementResult> {
    const { parsers, serializers } = this;
    const result = await this.session.asOwner(text, (client) =>
      client.query<unknown[]>(text, params as WireValue[], { rowMode: 'array', parsers, serializers }),
    );
    return {
      rows: result.rows,
      columns: result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
      count: result.rows.length || (result.affectedRows ?? 0),
    };
  }

  async script(text: string): Promise<void> {
    await this.session.asOwner(text, (client) => client.exec(text));
  }

  async copyIn(statement: string, chunks: readonly Buffer[]): Promise<StatementResult> {
    const text = `${statement} from '/dev/blob'`;
    const result = await this.session.asOwner(text, (client) =>
      client.query(text, [], { blob: new Blob([...chunks]) }),
    );
    return { rows: [], columns: [], count: result.affectedRows ?? 0 };
  }

  /** There is only one session: a transaction left open in it is rolled back. */
  async discard(): Promise<void> {
    await this.script('rollback');
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

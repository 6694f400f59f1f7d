// Takes the snapshots of an embedded database while it is open: before its schema is changed, now and then, and when
// it is closed. Uses the database's one session, so call it only where nothing else can: in the pool's line, or at the
// end. A snapshot that fails never keeps the database from being closed.

import { existsSync, readFileSync } from 'node:fs';
import { SnapshotError } from '../errors.ts';
import { packFolder } from './folder-archive.ts';
import { type FolderState, readFolderState, readMajorVersion, stateFile, writeFolderState } from './folder-state.ts';
import {
  findDamage,
  listEntries,
  removeSnapshot,
  type SnapshotFacts,
  type SnapshotReason,
  sqlFile,
  UnfinishedSnapshot,
  writeFacts,
} from './snapshot-files.ts';
import { chooseOutdated, type SnapshotPolicy } from './snapshot-policy.ts';
import { type DumpedSchema, type DumpSource, dumpSql } from './sql-dump.ts';

export interface SnapshotKeeperOptions {
  client: DumpSource;
  /** Makes the session the owner's again, where a guest had it. @throws when it can't be used any more */
  enter(): Promise<void>;
  closeClient(): Promise<void>;
  /** The folder with `database` and `snapshots`. */
  folder: string;
  dataFolder: string;
  /** Null: none are taken by themselves. */
  policy: SnapshotPolicy | null;
  /** Told before a snapshot is taken, and of one that failed while the database goes on. */
  onProgress?(message: string): void;
}

/** Runs work while nothing else uses the session. */
export type InLine = (work: () => Promise<void>) => Promise<void>;

export class SnapshotKeeper {
  private state: FolderState;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: SnapshotKeeperOptions) {
    this.state = readFolderState(options.dataFolder);
  }

  /** From now on the folder says that it is open. */
  static async begin(options: SnapshotKeeperOptions): Promise<SnapshotKeeper> {
    const keeper = new SnapshotKeeper(options);
    const [version] = await readRow(options.client, 'select version()');
    const pglite = /PGlite ([\w.-]+)/.exec(version ?? '')?.[1] ?? null;
    keeper.remember({ isOpen: true, isSaved: false, pglite });
    return keeper;
  }

  /** Takes a snapshot every so often, where something was written since the last one. */
  watch(inLine: InLine): void {
    const { policy, onProgress } = this.options;
    if (!policy) return;
    const everyMs = policy.everyMinutes * 60_000;
    const look = async (): Promise<void> => {
      const [newest] = listEntries(this.options.folder);
      const age = Date.now() - Date.parse(newest?.facts?.takenAt ?? '1970-01-01T00:00:00Z');
      if (age >= everyMs) await inLine(() => this.takeIfChanged('while it was open'));
    };
    const wait = (): void => {
      this.timer = setTimeout(() => {
        look()
          .catch((error: Error) => onProgress?.(`no snapshot for now: ${error.message}`))
          .finally(() => {
            if (this.timer) wait();
          });
      }, everyMs / 6).unref();
    };
    wait();
  }

  /** Before something that changes or deletes much: a snapshot of what is there, which no later one replaces. */
  async before(reason: SnapshotReason): Promise<void> {
    if (this.options.policy) await this.take(reason);
  }

  /**
   * Takes a snapshot or, where the newest one has everything, gives that one the reason.
   * @throws SnapshotError SNAPSHOT_FAILED
   */
  async take(reason: SnapshotReason): Promise<SnapshotFacts> {
    try {
      await this.options.enter();
      const transaction = await this.readTransaction();
      const same = transaction === this.state.transaction ? this.findNewest() : undefined;
      return same ? this.giveReason(same, reason) : await this.save(transaction, reason);
    } catch (error) {
      throw snapshotFailed(error, this.options.folder);
    }
  }

  /**
   * Takes a snapshot where one is missing, and closes the database.
   * @throws SnapshotError SNAPSHOT_FAILED when it is closed, but was not saved
   */
  async close(): Promise<void> {
    const { enter, closeClient, dataFolder } = this.options;
    clearTimeout(this.timer);
    this.timer = undefined;
    const isOurs = existsSync(dataFolder) && (await canUse(enter));
    const failure = isOurs ? await this.saveAtTheEnd().catch((error: unknown) => error) : undefined;
    await closeClient();
    if (isOurs) this.remember({ isOpen: false });
    if (failure) throw snapshotFailed(failure, this.options.folder);
  }

  private async saveAtTheEnd(): Promise<void> {
    if (this.options.policy) await this.takeIfChanged('closed');
    const isSame = (await this.readTransaction()) === this.state.transaction;
    this.state = { ...this.state, isSaved: isSame && this.findNewest() !== undefined };
  }

  private async takeIfChanged(reason: SnapshotReason): Promise<void> {
    await this.options.enter();
    const transaction = await this.readTransaction();
    if (transaction === this.state.transaction && this.findNewest()) return;
    await this.save(transaction, reason);
  }

  private async save(transaction: string, reason: SnapshotReason): Promise<SnapshotFacts> {
    const { client, folder, dataFolder, policy, onProgress } = this.options;
    onProgress?.('saving a snapshot of the embedded database');
    const snapshot = await UnfinishedSnapshot.begin(folder);
    try {
      const migrations = await readMigrations(client);
      const isLeftOut = await chooseFiles(client);
      for await (const bytes of packFolder(dataFolder, isLeftOut)) await snapshot.writeData(bytes);
      const earlier = await this.readEarlierSchema();
      const dump = await dumpSql(client, (text) => snapshot.writeSql(text), earlier);
      const postgresql = readMajorVersion(dataFolder) ?? 0;
      const { pglite } = this.state;
      const facts = await snapshot.finish({ reason, postgresql, pglite, transaction, migrations, ...dump });
      this.remember({ snapshot: facts.name, transaction });
      if (policy) removeOutdated(folder, policy);
      return facts;
    } catch (error) {
      await snapshot.abandon();
      throw error;
    }
  }

  private async readEarlierSchema(): Promise<DumpedSchema | undefined> {
    const { folder } = this.options;
    const facts = this.findNewest();
    if (!facts || (await findDamage(folder, { name: facts.name, facts }))) return undefined;
    const { schema, rowsBegin, rowsEnd } = facts;
    const bytes = readFileSync(sqlFile(folder, facts.name));
    return { schema, head: bytes.toString('utf8', 0, rowsBegin), tail: bytes.toString('utf8', rowsEnd) };
  }

  private giveReason(facts: SnapshotFacts, reason: SnapshotReason): SnapshotFacts {
    const renamed = { ...facts, reason };
    writeFacts(this.options.folder, renamed);
    return renamed;
  }

  /** The snapshot that the state names, if it is still there. */
  private findNewest(): SnapshotFacts | undefined {
    const named = listEntries(this.options.folder).find(({ name }) => name === this.state.snapshot);
    return named?.facts ?? undefined;
  }

  /** Grows with every transaction that wrote something, and with nothing else: not by reading or opening. */
  private async readTransaction(): Promise<string> {
    const [next] = await readRow(this.options.client, 'select pg_snapshot_xmax(pg_current_snapshot())::text');
    return next ?? '';
  }

  private remember(change: Partial<FolderState>): void {
    this.state = { ...this.state, ...change };
    writeFolderState(this.options.dataFolder, this.state);
  }
}

/** Not where it is another process's by now, or has ended: then nothing more is written. */
async function canUse(enter: () => Promise<void>): Promise<boolean> {
  try {
    await enter();
    return true;
  } catch {
    return false;
  }
}

function removeOutdated(folder: string, policy: SnapshotPolicy): void {
  const readable = listEntries(folder).flatMap(({ facts }) => (facts ? [facts] : []));
  for (const name of chooseOutdated(readable, policy, new Date())) removeSnapshot(folder, name);
}

/**
 * Brings the folder up to date, and leaves out of it what belongs to this process, and write-ahead log that is not
 * written yet: files of 16 MB that PostgreSQL keeps to use again.
 */
async function chooseFiles(client: DumpSource): Promise<(path: string) => boolean> {
  await client.exec('checkpoint');
  const [current = ''] = await readRow(client, 'select pg_walfile_name(pg_current_wal_insert_lsn())');
  return (path) => {
    const [, log] = /^pg_wal\/([0-9A-F]{24})$/.exec(path) ?? [];
    return log ? log > (current ?? '') : path === stateFile || path === 'postmaster.pid';
  };
}

async function readMigrations(client: DumpSource): Promise<SnapshotFacts['migrations']> {
  const [history] = await readRow(client, `select to_regclass('drizzle.__drizzle_migrations')::text`);
  if (!history) return { count: 0, last: null };
  const [count, last] = await readRow(client, `select count(*)::text, max(created_at)::text from ${history}`);
  return { count: Number(count), last: last ? Number(last) : null };
}

async function readRow(client: DumpSource, statement: string): Promise<(string | null)[]> {
  const { rows } = await client.query<(string | null)[]>(statement, [], { rowMode: 'array' });
  return rows[0] ?? [];
}

function snapshotFailed(cause: unknown, folder: string): SnapshotError {
  if (cause instanceof SnapshotError) return cause;
  const { message, code } = cause as NodeJS.ErrnoException;
  return new SnapshotError(
    'SNAPSHOT_FAILED',
    `a snapshot of the embedded database in ${folder} could not be saved: ${code ?? message}`,
    'Make room on the disk and see to it that this user may write there. The database itself is whole.',
    { folder, reason: code },
    cause,
  );
}

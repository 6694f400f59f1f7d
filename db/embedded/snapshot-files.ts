// The files of snapshots: for each one the bytes of the database (`.tar.gz`), the same as SQL (`.sql`), and what is
// known of the two (`.json`), which is written last: without it there is no snapshot. Never gives out a name for files
// that were not read back and compared.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { renameDurably, syncFolder, unfinished, writeDurably } from './durable-file.ts';
import { endsAsDump, type SqlDump } from './sql-dump.ts';

/** Why a snapshot was taken. */
export type SnapshotReason = 'closed' | 'while it was open' | 'before migrations' | 'before a reset' | 'asked for';

interface FileFacts {
  bytes: number;
  sha256: string;
}

/** What the `.json` of a snapshot says. */
export interface SnapshotFacts extends SqlDump {
  /** The name of its files. */
  name: string;
  /** ISO 8601, UTC. */
  takenAt: string;
  reason: SnapshotReason;
  /** The major version of its PostgreSQL. */
  postgresql: number;
  /** The PGlite that made it; null where it did not say. */
  pglite: string | null;
  /** The id that the next transaction would have had. */
  transaction: string;
  /** How many migrations it has, and the time in the journal (`when`) of the last of them. */
  migrations: { count: number; last: number | null };
  data: FileFacts;
  sql: FileFacts;
}

/** A snapshot as it lies there; null for facts that can't be read. */
export interface SnapshotEntry {
  name: string;
  facts: SnapshotFacts | null;
}

export const snapshotsFolder = (folder: string): string => join(folder, 'snapshots');
export const dataFile = (folder: string, name: string): string => join(snapshotsFolder(folder), `${name}.tar.gz`);
export const sqlFile = (folder: string, name: string): string => join(snapshotsFolder(folder), `${name}.sql`);
const factsFile = (folder: string, name: string): string => join(snapshotsFolder(folder), `${name}.json`);

/** All there are, newest first. */
export function listEntries(folder: string): SnapshotEntry[] {
  if (!existsSync(snapshotsFolder(folder))) return [];
  return readdirSync(snapshotsFolder(folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort()
    .reverse()
    .map((name) => ({ name, facts: readFacts(folder, name) }));
}

function readFacts(folder: string, name: string): SnapshotFacts | null {
  try {
    const facts = JSON.parse(readFileSync(factsFile(folder, name), 'utf8')) as SnapshotFacts;
    return facts.name === name && facts.data?.sha256 && facts.sql?.sha256 ? facts : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What is wrong with a snapshot's files, in a few words; null where they are as they were written. */
export async function findDamage(folder: string, { name, facts }: SnapshotEntry): Promise<string | null> {
  if (!facts) return `${name}.json can't be read`;
  for (const [path, file, { bytes, sha256 }] of [
    [dataFile(folder, name), `${name}.tar.gz`, facts.data],
    [sqlFile(folder, name), `${name}.sql`, facts.sql],
  ] as const) {
    if (!existsSync(path)) return `${file} is missing`;
    const { facts: found } = await readBack(path);
    if (found.bytes !== bytes) return `${file} has ${found.bytes} bytes instead of ${bytes}`;
    if (found.sha256 !== sha256) return `${file} has another checksum than when it was written`;
  }
  return null;
}

/** A file's size and checksum, and its last characters. */
async function readBack(path: string): Promise<{ facts: FileFacts; end: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let end = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    end = Buffer.concat([end, chunk as Buffer]).subarray(-200);
  }
  return { facts: { bytes, sha256: hash.digest('hex') }, end: end.toString('utf8') };
}

/** A snapshot that is being written: nothing of it counts before `finish`. */
export class UnfinishedSnapshot {
  private constructor(
    private readonly folder: string,
    readonly name: string,
    readonly takenAt: Date,
    private readonly data: FileBeingWritten,
    private readonly sql: FileBeingWritten,
  ) {}

  static async begin(folder: string): Promise<UnfinishedSnapshot> {
    mkdirSync(snapshotsFolder(folder), { recursive: true, mode: 0o700 });
    removeLeftovers(folder);
    const takenAt = freeTime(folder);
    const name = nameAt(takenAt);
    const data = await FileBeingWritten.begin(dataFile(folder, name));
    const sql = await FileBeingWritten.begin(sqlFile(folder, name));
    return new UnfinishedSnapshot(folder, name, takenAt, data, sql);
  }

  writeData(bytes: Uint8Array): Promise<void> {
    return this.data.write(bytes);
  }

  writeSql(text: string): Promise<void> {
    return this.sql.write(Buffer.from(text));
  }

  /** Reads both files back; from then on the snapshot counts. */
  async finish(facts: Omit<SnapshotFacts, 'name' | 'takenAt' | 'data' | 'sql'>): Promise<SnapshotFacts> {
    const data = await this.data.finish();
    const sql = await this.sql.finish();
    if (!endsAsDump(sql.end)) throw new Error(`the end of ${this.name}.sql is missing`);
    const whole: SnapshotFacts = {
      name: this.name,
      takenAt: this.takenAt.toISOString(),
      ...facts,
      data: data.facts,
      sql: sql.facts,
    };
    writeFacts(this.folder, whole);
    return whole;
  }

  /** Takes away what was written so far. */
  async abandon(): Promise<void> {
    await this.data.abandon();
    await this.sql.abandon();
  }
}

export function writeFacts(folder: string, facts: SnapshotFacts): void {
  writeDurably(factsFile(folder, facts.name), `${JSON.stringify(facts, null, 2)}\n`);
}

class FileBeingWritten {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  static async begin(path: string): Promise<FileBeingWritten> {
    return new FileBeingWritten(path, await open(path + unfinished, 'w', 0o600));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    this.bytes += bytes.length;
    await this.file.writeFile(bytes);
  }

  async finish(): Promise<{ facts: FileFacts; end: string }> {
    await this.file.sync();
    await this.file.close();
    const written = { bytes: this.bytes, sha256: this.hash.digest('hex') };
    const found = await readBack(this.path + unfinished);
    if (found.facts.bytes !== written.bytes || found.facts.sha256 !== written.sha256) {
      throw new Error('what was read back is not what was written');
    }
    renameDurably(this.path + unfinished, this.path);
    return found;
  }

  async abandon(): Promise<void> {
    await this.file.close().catch(() => {}); // closed already
    for (const path of [this.path, this.path + unfinished]) rmSync(path, { force: true });
  }
}

/** A time as a file's name: sorted by name is sorted by time. */
function nameAt(time: Date): string {
  return time.toISOString().replaceAll(/[:.]/g, '-');
}

/** Now or, where a snapshot has that time or a later one (the clock was set back), a millisecond after it. */
function freeTime(folder: string): Date {
  const newest = listEntries(folder).find(({ facts }) => facts)?.facts;
  return new Date(Math.max(Date.now(), newest ? Date.parse(newest.takenAt) + 1 : 0));
}

/** What a killed process left: files that were not finished, and files without facts. */
function removeLeftovers(folder: string): void {
  const files = readdirSync(snapshotsFolder(folder));
  const known = new Set(listEntries(folder).map(({ name }) => name));
  const isLeftover = (file: string): boolean =>
    file.endsWith(unfinished) || (/\.(tar\.gz|sql)$/.test(file) && !known.has(file.replace(/\.(tar\.gz|sql)$/, '')));
  for (const file of files.filter(isLeftover)) rmSync(join(snapshotsFolder(folder), file));
}

/** Takes a snapshot away: first that it counts, then its files. */
export function removeSnapshot(folder: string, name: string): void {
  rmSync(factsFile(folder, name), { force: true });
  syncFolder(snapshotsFolder(folder));
  for (const path of [dataFile(folder, name), sqlFile(folder, name)]) rmSync(path, { force: true });
}

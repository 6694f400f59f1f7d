// The first encryption of what is stored as plaintext, and the rotation to a new key. What is left to do is seen from the
// rows themselves, so that a run that was killed goes on where it was. A value is replaced only where it is still the one
// that was read; each statement writes rows of one user.

import { setTimeout as sleep } from 'node:timers/promises';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { requireCount, requireObject } from '../arguments.ts';
import { sqlStateOf } from '../connection/failure.ts';
import { forgetMemoryLetters } from '../encrypted-memories.ts';
import { EncryptionError } from '../errors.ts';
import { memories, reservation } from '../schema.ts';
import { type Secret, secrets } from '../secrets.ts';
import { ColumnRows, type Replacement, type RowKey, type StoredRow } from './column-rows.ts';
import { beginningOf, isEnvelope, nameOf, seal, unseal } from './envelope.ts';
import { encryptsMemories, isInTransition, keyMissing } from './settings.ts';

export interface ReencryptOptions {
  /** Encrypted columns; unless given, those of this package: the details of reservations, the content of memories. */
  columns?: readonly PgColumn[];
  /** How many values are written in a second at most; no limit unless given. */
  rowsPerSecond?: number;
  /** Reads and counts, and writes nothing. */
  isDryRun?: boolean;
  /** Told behind each 1,000 rows at most. */
  onProgress?(progress: ReencryptProgress): void;
  /** Stops between two statements; call again to go on. */
  signal?: AbortSignal;
}

export interface ReencryptProgress {
  /** Table and column. */
  column: string;
  /** Rows looked at in this pass, of how many there were. */
  done: number;
  total: number;
  /** Values written so far. */
  rewritten: number;
}

/** What was done to a column. */
export interface ReencryptedColumn {
  /** Table and column. */
  column: string;
  /** Rows there are. */
  rows: number;
  /** Values that were encrypted with the current key now; in a dry run, that would be. */
  rewritten: number;
  /** Plaintext that was left, because the transition mode is off. */
  plaintext: number;
  /** Values that can't be read: of a key that is not configured, or damaged. */
  unreadable: number;
  /** Values that another row of the same user has already, where a unique index allows one. */
  duplicates: number;
  /** Values that others kept writing with another key, or changed each time they were to be written. */
  changing: number;
  /** Primary keys of the first 20 rows that were left. */
  left: RowKey[];
}

export interface ReencryptReport {
  /** Id of the current key. */
  keyId: string;
  columns: ReencryptedColumn[];
  /** Whether no value is left that is not encrypted with the current key. */
  isComplete: boolean;
}

/**
 * Encrypts with the current key what is encrypted with another one and, in the transition mode, what is plaintext. May be
 * killed and called again, run beside writes, and on several machines at once. Writes that come meanwhile from a process
 * with other keys are seen too: it passes over the rows until there is nothing to do, ten times at most.
 * @throws EncryptionError ENCRYPTION_KEY_MISSING; InvalidArgumentError INVALID_ARGUMENT, INVALID_LIMIT
 * @example await reencrypt({ columns: [contacts.phone], rowsPerSecond: 500 });
 */
export async function reencrypt(options: ReencryptOptions = {}): Promise<ReencryptReport> {
  const { columns = [reservation.details, memories.content], rowsPerSecond } = requireObject('reencrypt', options);
  if (rowsPerSecond !== undefined) requireCount('rowsPerSecond', rowsPerSecond, 1, 1_000_000);
  const [key] = secrets().encryptionKeys;
  if (!key) throw keyMissing('values are to be encrypted');
  const runs = columns.map((column) => new Run(new ColumnRows(column), key, options));
  const reports: ReencryptedColumn[] = [];
  for (const run of runs) reports.push(await run.passUntilDone());
  if (columns.includes(memories.content) && encryptsMemories() && !options.isDryRun) await forgetMemoryLetters();
  return { keyId: key.id, columns: reports, isComplete: reports.every(isComplete) };
}

function isComplete({ plaintext, unreadable, duplicates, changing }: ReencryptedColumn): boolean {
  return plaintext + unreadable + duplicates + changing === 0;
}

function byOwner(rows: readonly Replacement[]): Map<string | null, Replacement[]> {
  const groups = new Map<string | null, Replacement[]>();
  for (const row of rows) {
    const group = groups.get(row.owner);
    if (group) group.push(row);
    else groups.set(row.owner, [row]);
  }
  return groups;
}

const mostPasses = 10;
const windowRows = 1000;
/** Of rows of several users, so many statements at once. */
const concurrency = 4;

class Run {
  private readonly report: ReencryptedColumn;
  private readonly startMs = performance.now();

  constructor(
    private readonly rows: ColumnRows,
    private readonly key: Secret,
    private readonly options: ReencryptOptions,
  ) {
    const none = { rewritten: 0, plaintext: 0, unreadable: 0, duplicates: 0, changing: 0, left: [] };
    this.report = { column: nameOf(rows.cipher.place), rows: 0, ...none };
  }

  async passUntilDone(): Promise<ReencryptedColumn> {
    const { report } = this;
    report.rows = await this.rows.count();
    for (let pass = 1; pass <= mostPasses; pass += 1) {
      const before = report.rewritten;
      Object.assign(report, { plaintext: 0, unreadable: 0, duplicates: 0, changing: 0, left: [] });
      await this.pass();
      const found = report.rewritten - before;
      if (this.options.isDryRun || found + report.changing === 0) break;
      if (pass === mostPasses) report.changing += found;
    }
    return report;
  }

  private async pass(): Promise<void> {
    const { onProgress, rowsPerSecond = windowRows } = this.options;
    const { report } = this;
    const limit = Math.min(windowRows, rowsPerSecond);
    let behind: RowKey | undefined;
    for (let done = 0; ; ) {
      this.options.signal?.throwIfAborted();
      const window = await this.rows.readWindow(behind, limit, beginningOf(this.key.id));
      await this.rewrite(window);
      behind = window.at(-1)?.key;
      done += window.length;
      const total = Math.max(report.rows, done);
      if (window.length > 0) onProgress?.({ column: report.column, done, total, rewritten: report.rewritten });
      if (window.length < limit) return;
      await this.throttle();
    }
  }

  private async rewrite(window: readonly StoredRow[]): Promise<void> {
    const due = window.flatMap((row) => this.replacementOf(row) ?? []);
    if (this.options.isDryRun) {
      this.report.rewritten += due.length;
      return;
    }
    const groups = byOwner(due).values();
    const work = async (): Promise<void> => {
      for (const group of groups) {
        this.options.signal?.throwIfAborted();
        await this.replace(group);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  /** Undefined where there is nothing to do, or nothing that can be done. */
  private replacementOf(row: StoredRow): Replacement | undefined {
    if (row.stored === null) return undefined;
    const { cipher, isJson } = this.rows;
    const value: unknown = isJson ? JSON.parse(row.stored) : row.stored;
    const isEncrypted = typeof value === 'string' && isEnvelope(value);
    if (!isEncrypted && !cipher.isOn) return undefined;
    if (!isEncrypted && !isInTransition()) return this.leave('plaintext', row);
    try {
      const text = isEncrypted ? unseal(value, cipher.place) : row.stored;
      return { ...row, stored: row.stored, text, envelope: seal(text, cipher.place, this.key) };
    } catch (error) {
      if (!(error instanceof EncryptionError)) throw error;
      return this.leave('unreadable', row);
    }
  }

  private leave(why: 'plaintext' | 'unreadable' | 'duplicates', { key }: StoredRow): undefined {
    this.report[why] += 1;
    if (this.report.left.length < 20) this.report.left.push(key);
  }

  /** Where the value of one row is another's already, row by row: the others are written. */
  private async replace(group: readonly Replacement[]): Promise<void> {
    try {
      const written = await this.rows.replace(group);
      this.report.rewritten += written;
      this.report.changing += group.length - written;
    } catch (error) {
      const [row] = group;
      if (sqlStateOf(error) !== '23505' || !row) throw error;
      if (group.length === 1) this.leave('duplicates', row);
      else for (const one of group) await this.replace([one]);
    }
  }

  private async throttle(): Promise<void> {
    const { rowsPerSecond, signal } = this.options;
    if (rowsPerSecond === undefined || this.options.isDryRun) return;
    const dueMs = this.startMs + (this.report.rewritten / rowsPerSecond) * 1000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, signal ? { signal } : {});
  }
}

// The rows of an import on their way into their tables, in batches, inside a transaction. Always by INSERT: COPY is refused
// to an owner under row-level security and in the embedded database of another process. Holds one batch.

import { type BulkTable, InsertedRows } from '../bulk-rows.ts';
import type { WireValue } from '../connection/connection.ts';
import { sqlStateOf } from '../connection/failure.ts';
import { ConflictError, StatementError } from '../errors.ts';
import { bareType } from './field-values.ts';
import { refuseLine } from './format.ts';
import type { PersonTable } from './person-tables.ts';
import { countAgainBelow } from './statistics.ts';

const batch = { rows: 1_000, characters: 1024 * 1024 };

/** What a row is checked with is planned by the statistics of these. */
const referredTo: ReadonlySet<string> = new Set(['Chat', 'Message']);

export class RowWriter {
  private readonly bulkTable: BulkTable;
  private rows: InsertedRows;
  private characters = 0;
  private firstLine = 0;
  private written = 0;
  private counted = 0;

  /** @param names of the fields that are written */
  constructor(
    private readonly table: PersonTable,
    names: readonly string[],
  ) {
    const columns = names.map((name) => table.fields[name]).filter((column) => column !== undefined);
    this.bulkTable = {
      name: table.name,
      columns: Object.fromEntries([
        ...columns.map((column) => [column.name, bareType(column)]),
        ...Object.keys(table.made).map((name) => [name, 'bytea']),
      ]),
    };
    this.rows = new InsertedRows(this.bulkTable);
  }

  /** @param line where the row is in the file, for an error */
  async add(line: number, values: readonly WireValue[]): Promise<void> {
    if (this.rows.rows === 0) this.firstLine = line;
    this.rows.add(values);
    for (const value of values) this.characters += value?.length ?? 0;
    if (this.rows.rows >= batch.rows || this.characters >= batch.characters) await this.flush(line);
  }

  async flush(line: number): Promise<void> {
    const { rows } = this;
    if (rows.rows === 0) return;
    this.rows = new InsertedRows(this.bulkTable);
    this.characters = 0;
    try {
      await rows.write();
    } catch (error) {
      throw this.refusal(error, line);
    }
    this.written += rows.rows;
    if (!referredTo.has(this.table.name) || this.written < 2 * this.counted) return;
    this.counted = this.written;
    await countAgainBelow(this.table.name, this.written);
  }

  private refusal(error: unknown, line: number): unknown {
    const state = sqlStateOf(error);
    const { name } = this.table;
    if (state === '23505') {
      return new ConflictError(
        'ID_TAKEN',
        `a row of ${name} in lines ${this.firstLine} to ${line} has an id, or another value that must be unique, of a row that is there`,
        'Nothing was written. The rows may be there under another person: look for the ids of these lines, and erase that person first.',
        error,
      );
    }
    if (!(error instanceof StatementError) || !/^2[23]/.test(state ?? '')) return error;
    const { constraint } = error.details;
    const rule = constraint === undefined ? `(SQLSTATE ${state})` : `(constraint ${constraint})`;
    return refuseLine(
      line,
      `or one of the lines from ${this.firstLine} on has a value that ${name} does not take ${rule}`,
      undefined,
      error,
    );
  }
}

// Many rows into one table, inside a transaction, in two ways. COPY is the fastest; PostgreSQL refuses it on a table whose
// row-level security holds for the role (0A000: an owner who is no superuser, since the tables are FORCE), and there an
// INSERT takes an array for each column. Holds one batch in memory, never more.

import type { WireValue } from './connection/connection.ts';
import { CopyText } from './connection/copy-text.ts';
import { copyInTransaction } from './connection/transaction.ts';
import { execute } from './database.ts';
import { statement } from './statement.ts';

/** A table with the columns that are written, each with its type. */
export interface BulkTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
}

/** Rows on their way into a table, as texts in PostgreSQL's notation, in the order of its columns. */
export interface BulkRows {
  /** How many rows there are. */
  readonly rows: number;
  add(values: readonly WireValue[]): void;
  /** Sends them, in the running transaction. */
  write(): Promise<void>;
}

const rowSecurity = statement('select row_security_active($1::regclass)', ([isActive]) => isActive as boolean);

/** Whether the role of this connection may COPY into a table. */
export async function mayCopyInto({ name }: BulkTable): Promise<boolean> {
  const [isActive] = await rowSecurity.run(`"${name}"`);
  return !isActive;
}

export class CopiedRows implements BulkRows {
  private readonly text = new CopyText();

  constructor(private readonly table: BulkTable) {}

  get rows(): number {
    return this.text.rows;
  }

  add(values: readonly WireValue[]): void {
    this.text.add(values);
  }

  async write(): Promise<void> {
    const { name, columns } = this.table;
    await copyInTransaction(`copy "${name}" (${quoted(columns)})`, this.text.chunks());
  }
}

/** A value of type `json` is its text and nothing else: `json_array_elements` keeps it to the last character. */
export class InsertedRows implements BulkRows {
  rows = 0;
  private readonly arrays: string[];
  private readonly isJson: boolean[];
  private readonly statement: string;

  /** @param rest behind the rows, such as `on conflict do nothing` */
  constructor(table: BulkTable, rest = '') {
    this.statement = insertionOf(table, rest);
    this.isJson = Object.values(table.columns).map((type) => type === 'json');
    this.arrays = this.isJson.map(() => '[');
  }

  add(values: readonly WireValue[]): void {
    const comma = this.rows === 0 ? '' : ',';
    for (const [i, value] of values.entries()) {
      this.arrays[i] += comma + (value === null || this.isJson[i] ? value : JSON.stringify(value));
    }
    this.rows += 1;
  }

  async write(): Promise<void> {
    await this.writeAndCount();
  }

  /** @returns how many rows were written: fewer than there are where `rest` passes over some */
  async writeAndCount(): Promise<number> {
    if (this.rows === 0) return 0;
    const params = this.arrays.map((array) => `${array}]`);
    return (await execute(this.statement, params, true)).count;
  }
}

function insertionOf({ name, columns }: BulkTable, rest: string): string {
  const types = Object.values(columns);
  const arrays = types.map((type, i) => `json_array_elements${type === 'json' ? '' : '_text'}($${i + 1}::json)`);
  const values = types.map((type, i) => `given.c${i}::${type}`);
  const names = types.map((_, i) => `c${i}`);
  return `insert into "${name}" (${quoted(columns)})
select ${values.join(', ')}
from rows from (${arrays.join(', ')}) as given (${names.join(', ')})${rest === '' ? '' : `\n${rest}`}`;
}

function quoted(columns: BulkTable['columns']): string {
  return Object.keys(columns)
    .map((name) => `"${name}"`)
    .join(', ');
}

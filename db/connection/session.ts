// Drizzle's session over our own connections: what makes `db` a Drizzle database that follows the running
// transaction and works the same on both engines. Errors are ours (Drizzle's own would hold every parameter).

import {
  type ColumnsSelection,
  createTableRelationsHelpers,
  type ExtractTablesWithRelations,
  entityKind,
  extractTablesRelationalConfig,
  is,
  Param,
  Placeholder,
  type Query,
  SQL,
  type TablesRelationalConfig,
} from 'drizzle-orm';
import {
  PgColumn,
  PgDatabase,
  PgDialect,
  PgPreparedQuery,
  type PgQueryResultHKT,
  PgSession,
  PgTransaction,
  type PgTransactionConfig,
  type PreparedQueryConfig,
} from 'drizzle-orm/pg-core';
import type { SelectedFieldsOrdered } from 'drizzle-orm/pg-core/query-builders/select.types';
import * as drizzleUtils from 'drizzle-orm/utils';
import { jsonTypes, type StatementResult } from './connection.ts';
import type { RowOwner } from './replicas.ts';
import type { TransactionOptions } from './transaction.ts';

/** What a statement without mapped columns gives: rows as objects, and how many rows were returned or written. */
export type RawResult<Row> = Row[] & { count: number };

export interface RawResultHKT extends PgQueryResultHKT {
  type: RawResult<this['row']>;
}

/** How the session reaches the database: both follow the running transaction. */
export interface Runner {
  run(statement: string, params: readonly unknown[], prepare: boolean, owner?: RowOwner): Promise<StatementResult>;
  transaction<T>(work: () => Promise<T>, options: TransactionOptions): Promise<T>;
}

/** A Drizzle database of our tables. */
export type MytxDatabase<Schema extends Record<string, unknown>> = PgDatabase<
  RawResultHKT,
  Schema,
  ExtractTablesWithRelations<Schema>
>;

/** Makes the Drizzle database that sends everything through `runner`. */
export function drizzleDatabase<Schema extends Record<string, unknown>>(
  runner: Runner,
  schema: Schema,
): MytxDatabase<Schema> {
  const dialect = new PgDialect();
  const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers);
  const relational: RelationalSchema = { fullSchema: schema, schema: tables, tableNamesMap };
  const session = new RunnerSession(dialect, runner, relational);
  return new PgDatabase(dialect, session, relational as never) as never;
}

interface RelationalSchema {
  fullSchema: Record<string, unknown>;
  schema: TablesRelationalConfig;
  tableNamesMap: Record<string, string>;
}

type RowMapper = (row: unknown[]) => unknown;

/** Exported by Drizzle for its own drivers, though not in its types. */
const { mapResultRow } = drizzleUtils as unknown as {
  mapResultRow(
    fields: SelectedFieldsOrdered,
    row: unknown[],
    joinsNotNullableMap: Record<string, boolean> | undefined,
  ): unknown;
};

class RunnerSession extends PgSession {
  static override readonly [entityKind]: string = 'MytxSession';

  constructor(
    dialect: PgDialect,
    private readonly runner: Runner,
    private readonly relational: RelationalSchema,
  ) {
    super(dialect);
  }

  prepareQuery<T extends PreparedQueryConfig>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    name: string | undefined,
    _isResponseInArrayMode: boolean,
    mapRows?: (rows: unknown[][]) => T['execute'],
  ): PgPreparedQuery<T> {
    return new RunnerQuery<T>(this.runner, query, fields, name !== undefined, mapRows);
  }

  transaction<T>(
    work: (tx: PgTransaction<PgQueryResultHKT, Record<string, never>, Record<string, never>>) => Promise<T>,
    config: PgTransactionConfig = {},
  ): Promise<T> {
    const tx = new RunnerTransaction(this.dialect, this, this.relational as never);
    const { isolationLevel, accessMode } = config;
    return this.runner.transaction(() => work(tx), {
      ...(isolationLevel && isolationLevel !== 'read uncommitted' ? { isolationLevel } : {}),
      readOnly: accessMode === 'read only',
    });
  }
}

class RunnerTransaction extends PgTransaction<PgQueryResultHKT, Record<string, never>, Record<string, never>> {
  static override readonly [entityKind]: string = 'MytxTransaction';

  override transaction<T>(
    work: (tx: PgTransaction<PgQueryResultHKT, Record<string, never>, Record<string, never>>) => Promise<T>,
  ): Promise<T> {
    return (this as unknown as { session: RunnerSession }).session.transaction(work);
  }
}

class RunnerQuery<T extends PreparedQueryConfig> extends PgPreparedQuery<T> {
  static override readonly [entityKind]: string = 'MytxPreparedQuery';
  private mapRow: RowMapper | undefined;
  /** What gives the value of each parameter. */
  private readonly fill: Fill[];
  /** Where the user's id is among its columns. */
  private readonly ownerColumn: RowOwner | undefined;

  constructor(
    private readonly runner: Runner,
    private readonly statement: Query,
    private readonly fields: SelectedFieldsOrdered | undefined,
    private readonly isNamed: boolean,
    private readonly mapRows: ((rows: unknown[][]) => T['execute']) | undefined,
  ) {
    super(statement, undefined, undefined);
    this.fill = statement.params.map(fillOf);
    const column = fields?.findIndex(({ path }) => path.length === 1 && path[0] === 'userId') ?? -1;
    this.ownerColumn = column === -1 ? undefined : { column };
  }

  async execute(placeholderValues: Record<string, unknown> = {}): Promise<T['execute']> {
    const params = this.fill.map((fill) => fill(placeholderValues));
    const result = await this.runner.run(this.statement.sql, params, this.isNamed, this.ownerOf(placeholderValues));
    if (this.mapRows) return this.mapRows(result.rows);
    if (!this.fields) return toObjects(result);
    this.mapRow ??= rowMapper(
      this.fields,
      (this as { joinsNotNullableMap?: Record<string, boolean> }).joinsNotNullableMap,
    );
    return result.rows.map(this.mapRow);
  }

  /** Our prepared queries name the user `userId`, as a placeholder or as a field of their rows. */
  private ownerOf({ userId }: Record<string, unknown>): RowOwner | undefined {
    if (!this.isNamed) return undefined;
    return typeof userId === 'string' ? { userId } : this.ownerColumn;
  }

  /** Rows without mapped columns, as `db.execute` gives them. */
  all(placeholderValues: Record<string, unknown> = {}): Promise<T['all']> {
    return this.execute(placeholderValues);
  }
}

/** Rows as objects by column name; JSON is decoded, which no Drizzle column does here. */
function toObjects({ rows, columns, count }: StatementResult): RawResult<Record<string, unknown>> {
  const objects = rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, type }, i) => {
        const value = row[i];
        return [name, typeof value === 'string' && jsonTypes.has(type) ? JSON.parse(value) : value];
      }),
    ),
  );
  // Not enumerable, as the driver has it: the result equals a plain array of its rows.
  return Object.defineProperty(objects, 'count', { value: count }) as RawResult<Record<string, unknown>>;
}

type Fill = (values: Record<string, unknown>) => unknown;

/** As Drizzle's `fillPlaceholders`, which looks anew at each parameter's kind in each call: a tenth of a short query. */
function fillOf(param: unknown): Fill {
  if (is(param, Placeholder)) return (values) => valueIn(values, param.name);
  if (is(param, Param) && is(param.value, Placeholder)) {
    const { encoder, value } = param;
    return (values) => encoder.mapToDriverValue(valueIn(values, value.name));
  }
  return () => param;
}

function valueIn(values: Record<string, unknown>, name: string): unknown {
  if (name in values) return values[name];
  throw new Error(`No value for placeholder "${name}" was provided`);
}

/** Drizzle's own mapping does much for each row that a flat list of columns does not need. */
function rowMapper(fields: SelectedFieldsOrdered, joinsNotNullableMap: Record<string, boolean> | undefined): RowMapper {
  if (fields.some(({ path }) => path.length > 1)) {
    return (row) => mapResultRow(fields, row, joinsNotNullableMap);
  }
  const keys = fields.map(({ path }) => path[0] as string);
  const decoders = fields.map(({ field }) => decoderOf(field));
  return (row) => {
    const result: ColumnsSelection = {};
    for (let i = 0; i < keys.length; i += 1) {
      const value = row[i];
      result[keys[i] as string] = (value === null ? null : (decoders[i] as Decoder)(value)) as never;
    }
    return result;
  };
}

type Decoder = (value: unknown) => unknown;

const asItIs: Decoder = (value) => value;

function decoderOf(field: SelectedFieldsOrdered[number]['field']): Decoder {
  if (is(field, PgColumn)) {
    // Most columns take the value as it is.
    if (field.mapFromDriverValue === PgColumn.prototype.mapFromDriverValue) return asItIs;
    return (value) => field.mapFromDriverValue(value);
  }
  const { decoder } = (is(field, SQL) ? field : (field as SQL.Aliased).sql) as unknown as {
    decoder: { mapFromDriverValue: Decoder };
  };
  return (value) => decoder.mapFromDriverValue(value);
}

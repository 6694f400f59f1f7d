// What is known of a database before it is changed: each table's size, columns, constraints and indexes, and which
// transactions are open for long. Two queries, reading the catalogue alone, with no lock that anybody waits for.

import type { DeploySession } from './session.ts';

export interface ColumnFacts {
  /** As format_type gives it: `character varying(50)`, `timestamp with time zone`. */
  type: string;
  isNullable: boolean;
  hasDefault: boolean;
}

export interface ConstraintFacts {
  name: string;
  kind: 'check' | 'foreign-key' | 'not-null' | 'primary-key' | 'unique' | 'exclude' | 'trigger';
  columns: string[];
  /** The table that a foreign key points to, as `schema.table`. */
  references: string | undefined;
  /** As pg_get_constraintdef gives it. */
  definition: string;
  isValidated: boolean;
}

export interface IndexFacts {
  name: string;
  /** Its columns in order; of an expression `undefined`. */
  columns: (string | undefined)[];
  isUnique: boolean;
  isValid: boolean;
  isPartial: boolean;
  bytes: number;
}

export interface TableFacts {
  schema: string;
  name: string;
  /** Such as `r` (a table) or `p` (partitioned). */
  kind: string;
  /** PostgreSQL's own estimate, from the last ANALYZE; undefined before the first. */
  rows: number | undefined;
  /** The table itself and what it has out of line, without its indexes. */
  bytes: number;
  indexBytes: number;
  columns: ReadonlyMap<string, ColumnFacts>;
  constraints: readonly ConstraintFacts[];
  indexes: readonly IndexFacts[];
}

export interface Catalogue {
  /** 15 to 18. */
  version: number;
  /** The session's search path, in which a name without a schema is looked for. */
  searchPath: readonly string[];
  /** By `schema.table`. */
  tables: ReadonlyMap<string, TableFacts>;
}

/** A table by a name as a statement has it; undefined where there is none. */
export function findTable(
  { tables, searchPath }: Catalogue,
  { schema, name }: { schema: string | undefined; name: string },
): TableFacts | undefined {
  const schemas = schema === undefined ? searchPath : [schema];
  return schemas.map((one) => tables.get(`${one}.${name}`)).find((found) => found !== undefined);
}

const tablesStatement = `
  select n.nspname as schema, c.relname as name, c.relkind::text as kind,
    c.reltuples::float8::text as rows, pg_table_size(c.oid)::text as bytes, pg_indexes_size(c.oid)::text as index_bytes,
    (select coalesce(json_object_agg(a.attname, json_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'isNullable', not a.attnotnull, 'hasDefault', a.atthasdef)), '{}')
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)::text as columns,
    (select coalesce(json_agg(json_build_object(
        'name', o.conname, 'kind', o.contype, 'definition', pg_get_constraintdef(o.oid), 'isValidated', o.convalidated,
        'references', (select fn.nspname || '.' || f.relname from pg_class f join pg_namespace fn on fn.oid = f.relnamespace
          where f.oid = o.confrelid),
        'columns', (select coalesce(json_agg(a.attname order by k.n), '[]') from unnest(o.conkey) with ordinality k(attnum, n)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum)) order by o.conname), '[]')
      from pg_constraint o where o.conrelid = c.oid)::text as constraints,
    (select coalesce(json_agg(json_build_object(
        'name', ic.relname, 'isUnique', i.indisunique, 'isValid', i.indisvalid, 'isPartial', i.indpred is not null,
        'bytes', pg_relation_size(ic.oid),
        'columns', (select json_agg(a.attname order by k.n) from unnest(i.indkey::int2[]) with ordinality k(attnum, n)
          left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum and k.attnum > 0
          where k.n <= i.indnkeyatts)) order by ic.relname), '[]')
      from pg_index i join pg_class ic on ic.oid = i.indexrelid where i.indrelid = c.oid)::text as indexes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  order by 1, 2`;

/** @throws the driver's own error where the catalogue can't be read: what is not known is not "nothing" */
export async function readCatalogue(session: DeploySession): Promise<Catalogue> {
  const [server] = await session.query(
    `select current_setting('server_version_num') as version, array_to_json(current_schemas(false))::text as path`,
  );
  const rows = await session.query(tablesStatement);
  const tables = rows.map((row) => toFacts(row));
  return {
    version: Math.floor(Number(server?.version) / 10_000),
    searchPath: JSON.parse(server?.path ?? '[]') as string[],
    tables: new Map(tables.map((table) => [`${table.schema}.${table.name}`, table])),
  };
}

const kinds: Readonly<Record<string, ConstraintFacts['kind']>> = {
  c: 'check',
  f: 'foreign-key',
  n: 'not-null',
  p: 'primary-key',
  u: 'unique',
  x: 'exclude',
  t: 'trigger',
};

function toFacts(row: Record<string, string | null>): TableFacts {
  const read = <T>(column: string): T => JSON.parse(row[column] as string) as T;
  const rows = Number(row.rows);
  return {
    schema: row.schema as string,
    name: row.name as string,
    kind: row.kind as string,
    rows: rows < 0 ? undefined : rows,
    bytes: Number(row.bytes),
    indexBytes: Number(row.index_bytes),
    columns: new Map(Object.entries(read<Record<string, ColumnFacts>>('columns'))),
    constraints: read<(Omit<ConstraintFacts, 'kind' | 'references'> & { kind: string; references: string | null })[]>(
      'constraints',
    ).map(({ kind, references, ...facts }) => ({
      ...facts,
      kind: kinds[kind] ?? 'check',
      references: references ?? undefined,
    })),
    indexes: read<(Omit<IndexFacts, 'columns'> & { columns: (string | null)[] })[]>('indexes').map(
      ({ columns, ...facts }) => ({ ...facts, columns: columns.map((column) => column ?? undefined) }),
    ),
  };
}

/** A transaction that is open for long: a change behind it waits, and who comes behind the change waits too. */
export interface LongTransaction {
  pid: number;
  /** Whole seconds. */
  seconds: number;
  /** Such as `active` or `idle in transaction`. */
  state: string;
  /** The tables that it holds a lock of, as `schema.table`. */
  tables: string[];
  /** Each of those locks, with its mode as pg_locks has it, such as `AccessShareLock`. */
  locks: { table: string; mode: string }[];
}

/** Transactions of this database that are open for longer than `seconds`, the longest first. */
export async function readLongTransactions(session: DeploySession, seconds: number): Promise<LongTransaction[]> {
  const rows = await session.query(
    `select a.pid::text, floor(extract(epoch from now() - a.xact_start))::text as seconds, coalesce(a.state, 'unknown') as state,
       (select coalesce(json_agg(json_build_object('table', n.nspname || '.' || c.relname, 'mode', l.mode)), '[]') from pg_locks l
         join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p') join pg_namespace n on n.oid = c.relnamespace
         where l.pid = a.pid and l.granted and n.nspname <> 'pg_catalog')::text as locks
     from pg_stat_activity a
     where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < now() - $1::int * interval '1 s'
     order by a.xact_start limit 20`,
    [String(seconds)],
  );
  return rows.map(({ pid, seconds: open, state, locks: text }) => {
    const locks = JSON.parse(text as string) as LongTransaction['locks'];
    const tables = [...new Set(locks.map(({ table }) => table))].sort();
    return { pid: Number(pid), seconds: Number(open), state: state as string, tables, locks };
  });
}

/** Whether the role sees how long the transactions of other roles are open, or only its own. */
export async function seesEveryTransaction(session: DeploySession): Promise<boolean> {
  const [row] = await session.query(`select pg_has_role(current_user, 'pg_read_all_stats', 'usage')::text as sees`);
  return row?.sees === 'true';
}

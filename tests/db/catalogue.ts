// What the database says of our tables, in one form for every server version: names and definitions as
// PostgreSQL prints them. Reads every table of the schema public, so that one added later is here too.

import { sql } from 'drizzle-orm';
import { db } from '../../db/database.ts';

export interface CatalogueColumn {
  name: string;
  /** As `format_type` prints it, such as `timestamp(3) with time zone`. */
  type: string;
  notNull: boolean;
  default: string | null;
}

/**
 * Foreign keys whose index does not have all of their columns. A parent's id alone tells its children apart; with the chat
 * behind it the index was taken for the primary key's work where the statistics were those of an empty table.
 */
export const indexedColumns: Readonly<Record<string, string[]>> = { Message_userId_chatId_parentId_fkey: ['parentId'] };

export interface CatalogueConstraint {
  name: string;
  kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclusion';
  columns: string[];
  definition: string;
  /** Of a foreign key. */
  references?: { table: string; columns: string[]; onDelete: string };
}

export interface CatalogueIndex {
  name: string;
  unique: boolean;
  partial: boolean;
  /** Names of columns; null where there is an expression. */
  columns: (string | null)[];
  definition: string;
}

export interface CatalogueTable {
  columns: CatalogueColumn[];
  constraints: CatalogueConstraint[];
  indexes: CatalogueIndex[];
}

/** Every table of the schema public by its name; all lists in the order of names. */
export async function readCatalogue(): Promise<Record<string, CatalogueTable>> {
  const tables: Record<string, CatalogueTable> = {};
  const at = (name: string): CatalogueTable => {
    tables[name] ??= { columns: [], constraints: [], indexes: [] };
    return tables[name];
  };
  for (const { table, ...column } of await readRows<CatalogueColumn>(columnsQuery)) at(table).columns.push(column);
  for (const { table, references, ...constraint } of await readRows<CatalogueConstraint>(constraintsQuery)) {
    at(table).constraints.push(references ? { ...constraint, references } : constraint);
  }
  for (const { table, ...index } of await readRows<CatalogueIndex>(indexesQuery)) at(table).indexes.push(index);
  return tables;
}

/** Each query gives one column of JSON: the same values from every engine. */
async function readRows<Row>(query: string): Promise<(Row & { table: string })[]> {
  const rows = await db.execute<{ row: Row & { table: string } }>(sql.raw(query));
  return rows.map(({ row }) => row);
}

const ourTables = `c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`;

const columnsQuery = `
select json_build_object(
  'table', c.relname,
  'name', a.attname,
  'type', format_type(a.atttypid, a.atttypmod),
  'notNull', a.attnotnull,
  'default', pg_get_expr(d.adbin, d.adrelid)
) as row
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where ${ourTables}
order by c.relname::text collate "C", a.attname::text collate "C"`;

const namesOf = (relation: string, numbers: string): string => `(
    select json_agg(a.attname order by place.n)
    from unnest(${numbers}) with ordinality place (attnum, n)
    left join pg_attribute a on a.attrelid = ${relation} and a.attnum = place.attnum and place.attnum > 0
  )`;

// PostgreSQL 18 has constraints for NOT NULL too (contype n); attnotnull says the same on every version.
const constraintsQuery = `
select json_build_object(
  'table', c.relname,
  'name', k.conname,
  'kind', case k.contype
    when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key' when 'c' then 'check'
    else 'exclusion'
  end,
  'columns', ${namesOf('k.conrelid', 'k.conkey')},
  'definition', pg_get_constraintdef(k.oid),
  'references', case when k.contype = 'f' then json_build_object(
    'table', f.relname,
    'columns', ${namesOf('k.confrelid', 'k.confkey')},
    'onDelete', case k.confdeltype when 'c' then 'cascade' when 'a' then 'no action' else k.confdeltype::text end
  ) end
) as row
from pg_constraint k
join pg_class c on c.oid = k.conrelid
left join pg_class f on f.oid = k.confrelid
where ${ourTables} and k.contype in ('p', 'u', 'f', 'c', 'x')
order by c.relname::text collate "C", k.conname::text collate "C"`;

const indexesQuery = `
select json_build_object(
  'table', c.relname,
  'name', i.relname,
  'unique', x.indisunique,
  'partial', x.indpred is not null,
  'columns', ${namesOf('x.indrelid', 'x.indkey::smallint[]')},
  'definition', pg_get_indexdef(x.indexrelid)
) as row
from pg_index x
join pg_class c on c.oid = x.indrelid
join pg_class i on i.oid = x.indexrelid
where ${ourTables} and x.indisvalid
order by c.relname::text collate "C", i.relname::text collate "C"`;

// Tables of the application's own that may hold something of a person: those that refer to a table of ours, straight or by
// way of others, and those beside ours that have a column with the id of a user. Read from the catalogue, each time.

import { execute } from '../database.ts';
import { derivedTables, personTables, quoted } from './person-tables.ts';

export interface OtherTable {
  /** As SQL takes it, such as `public."Invoice"`. */
  name: string;
  /** Columns with the id of a user. */
  userColumns: { name: string; isUuid: boolean }[];
}

const ours = [...personTables, ...derivedTables].map(({ name }) => name);

/** A user's id by its name: `userId`, `user_id`, in whatever case. A partition is read by way of its table. */
const query = `with recursive ours as (
  select oid, relnamespace
  from pg_class
  where oid in (select to_regclass(quote_ident(name)) from unnest($1::text[]) name)
), linked as (
  select oid from ours
  union
  select conrelid
  from pg_constraint
  join linked on confrelid = linked.oid
  where contype = 'f'
)
select class.oid::regclass::text, users.name, users.is_uuid
from pg_class class
left join lateral (
  select attname::text as name, atttypid = 'uuid'::regtype as is_uuid
  from pg_attribute
  where attrelid = class.oid and attnum > 0 and not attisdropped
    and lower(replace(attname, '_', '')) = 'userid'
    and atttypid in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype)
) users on true
where class.relkind in ('r', 'p') and not class.relispartition
  and class.oid not in (select oid from ours)
  and (
    class.oid in (select oid from linked)
    or users.name is not null and class.relnamespace in (select relnamespace from ours)
  )
order by 1, 2`;

export async function findOtherTables(): Promise<OtherTable[]> {
  const { rows } = await execute(query, [`{${ours.map((name) => `"${name}"`).join(',')}}`], false, nobody);
  const tables = new Map<string, OtherTable>();
  for (const [table, column, isUuid] of rows) {
    const name = table as string;
    const found = tables.get(name) ?? { name, userColumns: [] };
    if (column !== null) found.userColumns.push({ name: column as string, isUuid: isUuid as boolean });
    tables.set(name, found);
  }
  return [...tables.values()];
}

/** The statement begins with `with` and writes nothing. */
const nobody = { column: 0 };

/** The tables of these that have a row of this person. */
export async function tablesWithRowsOf(tables: readonly OtherTable[], userId: string): Promise<string[]> {
  const withRows: string[] = [];
  for (const { name, userColumns } of tables) {
    if (userColumns.length === 0) continue;
    const isOfUser = userColumns.map((column) => `${quoted(column.name)} = $1::${column.isUuid ? 'uuid' : 'text'}`);
    const { rows } = await execute(
      `select exists (select from ${name} where ${isOfUser.join(' or ')})`,
      [userId],
      false,
    );
    if (rows[0]?.[0] === true) withRows.push(name);
  }
  return withRows;
}

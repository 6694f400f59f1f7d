// All that a database has of its own, a line each: columns in their order, constraints, indexes, sequences, types,
// functions, triggers and rows. Two databases that give the same lines are the same for an application.

import type postgres from 'postgres';

const catalogue = `
  select format('column %s.%s %s %s %s %s default %s', c.relname, row_number() over (partition by c.oid order by a.attnum), a.attname,
      format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end, a.attidentity, pg_get_expr(d.adbin, d.adrelid)) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
  union all
  select format('constraint %s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
    from pg_constraint where connamespace = 'public'::regnamespace
  union all
  select format('index %s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index
    where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
  union all
  select format('sequence %s %s %s %s', s.sequencename, s.data_type, s.increment_by, d.refobjid::regclass || '.' || a.attname)
    from pg_sequences s
    left join pg_depend d on d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass and d.deptype in ('a', 'i')
    left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where s.schemaname = 'public'
  union all
  select format('enum %s %s', t.typname, string_agg(e.enumlabel, ',' order by e.enumsortorder))
    from pg_type t join pg_enum e on e.enumtypid = t.oid group by t.typname
  union all
  select format('function %s', proname) from pg_proc where pronamespace = 'public'::regnamespace
  union all
  select format('trigger %s %s', tgrelid::regclass, tgname) from pg_trigger where not tgisinternal
  order by 1`;

/** @param without columns, as `table.column`, whose values are not compared: those of a default that is another in each row */
export async function everything(sql: postgres.Sql, without: readonly string[] = []): Promise<string[]> {
  const lines = (await sql.unsafe(catalogue)).map(({ line }) => line as string);
  const tables =
    await sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`;
  for (const { relname } of tables) {
    const rows = await sql`select to_jsonb(t)::text as row from ${sql(relname as string)} t
      order by coalesce(to_jsonb(t) -> 'id', to_jsonb(t))`;
    lines.push(...rows.map(({ row }) => `${relname}: ${stable(row as string, relname as string, without)}`));
  }
  return lines;
}

/** A row without what is made by chance or by the clock. */
function stable(row: string, table: string, without: readonly string[]): string {
  const values = JSON.parse(row) as Record<string, unknown>;
  for (const column of Object.keys(values)) if (without.includes(`${table}.${column}`)) values[column] = '?';
  return JSON.stringify(values);
}

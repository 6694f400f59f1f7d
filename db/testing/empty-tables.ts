// Empties a database between two tests: every table but the history of migrations. Few rows are deleted, which takes a
// tenth of the time of a truncation; where a deletion would see less, do more or take long, tables are truncated.

/** Runs a statement. @returns its rows */
type Run = (statement: string) => Promise<unknown[][]>;

/** More than this of a table is truncated. */
const mostBytes = 1 << 20;

/** Names as they stand in SQL, and whether rows may be deleted: no trigger of somebody's, no policy, not many. */
const listTables = `select
  format('%I.%I', n.nspname, c.relname),
  not row_security_active(c.oid)
    and pg_total_relation_size(c.oid) < ${mostBytes}
    and c.relkind = 'r'
    and not exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema', 'mytx_deploy') and n.nspname !~ '^pg_(toast|temp)'
  and c.relname <> '__drizzle_migrations'
order by 1`;

const restartSequences = `select setval(c.oid, s.seqstart, false)
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('drizzle', 'mytx_deploy')
  and case when c.relkind = 'S' then pg_sequence_last_value(c.oid) end is not null`;

/** Only tables that have rows are touched, all of them in one statement. */
export async function emptyTables(run: Run): Promise<void> {
  const tables = await run(listTables);
  if (tables.length === 0) return;
  const [answers = []] = await run(`select ${tables.map(([name]) => `exists (select from ${name})`).join(', ')}`);
  const filled = tables.filter((_, i) => answers[i] === true);
  if (filled.length > 0) await run(emptyingOf(filled));
  await run(restartSequences);
}

/** Foreign keys are looked at when the statement ends, and by then all rows are gone. */
function emptyingOf(tables: readonly unknown[][]): string {
  const names = tables.map(([name]) => name);
  if (tables.some(([, isDeletable]) => isDeletable !== true))
    return `truncate ${names.join(', ')} restart identity cascade`;
  return `with ${names.map((name, i) => `emptied_${i} as (delete from ${name})`).join(', ')} select`;
}

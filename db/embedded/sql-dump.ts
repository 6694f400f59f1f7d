// An embedded database as SQL that every PostgreSQL reads, and its rows as digests to compare two databases by.
// pg_dump (WASM, loaded here and only when a dump is made) writes what is made before and after the rows; the rows are
// written here: pgDump of pglite-tools 0.4.8 deletes lines of a text that begin with `\restrict`.
// Leaves the session as it was: everything happens in a read-only transaction that is rolled back.

import { createHash } from 'node:crypto';
import type { PGlite } from '@electric-sql/pglite';
import { importAtRunTime } from './run-time-import.ts';

/** What a dump needs of PGlite. 0.3 has it too, so that a database of PostgreSQL 17 can be dumped. */
export type DumpSource = Pick<PGlite, 'query' | 'exec' | 'parsers' | 'execProtocolRawSync'>;

/** A table's rows as they were when the dump was made. */
export interface TableRows {
  /** Schema and name, quoted. */
  table: string;
  rows: number;
  /** Of the rows as SQL, in the order in which they are stored: loading them in this order gives the same digest. */
  sha256: string;
}

export interface SqlDump {
  tables: TableRows[];
  /** Changes whenever anything of the schema does. */
  schema: string;
  /** Where the rows begin and end, in bytes. Between them a statement ends where a line does. */
  rowsBegin: number;
  rowsEnd: number;
}

/** What an earlier dump of the same database says before and after its rows. */
export interface DumpedSchema {
  schema: string;
  head: string;
  tail: string;
}

const ending = /\n-- PostgreSQL database dump complete\n--\s*$/;

/** Whether a text ends as a dump that is whole. */
export function endsAsDump(text: string): boolean {
  return ending.test(text);
}

/**
 * Writes the whole database as SQL. Nothing else may use the client meanwhile.
 * @param write is given the text piece by piece
 * @param earlier is used again where the schema is still the same: pg_dump takes most of the time
 * @throws whatever stops pg_dump or `write`; the session is as before
 */
export function dumpSql(
  client: DumpSource,
  write: (text: string) => Promise<void>,
  earlier?: DumpedSchema,
): Promise<SqlDump> {
  return inReadOnlyTransaction(client, async () => {
    let bytes = 0;
    const count = (text: string): Promise<void> => {
      bytes += Buffer.byteLength(text);
      return write(text);
    };
    const schema = await fingerprint(client);
    const { head, tail } = earlier?.schema === schema ? earlier : await dumpSchema(client);
    await count(head);
    const rowsBegin = bytes;
    const tables: TableRows[] = [];
    for (const shape of await listTables(client)) tables.push(await dumpRows(client, shape, count));
    await count(await sequencePositions(client));
    const rowsEnd = bytes;
    await count(tail);
    return { tables, schema, rowsBegin, rowsEnd };
  });
}

/** The rows of every table: how many, and their digests, to compare with those of a dump. */
export function digestTables(client: DumpSource): Promise<TableRows[]> {
  return inReadOnlyTransaction(client, async () => {
    const tables: TableRows[] = [];
    for (const shape of await listTables(client)) tables.push(await dumpRows(client, shape, async () => {}));
    return tables;
  });
}

/**
 * pg_dump sets a dozen parameters and begins a transaction that it never ends. Inside a transaction of the same kind
 * its BEGIN is a warning, and the rollback undoes its SETs; its prepared statements have to be taken away by name,
 * because DEALLOCATE ALL would take those of other users of the session too.
 */
async function inReadOnlyTransaction<T>(client: DumpSource, work: () => Promise<T>): Promise<T> {
  const before = await preparedStatements(client);
  await client.exec('begin isolation level repeatable read read only');
  try {
    // Texts of values that do not depend on settings; rows in the order in which they are stored.
    await client.exec(`
      set local time zone 'UTC';
      set local datestyle to 'ISO, MDY';
      set local intervalstyle to 'postgres';
      set local bytea_output to 'hex';
      set local extra_float_digits to 3;
      set local xmloption to 'content';
      set local search_path to '';
      set local enable_indexscan to off;
      set local enable_indexonlyscan to off;
      set local synchronize_seqscans to off;
    `);
    return await work();
  } finally {
    await client.exec('rollback');
    await deallocateBut(client, before);
  }
}

async function deallocateBut(client: DumpSource, kept: readonly string[]): Promise<void> {
  for (const name of await preparedStatements(client)) {
    if (!kept.includes(name)) await client.exec(`deallocate "${name.replaceAll('"', '""')}"`);
  }
}

async function preparedStatements(client: DumpSource): Promise<string[]> {
  return (await texts(client, 'select name from pg_catalog.pg_prepared_statements')).map(([name]) => name ?? '');
}

async function dumpSchema(client: DumpSource): Promise<{ head: string; tail: string }> {
  const head = (await roles(client)) + (await schemaSection(client, 'pre-data'));
  return { head, tail: await schemaSection(client, 'post-data') };
}

/**
 * Of every system catalogue the number of rows and the newest transaction that wrote one: there is no change of the
 * schema that leaves all of these as they are. Statistics, which change without one, are not among them.
 */
async function fingerprint(client: DumpSource): Promise<string> {
  const catalogues = await texts(
    client,
    `select pg_catalog.quote_ident(relname) from pg_catalog.pg_class
     where relnamespace = 'pg_catalog'::pg_catalog.regnamespace and relkind = 'r'
       and relname not in ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject')
     order by relname`,
  );
  const counts = catalogues.map(
    ([name]) => `select '${name}', count(*)::text, max(xmin::text::bigint)::text from pg_catalog.${name}`,
  );
  const found = await texts(client, [`select 'version', version(), null`, ...counts].join(' union all '));
  return createHash('sha256').update(JSON.stringify(found)).digest('hex');
}

/** What `pg_dump --section` writes. The owner of everything is the one user, postgres, so it is not named. */
async function schemaSection(client: DumpSource, section: 'pre-data' | 'post-data'): Promise<string> {
  const { pgDump } = await importAtRunTime<typeof import('@electric-sql/pglite-tools/pg_dump')>(
    '@electric-sql/pglite-tools/pg_dump',
  );
  // Only what a dump needs: pgDump itself would reset the search path and deallocate everything afterwards.
  const pg = {
    query: async (): Promise<unknown> => ({ rows: [{ search_path: '' }] }),
    exec: async (): Promise<unknown[]> => [],
    execProtocolRawStream: (message: Uint8Array, { onRawData }: { onRawData(bytes: Uint8Array): void }): void =>
      onRawData(client.execProtocolRawSync(message)),
  };
  // PGlite 0.3 asks for a password, and takes any.
  const args = [`--section=${section}`, '--no-owner', '-d', 'dbname=postgres password=none'];
  const before = await preparedStatements(client);
  const file = await pgDump({ pg: pg as unknown as PGlite, args }).catch((cause: unknown) => {
    throw new Error(`pg_dump failed in the section ${section}`, { cause });
  });
  await deallocateBut(client, before); // the next section prepares the same names
  const text = await file.text();
  if (!endsAsDump(text)) throw new Error(`pg_dump did not finish the section ${section}`);
  // PostgreSQL 16 and older do not know it, and would stop a psql that stops at errors.
  return text.replace(/^SET transaction_timeout = 0;\n/m, '');
}

interface TableShape {
  table: string;
  columns: string[];
  hasIdentity: boolean;
}

const isOwn = (catalogue: string, name: string): string => `
  namespace.nspname not in ('pg_catalog', 'information_schema')
  and namespace.nspname not like 'pg\\_toast%'
  and namespace.nspname not like 'pg\\_temp%'
  and not exists (
    select from pg_catalog.pg_depend
    where classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass and objid = ${name}.oid and deptype = 'e'
  )`;

/** Every table with rows of its own, with the columns that can be written. */
async function listTables(client: DumpSource): Promise<TableShape[]> {
  const rows = await texts(
    client,
    `select pg_catalog.quote_ident(namespace.nspname) || '.' || pg_catalog.quote_ident(class.relname),
       pg_catalog.json_agg(pg_catalog.quote_ident(attribute.attname) order by attribute.attnum)
         filter (where attribute.attgenerated = ''),
       coalesce(pg_catalog.bool_or(attribute.attidentity = 'a'), false)
     from pg_catalog.pg_class class
     join pg_catalog.pg_namespace namespace on namespace.oid = class.relnamespace
     left join pg_catalog.pg_attribute attribute
       on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
     where class.relkind = 'r' and ${isOwn('pg_class', 'class')}
     group by namespace.nspname, class.relname
     order by namespace.nspname collate "C", class.relname collate "C"`,
  );
  return rows.map(([table, columns, hasIdentity]) => ({
    table: table ?? '',
    columns: JSON.parse(columns ?? '[]') as string[],
    hasIdentity: hasIdentity === 't',
  }));
}

const rowsAtOnce = 500;
/** A statement that is longer than this ends; a longer row is a statement of its own. */
const statementCharacters = 262_144;

async function dumpRows(
  client: DumpSource,
  { table, columns, hasIdentity }: TableShape,
  write: (text: string) => Promise<void>,
): Promise<TableRows> {
  const list = columns.join(', ');
  const head = `insert into ${table} (${list})${hasIdentity ? ' overriding system value' : ''} values`;
  const hash = createHash('sha256');
  let count = 0;
  let statement: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (statement.length > 0) await write(`${head} ${statement.join(', ')};\n`);
    statement = [];
    characters = 0;
  };
  await client.exec(`declare mytx_rows no scroll cursor for select ${list} from only ${table}`);
  for (;;) {
    const rows = await texts(client, `fetch forward ${rowsAtOnce} from mytx_rows`);
    for (const row of rows) {
      const literal = `(${row.map(quoteLiteral).join(', ')})`;
      hash.update(literal);
      characters += literal.length;
      statement.push(literal);
      if (characters > statementCharacters) await flush();
    }
    count += rows.length;
    if (rows.length < rowsAtOnce) break;
  }
  await flush();
  await client.exec('close mytx_rows');
  return { table, rows: count, sha256: hash.digest('hex') };
}

const escapes: Readonly<Record<string, string>> = { "'": "''", '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/** A literal on one line, whatever is in it. */
function quoteLiteral(text: string | null): string {
  if (text === null) return 'null';
  if (!/[\\\n\r]/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return `E'${text.replaceAll(/['\\\n\r]/g, (character) => escapes[character] ?? character)}'`;
}

async function sequencePositions(client: DumpSource): Promise<string> {
  const sequences = await texts(
    client,
    `select pg_catalog.quote_ident(namespace.nspname) || '.' || pg_catalog.quote_ident(class.relname)
     from pg_catalog.pg_class class
     join pg_catalog.pg_namespace namespace on namespace.oid = class.relnamespace
     where class.relkind = 'S' and ${isOwn('pg_class', 'class')}
     order by 1`,
  );
  const lines: string[] = [];
  for (const [sequence] of sequences) {
    const [position] = await texts(client, `select last_value, is_called from ${sequence}`);
    const [last, isCalled] = position ?? [];
    lines.push(`select pg_catalog.setval(${quoteLiteral(sequence ?? '')}, ${last}, ${isCalled === 't'});\n`);
  }
  return lines.join('');
}

/** The roles that rights and policies may name. They belong to no database, so pg_dump leaves them out. */
async function roles(client: DumpSource): Promise<string> {
  const created = await texts(
    client,
    `select pg_catalog.quote_ident(rolname), rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls
     from pg_catalog.pg_roles
     where rolname !~ '^pg_' and rolname <> session_user
     order by rolname`,
  );
  const granted = await texts(
    client,
    `select distinct pg_catalog.quote_ident(role.rolname), pg_catalog.quote_ident(member.rolname), admin_option
     from pg_catalog.pg_auth_members
     join pg_catalog.pg_roles role on role.oid = roleid
     join pg_catalog.pg_roles member on member.oid = member
     where member.rolname !~ '^pg_'
     order by 1, 2`,
  );
  const attributes = ['superuser', 'inherit', 'createrole', 'createdb', 'login', 'bypassrls'];
  return [
    ...created.map(([role, ...has]) => {
      const what = attributes.map((name, i) => (has[i] === 't' ? name : `no${name}`)).join(' ');
      return `do $$ begin create role ${role} ${what}; exception when duplicate_object then null; end $$;\n`;
    }),
    ...granted.map(
      ([role, member, admin]) => `grant ${role} to ${member}${admin === 't' ? ' with admin option' : ''};\n`,
    ),
  ].join('');
}

/** Rows as PostgreSQL's own texts. */
async function texts(client: DumpSource, statement: string): Promise<(string | null)[][]> {
  const parsers = Object.fromEntries(Object.keys(client.parsers).map((type) => [type, asIs]));
  const { rows } = await client.query<(string | null)[]>(statement, [], { rowMode: 'array', parsers });
  return rows;
}

const asIs = (text: string): string => text;

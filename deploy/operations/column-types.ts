// Of a column's type and default, whether PostgreSQL has to write every row anew for it.

import type { Node } from '../grammar.ts';

interface ColumnType {
  name: string;
  /** `varchar(50)`: 50; `numeric(10,2)`: 10 and 2. */
  sizes: number[];
  isArray: boolean;
}

const otherNames: Readonly<Record<string, string>> = {
  'character varying': 'varchar',
  char: 'bpchar',
  character: 'bpchar',
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  int2: 'smallint',
  decimal: 'numeric',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
  'bit varying': 'varbit',
};

/** A type as SQL, Drizzle or format_type write it. */
function readType(text: string): ColumnType {
  const plain = text
    .replaceAll('"', '')
    .replace(/^pg_catalog\./, '')
    .toLowerCase()
    .trim();
  const isArray = /\[\d*\]\s*$|\barray$/.test(plain);
  const sizes = /\(([\d\s,]+)\)/.exec(plain)?.[1]?.split(',').map(Number) ?? [];
  const name = plain
    .replace(/\([\d\s,]+\)/, ' ')
    .replace(/(\[\d*\])+\s*$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return { name: otherNames[name] ?? name, sizes, isArray };
}

/**
 * Whether a change of type leaves the rows as they are: what is stored means the same. Measured on PostgreSQL 15 to 18; a
 * change between timestamp and timestamptz counts as one in the time zone UTC, in which a deploy runs.
 * @example isBinaryCompatible('varchar(50)', 'text') // true
 */
export function isBinaryCompatible(from: string, to: string): boolean {
  const [before, after] = [readType(from), readType(to)];
  if (before.isArray || after.isArray) return before.isArray === after.isArray && sameType(before, after);
  if (sameType(before, after)) return true;
  switch (`${before.name} ${after.name}`) {
    case 'varchar varchar':
    case 'varbit varbit':
      return isWider(before.sizes[0], after.sizes[0]);
    case 'varchar text':
      return true;
    case 'text varchar':
      return after.sizes.length === 0;
    case 'numeric numeric':
      return isRoomier(before.sizes, after.sizes);
    case 'timestamp timestamp':
    case 'timestamptz timestamptz':
    case 'timestamp timestamptz':
    case 'timestamptz timestamp':
    case 'time time':
    case 'timetz timetz':
    case 'interval interval':
      return isWider(before.sizes[0], after.sizes[0]);
    case 'cidr inet':
    case 'xml text':
      return true;
    default:
      return false;
  }
}

const sameType = (one: ColumnType, other: ColumnType): boolean =>
  one.name === other.name && one.sizes.join() === other.sizes.join();

const isWider = (from: number | undefined, to: number | undefined): boolean =>
  to === undefined || (from !== undefined && to >= from);

/** The same digits behind the point, and as many before it or more. */
function isRoomier(from: readonly number[], to: readonly number[]): boolean {
  if (to.length === 0) return true;
  if (from.length === 0) return false;
  return (from[1] ?? 0) === (to[1] ?? 0) && (to[0] as number) >= (from[0] as number);
}

/** Built-in functions that give every row of one statement the same, as defaults have them. */
const steady = new Set(
  [
    'now transaction_timestamp statement_timestamp timezone date_trunc date_part extract age to_char to_date to_timestamp',
    'to_number make_date make_time make_interval make_timestamp make_timestamptz current_setting current_database',
    'current_schema current_user session_user inet_client_addr pg_backend_pid version lower upper initcap concat',
    'concat_ws format md5 sha256 encode decode length char_length substr substring left right repeat replace trim btrim',
    'ltrim rtrim lpad rpad position strpos abs ceil ceiling floor round trunc sign mod power sqrt exp ln log greatest',
    'least coalesce nullif array_to_string string_to_array array_append array_cat array_length to_json to_jsonb',
    'json_build_object json_build_array jsonb_build_object jsonb_build_array row_to_json json_object jsonb_object int4range',
    'int8range numrange tsrange tstzrange daterange to_tsvector date timestamptz numeric text',
  ]
    .join(' ')
    .split(' '),
);

/**
 * Whether a default may differ from row to row: with such a one, ADD COLUMN writes every row. A function that is not known
 * counts as one, as PostgreSQL itself takes a function for volatile unless it is told.
 * @param expression the tree of the default
 */
export function isVolatile(expression: unknown): boolean {
  if (typeof expression !== 'object' || expression === null) return false;
  return Object.entries(expression).some(([type, value]) => {
    if (type === 'SubLink') return true;
    if (type === 'FuncCall' && !isSteadyCall(value as Node)) return true;
    return isVolatile(value);
  });
}

function isSteadyCall({ funcname }: Node): boolean {
  const names = (funcname as { String: { sval: string } }[]).map(({ String: { sval } }) => sval);
  return steady.has(names.at(-1) as string) && (names.length === 1 || names[0] === 'pg_catalog');
}

// What an expression or a change of a type makes of a table: whether a default has one value for all rows, and whether
// values are stored the same way before and behind it.

import type { Node } from '../grammar.ts';
import { everyNode, nodesOf, type TypeFacts, textsOf, typeOf } from './tree.ts';

/** Functions that give one value for a whole statement, or the same for the same arguments. */
const stableFunctions = new Set(
  `now transaction_timestamp statement_timestamp current_setting current_schema current_database version lower upper
  initcap md5 sha256 sha512 encode decode concat concat_ws format length char_length octet_length abs round floor ceil ceiling
  date_trunc date_part extract make_date make_time make_timestamp make_timestamptz make_interval to_char to_timestamp
  to_date to_number to_json to_jsonb json_build_object json_build_array jsonb_build_object jsonb_build_array array_fill
  string_to_array left right replace substr substring trim btrim ltrim rtrim lpad rpad repeat greatest least coalesce
  to_tsvector timezone txid_current pg_current_xact_id`
    .split(/\s+/)
    .map((name) => name.trim()),
);

const volatileFunctions = new Set(
  `nextval setval lastval gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes
  clock_timestamp timeofday random random_normal`.split(/\s+/),
);

export interface Volatility {
  kind: 'constant' | 'stable' | 'volatile';
  /** A function of which we don't know, and assume that its value is another one for each row. */
  unknownFunction?: string;
}

export function volatilityOf(expression: unknown): Volatility {
  const nodes = everyNode(expression);
  const functions = nodes
    .filter(({ kind }) => kind === 'FuncCall')
    .map(({ node }) => textsOf(node.funcname).at(-1) as string);
  const hasTime = nodes.some(({ kind }) => kind === 'SQLValueFunction');
  if (functions.some((name) => volatileFunctions.has(name))) return { kind: 'volatile' };
  const unknownFunction = functions.find((name) => !stableFunctions.has(name));
  if (unknownFunction !== undefined) return { kind: 'volatile', unknownFunction };
  return { kind: hasTime || functions.length > 0 ? 'stable' : 'constant' };
}

/** The columns that a condition proves not to be null: of `a is not null`, and of several such with AND. */
export function provenNotNull(condition: unknown): string[] {
  const [kind, node] = Object.entries((condition ?? {}) as Record<string, Node>)[0] ?? [];
  if (kind === 'NullTest' && node?.nulltesttype === 'IS_NOT_NULL') {
    const column = (node.arg as Record<string, Node> | undefined)?.ColumnRef;
    return column ? [textsOf(column.fields).at(-1) as string] : [];
  }
  if (kind !== 'BoolExpr' || node?.boolop !== 'AND_EXPR') return [];
  return (node.args as unknown[]).flatMap(provenNotNull);
}

/** The same, of what pg_get_constraintdef gives: `CHECK ((a IS NOT NULL))`. */
export function provenByDefinition(definition: string): string[] {
  const [, condition = ''] = /^CHECK \(\((.*)\)\)$/s.exec(definition) ?? [];
  const parts = condition.split(' AND ').map((part) => /^\(?("(?:[^"]|"")+"|[\w$]+) IS NOT NULL\)?$/.exec(part)?.[1]);
  if (parts.some((part) => part === undefined)) return [];
  return parts.map((part) => ((part as string).startsWith('"') ? unquote(part as string) : (part as string)));
}

const unquote = (name: string): string => name.slice(1, -1).replaceAll('""', '"');

/** Whether rows can stay as they are where a column's type changes; with the session's time zone UTC, as a deploy has it. */
export function isStoredAlike(from: TypeFacts, to: TypeFacts): boolean {
  const [length = Number.POSITIVE_INFINITY, scale = 0] = from.numbers;
  const [newLength = Number.POSITIVE_INFINITY, newScale = 0] = to.numbers;
  if (from.name === to.name && from.numbers.join() === to.numbers.join()) return true;
  switch (`${from.name} > ${to.name}`) {
    case 'character varying > character varying':
    case 'bit varying > bit varying':
      return newLength >= length;
    case 'character varying > text':
    case 'cidr > inet':
    case 'xml > text':
      return true;
    case 'text > character varying':
      return to.numbers.length === 0;
    case 'numeric > numeric':
      return to.numbers.length === 0 || (from.numbers.length > 0 && newScale === scale && newLength >= length);
    case 'time without time zone > time without time zone':
    case 'time with time zone > time with time zone':
    case 'timestamp without time zone > timestamp without time zone':
    case 'timestamp with time zone > timestamp with time zone':
      return (to.numbers[0] ?? 6) >= (from.numbers[0] ?? 6);
    case 'timestamp without time zone > timestamp with time zone':
    case 'timestamp with time zone > timestamp without time zone':
      return (to.numbers[0] ?? 6) === 6; // with fewer digits each value is rounded, also where it has no more
    default:
      return false;
  }
}

/** Whether USING says no more than the new type itself: `using a` or `using a::type`. */
export function isPlainCast(using: unknown, column: string, to: TypeFacts): boolean {
  const { ColumnRef, TypeCast } = using as Record<string, Node>;
  if (ColumnRef) return textsOf(ColumnRef.fields).at(-1) === column;
  if (!TypeCast) return false;
  const cast = typeOf(TypeCast.typeName as Node);
  const [inner] = nodesOf([TypeCast.arg]);
  const isColumn = (TypeCast.arg as Record<string, Node>).ColumnRef !== undefined;
  return (
    isColumn &&
    textsOf(inner?.fields).at(-1) === column &&
    cast.name === to.name &&
    cast.numbers.join() === to.numbers.join()
  );
}

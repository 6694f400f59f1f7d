// The sequence that numbers a column's rows, moved to the column that takes its place. PostgreSQL keeps its name to itself (a
// serial's, an identity's), so it is asked for when the migration runs.

import { qualified, quoteName, quoteText } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import type { KnownColumn } from './known-schema.ts';

const serials: Readonly<Record<string, string>> = {
  smallserial: 'smallint',
  serial: 'integer',
  bigserial: 'bigint',
};

/** The type of the values: `serial` is an `integer` with a sequence. */
export const valueType = (type: string): string => serials[type.toLowerCase()] ?? type;

export const isNumbered = ({ type, default: value, isIdentity }: KnownColumn): boolean =>
  isIdentity === true || type.toLowerCase() in serials || (value ?? '').includes('nextval(');

const widths = ['smallint', 'integer', 'bigint'];

/** What makes `to` the column that the sequence of `from` numbers, with its place kept. */
export function moveSequence(table: Named, from: string, to: string, facts: KnownColumn, typeAfter?: string): string {
  const before = valueType(facts.type).toLowerCase();
  const after = typeAfter?.toLowerCase() ?? before;
  const wider = widths.includes(before) && widths.indexOf(after) > widths.indexOf(before) ? after : undefined;
  const lines = facts.isIdentity === true ? moveIdentity(table, from, to) : moveDefault(table, from, to, wider);
  return ['DO $mytx$', ...lines, '$mytx$'].join('\n');
}

const sequenceOf = (table: Named, column: string): string =>
  `pg_get_serial_sequence(${quoteText(qualified(table))}, ${quoteText(column)})`;

function moveDefault(table: Named, from: string, to: string, wider: string | undefined): string[] {
  const alter = `ALTER TABLE ${qualified(table)} ALTER COLUMN`;
  return [
    'DECLARE',
    `  numbers text := ${sequenceOf(table, from)};`,
    '  value text := (',
    '    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum',
    `    WHERE adrelid = ${quoteText(qualified(table))}::regclass AND attname = ${quoteText(from)});`,
    'BEGIN',
    `  EXECUTE ${quoteText(`${alter} ${quoteName(to)} SET DEFAULT `)} || value;`,
    `  ${alter} ${quoteName(from)} DROP DEFAULT;`,
    '  IF numbers IS NOT NULL THEN',
    ...(wider === undefined ? [] : [`    EXECUTE 'ALTER SEQUENCE ' || numbers || ' AS ${wider}';`]),
    `    EXECUTE 'ALTER SEQUENCE ' || numbers || ${quoteText(` OWNED BY ${qualified(table)}.${quoteName(to)}`)};`,
    '  END IF;',
    'END',
  ];
}

/** An identity can't change its column: it is made anew, with its options and its place. The table is locked meanwhile. */
function moveIdentity(table: Named, from: string, to: string): string[] {
  const alter = `ALTER TABLE ${qualified(table)} ALTER COLUMN`;
  return [
    'DECLARE',
    `  numbers text := ${sequenceOf(table, from)};`,
    '  options pg_sequence;',
    '  kind text;',
    '  place bigint;',
    '  was_used boolean;',
    'BEGIN',
    `  LOCK TABLE ${qualified(table)} IN ACCESS EXCLUSIVE MODE;`,
    '  SELECT * INTO options FROM pg_sequence WHERE seqrelid = numbers::regclass;',
    `  SELECT CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END INTO kind FROM pg_attribute`,
    `    WHERE attrelid = ${quoteText(qualified(table))}::regclass AND attname = ${quoteText(from)};`,
    `  EXECUTE 'SELECT last_value, is_called FROM ' || numbers INTO place, was_used;`,
    `  ${alter} ${quoteName(from)} DROP IDENTITY;`,
    `  EXECUTE ${quoteText(`${alter} ${quoteName(to)} ADD GENERATED `)} || format(`,
    `    '%s AS IDENTITY (SEQUENCE NAME %s INCREMENT BY %s MINVALUE %s %s START WITH %s CACHE %s %s)',`,
    '    kind, numbers, options.seqincrement, options.seqmin,',
    `    CASE WHEN options.seqmax IN (32767, 2147483647, 9223372036854775807) THEN 'NO MAXVALUE' ELSE 'MAXVALUE ' || options.seqmax END,`,
    `    options.seqstart, options.seqcache, CASE WHEN options.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END);`,
    '  PERFORM setval(numbers::regclass, place, was_used);',
    'END',
  ];
}

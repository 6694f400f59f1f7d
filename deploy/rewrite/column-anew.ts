// A column that is made anew beside itself, under another name or with another type: a trigger keeps both alike, and all
// that the old one has is made on the new one, before that takes its place.

import { qualified, quoteName } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import {
  type ColumnChange,
  type MovedKey,
  makeKey,
  movedKeys,
  nameIndexes,
  settleKey,
  whyNotMoved,
} from './column-keys.ts';
import { isNumbered, moveSequence, valueType } from './column-sequence.ts';
import { setNotNull } from './forms.ts';
import { type KnownColumn, tableKey } from './known-schema.ts';
import { objectName, withEnding } from './names.ts';
import type { Expansion, NoPlan, PlanContext } from './outcome.ts';

/** All that a plan for a column is made of. */
interface Place {
  table: Named;
  column: string;
  facts: KnownColumn;
  version: number;
  /** `ALTER TABLE "user" `. */
  alter: string;
  sync: Named;
  keys: readonly MovedKey[];
}

/** @returns undefined where nothing is known of the column */
function placeOf(change: ColumnChange, { schema, version, changes, open }: PlanContext): Place | NoPlan | undefined {
  const { table, column } = change;
  const facts = schema?.get(tableKey(table))?.columns.get(column);
  if (!schema || !facts) return undefined;
  const keys = movedKeys(change, schema, changes);
  const whyNot = whyNotMoved(keys, change, schema, open);
  if (whyNot !== undefined) return { whyNot };
  const sync = { schema: table.schema, name: objectName(table.name, column, 'sync') };
  return { table, column, facts, version, alter: `ALTER TABLE ${qualified(table)} `, sync, keys };
}

export function renameColumn(
  table: Named,
  column: string,
  to: string,
  context: PlanContext,
): Expansion | NoPlan | undefined {
  const place = placeOf({ table, column, made: to, last: to, type: undefined }, context);
  if (!place || 'whyNot' in place) return place;
  const { alter, facts, keys, sync } = place;
  const [from, next] = [quoteName(column), quoteName(to)];
  const own = keys.filter(({ isFromOutside }) => !isFromOutside);
  return {
    expand: [
      `${alter}ADD COLUMN ${next} ${valueType(facts.type)}`,
      syncFunction(place, [
        `IF TG_OP = 'INSERT' THEN`,
        `  IF NEW.${next} IS NULL THEN NEW.${next} := NEW.${from}; ELSE NEW.${from} := NEW.${next}; END IF;`,
        `ELSIF NEW.${next} IS DISTINCT FROM OLD.${next} THEN`,
        `  NEW.${from} := NEW.${next};`,
        'ELSE',
        `  NEW.${next} := NEW.${from};`,
        'END IF;',
      ]),
      syncTrigger(place),
      `-- mytx:backfill\nUPDATE ${qualified(table)} SET ${next} = ${from} WHERE ${next} IS DISTINCT FROM ${from}`,
      ...notNull(place, to),
      ...own.flatMap(makeKey),
    ],
    contract: [
      ...keys.filter(({ isFromOutside }) => isFromOutside).flatMap((key) => [...makeKey(key), ...settleKey(key)]),
      // From here on all is one transaction, but for the names of indexes.
      ...own.flatMap(settleKey),
      `DROP TRIGGER ${quoteName(sync.name)} ON ${qualified(table)}`,
      ...defaultOf(place, column, to),
      `${alter}DROP COLUMN ${from}`,
      `DROP FUNCTION ${qualified(sync)}()`,
      ...nameIndexes(own),
    ],
    rollOut: `the code that says ${quoteName(table.name)}.${next}; a trigger keeps ${from} and ${next} alike meanwhile`,
    taken: keys.flatMap(({ taken }) => taken),
    open: keys.map(({ id }) => id),
  };
}

export function changeType(
  table: Named,
  column: string,
  { to, using }: { to: string; using: string | undefined },
  context: PlanContext,
): Expansion | NoPlan | undefined {
  const made = withEnding(column, '_new');
  const old = withEnding(column, '_old');
  const place = placeOf({ table, column, made, last: column, type: to }, context);
  if (!place || 'whyNot' in place) return place;
  const { alter, facts, keys, sync } = place;
  const [own, next, before] = [column, made, old].map(quoteName) as [string, string, string];
  const value = using ?? `${own}::${to}`;
  const isForeign = ({ kind }: MovedKey): boolean => kind === 'FOREIGN KEY';
  return {
    expand: [
      `${alter}ADD COLUMN ${next} ${to}`,
      syncFunction(place, [`NEW.${next} := ${value.replaceAll(own, `NEW.${own}`)};`]),
      syncTrigger(place),
      `-- mytx:backfill\nUPDATE ${qualified(table)} SET ${next} = ${value} WHERE ${next} IS NULL AND ${own} IS NOT NULL`,
      ...notNull(place, made),
      ...keys.filter((key) => !isForeign(key)).flatMap(makeKey),
      // What the old column says is not kept up behind the change of names: nothing may hold to it any more.
      ...keys.filter(isForeign).flatMap((key) => [...makeKey(key), ...settleKey(key)]),
      // From here on all is one transaction, but for the names of indexes.
      ...keys.filter((key) => !isForeign(key)).flatMap(settleKey),
      `DROP TRIGGER ${quoteName(sync.name)} ON ${qualified(table)}`,
      `${alter}RENAME COLUMN ${own} TO ${before}`,
      `${alter}RENAME COLUMN ${next} TO ${own}`,
      ...defaultOf(place, old, column, to),
      ...(facts.isNullable ? [] : [`${alter}ALTER COLUMN ${before} DROP NOT NULL`]),
      `DROP FUNCTION ${qualified(sync)}()`,
      ...nameIndexes(keys),
    ],
    contract: [`${alter}DROP COLUMN ${before}`],
    rollOut: `the code that takes ${quoteName(table.name)}.${own} as ${to}: it is that from the end of the first deploy on`,
    taken: keys.flatMap(({ taken }) => taken),
    open: [],
  };
}

const notNull = ({ facts, alter, table, version }: Place, made: string): string[] =>
  facts.isNullable ? [] : setNotNull(alter, table, made, version);

/** The default of the one column is that of the other; what numbers its rows too. */
function defaultOf({ table, facts, alter }: Place, from: string, to: string, type?: string): string[] {
  if (isNumbered(facts)) return [moveSequence(table, from, to, facts, type)];
  return facts.default === undefined ? [] : [`${alter}ALTER COLUMN ${quoteName(to)} SET DEFAULT ${facts.default}`];
}

function syncFunction({ sync }: Place, body: readonly string[]): string {
  return [
    `CREATE FUNCTION ${qualified(sync)}() RETURNS trigger LANGUAGE plpgsql AS $mytx$`,
    'BEGIN',
    ...body.map((line) => `  ${line}`),
    '  RETURN NEW;',
    'END',
    '$mytx$',
  ].join('\n');
}

function syncTrigger({ sync, table }: Place): string {
  return `CREATE TRIGGER ${quoteName(sync.name)} BEFORE INSERT OR UPDATE ON ${qualified(table)} FOR EACH ROW EXECUTE FUNCTION ${qualified(sync)}()`;
}

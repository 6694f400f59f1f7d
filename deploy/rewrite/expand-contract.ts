// Changes that no other SQL makes safe, because code that is running knows the old name or type: first the new is added
// beside the old and both are kept alike (expand), then the code is rolled out, then the old goes (contract).

import { qualified, quoteName, quoteText } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import { setNotNull } from './forms.ts';
import { type KnownSchema, type KnownTable, tableKey } from './known-schema.ts';
import { objectName, withEnding } from './names.ts';
import type { Expansion, Explanation } from './outcome.ts';

/** @returns undefined where no plan is known, as for a column of the primary key */
export function expansionOf(
  explanation: Explanation,
  schema: KnownSchema | undefined,
  version: number,
): Expansion | undefined {
  const { kind, table, column, to } = explanation;
  if (!table) return undefined;
  const known = schema?.get(tableKey(table));
  switch (kind) {
    case 'rename-table':
      return renameTable(table, to as string);
    case 'drop-table':
      return dropTable(table, known);
    case 'drop-column':
      return dropColumn(table, column as string, known);
    case 'rename-column':
    case 'type': {
      const place = placeOf(table, column as string, known, version);
      if (!place) return undefined;
      return kind === 'type' ? changeType(place, to as string, explanation.using) : renameColumn(place, to as string);
    }
    default:
      return undefined;
  }
}

function renameTable(table: Named, to: string): Expansion {
  const renamed = { ...table, name: to };
  return {
    expand: [
      `ALTER TABLE ${qualified(table)} RENAME TO ${quoteName(to)}`,
      // Writes go through such a view, so that code with the old name goes on. Rights and policies are those of who asks, not
      // those of the view's owner, whom row-level security lets see all.
      `CREATE VIEW ${qualified(table)} WITH (security_invoker = true) AS SELECT * FROM ${qualified(renamed)}`,
      sameRights(renamed, table),
    ],
    contract: [`DROP VIEW ${qualified(table)}`],
    rollOut: `the code that says ${quoteName(to)}; code that says ${quoteName(table.name)} reads and writes through a view meanwhile`,
  };
}

/** What roles may do with a table, they may with its view. */
function sameRights(table: Named, view: Named): string {
  return [
    'DO $mytx$',
    'DECLARE given record;',
    'BEGIN',
    '  FOR given IN',
    `    SELECT privilege_type AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who`,
    `    FROM pg_class, aclexplode(relacl) WHERE oid = ${quoteText(qualified(table))}::regclass AND grantee <> relowner`,
    '  LOOP',
    `    EXECUTE 'GRANT ' || given.what || ${quoteText(` ON ${qualified(view)} TO `)} || given.who;`,
    '  END LOOP;',
    'END',
    '$mytx$',
  ].join('\n');
}

function dropTable(table: Named, known: KnownTable | undefined): Expansion {
  return {
    expand: [],
    contract: [
      // Each holds a lock of both tables for a moment, and of no third.
      ...(known?.foreignKeys ?? []).map(
        ({ name }) => `ALTER TABLE ${qualified(table)} DROP CONSTRAINT IF EXISTS ${quoteName(name)}`,
      ),
      `DROP TABLE ${qualified(table)}`,
    ],
    rollOut: `the code that no longer reads or writes ${quoteName(table.name)}, and take a backup`,
  };
}

function dropColumn(table: Named, column: string, known: KnownTable | undefined): Expansion {
  const facts = known?.columns.get(column);
  const mustBeGiven = facts?.isNullable === false && facts.default === undefined && !known?.primaryKey.includes(column);
  const alter = `ALTER TABLE ${qualified(table)}`;
  return {
    // New code does not name it, and its rows must be taken all the same.
    expand: mustBeGiven ? [`${alter} ALTER COLUMN ${quoteName(column)} DROP NOT NULL`] : [],
    contract: [`${alter} DROP COLUMN ${quoteName(column)}`],
    rollOut: `the code that no longer reads or writes ${quoteName(table.name)}.${quoteName(column)}, and take a backup`,
  };
}

/** A column that is made anew beside itself. */
interface Place {
  table: Named;
  column: string;
  known: KnownTable;
  version: number;
  /** `ALTER TABLE "user" `. */
  alter: string;
  sync: Named;
}

function placeOf(table: Named, column: string, known: KnownTable | undefined, version: number): Place | undefined {
  const facts = known?.columns.get(column);
  if (!known || !facts || known.primaryKey.includes(column)) return undefined;
  const sync = { schema: table.schema, name: objectName(table.name, column, 'sync') };
  return { table, column, known, version, alter: `ALTER TABLE ${qualified(table)} `, sync };
}

function renameColumn(place: Place, to: string): Expansion {
  const { table, column, known, alter } = place;
  const facts = known.columns.get(column);
  const [from, next] = [quoteName(column), quoteName(to)];
  return {
    expand: [
      `${alter}ADD COLUMN ${next} ${facts?.type}`,
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
      ...madeLike(place, to),
    ],
    contract: [
      `DROP TRIGGER ${quoteName(place.sync.name)} ON ${qualified(table)}`,
      `${alter}DROP COLUMN ${from}`,
      ...(facts?.default === undefined ? [] : [`${alter}ALTER COLUMN ${next} SET DEFAULT ${facts.default}`]),
      `DROP FUNCTION ${qualified(place.sync)}()`,
      ...namedAsBefore(place),
    ],
    rollOut: `the code that says ${quoteName(table.name)}.${next}; a trigger keeps ${from} and ${next} alike meanwhile`,
  };
}

function changeType(place: Place, to: string, using: string | undefined): Expansion {
  const { table, column, known, alter } = place;
  const facts = known.columns.get(column);
  const made = withEnding(column, '_new');
  const old = withEnding(column, '_old');
  const [own, next, before] = [column, made, old].map(quoteName);
  const value = using ?? `${own}::${to}`;
  const ofNew = value.replaceAll(own as string, `NEW.${own}`);
  return {
    expand: [
      `${alter}ADD COLUMN ${next} ${to}`,
      syncFunction(place, [`NEW.${next} := ${ofNew};`]),
      syncTrigger(place),
      `-- mytx:backfill\nUPDATE ${qualified(table)} SET ${next} = ${value} WHERE ${next} IS NULL AND ${own} IS NOT NULL`,
      ...madeLike(place, made),
      // From here on all is one transaction.
      `DROP TRIGGER ${quoteName(place.sync.name)} ON ${qualified(table)}`,
      `${alter}RENAME COLUMN ${own} TO ${before}`,
      `${alter}RENAME COLUMN ${next} TO ${own}`,
      ...(facts?.default === undefined ? [] : [`${alter}ALTER COLUMN ${own} SET DEFAULT ${facts.default}`]),
      ...(facts?.isNullable === false ? [`${alter}ALTER COLUMN ${before} DROP NOT NULL`] : []),
      `DROP FUNCTION ${qualified(place.sync)}()`,
    ],
    contract: [`${alter}DROP COLUMN ${before}`, ...namedAsBefore(place)],
    rollOut: `the code that takes ${quoteName(table.name)}.${own} as ${to}: it is that from the end of the first deploy on`,
  };
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

/** NOT NULL, indexes, unique rules and foreign keys of the column, on the new one. */
function madeLike({ table, column, known, version, alter }: Place, made: string): string[] {
  const list = (columns: readonly (string | undefined)[]): string =>
    `(${columns.map((one) => quoteName((one === column ? made : one) as string)).join(',')})`;
  return [
    ...(known.columns.get(column)?.isNullable === false ? setNotNull(alter, table, made, version) : []),
    ...plainIndexes(known, column).map(
      ({ name, columns, isUnique }) =>
        `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quoteName(withEnding(name, '_new'))} ON ${qualified(table)} ${list(columns)}`,
    ),
    ...keysOf(known.uniques, column).map(
      ({ name, columns }) =>
        `CREATE UNIQUE INDEX CONCURRENTLY ${quoteName(withEnding(name, '_new'))} ON ${qualified(table)} ${list(columns)}`,
    ),
    ...keysOf(known.foreignKeys, column).flatMap(({ name, columns, to, columnsTo, onDelete, onUpdate }) => {
      const other = quoteName(withEnding(name, '_new'));
      const actions = [
        ...(onDelete === undefined ? [] : [` ON DELETE ${onDelete}`]),
        ...(onUpdate === undefined ? [] : [` ON UPDATE ${onUpdate}`]),
      ].join('');
      return [
        `${alter}ADD CONSTRAINT ${other} FOREIGN KEY ${list(columns)} REFERENCES ${qualified(to)}(${columnsTo.map(quoteName).join(',')})${actions} NOT VALID`,
        `${alter}VALIDATE CONSTRAINT ${other}`,
      ];
    }),
  ];
}

/** Behind the old column, whose indexes and keys went with it. */
function namedAsBefore({ table, column, known, alter }: Place): string[] {
  const renamed = (name: string): string =>
    `ALTER INDEX ${qualified({ schema: table.schema, name: withEnding(name, '_new') })} RENAME TO ${quoteName(name)}`;
  return [
    ...plainIndexes(known, column).map(({ name }) => renamed(name)),
    ...keysOf(known.uniques, column).flatMap(({ name }) => [
      renamed(name),
      `${alter}ADD CONSTRAINT ${quoteName(name)} UNIQUE USING INDEX ${quoteName(name)}`,
    ]),
    ...keysOf(known.foreignKeys, column).map(
      ({ name }) => `${alter}RENAME CONSTRAINT ${quoteName(withEnding(name, '_new'))} TO ${quoteName(name)}`,
    ),
  ];
}

const keysOf = <K extends { columns: readonly string[] }>(keys: readonly K[], column: string): K[] =>
  keys.filter(({ columns }) => columns.includes(column));

/** Those of which a snapshot says all: of columns, and of every row. */
function plainIndexes({ indexes }: KnownTable, column: string): KnownTable['indexes'] {
  return indexes.filter(
    ({ columns, isPartial }) => columns.includes(column) && !isPartial && !columns.includes(undefined),
  );
}

/** Indexes that have to be made by hand: of expressions, or of a part of the rows. */
export function otherIndexes(schema: KnownSchema | undefined, { table, column }: Explanation): string[] {
  const known = table && schema?.get(tableKey(table));
  if (!known || column === undefined) return [];
  return known.indexes
    .filter(({ columns, isPartial }) => columns.includes(undefined) || (isPartial && columns.includes(column)))
    .map(({ name }) => name);
}

/** What the folder of a plan says. */
export function describePlan(
  name: string,
  steps: readonly { explanation: Explanation; rollOut: string; byHand: string[] }[],
): string {
  return [
    `# ${name} in two deploys`,
    '',
    'Code that is running breaks by what this migration does in one:',
    '',
    ...steps.map(({ explanation: { what, why } }) => `- ${what}: ${why}`),
    '',
    'In two it does not. Each file is ready to be deployed.',
    '',
    `1. Copy \`1_expand.sql\` over \`${name}.sql\` and deploy it: \`npx mytx deploy\`.`,
    '2. Roll out:',
    ...steps.map(({ rollOut }) => `   - ${rollOut}`),
    `3. When no old code runs any more: \`npx mytx generate --custom --name ${contractName(name)}\`, copy \`2_contract.sql\` into the new file, and deploy it.`,
    '',
    'Drizzle’s snapshot is that of the end, before and behind: `npx drizzle-kit generate` finds nothing to do.',
    ...steps.flatMap(({ explanation, byHand }) =>
      byHand.length === 0
        ? []
        : [
            '',
            `By hand, beside \`1_expand.sql\`: ${byHand.join(', ')}, which may need ${explanation.what} (an expression, or a part of the rows).`,
          ],
    ),
    '',
  ].join('\n');
}

const contractName = (name: string): string => `${name.replace(/^\d+_/, '')}_contract`;

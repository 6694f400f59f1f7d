// ADD COLUMN: the column itself takes milliseconds. What PostgreSQL would do to every row because of it (a default that
// differs from row to row, a check, a foreign key, a unique rule) is taken out of it, and made behind it.

import type { Node } from '../grammar.ts';
import { volatilityOf } from '../operations/expressions.ts';
import { qualified, quoteName, quoteText } from '../quoting.ts';
import {
  attributesOf,
  type Command,
  checkWhy,
  defaultName,
  foreignKeyWhy,
  notNullChange,
  uniqueChange,
  uniqueOf,
} from './command.ts';
import { columnKey, knownTable } from './file-facts.ts';
import { addThenValidate, fillWithDefault, setNotNull, uniqueByIndex } from './forms.ts';
import { objectName } from './names.ts';
import { type Change, kept, leftAsItIs, type Outcome } from './outcome.ts';

/** A constraint of a column, with its text. */
interface Part {
  node: Node;
  text: string;
}

const serialTypes: Readonly<Record<string, string>> = {
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
};

/** What a column's definition consists of, each with what is made of it. */
interface Pieces {
  statements: string[];
  changes: Change[];
}

export function addColumn(command: Command): Outcome {
  const { node, table, alter, facts } = command;
  const definition = (node.def as { ColumnDef: Node }).ColumnDef;
  const column = definition.colname as string;
  const parts = partsOf(command, definition);
  const serial = serialTypeOf(definition);
  const has = (type: string): boolean => parts.some(({ node: part }) => part.contype === type);
  const value = parts.find(({ node: part }) => part.contype === 'CONSTR_DEFAULT');
  const isFilled =
    serial !== undefined || (value !== undefined && volatilityOf(value.node.raw_expr).kind === 'volatile');
  const isPrimary = has('CONSTR_PRIMARY');
  if (has('CONSTR_NOTNULL') || isPrimary) facts.notNull.add(columnKey(table, column));
  // One that is virtual (PostgreSQL 18) is in no row.
  const isStored = parts.some(({ node: part }) => part.contype === 'CONSTR_GENERATED' && part.generated_kind !== 'v');
  if (has('CONSTR_IDENTITY') || isStored) return writesEveryRow(command, column, parts);
  const apart = parts.filter(({ node: part }) => isApart(part, isFilled));
  if (apart.length === 0 && serial === undefined) return kept;
  const key = knownTable(facts, table)?.primaryKey;
  if (isFilled && key?.length === 0) return withoutKey(command, column);

  const head = headOf(command, definition, parts, serial);
  const rest = parts.filter((part) => !apart.includes(part)).map(({ text }) => text);
  const pieces: Pieces = { statements: [`${alter}${[head, ...rest].join(' ')}`], changes: [] };
  if (isFilled) fill(command, column, value, serial, pieces);
  if (isPrimary || serial !== undefined || (isFilled && has('CONSTR_NOTNULL'))) {
    pieces.statements.push(...setNotNull(alter, table, column, facts.version));
    pieces.changes.push(notNullChange(table, column, facts.version));
  }
  for (const part of apart) addApart(command, column, part, parts, pieces);
  return { as: 'rewritten', ...pieces };
}

/** Each constraint reaches to where the next begins. */
function partsOf({ statement, text, start }: Command, definition: Node): Part[] {
  const nodes = ((definition.constraints ?? []) as { Constraint: Node }[])
    .map(({ Constraint }) => ({ node: Constraint, at: statement.at(Constraint.location) - start }))
    .sort((one, other) => one.at - other.at);
  return nodes.map(({ node, at }, index) => ({ node, text: text.slice(at, nodes[index + 1]?.at).trim() }));
}

/** `ADD COLUMN "a" text`, with the type that a serial has. */
function headOf(
  { statement, text, start }: Command,
  definition: Node,
  parts: readonly Part[],
  serial?: string,
): string {
  const first = Math.min(text.length, ...parts.map(({ node }) => statement.at(node.location) - start));
  const head = text.slice(0, first).trim();
  if (serial === undefined) return head;
  const typeAt = statement.at((definition.typeName as Node).location) - start;
  return head.slice(0, typeAt) + head.slice(typeAt).replace(/^("[^"]+"|\w+)/, serial);
}

function serialTypeOf({ typeName }: Node): string | undefined {
  const names = (typeName as { names: { String: { sval: string } }[] }).names;
  return names.length === 1 ? serialTypes[names[0]?.String.sval ?? ''] : undefined;
}

function isApart({ contype }: Node, isFilled: boolean): boolean {
  if (contype === 'CONSTR_DEFAULT' || contype === 'CONSTR_NOTNULL') return isFilled;
  return isChecked(contype) || isAttribute(contype);
}

const isChecked = (contype: unknown): boolean =>
  ['CONSTR_CHECK', 'CONSTR_FOREIGN', 'CONSTR_UNIQUE', 'CONSTR_PRIMARY'].includes(contype as string);

/** DEFERRABLE and its like, which belong to the constraint before them. */
const isAttribute = (contype: unknown): boolean => String(contype).startsWith('CONSTR_ATTR_');

function fill(
  { alter, table }: Command,
  column: string,
  value: Part | undefined,
  serial: string | undefined,
  { statements, changes }: Pieces,
): void {
  const name = quoteName(column);
  if (serial !== undefined) {
    const sequence = { schema: table.schema, name: objectName(table.name, column, 'seq') };
    statements.push(
      `CREATE SEQUENCE ${qualified(sequence)} AS ${serial} OWNED BY ${qualified(table)}.${name}`,
      `${alter}ALTER COLUMN ${name} SET DEFAULT nextval(${quoteText(qualified(sequence)).trim()}::regclass)`,
    );
  } else {
    const expression = (value as Part).text.replace(/^DEFAULT\s+/i, '');
    statements.push(`${alter}ALTER COLUMN ${name} SET DEFAULT ${expression}`);
  }
  statements.push(fillWithDefault(table, column));
  changes.push({
    what: `column ${quoteName(table.name)}.${name}`,
    why: 'added empty and filled in batches (its default differs by row: ADD COLUMN rewrites the table while nobody may use it)',
  });
}

function addApart(
  { alter, table }: Command,
  column: string,
  part: Part,
  parts: readonly Part[],
  { statements, changes }: Pieces,
): void {
  const { node } = part;
  if (!isChecked(node.contype)) return;
  const name = (node.conname as string | undefined) ?? defaultName(table, node, column);
  const attributes = attributesBehind(part, parts);
  const definition = `${withoutName(part)}${attributes}`;
  switch (node.contype) {
    case 'CONSTR_CHECK':
      statements.push(...addThenValidate(alter, name, definition));
      changes.push({ what: `check ${quoteName(name)}`, why: checkWhy });
      return;
    case 'CONSTR_FOREIGN':
      statements.push(...addThenValidate(alter, name, `FOREIGN KEY (${quoteName(column)}) ${definition}`));
      changes.push({ what: `foreign key ${quoteName(name)}`, why: foreignKeyWhy });
      return;
    default: {
      const isPrimary = node.contype === 'CONSTR_PRIMARY';
      const kind = isPrimary ? 'PRIMARY KEY' : 'UNIQUE';
      statements.push(
        ...uniqueByIndex(alter, table, kind, uniqueOf(name, node, column), attributes || attributesOf(part.text)),
      );
      changes.push(uniqueChange(name, isPrimary));
    }
  }
}

const withoutName = ({ node, text }: Part): string =>
  node.conname === undefined ? text : text.replace(/^CONSTRAINT\s+("([^"]|"")*"|[^\s"]+)\s*/i, '');

function attributesBehind(part: Part, parts: readonly Part[]): string {
  const behind = parts.slice(parts.indexOf(part) + 1);
  const end = behind.findIndex(({ node }) => !isAttribute(node.contype));
  const own = end === -1 ? behind : behind.slice(0, end);
  return own.map(({ text }) => ` ${text}`).join('');
}

function writesEveryRow({ table }: Command, column: string, parts: readonly Part[]): Outcome {
  const kind = parts.some(({ node }) => node.contype === 'CONSTR_IDENTITY') ? 'an identity' : 'a generated column';
  return leftAsItIs({
    kind: 'filled-column',
    what: `column ${quoteName(table.name)}.${quoteName(column)}`,
    why: `it is ${kind}: ADD COLUMN writes every row while nobody may use the table`,
    table,
    column,
  });
}

function withoutKey({ table }: Command, column: string): Outcome {
  return leftAsItIs({
    kind: 'filled-column',
    what: `column ${quoteName(table.name)}.${quoteName(column)}`,
    why: 'its default differs from row to row, and the table has no primary key by which it could be filled in batches: ADD COLUMN writes every row while nobody may use the table',
    table,
    column,
  });
}

// ALTER TABLE, command by command: each is kept as it is written, or made by the statements of its non-blocking form.

import type { Grammar, Node, ParsedStatement, Token } from '../grammar.ts';
import { isPlainCast, isStoredAlike } from '../operations/expressions.ts';
import { type TypeFacts, typeOf } from '../operations/tree.ts';
import { quoteName } from '../quoting.ts';
import { addColumn } from './add-column.ts';
import {
  attributesOf,
  type Command,
  checkWhy,
  defaultName,
  foreignKeyWhy,
  namedOf,
  namesOf,
  notNullChange,
  uniqueChange,
  uniqueOf,
} from './command.ts';
import { columnKey, columnOfNotNullCheck, type FileFacts, isNotNull, isProven, knownTable } from './file-facts.ts';
import { addThenValidate, setNotNull, uniqueByIndex } from './forms.ts';
import { keyId } from './key-changes.ts';
import { tableKey } from './known-schema.ts';
import { expanded, kept, leftAsItIs, madeElsewhere, type Outcome } from './outcome.ts';

export function rewriteAlterTable(statement: ParsedStatement, facts: FileFacts, grammar: Grammar): Outcome {
  const { node, sql } = statement;
  const table = namedOf(node.relation);
  if (node.objtype !== 'OBJECT_TABLE' || facts.created.has(tableKey(table))) return kept;
  const tokens = grammar.scan(sql).filter(({ name }) => !name.endsWith('_COMMENT'));
  const first = firstCommand(tokens, statement.at((node.relation as Node).location));
  const pieces = piecesOf(tokens.slice(first));
  const nodes = (node.cmds as { AlterTableCmd: Node }[]).map(({ AlterTableCmd }) => AlterTableCmd);
  const alter = sql.slice(0, tokens[first]?.start);
  const outcomes = nodes.map((command, index): { text: string; outcome: Outcome } => {
    const { start, end } = pieces[index] as Piece;
    const text = sql.slice(start, end);
    const outcome = expanded(
      rewriteCommand({ node: command, text, alter, table, statement, start, facts, grammar }),
      facts.expand,
    );
    return { text, outcome };
  });
  const explained = outcomes.flatMap(({ outcome }) => outcome.explained ?? []);
  if (outcomes.every(({ outcome }) => outcome.as === 'kept')) return { as: 'kept', explained };
  return {
    as: 'rewritten',
    statements: outcomes.flatMap(({ text, outcome }) =>
      outcome.as === 'kept' ? [`${alter}${text}`] : outcome.statements,
    ),
    changes: outcomes.flatMap(({ outcome }) => (outcome.as === 'kept' ? [] : outcome.changes)),
    explained,
  };
}

interface Piece {
  start: number;
  end: number;
}

/** The token behind `ALTER TABLE IF EXISTS ONLY name *`. */
function firstCommand(tokens: readonly Token[], nameStart: number): number {
  let index = tokens.findIndex(({ start }) => start === nameStart) + 1;
  while (tokens[index]?.text === '.') index += 2;
  return tokens[index]?.text === '*' ? index + 1 : index;
}

/** What stands between the commas that are in no parentheses. */
function piecesOf(tokens: readonly Token[]): Piece[] {
  const pieces: Piece[] = [];
  let depth = 0;
  let start: number | undefined;
  let end = 0;
  for (const token of tokens) {
    if (/^[([]$/.test(token.text)) depth += 1;
    else if (/^[)\]]$/.test(token.text)) depth -= 1;
    if (token.text === ',' && depth === 0) {
      pieces.push({ start: start ?? token.start, end });
      start = undefined;
      continue;
    }
    start ??= token.start;
    end = token.end;
  }
  pieces.push({ start: start ?? end, end });
  return pieces;
}

function rewriteCommand(command: Command): Outcome {
  switch (command.node.subtype) {
    case 'AT_AddConstraint':
      return addConstraint(command);
    case 'AT_SetNotNull':
      return notNull(command);
    case 'AT_AddColumn':
      return addColumn(command);
    case 'AT_AlterColumnType':
      return changeType(command);
    case 'AT_ValidateConstraint':
      return validated(command);
    case 'AT_DropColumn':
      return dropColumn(command);
    case 'AT_DropConstraint':
      return isMadeElsewhere(command, 'drop', command.node.name as string) ? madeElsewhere : kept;
    default:
      return kept;
  }
}

function notNull({ node, alter, table, facts }: Command): Outcome {
  const column = node.name as string;
  const isDone = isProven(facts, table, column) || isNotNull(facts, table, column);
  facts.notNull.add(columnKey(table, column));
  if (isDone) return kept;
  return {
    as: 'rewritten',
    statements: setNotNull(alter, table, column, facts.version),
    changes: [notNullChange(table, column, facts.version)],
  };
}

function addConstraint(command: Command): Outcome {
  const constraint = (command.node.def as { Constraint: Node }).Constraint;
  const name = (constraint.conname as string | undefined) ?? defaultName(command.table, constraint);
  if (isMadeElsewhere(command, 'add', name)) return madeElsewhere;
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN':
      return addChecked(command, constraint, 'foreign key', foreignKeyWhy);
    case 'CONSTR_CHECK':
      return addChecked(command, constraint, 'check', checkWhy);
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
      return addUnique(command, constraint);
    case 'CONSTR_EXCLUSION':
      return leftAsItIs({
        kind: 'exclusion',
        what: `exclusion constraint of ${quoteName(command.table.name)}`,
        why: 'it builds an index while nobody may use the table, and PostgreSQL has no other way: choose a quiet hour, or fill a new table beside this one',
      });
    default:
      return kept;
  }
}

const isMadeElsewhere = ({ facts, table }: Command, what: 'drop' | 'add', name: string): boolean =>
  facts.madeElsewhere.has(`${what} ${keyId('UNIQUE', table, name)}`);

function addChecked({ text, alter, table, facts }: Command, constraint: Node, kind: string, why: string): Outcome {
  const name = (constraint.conname as string | undefined) ?? defaultName(table, constraint);
  const column = constraint.contype === 'CONSTR_CHECK' ? columnOfNotNullCheck(constraint.raw_expr) : undefined;
  const isLater = constraint.skip_validation === true || constraint.initially_valid !== true;
  if (column !== undefined) {
    facts.provenNotNull.set(name, { column: columnKey(table, column), isValidated: !isLater });
  }
  if (isLater || name === undefined) return kept;
  const definition = definitionOf(text, constraint);
  return {
    as: 'rewritten',
    statements: addThenValidate(alter, name, definition),
    changes: [{ what: `${kind} ${quoteName(name)}`, why }],
  };
}

/** `ADD CONSTRAINT name CHECK (…)` without what stands before CHECK. */
function definitionOf(text: string, { conname }: Node): string {
  const behindAdd = text.replace(/^\s*ADD\s+/i, '');
  return conname === undefined ? behindAdd : behindAdd.replace(/^CONSTRAINT\s+("([^"]|"")*"|[^\s"]+)\s*/i, '');
}

function addUnique({ alter, table, facts, text }: Command, constraint: Node): Outcome {
  if (constraint.indexname !== undefined || constraint.without_overlaps === true) return kept;
  const isPrimary = constraint.contype === 'CONSTR_PRIMARY';
  const columns = namesOf(constraint.keys);
  const name = (constraint.conname as string | undefined) ?? defaultName(table, constraint);
  const open = isPrimary
    ? columns.filter((column) => !isNotNull(facts, table, column) && !isProven(facts, table, column))
    : [];
  for (const column of isPrimary ? columns : []) facts.notNull.add(columnKey(table, column));
  return {
    as: 'rewritten',
    statements: [
      ...open.flatMap((column) => setNotNull(alter, table, column, facts.version)),
      ...uniqueByIndex(
        alter,
        table,
        isPrimary ? 'PRIMARY KEY' : 'UNIQUE',
        uniqueOf(name, constraint),
        attributesOf(text),
      ),
    ],
    changes: [...open.map((column) => notNullChange(table, column, facts.version)), uniqueChange(name, isPrimary)],
  };
}

function validated({ node, facts }: Command): Outcome {
  const proof = facts.provenNotNull.get(node.name as string);
  if (proof) proof.isValidated = true;
  return kept;
}

function changeType({ node, text, table, facts, statement, grammar }: Command): Outcome {
  const column = node.name as string;
  const definition = (node.def as { ColumnDef: Node }).ColumnDef;
  const typeStart = statement.at((definition.typeName as Node).location);
  const whole = statement.sql.slice(typeStart, statement.sql.indexOf(text) + text.length);
  const [to = '', using] = whole.split(/\s+USING\s+/i);
  const from = knownTable(facts, table)?.columns.get(column)?.type;
  const type = typeOf(definition.typeName as Node);
  const isCast = definition.raw_default === undefined || isPlainCast(definition.raw_default, column, type);
  if (from !== undefined && isCast && isStoredAlike(typeFrom(from, grammar), type)) return kept;
  return leftAsItIs({
    kind: 'type',
    what: `type of ${quoteName(table.name)}.${quoteName(column)}, ${from ?? 'not known'} to ${to.trim()}`,
    why:
      from === undefined
        ? 'where rows are stored in another way, PostgreSQL writes all of them anew while nobody may use the table'
        : 'PostgreSQL writes all rows and indexes anew while nobody may use the table',
    table,
    column,
    to: to.trim(),
    ...(using === undefined ? {} : { using: using.trim() }),
  });
}

/** A type as Drizzle writes it, which is SQL. */
function typeFrom(text: string, grammar: Grammar): TypeFacts {
  const [statement] = grammar.parse(`select null::${text}`) ?? [];
  const [target] = (statement?.node.targetList ?? []) as { ResTarget: { val: { TypeCast: Node } } }[];
  return target ? typeOf(target.ResTarget.val.TypeCast.typeName as Node) : { name: text, numbers: [] };
}

function dropColumn({ node, table }: Command): Outcome {
  const column = node.name as string;
  return leftAsItIs({
    kind: 'drop-column',
    what: `column ${quoteName(table.name)}.${quoteName(column)}`,
    why: 'its values can’t be had back, and code that still reads or writes it fails at once',
    table,
    column,
  });
}

// Rewrites a migration so that no statement stops readers or writers for long: in the file, where the reviewer sees it, and
// never behind their back. What is not concerned stays as it is, to the character; rewriting twice changes nothing.

import { type Grammar, loadGrammar, type Node, type ParsedStatement } from '../grammar.ts';
import { quoteName } from '../quoting.ts';
import type { Named } from '../sql-statements.ts';
import { rewriteAlterTable } from './alter-table.ts';
import { namedOf, namesOf } from './command.ts';
import { type FileFacts, newFacts } from './file-facts.ts';
import { lineOf, takeHeader, writeHeader } from './header.ts';
import { keyId, type Taken } from './key-changes.ts';
import { type KnownSchema, tableKey } from './known-schema.ts';
import { withEnding } from './names.ts';
import { type Change, type Explanation, expanded, kept, leftAsItIs, madeElsewhere, type Outcome } from './outcome.ts';

export interface RewriteOptions {
  /** The oldest PostgreSQL that must run it, 15 to 18; 15 unless given. */
  version?: number;
  /** The tables before the migration: without them more is rewritten than is necessary, and no change of type is known. */
  schema?: KnownSchema | undefined;
  /** Gives statements for what is only explained otherwise: the first half of a plan. */
  expand?: (explained: Explanation) => string[] | undefined;
  /** Statements that such a plan makes in another way. */
  madeElsewhere?: ReadonlySet<Taken>;
  /** Why there is no plan for what is only explained. */
  whyNoPlan?: (explained: Explanation) => string | undefined;
}

export interface RewrittenMigration {
  text: string;
  changes: Change[];
  /** What is left as it is although it blocks, or breaks code that is running. */
  explanations: Explanation[];
  /** Drizzle's own migrate() can't run it. */
  isForMytxOnly: boolean;
}

export const oldestVersion = 15;
export const newestVersion = 18;

const breakpoint = '--> statement-breakpoint';

/**
 * @param text a migration as drizzle-kit or a person writes it
 * @example const { text, changes } = await rewriteMigration('CREATE INDEX "a_idx" ON "a" ("b");');
 */
export async function rewriteMigration(
  text: string,
  { version = oldestVersion, schema, expand, madeElsewhere = new Set(), whyNoPlan }: RewriteOptions = {},
): Promise<RewrittenMigration> {
  const grammar = await loadGrammar();
  const { header, body } = takeHeader(text);
  const parts = readParts(body, grammar);
  const facts = newFacts({ version, known: schema, expand, madeElsewhere });
  const replaced = replacedIndexes(parts);
  const changes: Change[] = [];
  const explanations: Explanation[] = [];
  const separator = parts.length === 1 && (parts[0]?.statements?.length ?? 0) > 1 ? ';\n' : `;${breakpoint}\n`;
  const texts = parts.map((part) => {
    if (part.statements === undefined) return part.text;
    const outcomes = part.statements.map((statement) => {
      const outcome = withComments(
        expanded(rewriteStatement(statement, facts, grammar, replaced), facts.expand),
        statement,
        grammar,
      );
      if (outcome.as === 'rewritten') changes.push(...outcome.changes);
      explanations.push(...(outcome.explained ?? []).map((one) => withReason(one, whyNoPlan?.(one))));
      return outcome;
    });
    return outcomes.every(({ as }) => as === 'kept') ? part.text : rebuild(part, outcomes, separator);
  });
  const written = texts.filter((one) => one !== '').join(breakpoint);
  const lines = {
    changes: merged(header?.changes, changes.map(lineOf)),
    explanations: merged(header?.explanations, explanations.map(lineOf)),
  };
  const isForMytxOnly = readParts(written, grammar).some((part) => part.statements?.some(isConcurrent));
  const isPlain = lines.changes.length + lines.explanations.length === 0;
  return {
    text: (isPlain ? '' : writeHeader(lines, version, isForMytxOnly)) + written,
    changes,
    explanations,
    isForMytxOnly,
  };
}

const withReason = (explanation: Explanation, reason: string | undefined): Explanation =>
  reason === undefined
    ? explanation
    : { ...explanation, why: `${explanation.why}; it has no plan in two deploys: ${reason}` };

const merged = (before: readonly string[] = [], now: readonly string[]): string[] => [...new Set([...before, ...now])];

/** What stands between two breakpoints. */
interface Part {
  text: string;
  /** Undefined for what PostgreSQL's grammar does not know. */
  statements: ParsedStatement[] | undefined;
}

function readParts(text: string, grammar: Grammar): Part[] {
  return text.split(breakpoint).map((part) => ({ text: part, statements: grammar.parse(part) }));
}

/** The statements of a part, those that are rewritten in their place, and what stands around them. */
function rebuild({ text, statements = [] }: Part, outcomes: readonly Outcome[], separator: string): string {
  const last = statements.at(-1) as ParsedStatement;
  const texts = statements.flatMap((statement, index) => {
    const outcome = outcomes[index] as Outcome;
    const before = statement.before.replace(/^\s*;/, '');
    const own = outcome.as === 'kept' ? [statement.sql.trimEnd()] : outcome.statements;
    const comment = index === 0 ? before : before.trimStart();
    // What is made elsewhere leaves its comment to what follows.
    return own.length === 0 && comment.trim() === '' ? [] : [[comment, own.join(separator)].join('')];
  });
  if (texts.length === 0) return '';
  const behind = text.slice(last.end);
  return texts.join(separator) + (behind.trim() === '' ? `;${behind}` : behind);
}

/** A comment inside of a statement that is made by others goes before the first of them. */
function withComments(outcome: Outcome, { sql }: ParsedStatement, grammar: Grammar): Outcome {
  if (outcome.as === 'kept' || outcome.statements.length === 0) return outcome;
  const [first = '', ...others] = outcome.statements;
  const lost = grammar
    .scan(sql)
    .filter(({ name, text }) => name.endsWith('_COMMENT') && !outcome.statements.some((made) => made.includes(text)))
    .map(({ text }) => `${text}\n`);
  return { ...outcome, statements: [lost.join('') + first, ...others] };
}

function rewriteStatement(
  statement: ParsedStatement,
  facts: FileFacts,
  grammar: Grammar,
  replaced: ReadonlySet<string>,
): Outcome {
  const { type, node } = statement;
  switch (type) {
    case 'CreateStmt':
      facts.created.add(tableKey(namedOf(node.relation)));
      return kept;
    case 'CreateTableAsStmt':
      facts.created.add(tableKey(namedOf((node.into as Node).rel)));
      return kept;
    case 'IndexStmt':
      return createIndex(statement, facts, grammar, replaced);
    case 'DropStmt':
      return drop(statement, facts, replaced);
    case 'RenameStmt':
      return rename(statement, facts);
    case 'AlterTableStmt':
      return rewriteAlterTable(statement, facts, grammar);
    default:
      return kept;
  }
}

function createIndex(
  { node, sql }: ParsedStatement,
  facts: FileFacts,
  grammar: Grammar,
  replaced: ReadonlySet<string>,
): Outcome {
  const table = namedOf(node.relation);
  const name = node.idxname as string | undefined;
  if (node.concurrent === true) return kept;
  if (facts.madeElsewhere.has(`add ${keyId('INDEX', table, name ?? '')}`)) return madeElsewhere;
  if (facts.created.has(tableKey(table))) {
    facts.createdIndexes.add(name ?? '');
    return kept;
  }
  const why = 'CONCURRENTLY (else writers of the table wait while it is built)';
  if (name === undefined) {
    const what = `index of ${quoteName(table.name)}`;
    const unnamed =
      'it has no name, without which it can’t be built CONCURRENTLY so that an interruption is safe: name it';
    return leftAsItIs({ kind: 'unnamed-index', what, why: unnamed });
  }
  const changes = [{ what: `index ${quoteName(name)}`, why }];
  const tokens = grammar.scan(sql);
  const index = tokens.findIndex(({ text }) => text.toUpperCase() === 'INDEX');
  const place = tokens[index]?.end as number;
  if (!replaced.has(name)) {
    return { as: 'rewritten', statements: [`${sql.slice(0, place)} CONCURRENTLY${sql.slice(place)}`], changes };
  }
  const other = withEnding(name, '_new');
  const own = tokens.slice(index).find(({ text }) => text.replaceAll('"', '') === name);
  const prefix = table.schema === undefined ? '' : `${quoteName(table.schema)}.`;
  return {
    as: 'rewritten',
    statements: [
      `${sql.slice(0, place)} CONCURRENTLY ${quoteName(other)}${sql.slice(own?.end)}`,
      `DROP INDEX CONCURRENTLY IF EXISTS ${prefix}${quoteName(name)}`,
      `ALTER INDEX ${prefix}${quoteName(other)} RENAME TO ${quoteName(name)}`,
    ],
    changes: [{ what: `index ${quoteName(name)}`, why: `${why}, under another name, before the old one is dropped` }],
  };
}

/** Indexes that the file drops and makes anew: the new one is there before the old one goes. */
function replacedIndexes(parts: readonly Part[]): Set<string> {
  const dropped = new Set<string>();
  const again = new Set<string>();
  for (const { type, node } of parts.flatMap(({ statements = [] }) => statements)) {
    if (type === 'DropStmt') for (const name of droppedIndexes(node)) dropped.add(name);
    if (type === 'IndexStmt' && dropped.has(node.idxname as string)) again.add(node.idxname as string);
  }
  return again;
}

/** Of DROP INDEX without CONCURRENTLY and CASCADE. */
function droppedIndexes({ removeType, concurrent, behavior, objects }: Node): string[] {
  if (removeType !== 'OBJECT_INDEX' || concurrent === true || behavior === 'DROP_CASCADE') return [];
  return (objects as Node[]).map((name) => nameOfList(name).name);
}

function drop({ node, sql }: ParsedStatement, facts: FileFacts, replaced: ReadonlySet<string>): Outcome {
  // Of types and functions the names have another shape.
  if (node.removeType !== 'OBJECT_TABLE' && node.removeType !== 'OBJECT_INDEX') return kept;
  const names = (node.objects as Node[]).map(nameOfList);
  if (node.removeType === 'OBJECT_TABLE') return dropTables(names, facts);
  if (node.concurrent === true) return kept;
  if (names.every(({ name }) => facts.createdIndexes.has(name))) return kept;
  if (node.behavior === 'DROP_CASCADE') {
    const why = 'CASCADE can’t be CONCURRENTLY: drop what depends on it first';
    return leftAsItIs({ kind: 'cascade', what: sql.replaceAll(/\s+/g, ' ').trim(), why });
  }
  const ifExists = node.missing_ok === true ? 'IF EXISTS ' : '';
  const gone = names.filter(
    (one) => !replaced.has(one.name) && !facts.madeElsewhere.has(`drop ${keyId('INDEX', one, one.name)}`),
  );
  return {
    as: 'rewritten',
    statements: gone.map(
      ({ schema, name }) =>
        `DROP INDEX CONCURRENTLY ${ifExists}${schema === undefined ? '' : `${quoteName(schema)}.`}${quoteName(name)}`,
    ),
    changes: gone.map(({ name }) => ({
      what: `index ${quoteName(name)}`,
      why: 'dropped CONCURRENTLY (else all who use the table wait behind it)',
    })),
  };
}

function dropTables(tables: readonly Named[], facts: FileFacts): Outcome {
  const [first] = tables.filter((table) => !facts.created.has(tableKey(table)));
  if (!first) return kept;
  return leftAsItIs({
    kind: 'drop-table',
    what: `table ${quoteName(first.name)}`,
    why: 'its rows can’t be had back, and code that still reads or writes it fails at once',
    table: first,
  });
}

function rename({ node }: ParsedStatement, facts: FileFacts): Outcome {
  const { renameType, relation, subname, newname } = node;
  if (renameType === 'OBJECT_TABLE') {
    const table = namedOf(relation);
    const next = { ...table, name: newname as string };
    if (facts.created.has(tableKey(table))) {
      facts.created.add(tableKey(next));
      return kept;
    }
    facts.renamed.set(tableKey(next), facts.renamed.get(tableKey(table)) ?? tableKey(table));
    return leftAsItIs({
      kind: 'rename-table',
      what: `table ${quoteName(table.name)}, renamed to ${quoteName(next.name)}`,
      why: 'code that is running reads and writes it by the old name, and fails at once',
      table,
      to: next.name,
    });
  }
  if (renameType === 'OBJECT_TABCONSTRAINT' || renameType === 'OBJECT_INDEX') {
    const named = namedOf(relation);
    const isIndex = renameType === 'OBJECT_INDEX';
    const id = keyId(isIndex ? 'INDEX' : 'UNIQUE', named, isIndex ? named.name : (subname as string));
    return facts.madeElsewhere.has(`rename ${id}`) ? madeElsewhere : kept;
  }
  if (renameType !== 'OBJECT_COLUMN' || facts.created.has(tableKey(namedOf(relation)))) return kept;
  const table = namedOf(relation);
  return leftAsItIs({
    kind: 'rename-column',
    what: `column ${quoteName(table.name)}.${quoteName(subname as string)}, renamed to ${quoteName(newname as string)}`,
    why: 'code that is running reads and writes it by the old name, and fails at once',
    table,
    column: subname as string,
    to: newname as string,
  });
}

function isConcurrent({ type, node }: ParsedStatement): boolean {
  return (type === 'IndexStmt' || type === 'DropStmt') && node.concurrent === true;
}

/** Of a list of strings: schema and name, or the name. */
function nameOfList(list: Node): Named {
  const parts = namesOf((list.List as { items: unknown }).items);
  return { schema: parts.at(-2), name: parts.at(-1) as string };
}

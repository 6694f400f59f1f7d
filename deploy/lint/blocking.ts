// What keeps readers or writers out of a table, and for how long that is: the locks are those of deploy/operations, the sizes
// the database's. Without a database no table is known to be large.

import { findTable, type LongTransaction, type TableFacts } from '../catalogue.ts';
import { fullName } from '../operations/known.ts';
import { areInConflict, blocksReaders, blocksWriters, type LockMode, modeFromServer } from '../operations/locks.ts';
import type { Operation, RelationLock } from '../operations/operation.ts';
import { operations } from '../operations/operations.ts';
import { type ContextStatement, type Found, isSameTransaction, type LintContext } from './context.ts';
import { isLarge, labelOf, sizeOf } from './tables.ts';

export function findBlocking(context: LintContext): Found[] {
  return [
    ...context.statements.flatMap((statement) => blockingStatement(statement, context)),
    ...context.statements.flatMap((statement) => unbatchedWrite(statement, context)),
    ...transactionsOf(context).flatMap((statements) => [...heldLong(statements, context), ...twoTables(statements)]),
    ...longTransactions(context),
  ];
}

const about = (statement: ContextStatement): Pick<Found, 'file' | 'span'> => ({
  file: statement.file,
  span: statement,
});

/** Tables that somebody uses: not one that these files make. */
function locksOf({ locks }: Operation): RelationLock[] {
  return locks.filter(({ role, isNew }) => !isNew && role !== 'index');
}

const blockingLocks = (operation: Operation): RelationLock[] =>
  locksOf(operation).filter(({ mode }) => blocksWriters(mode));

/** The large tables that an operation reads, writes anew or indexes whole. */
function largeWorkOf(operation: Operation, statement: ContextStatement, context: LintContext): TableFacts[] {
  const { id, relations, scans, rewrites, builds } = operation;
  // The rows of a foreign key are looked up in the table that it points to, by its index.
  const isLookup = operations[id].work === 'foreign-key';
  const names = new Set([...scans, ...rewrites, ...builds]);
  return [...names]
    .filter((name) => !isLookup || relations.table?.includes(name))
    .flatMap((name) => largeTable(name, statement, context) ?? []);
}

/** As it is before the statement; undefined of one that is new, small or not known. */
function largeTable(
  name: string,
  { known }: ContextStatement,
  { settings, database }: LintContext,
): TableFacts | undefined {
  if (!database || known.created.has(name)) return undefined;
  const facts = findTable(known.catalogue, namedOf(name));
  return facts && isLarge(facts, settings) ? facts : undefined;
}

/** Of `schema.name`: a schema that has a dot in its name is not found. */
function namedOf(name: string): { schema: string; name: string } {
  const dot = name.indexOf('.');
  return { schema: name.slice(0, dot), name: name.slice(dot + 1) };
}

const label = (name: string): string => labelOf(namedOf(name));

const keepsOut = (mode: LockMode): string => (blocksReaders(mode) ? 'nobody can read or write' : 'nobody can write to');

function blockingStatement(statement: ContextStatement, context: LintContext): Found[] {
  return statement.operations.flatMap((operation): Found[] => {
    const [work] = largeWorkOf(operation, statement, context);
    const locks = blockingLocks(operation);
    if (!work || locks.length === 0) return [];
    const out = locks.map(({ relation, mode }) => `${keepsOut(mode)} ${label(relation)} (${mode})`).join(', ');
    const message = `${whatItDoes(operation)} ${labelOf(work)} (${sizeOf(work)}), and as long as that takes ${out}`;
    return [{ rule: 'blocking-statement', ...about(statement), message: withAssumed(message, operation) }];
  });
}

function whatItDoes({ id, rewrites, builds }: Operation): string {
  const { title } = operations[id];
  return `${title}: it ${rewrites.length > 0 ? 'rewrites' : builds.length > 0 ? 'builds an index of' : 'reads all of'}`;
}

const withAssumed = (message: string, { assumed }: Operation): string => (assumed ? `${message}. ${assumed}` : message);

function unbatchedWrite(statement: ContextStatement, context: LintContext): Found[] {
  if (statement.isBackfill) return [];
  return statement.changes.flatMap((change): Found[] => {
    if (change.kind !== 'write' || !/^(UPDATE|DELETE)$/.test(change.verb)) return [];
    const facts = statement.operations
      .flatMap(({ relations }) => relations.table ?? [])
      .map((name) => largeTable(name, statement, context))
      .find((one) => one !== undefined);
    if (!facts) return [];
    const rows = change.hasCondition ? 'the rows that it finds' : 'every row';
    const message = `${change.verb} of ${labelOf(facts)} (${sizeOf(facts)}) locks ${rows} until it is over`;
    return [
      {
        rule: 'unbatched-write',
        ...about(statement),
        message,
        ...(change.hasCondition ? { severity: 'warning' } : {}),
      },
    ];
  });
}

/** Those that are committed together. */
function transactionsOf({ statements }: LintContext): ContextStatement[][] {
  const transactions: ContextStatement[][] = [];
  for (const statement of statements) {
    const last = transactions.at(-1);
    if (last?.[0] && isSameTransaction(last[0], statement)) last.push(statement);
    else transactions.push([statement]);
  }
  return transactions;
}

/** A lock of a large table that is held while a statement behind it works for long on another one, or without a lock. */
function heldLong(statements: readonly ContextStatement[], context: LintContext): Found[] {
  const held = new Map<string, { lock: RelationLock; facts: TableFacts; line: number }>();
  return statements.flatMap((statement): Found[] => {
    const found = heldDuring(statement, [...held.values()], context);
    for (const lock of statement.operations.flatMap(blockingLocks)) {
      const facts = largeTable(lock.relation, statement, context);
      if (facts && !held.has(lock.relation)) held.set(lock.relation, { lock, facts, line: lineOf(statement) });
    }
    return found;
  });
}

function heldDuring(
  statement: ContextStatement,
  held: readonly { lock: RelationLock; facts: TableFacts; line: number }[],
  context: LintContext,
): Found[] {
  const work = statement.operations.flatMap((operation) => largeWorkOf(operation, statement, context))[0];
  const written = statement.changes.some(({ kind }) => kind === 'write') ? largeNamed(statement, context) : undefined;
  const long = work ?? written;
  const first = held.find(({ lock }) => !statement.operations.some((operation) => isBlockedBy(operation, lock)));
  if (!long || !first) return [];
  const { lock, facts, line } = first;
  const message = `${labelOf(facts)} (${sizeOf(facts)}) is locked by line ${line} of the same transaction (${lock.mode}): ${keepsOut(lock.mode)} it while this goes through ${labelOf(long)} (${sizeOf(long)})`;
  return [{ rule: 'lock-held-long', ...about(statement), message }];
}

/** A statement that blocks the same table by its own work is told of as that. */
function isBlockedBy(operation: Operation, { relation }: RelationLock): boolean {
  const works = operation.scans.length + operation.rewrites.length + operation.builds.length > 0;
  return works && blockingLocks(operation).some((lock) => lock.relation === relation);
}

/** A large table that a statement writes to or reads from. */
function largeNamed(statement: ContextStatement, context: LintContext): TableFacts | undefined {
  return statement.operations
    .flatMap(({ relations }) => [...(relations.table ?? []), ...(relations.source ?? [])])
    .map((name) => largeTable(name, statement, context))
    .find((facts) => facts !== undefined);
}

const lineOf = ({ file, start }: ContextStatement): number => file.text.slice(0, start).split('\n').length;

/** Once for each transaction: at the statement that takes the second table. */
function twoTables(statements: readonly ContextStatement[]): Found[] {
  const held = new Map<string, LockMode>();
  for (const statement of statements) {
    const taken = statement.operations.flatMap(blockingLocks);
    const first = [...held].find(([relation]) => taken.some((lock) => lock.relation !== relation));
    const second = taken.find(({ relation }) => !held.has(relation));
    if (first && second) {
      const message = `this transaction has ${label(first[0])} locked already (${first[1]}), and takes ${label(second.relation)} besides (${second.mode})`;
      return [{ rule: 'locks-two-tables', ...about(statement), message }];
    }
    for (const { relation, mode } of taken) held.set(relation, mode);
    for (const change of statement.changes) {
      if (change.kind === 'rename-table') held.set(fullName(statement.known, change.to), 'ACCESS EXCLUSIVE');
    }
  }
  return [];
}

/** One for each transaction that is open for long, at the first statement that waits for it. */
function longTransactions({ database, statements }: LintContext): Found[] {
  return (database?.longTransactions ?? []).flatMap((transaction): Found[] => {
    const { pid, seconds, state } = transaction;
    for (const statement of statements) {
      const why = waitsFor(statement, transaction);
      if (why === undefined) continue;
      const message = `server process ${pid} has been in a transaction for ${seconds} s (${state}): ${why}`;
      return [{ rule: 'long-transaction', ...about(statement), message }];
    }
    return [];
  });
}

function waitsFor({ operations: done }: ContextStatement, { locks }: LongTransaction): string | undefined {
  const wanted = done.flatMap(locksOf);
  const held = locks.find(({ table, mode }) =>
    wanted.some((lock) => lock.relation === table && areInConflict(lock.mode, modeFromServer(mode))),
  );
  if (held) return `it has ${label(held.table)}, which this locks`;
  const isConcurrent = done.some(({ id }) => operations[id].isConcurrent);
  return isConcurrent ? 'this waits until every older transaction has ended' : undefined;
}

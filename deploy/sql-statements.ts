// What the statements of a migration need to run: a transaction, none, one of their own, or batches. Decided by PostgreSQL's
// own grammar, which is loaded only where a file has a word that makes it necessary.

import { type Grammar, loadGrammar, type Node, type ParsedStatement } from './grammar.ts';
import type { Migration, MigrationStatement } from './migrations.ts';

/** An index or a table by its name, as it is written: without a schema it is looked up on the search path. */
export interface Named {
  schema: string | undefined;
  name: string;
}

/** A statement that can't run in a transaction, and what tells whether it was done. */
export type LoneAction =
  | { kind: 'create-index'; index: string | undefined; table: Named }
  | { kind: 'drop-index'; indexes: Named[] }
  | { kind: 'reindex'; what: 'index' | 'table'; name: Named }
  | { kind: 'detach'; table: Named; partition: Named }
  | { kind: 'other' };

/** An UPDATE that runs in batches: where in its text the batch's condition goes. */
export interface BackfillUpdate {
  table: Named;
  /** What the table is called in the statement. */
  alias: string;
  /** The text up to the condition, the condition itself where there is one, and what is behind it. */
  head: string;
  condition: string | undefined;
  /** Rows of a batch to begin with, and at most. */
  batchRows: number | undefined;
}

export interface SqlStatement extends MigrationStatement {
  run: /** `table` is the one, as `schema.name`, whose lock it takes; undefined for several, for none, or where nobody looked. */
    | { as: 'plain'; table?: string }
    /** In a transaction of its own: a new value of an enum is usable behind its commit, VALIDATE holds its lock for a scan. */
    | { as: 'own-transaction' }
    | { as: 'alone'; action: LoneAction }
    | { as: 'backfill'; update: BackfillUpdate }
    | { as: 'refused'; why: string; hint: string };
}

/** A word of what needs more than a transaction with others. */
const needsLook =
  /\b(concurrently|vacuum|reindex|cluster|validate|commit|rollback)\b|\badd\s+value\b|\balter\s+system\b|\bcreate\s+(database|tablespace|subscription)\b|mytx:/i;

/** The statements of a migration, each with what it needs. */
export async function readStatements({ statements }: Migration): Promise<SqlStatement[]> {
  if (!statements.some(({ sql }) => needsLook.test(sql))) return statements.map(plain);
  const grammar = await loadGrammar();
  return statements.flatMap((part) => {
    const parsed = grammar.parse(part.sql)?.map(
      (statement): SqlStatement => ({
        sql: statement.sql,
        line: part.line + statement.line,
        run: needsOf(statement, grammar),
      }),
    );
    return parsed ?? [plain(part)];
  });
}

const plain = (statement: MigrationStatement): SqlStatement => ({ ...statement, run: { as: 'plain' } });

function needsOf({ type, node, sql, before }: ParsedStatement, grammar: Grammar): SqlStatement['run'] {
  const mark = /--\s*mytx:backfill\b([^\n]*)/i.exec(before);
  if (mark) return backfillOf(type, node, sql, mark[1] as string, grammar);
  const action = loneAction(type, node);
  if (action) return action.kind === 'create-index' && !action.index ? unnamedIndex : { as: 'alone', action };
  if (type === 'TransactionStmt') return transactionControl;
  if (isForOwnTransaction(type, node)) return { as: 'own-transaction' };
  const table = lockedTable(type, node);
  return { as: 'plain', ...(table === undefined ? {} : { table }) };
}

const unnamedIndex: SqlStatement['run'] = {
  as: 'refused',
  why: 'CREATE INDEX CONCURRENTLY without a name: whether it was built could not be told after an interruption',
  hint: 'Give the index a name in the file. Nothing was applied.',
};

const transactionControl: SqlStatement['run'] = {
  as: 'refused',
  why: 'it begins or ends a transaction: a failure behind it would leave half of the file, and no record of it',
  hint: 'Take it out of the file: what can’t run in a transaction, such as CREATE INDEX CONCURRENTLY, runs without one by itself. Nothing was applied.',
};

function loneAction(type: string, node: Node): LoneAction | undefined {
  switch (type) {
    case 'IndexStmt':
      return node.concurrent
        ? { kind: 'create-index', index: node.idxname as string | undefined, table: nameOf(node.relation) }
        : undefined;
    case 'DropStmt':
      return node.concurrent ? { kind: 'drop-index', indexes: (node.objects as Node[]).map(nameOfList) } : undefined;
    case 'ReindexStmt':
      return reindexOf(node);
    case 'AlterTableStmt':
      return detachOf(node);
    case 'VacuumStmt':
      return node.is_vacuumcmd ? { kind: 'other' } : undefined;
    case 'ClusterStmt':
      return node.relation ? undefined : { kind: 'other' };
    case 'CreatedbStmt':
    case 'DropdbStmt':
    case 'CreateTableSpaceStmt':
    case 'DropTableSpaceStmt':
    case 'AlterSystemStmt':
    case 'CreateSubscriptionStmt':
      return { kind: 'other' };
    default:
      return undefined;
  }
}

function reindexOf(node: Node): LoneAction | undefined {
  const isConcurrent = ((node.params as Node[] | undefined) ?? []).some(
    (param) => (param.DefElem as Node)?.defname === 'concurrently',
  );
  if (!isConcurrent) return undefined;
  if (node.kind === 'REINDEX_OBJECT_INDEX') return { kind: 'reindex', what: 'index', name: nameOf(node.relation) };
  if (node.kind === 'REINDEX_OBJECT_TABLE') return { kind: 'reindex', what: 'table', name: nameOf(node.relation) };
  return { kind: 'other' };
}

function detachOf(node: Node): LoneAction | undefined {
  const [first] = commandsOf(node);
  const partition = (first?.def as Record<string, Node> | undefined)?.PartitionCmd;
  if (first?.subtype !== 'AT_DetachPartition' || !partition?.concurrent) return undefined;
  return { kind: 'detach', table: nameOf(node.relation), partition: nameOf(partition.name) };
}

function isForOwnTransaction(type: string, node: Node): boolean {
  if (type === 'AlterEnumStmt') return node.newVal !== undefined && node.oldVal === undefined;
  if (type !== 'AlterTableStmt') return false;
  const commands = commandsOf(node);
  return commands.length > 0 && commands.every(({ subtype }) => subtype === 'AT_ValidateConstraint');
}

function lockedTable(type: string, node: Node): string | undefined {
  if (!['AlterTableStmt', 'RenameStmt', 'CreateTrigStmt', 'UpdateStmt', 'DeleteStmt'].includes(type)) return;
  if (node.relation === undefined || (node.objtype ?? 'OBJECT_TABLE') !== 'OBJECT_TABLE') return;
  const { schema = 'public', name } = nameOf(node.relation);
  return `${schema}.${name}`;
}

function commandsOf(node: Node): Node[] {
  return ((node.cmds as Record<string, Node>[] | undefined) ?? []).map((command) => command.AlterTableCmd as Node);
}

/** Of a RangeVar. */
function nameOf(relation: unknown): Named {
  const { schemaname, relname } = relation as { schemaname?: string; relname: string };
  return { schema: schemaname, name: relname };
}

/** Of a list of strings: schema and name, or the name. */
function nameOfList(list: Node): Named {
  const parts = (list.List as { items: { String: { sval: string } }[] }).items.map((item) => item.String.sval);
  return { schema: parts.at(-2), name: parts.at(-1) as string };
}

const backfillForm =
  'Write: -- mytx:backfill batch=1000, and behind it one UPDATE without WITH and RETURNING. Nothing was applied.';

function backfillOf(type: string, node: Node, text: string, options: string, grammar: Grammar): SqlStatement['run'] {
  const refused = (why: string): SqlStatement['run'] => ({ as: 'refused', why, hint: backfillForm });
  if (type !== 'UpdateStmt') return refused('mytx:backfill stands before something that is no UPDATE');
  if (node.withClause || node.returningClause || node.returningList)
    return refused('a backfill can’t have WITH or RETURNING');
  const batch = /^\s*(?:batch=([1-9]\d{0,6}))?\s*$/.exec(options);
  if (!batch) return refused(`mytx:backfill does not know "${options.trim().slice(0, 60)}"`);
  const relation = node.relation as { alias?: { aliasname: string } };
  const table = nameOf(relation);
  return {
    as: 'backfill',
    update: {
      table,
      alias: relation.alias?.aliasname ?? table.name,
      ...splitAtCondition(text, grammar),
      batchRows: batch[1] === undefined ? undefined : Number(batch[1]),
    },
  };
}

/** Finds the WHERE that is the statement's own: the one outside of all parentheses. */
function splitAtCondition(text: string, { scan }: Grammar): { head: string; condition: string | undefined } {
  let depth = 0;
  for (const { start, end, text: token, isKeyword } of scan(text)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (depth === 0 && isKeyword && token.toLowerCase() === 'where') {
      return { head: text.slice(0, start), condition: text.slice(end) };
    }
  }
  return { head: text, condition: undefined };
}

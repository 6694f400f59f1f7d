// How long an operation takes, from the size of its table. The costs are those of one machine (2 cores, everything in
// memory), found with scripts/measure-estimates.ts; how fast the server is that is asked for, a probe of it says. How far
// estimates are off is measured too, and stands in docs/planning.md.

import type { IndexFacts, TableFacts } from '../catalogue.ts';
import type { DeploySession } from '../session.ts';
import type { Known } from './known.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';

/** In seconds. What really happens is between `from` and `to`, unless the server has much else to do. */
export interface Estimate {
  seconds: number;
  from: number;
  to: number;
}

/** What a row costs, in microseconds, where the probe takes `probeMs`. */
const costs = {
  /** To read it, and for each byte of it. */
  scan: { row: 0.04, byte: 0.0003 },
  /** To look for what it points to. */
  foreignKey: 0.1,
  /** To sort it by one column and put it into an index, less where rows lie in its order; for each further column, and for each byte of a text. */
  index: { row: 0.33, rowInOrder: 0.13, column: 0.08, textByte: 0.003, mostTextBytes: 1000 },
  /** To write it anew, and for each byte; to find the value of a volatile default. */
  rewrite: { row: 0.4, byte: 0.001, value: 1.2 },
  /** To update it, with its index entries, and for each byte of both. */
  update: { row: 2.5, byte: 0.033 },
  delete: 0.4,
  /** To insert what was read, and for each byte. */
  insert: { row: 0.2, byte: 0.004 },
  probeMs: 5,
};

/** Two passes over the table, and what came in between them. */
const concurrently = 1.6;

/** An operation that changes only the catalogue: as good as nothing, however large the table is. */
const instantSeconds = 0.005;

/** Under this an estimate says no more than that it is short. */
export const instantBelowSeconds = 0.05;

/** @param slowness as `measureSlowness` gives it @returns undefined where it can't be said */
export function estimate(operation: Operation, known: Known, slowness: number): Estimate | undefined {
  const { work, isConcurrent } = operations[operation.id];
  if (work === 'unknown') return undefined;
  const tables = tablesOf(operation, known);
  const microseconds = tables.map((table) => costOf(operation, table));
  if (microseconds.some((cost) => cost === undefined)) return undefined;
  const sum = microseconds.reduce<number>((all, cost) => all + (cost as number), 0);
  const seconds = instantSeconds + (sum * slowness * (isConcurrent ? concurrently : 1)) / 1_000_000;
  return { seconds, from: seconds / 2, to: seconds * 2 };
}

/** Those that the work is done on. */
function tablesOf({ id, relations, scans }: Operation, { catalogue }: Known): TableFacts[] {
  const { work } = operations[id];
  if (work === 'none') return [];
  const named = work === 'rows' ? rowsOf(relations) : work === 'foreign-key' ? (relations.table ?? []) : scans;
  return named.map((name) => catalogue.tables.get(name)).filter((table) => table !== undefined);
}

function rowsOf({ table = [], source = [] }: Operation['relations']): string[] {
  return source.length > 0 ? source : table;
}

interface Size {
  rows: number;
  bytes: number;
  indexBytes: number;
}

/** A row of unknown width is taken for one of 100 bytes, where no ANALYZE has counted them. */
function sizeOf({ rows, bytes, indexBytes }: TableFacts): Size {
  return { rows: rows ?? bytes / 100, bytes, indexBytes };
}

function costOf({ id, index, columns = [] }: Operation, table: TableFacts): number | undefined {
  const size = sizeOf(table);
  const { rows, bytes, indexBytes } = size;
  const scan = costs.scan.row * rows + costs.scan.byte * bytes;
  switch (operations[id].work) {
    case 'scan':
      return scan;
    case 'foreign-key':
      return scan + costs.foreignKey * rows;
    case 'index': {
      const built = index ? indexCost(table, size, index.columns, index.method) : indexCost(table, size, columns);
      return built === undefined ? undefined : scan + built;
    }
    case 'reindex': {
      const built = index ? indexCost(table, size, index.columns, index.method) : everyIndex(table, size);
      return built === undefined ? undefined : scan + built;
    }
    case 'rewrite': {
      const value = id === 'alter-type-rewrite' || !id.startsWith('add-column') ? 0 : costs.rewrite.value * rows;
      return scan + costs.rewrite.row * rows + costs.rewrite.byte * bytes + value + everyIndex(table, size);
    }
    case 'rows':
      return scan + rowCost(id, rows, bytes, indexBytes);
    default:
      return 0;
  }
}

function rowCost(id: Operation['id'], rows: number, bytes: number, indexBytes: number): number {
  if (id === 'update') return costs.update.row * rows + costs.update.byte * (bytes + indexBytes);
  if (id === 'delete') return costs.delete * rows;
  return id === 'select' ? 0 : costs.insert.row * rows + costs.insert.byte * bytes;
}

/** Of kinds of indexes whose build depends on what is in the rows nothing is said. */
function indexCost(
  table: TableFacts,
  { rows, bytes }: Size,
  columns: readonly (string | undefined)[],
  method = 'btree',
): number | undefined {
  if (method === 'brin') return 0;
  if (method !== 'btree' && method !== 'hash') return undefined;
  const { rowInOrder, column, textByte, mostTextBytes } = costs.index;
  const row = isInOrder(table, columns[0]) ? rowInOrder : costs.index.row;
  const isText = (name: string | undefined): boolean => /^(text|character|citext|bytea|name)/.test(typeOf(table, name));
  const width = rows === 0 ? 0 : Math.min(bytes / rows, mostTextBytes);
  const text = columns.some(isText) ? textByte * width : 0;
  const depth = Math.max(1, Math.log2(rows) / 18); // a sort takes longer for each row, the more there are
  return rows * depth * (row + column * Math.max(0, columns.length - 1) + text);
}

/** A primary key that counts up. */
function isInOrder(table: TableFacts, column: string | undefined): boolean {
  const isKey = table.constraints.some(({ kind, columns }) => kind === 'primary-key' && columns[0] === column);
  return isKey && /^(bigint|integer)$/.test(typeOf(table, column));
}

/** Of an expression: as of a text. */
function typeOf({ columns }: TableFacts, name: string | undefined): string {
  return (name === undefined ? undefined : columns.get(name)?.type) ?? 'text';
}

function everyIndex(table: TableFacts, size: Size): number {
  const cost = (index: IndexFacts): number => indexCost(table, size, index.columns) ?? 0;
  return table.indexes.reduce((sum, index) => sum + cost(index), 0);
}

const probe = `select count(*) from (select n::bigint * 7919 % 100003 as m from generate_series(1, 40000) n order by 1) sorted`;
const probeRuns = 5;
const probeTimeoutMs = 500;

/**
 * How many times longer this server takes for the same work than the one that the costs were found on: the fastest of five
 * small sorts, which read no table. Under 50 ms on most machines, and at most five times half a second.
 */
export async function measureSlowness(session: DeploySession): Promise<number> {
  let fastestMs = probeTimeoutMs;
  await session.script(`begin read only; set local statement_timeout = ${probeTimeoutMs}`);
  try {
    for (let run = 0; run < probeRuns; run += 1) {
      const sinceMs = performance.now();
      await session.query(probe);
      fastestMs = Math.min(fastestMs, performance.now() - sinceMs);
    }
  } catch (error) {
    if ((error as { code?: string }).code !== '57014') throw error; // so slow that it says enough
  } finally {
    await session.script('rollback');
  }
  return Math.max(0.3, fastestMs / costs.probeMs);
}

// PostgreSQL's own grammar (libpg-query, WASM), loaded when it is first needed: the statements of a text, each with its
// tree and its place. What a statement does is read from its tree, never from its text.

import { countLines } from './migrations.ts';

/** A node of the tree, as libpg-query gives it: what is false, zero or empty is left out. */
export type Node = Record<string, unknown>;

export interface ParsedStatement {
  /** The kind of the tree's root, such as `AlterTableStmt`. */
  type: string;
  node: Node;
  /** Its own text, without comments before it and without its semicolon. */
  sql: string;
  /** What stands between the statement before it (or the beginning) and it: a semicolon, comments, white space. */
  before: string;
  /** Its first line in the text that was parsed, from 0. */
  line: number;
  /** Where it begins and ends in that text, in UTF-16 units, as `slice` counts. */
  start: number;
  end: number;
  /** Where in `sql` a `location` of the tree is, which counts bytes of the text that was parsed. */
  at(location: unknown): number;
}

export interface Token {
  /** In UTF-16 units. */
  start: number;
  end: number;
  text: string;
  /** Such as `SQL_COMMENT`, `IDENT`, `SCONST`; of many keywords `UNKNOWN`. */
  name: string;
  isKeyword: boolean;
}

export interface Grammar {
  /** @returns undefined for what the grammar does not know: PostgreSQL says what is wrong with it */
  parse(sql: string): ParsedStatement[] | undefined;
  /** Every token, comments too. */
  scan(sql: string): Token[];
}

let loaded: Promise<Grammar> | undefined;

export function loadGrammar(): Promise<Grammar> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Grammar> {
  const { loadModule, parseSync, scanSync } = await import('libpg-query');
  await loadModule();
  return {
    parse: (sql) => parse(sql, parseSync as (sql: string) => RawTree),
    scan: (sql) => scan(sql, scanSync as (sql: string) => { tokens: RawToken[] }),
  };
}

interface RawTree {
  stmts?: { stmt: Record<string, Node>; stmt_location?: number; stmt_len?: number }[];
}

interface RawToken {
  start: number;
  end: number;
  text: string;
  tokenName: string;
  keywordKind: number;
}

function parse(sql: string, parseSync: (sql: string) => RawTree): ParsedStatement[] | undefined {
  let tree: RawTree;
  try {
    tree = parseSync(sql);
  } catch {
    return undefined;
  }
  const bytes = Buffer.from(sql); // the grammar counts bytes
  const unitsAt = (byte: number): number => bytes.subarray(0, byte).toString().length;
  let previousEnd = 0;
  return (tree.stmts ?? []).map(({ stmt, stmt_location: from = 0, stmt_len: length = bytes.length - from }) => {
    const [type, node] = Object.entries(stmt)[0] as [string, Node];
    const start = unitsAt(from);
    const end = unitsAt(from + length);
    const before = sql.slice(previousEnd, start);
    previousEnd = end;
    const line = countLines(sql.slice(0, start));
    const at = (location: unknown): number => unitsAt(Number(location ?? 0)) - start;
    return { type, node, sql: sql.slice(start, end), before, line, start, end, at };
  });
}

function scan(sql: string, scanSync: (sql: string) => { tokens: RawToken[] }): Token[] {
  const bytes = Buffer.from(sql);
  const isPlain = bytes.length === sql.length;
  const unitsAt = (byte: number): number => (isPlain ? byte : bytes.subarray(0, byte).toString().length);
  return scanSync(sql).tokens.map(({ start, end, text, tokenName, keywordKind }) => ({
    start: unitsAt(start),
    end: unitsAt(end),
    text,
    name: tokenName,
    isKeyword: keywordKind !== 0,
  }));
}

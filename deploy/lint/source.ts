// The files that are linted, as statements with their places: what is said of a statement is said of a line and a column of
// the file as an editor shows it. Parsed once, for all rules.

import { DeployError } from '../errors.ts';
import { type Grammar, loadGrammar, type ParsedStatement, type Token } from '../grammar.ts';
import type { Migration, MigrationStatement } from '../migrations.ts';
import { type PlannedMigration, planMigration } from '../steps.ts';
import type { Region } from './finding.ts';

export interface LintedFile {
  /** Absolute. */
  path: string;
  text: string;
  statements: LintedStatement[];
  comments: Comment[];
  /** What the grammar does not know: all between two of Drizzle's breakpoints. */
  unknown: Span[];
  /** All of it is one transaction. */
  isWhole: boolean;
  /** Why mytx deploy does not run it, and at which line. */
  refused: { line: number; message: string; hint: string } | undefined;
}

/** In UTF-16 units of the file's text. */
export interface Span {
  start: number;
  end: number;
}

export interface LintedStatement extends Span {
  file: LintedFile;
  parsed: ParsedStatement;
  /** The number of the step that it runs in, from 1: those of one number are one transaction. */
  step: number;
  /** It runs in batches. */
  isBackfill: boolean;
}

export interface Comment extends Span {
  text: string;
}

/**
 * @param migration as readMigrations gives it
 * @param text its file's
 */
export async function readSource(migration: Migration, text: string): Promise<LintedFile> {
  const grammar = await loadGrammar();
  const file: LintedFile = {
    path: migration.file,
    text,
    statements: [],
    comments: [],
    unknown: [],
    isWhole: true,
    refused: undefined,
  };
  for (const { sql, start } of placeParts(migration.statements, text)) readPart(file, sql, start, grammar);
  await readSteps(file, migration);
  return file;
}

/** Where in the file each part between two breakpoints begins. */
function placeParts(parts: readonly MigrationStatement[], text: string): { sql: string; start: number }[] {
  let from = 0;
  return parts.map(({ sql }) => {
    const start = text.indexOf(sql, from);
    from = start + sql.length;
    return { sql, start };
  });
}

function readPart(file: LintedFile, sql: string, offset: number, grammar: Grammar): void {
  const parsed = grammar.parse(sql);
  if (!parsed) {
    file.unknown.push({ start: offset, end: offset + sql.length });
    return;
  }
  for (const statement of parsed) {
    const span = { start: offset + statement.start, end: offset + statement.end };
    file.statements.push({ ...span, file, parsed: statement, step: 1, isBackfill: false });
  }
  if (!/mytx:ignore/i.test(sql)) return;
  const comments = grammar.scan(sql).filter(({ name }) => name === 'SQL_COMMENT');
  file.comments.push(...comments.map((token) => commentAt(token, offset)));
}

const commentAt = ({ start, end, text }: Token, offset: number): Comment => ({
  start: offset + start,
  end: offset + end,
  text,
});

async function readSteps(file: LintedFile, migration: Migration): Promise<void> {
  let planned: PlannedMigration;
  try {
    planned = await planMigration(migration);
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'MIGRATION_REFUSED') throw error;
    const [, message = error.message] = /:\d+: (.*)/.exec(error.message) ?? [];
    file.refused = { line: Number(error.details.line), message, hint: error.hint };
    return;
  }
  file.isWhole = planned.isWhole;
  if (planned.steps.length < 2 && planned.isWhole) return;
  let from = 0;
  for (const step of planned.steps) {
    for (const { sql } of step.statements) {
      const start = file.text.indexOf(sql, from);
      from = start + sql.length;
      for (const statement of file.statements.filter((one) => one.start >= start && one.start < from)) {
        Object.assign(statement, { step: step.number, isBackfill: step.kind === 'backfill' });
      }
    }
  }
}

/** A part of a text as editors count. */
export function regionOf(text: string, { start, end }: Span): Region {
  const first = placeOf(text, start);
  const last = placeOf(text, end);
  return { line: first.line, column: first.column, endLine: last.line, endColumn: last.column };
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A whole line, from 1, without its white space. */
export function regionOfLine(text: string, line: number): Region {
  const content = text.split('\n')[line - 1] ?? '';
  const column = content.length - content.trimStart().length + 1;
  return { line, column, endLine: line, endColumn: Math.max(column, content.trimEnd().length + 1) };
}

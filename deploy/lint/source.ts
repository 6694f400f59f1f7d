// The files that are linted, as statements with their places: what is said of a statement is said of a line and a column of
// the file as an editor shows it. Parsed once, for all rules.

import { DeployError } from '../errors.ts';
import type { Grammar, ParsedStatement, Token } from '../grammar.ts';
import { type Migration, readMigrationText } from '../migrations.ts';
import { type PlannedMigration, planMigration } from '../steps/steps.ts';
import type { Region } from './finding.ts';

export interface LintedFile {
  /** Absolute. */
  path: string;
  text: string;
  parts: Part[];
  /** Where the statements of which step are; none where it runs as a whole. */
  steps: (Span & { number: number; isBackfill: boolean })[];
  /** All of it is one transaction. */
  isWhole: boolean;
  /** Why mytx deploy does not run it, and at which line. */
  refused: { line: number; message: string; hint: string } | undefined;
  statements: LintedStatement[];
  comments: Comment[];
  /** What the grammar does not know: all between two of Drizzle's breakpoints. */
  unknown: Span[];
}

/** What stands between two of Drizzle's breakpoints. */
export interface Part extends Span {
  sql: string;
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
 * A file with what can be told of it without parsing it; `parseSource` adds the statements.
 * @throws DeployError MIGRATIONS_UNREADABLE
 */
export async function openSource(migration: Migration): Promise<LintedFile> {
  const text = readMigrationText(migration.file);
  const file: LintedFile = {
    path: migration.file,
    text,
    parts: placeTexts(migration.statements, text),
    steps: [],
    isWhole: true,
    refused: undefined,
    statements: [],
    comments: [],
    unknown: [],
  };
  await readSteps(file, migration);
  return file;
}

export function parseSource(file: LintedFile, grammar: Grammar): void {
  for (const part of file.parts) parsePart(file, part, grammar);
}

/** Where each text is in a larger one, which has them in this order. */
function placeTexts<Text extends { sql: string }>(texts: readonly Text[], whole: string): (Text & Span)[] {
  let from = 0;
  return texts.map((text) => {
    const start = whole.indexOf(text.sql, from);
    from = start + text.sql.length;
    return { ...text, start, end: from };
  });
}

function parsePart(file: LintedFile, { sql, start: offset, end }: Part, grammar: Grammar): void {
  const parsed = grammar.parse(sql);
  if (!parsed) {
    file.unknown.push({ start: offset, end });
    return;
  }
  for (const statement of parsed) {
    const start = offset + statement.start;
    const step = file.steps.find((one) => start >= one.start && start < one.end);
    file.statements.push({
      file,
      parsed: statement,
      start,
      end: offset + statement.end,
      step: step?.number ?? 1,
      isBackfill: step?.isBackfill ?? false,
    });
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
  if (planned.isWhole) return;
  const statements = planned.steps.flatMap(({ number, kind, statements: ofStep }) =>
    ofStep.map(({ sql }) => ({ sql, number, isBackfill: kind === 'backfill' })),
  );
  file.steps = placeTexts(statements, file.text);
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

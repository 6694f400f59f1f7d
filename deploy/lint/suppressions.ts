// Comments that keep a finding out of the report, with a reason that the next reader sees:
//   -- mytx:ignore blocking-statement: the application is stopped while this runs
// before the statement, and mytx:ignore-file for all of a file.

import type { Finding, SuppressedFinding } from './finding.ts';
import type { Comment, LintedFile, LintedStatement, Span } from './source.ts';

export interface Suppression extends Span {
  file: LintedFile;
  /** The statement behind it; undefined where it is for the whole file, or the last thing in it. */
  statement: LintedStatement | undefined;
  isForFile: boolean;
  rules: string[];
  /** Empty where none is given. */
  reason: string;
}

export function readSuppressions(file: LintedFile): Suppression[] {
  return file.comments.flatMap((comment) => {
    const found = readComment(comment);
    if (!found) return [];
    const statement = found.isForFile ? undefined : file.statements.find(({ start }) => start >= comment.end);
    return [{ ...found, file, statement, start: comment.start, end: comment.end }];
  });
}

function readComment({ text }: Comment): Pick<Suppression, 'isForFile' | 'rules' | 'reason'> | undefined {
  const match = /^--\s*mytx:ignore(-file)?\b([^:]*)(?::(.*))?$/i.exec(text.trim());
  if (!match) return undefined;
  const [, forFile, names = '', reason = ''] = match;
  return {
    isForFile: forFile !== undefined,
    rules: names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    reason: reason.trim(),
  };
}

/** A finding, and where it is in what was read. */
export interface PlacedFinding {
  finding: Finding;
  file: LintedFile | undefined;
  span: Span | undefined;
}

/** What no comment keeps out: what is said of comments. */
const always: readonly string[] = ['suppression-without-reason', 'unused-suppression'];

/** Splits findings into those that are told and those that a comment keeps out. Comments without a reason keep out nothing. */
export function applySuppressions(
  found: readonly PlacedFinding[],
  suppressions: readonly Suppression[],
): { told: Finding[]; suppressed: SuppressedFinding[]; unused: { suppression: Suppression; rule: string }[] } {
  const used = new Set<string>();
  const told: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const one of found) {
    const by = suppressions.filter((suppression) => keepsOut(suppression, one));
    for (const suppression of by) used.add(useOf(suppression, one.finding.rule));
    const [first] = by;
    if (first) suppressed.push({ ...one.finding, reason: first.reason });
    else told.push(one.finding);
  }
  const unused = suppressions.flatMap((suppression) =>
    suppression.rules
      .filter((rule) => suppression.reason !== '' && !used.has(useOf(suppression, rule)))
      .map((rule) => ({ suppression, rule })),
  );
  return { told, suppressed, unused };
}

const useOf = ({ file, start }: Suppression, rule: string): string => `${file.path} ${start} ${rule}`;

function keepsOut({ file, rules, reason, isForFile, statement }: Suppression, found: PlacedFinding): boolean {
  if (reason === '' || found.file !== file || !rules.includes(found.finding.rule)) return false;
  if (always.includes(found.finding.rule)) return false;
  if (isForFile) return true;
  return statement !== undefined && found.span !== undefined && isWithin(found.span, statement);
}

const isWithin = ({ start }: Span, statement: Span): boolean => start >= statement.start && start <= statement.end;

// The lines on top of a migration that was rewritten: what is made in another way than drizzle-kit wrote it, and why; what
// was left as it is although it blocks or breaks; and who can run the file. Read again when the file is rewritten again.

import type { Change, Explanation } from './outcome.ts';

/** A line for each change and for each explanation. */
export interface Header {
  changes: string[];
  explanations: string[];
}

const changesTitle = /^-- Rewritten by mytx for PostgreSQL \d+ and newer/;
const explanationsTitle = '-- Left by mytx as it is:';
const only =
  '-- Only `mytx deploy` can run this file: CONCURRENTLY fails in the transaction that Drizzle’s migrate() begins.';
const entryStart = '--   ';
const folded = '--     ';
const widest = 118;

/** @example lineOf({ what: 'index "a"', why: 'CONCURRENTLY' }) // 'index "a": CONCURRENTLY' */
export const lineOf = ({ what, why }: Change | Explanation): string => `${what}: ${why}`;

/** The header that a file begins with, and the text behind it. */
export function takeHeader(text: string): { header: Header | undefined; body: string } {
  const header: Header = { changes: [], explanations: [] };
  let entries: string[] | undefined;
  const lines = text.split('\n');
  let index = 0;
  for (; index < lines.length; index += 1) {
    const line = lines[index] as string;
    if (changesTitle.test(line)) entries = header.changes;
    else if (line === explanationsTitle) entries = header.explanations;
    else if (entries && line.startsWith(folded)) entries.push(`${entries.pop()} ${line.slice(folded.length)}`);
    else if (entries && line.startsWith(entryStart)) entries.push(line.slice(entryStart.length));
    else if (!entries || line !== only) break;
  }
  return entries ? { header, body: lines.slice(index).join('\n') } : { header: undefined, body: text };
}

export function writeHeader({ changes, explanations }: Header, version: number, isForMytxOnly: boolean): string {
  const lines = [
    ...(changes.length > 0
      ? [`-- Rewritten by mytx for PostgreSQL ${version} and newer, so that readers and writers go on:`]
      : []),
    ...changes.flatMap(fold),
    ...(explanations.length > 0 ? [explanationsTitle] : []),
    ...explanations.flatMap(fold),
    ...(isForMytxOnly ? [only] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Lines that a reviewer need not scroll sideways for. */
function fold(entry: string): string[] {
  const lines: string[] = [];
  let line = entryStart.trimEnd();
  let isEmpty = true;
  for (const word of entry.split(' ')) {
    if (!isEmpty && line.length + word.length >= widest) {
      lines.push(line);
      line = folded + word;
    } else line += (isEmpty ? '   ' : ' ') + word;
    isEmpty = false;
  }
  return [...lines, line];
}

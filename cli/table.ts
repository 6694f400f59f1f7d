// Tables of text, aligned, for people. Colour only where the stream is a terminal that wants it.

import { styleText } from 'node:util';

/** A cell; numbers are grouped by thousands and stand at the right. */
export type Cell = string | number;

/**
 * The lines of a table: a header, then the rows.
 * @example renderTable(['table', 'rows'], [['Message', 2500]], process.stdout) // ['table     rows', 'Message  2,500']
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  stream: NodeJS.WritableStream,
): string[] {
  const isNumber = header.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const texts = [header, ...rows].map((row) => row.map(cellText));
  const widths = header.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const lines = texts.map((row) =>
    row
      .map((text, column) => align(text, widths[column] ?? 0, isNumber[column] ?? false))
      .join('  ')
      .trimEnd(),
  );
  const [first = '', ...others] = lines;
  return [faint(first, stream), ...others];
}

/** A size for people, such as '9.2 MB'. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Less important text. */
export function faint(text: string, stream: NodeJS.WritableStream): string {
  return styleText('dim', text, { stream });
}

function cellText(cell: Cell): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}

function align(text: string, width: number, isNumber: boolean): string {
  return isNumber ? text.padStart(width) : text.padEnd(width);
}

// An export as a list of lines, to be looked at, changed and imported again.

import { createHash } from 'node:crypto';
import { exportUser } from '../../db/queries.ts';

export async function exportedLines(userId: string, includeSecrets = true): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportUser({ userId, includeSecrets })) lines.push(line);
  return lines;
}

/** What a line says. */
// biome-ignore lint/suspicious/noExplicitAny: lines have many forms, and a test looks into one it knows
export const parse = (line: string | undefined): any => JSON.parse(line ?? '');

/** The number of the first line of a table, from 0. */
export function firstOf(lines: readonly string[], table: string): number {
  return lines.findIndex((line) => line.startsWith(`{"table":"${table}"`));
}

/** The lines with a last one that fits them: what is refused then is refused for itself. */
export function sealed(lines: readonly string[]): string[] {
  const before = lines.slice(0, -1);
  const rows: Record<string, number> = Object.fromEntries(
    parse(before[0]).tables?.map((table: string) => [table, 0]) ?? [],
  );
  for (const line of before.slice(1)) {
    const table = /^\{"table":"(\w+)"/.exec(line)?.[1] ?? '';
    rows[table] = (rows[table] ?? 0) + 1;
  }
  const sha256 = createHash('sha256').update(before.join('')).digest('hex');
  return [...before, `${JSON.stringify({ end: { rows, sha256 } })}\n`];
}

/** The line of a row with some fields changed. */
export function withFields(line: string | undefined, fields: Record<string, unknown>): string {
  const { table, row } = parse(line);
  return `${JSON.stringify({ table, row: { ...row, ...fields } })}\n`;
}

// A hot statement whose SQL is the design: written by hand, prepared once in each connection, its rows mapped by hand.
// What a Drizzle query says as well is a Drizzle query with .prepare(name).

import type { RowOwner } from './connection/replicas.ts';
import { execute } from './database.ts';

export interface Statement<Row> {
  readonly text: string;
  run(...params: unknown[]): Promise<Row[]>;
}

/**
 * @param mapRow gets the columns in the order of the statement's list
 * @param written for a write, which of its parameters is the id of the user whose rows it writes: 2 for `$2`; or whose
 */
export function statement<Row>(
  text: string,
  mapRow: (row: unknown[]) => Row,
  written?: number | RowOwner,
): Statement<Row> {
  return {
    text,
    async run(...params): Promise<Row[]> {
      const owner = typeof written === 'number' ? { userId: params[written - 1] as string } : written;
      const { rows } = await execute(text, params, true, owner);
      const mapped = rows.map(mapRow);
      rows.length = 0; // who awaited them may keep them for long: V8's small collections took 1 ms then, and not 4
      return mapped;
    },
  };
}

/** A `timestamptz` as it comes from the server. */
export function readMoment(value: unknown): Date {
  return new Date(value as string);
}

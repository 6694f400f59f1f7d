// A hot statement whose SQL is the design: written by hand, prepared once in each connection, its rows mapped by hand.
// What a Drizzle query says as well is a Drizzle query with .prepare(name).

import { execute } from './database.ts';

export interface Statement<Row> {
  readonly text: string;
  run(...params: unknown[]): Promise<Row[]>;
}

/**
 * @param mapRow gets the columns in the order of the statement's list
 * @param userParameter for a write, which of its parameters is the id of the user whose rows it writes: 2 for `$2`
 */
export function statement<Row>(text: string, mapRow: (row: unknown[]) => Row, userParameter?: number): Statement<Row> {
  return {
    text,
    async run(...params): Promise<Row[]> {
      const owner = userParameter === undefined ? undefined : { userId: params[userParameter - 1] as string };
      return (await execute(text, params, true, owner)).rows.map(mapRow);
    },
  };
}

/** A `timestamptz` as it comes from the server. */
export function readMoment(value: unknown): Date {
  return new Date(value as string);
}

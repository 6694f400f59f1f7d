// All that an error says of itself, whichever way an application or a crash report prints it.

import { inspect } from 'node:util';

/** Message, stack, JSON, and everything reachable from the error, hidden properties and causes too. */
export function everythingSaid(error: unknown): string {
  const { message, stack } = error as Error;
  return [
    message,
    stack,
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: Number.POSITIVE_INFINITY }),
  ].join('\n');
}

// Records the statements that a database is sent: for what must be refused before one is sent, and for plans.
// Give `recorder.logger` to useTestDatabase.

import { expect } from 'vitest';
import type { StatementLogger } from '../../db/connection/open-database.ts';

export interface Recorder {
  readonly logger: StatementLogger;
  /** The texts of the statements that `work` sends, in their order. */
  during(work: () => Promise<unknown>): Promise<string[]>;
  /** Expects `call` to be refused with this code, by the argument's name, without a statement. */
  expectRefused(call: () => Promise<unknown>, code: string, argument: string): Promise<void>;
}

/** @example const recorder = newRecorder(); useTestDatabase({ logger: recorder.logger }); */
export function newRecorder(): Recorder {
  let sent: string[] = [];
  const during = async (work: () => Promise<unknown>): Promise<string[]> => {
    sent = [];
    await work();
    return sent;
  };
  return {
    logger: ({ statement }) => sent.push(statement),
    during,
    expectRefused: async (call, code, argument): Promise<void> => {
      const statements = await during(async () => {
        const error = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error, `${argument} should be refused`).toMatchObject({ code, details: { argument } });
        expect((error as Error).message).toContain(argument);
      });
      expect(statements).toEqual([]);
    },
  };
}

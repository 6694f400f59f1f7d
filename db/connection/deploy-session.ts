// A connection as the deploy engine uses it: values as text, the driver's own errors.
// Refuses to go on in a new session after the first one broke: its lock and its transaction are gone.

import type { Connection } from './connection.ts';

interface TextSession {
  query(text: string, params?: readonly string[]): Promise<Record<string, string | null>[]>;
  script(text: string): Promise<void>;
}

export function deploySession(connection: Connection): TextSession {
  let generation: number | undefined;
  const assertSameSession = (): void => {
    generation ??= connection.generation;
    if (connection.generation === generation) return;
    throw Object.assign(new Error('the connection broke; what was not committed is rolled back'), { code: '08006' });
  };
  return {
    async query(text: string, params: readonly string[] = []): Promise<Record<string, string | null>[]> {
      assertSameSession();
      const { rows, columns } = await connection.run(text, params, false);
      return rows.map((row) =>
        Object.fromEntries(columns.map(({ name }, i) => [name, row[i] === null ? null : String(row[i])])),
      );
    },
    async script(text: string): Promise<void> {
      assertSameSession();
      await connection.script(text);
    },
  };
}

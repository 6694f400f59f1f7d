// Looks into the rows of small tables, for what a new rule would fail on. Reads only, for two seconds at most, and says
// nothing of what it reads.

import type { TableFacts } from '../catalogue.ts';
import { qualified, quoteName } from '../quoting.ts';
import type { DeploySession } from '../session.ts';

/** What is not known is undefined: no right to read, or no answer in time. */
export interface RowProbes {
  hasRows(table: TableFacts): Promise<boolean | undefined>;
  hasNulls(table: TableFacts, column: string): Promise<boolean | undefined>;
  /** @param nullsAreEqual as NULLS NOT DISTINCT has it */
  hasDuplicates(table: TableFacts, columns: readonly string[], nullsAreEqual: boolean): Promise<boolean | undefined>;
}

export function newRowProbes(session: DeploySession): RowProbes {
  const exists = (sql: string): Promise<boolean | undefined> => ask(session, sql);
  return {
    hasRows: (table) => exists(`select 1 from ${qualified(table)}`),
    hasNulls: (table, column) => exists(`select 1 from ${qualified(table)} where ${quoteName(column)} is null`),
    hasDuplicates(table, columns, nullsAreEqual): Promise<boolean | undefined> {
      const list = columns.map(quoteName);
      const condition = nullsAreEqual ? '' : `where ${list.map((column) => `${column} is not null`).join(' and ')}`;
      return exists(`select 1 from ${qualified(table)} ${condition} group by ${list.join(', ')} having count(*) > 1`);
    },
  };
}

async function ask(session: DeploySession, sql: string): Promise<boolean | undefined> {
  try {
    await session.script(`begin read only; set local lock_timeout = 500; set local statement_timeout = 2000`);
    const [row] = await session.query(`select exists (${sql})::text as answer`);
    return row?.answer === 'true';
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (/^(42501|42P01|42703|42883|55P03|57014)$/.test(code)) return undefined;
    throw error;
  } finally {
    await session.script('rollback').catch(() => {}); // a broken session has rolled back already
  }
}

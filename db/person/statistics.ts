// What PostgreSQL believes of a table's size, put right where this transaction has made it wrong by far. Nobody else can look
// until it ends, and by the plan for a table that is nearly empty each row is checked by reading a whole chat.

import { execute } from '../database.ts';
import { quoted } from './person-tables.ts';

/** With fewer, no plan takes long. */
const worthwhile = 5_000;

/**
 * Analyzes a table that is said to have fewer rows than there must be. Whoever is not its owner may not: PostgreSQL warns,
 * and goes on.
 */
export async function countAgainBelow(table: string, leastRows: number): Promise<void> {
  if (leastRows < worthwhile) return;
  const name = quoted(table);
  const isBelow = 'select reltuples < $2::float8 from pg_class where oid = $1::regclass';
  const { rows } = await execute(isBelow, [name, leastRows], true);
  if (rows[0]?.[0] === true) await execute(`analyze ${name}`, [], false, nobody);
}

/** It writes no row of anybody's. */
const nobody = { column: 0 };

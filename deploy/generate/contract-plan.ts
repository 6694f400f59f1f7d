// The files of a plan in two deploys, for a migration with a change that breaks code which is running.

import { describePlan, expansionOf, otherIndexes } from '../rewrite/expand-contract.ts';
import { takeHeader } from '../rewrite/header.ts';
import type { Explanation } from '../rewrite/outcome.ts';
import { oldestVersion, type RewriteOptions, rewriteMigration } from '../rewrite/rewrite-migration.ts';

/**
 * @param text the migration as it is in its file
 * @returns the texts by their names; undefined where nothing of it has a plan
 */
export async function planContract(
  name: string,
  text: string,
  { schema, version = oldestVersion }: Pick<RewriteOptions, 'schema' | 'version'>,
): Promise<Record<string, string> | undefined> {
  const contract: string[] = [];
  const steps: { explanation: Explanation; rollOut: string; byHand: string[] }[] = [];
  const expand = (explanation: Explanation): string[] | undefined => {
    const expansion = expansionOf(explanation, schema, version);
    if (!expansion) return undefined;
    contract.push(...expansion.contract);
    steps.push({ explanation, rollOut: expansion.rollOut, byHand: otherIndexes(schema, explanation) });
    return expansion.expand;
  };
  const { text: expanded } = await rewriteMigration(takeHeader(text).body, { version, schema, expand });
  if (steps.length === 0) return undefined;
  return {
    'README.md': describePlan(name, steps),
    '1_expand.sql': expanded.trim() === '' ? '-- Nothing to do before the code is rolled out.\n' : expanded,
    '2_contract.sql': `${contract.join(';--> statement-breakpoint\n')};\n`,
  };
}

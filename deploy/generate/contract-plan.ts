// The files of a plan in two deploys, for a migration with a change that breaks code which is running.

import { loadGrammar } from '../grammar.ts';
import { expansionOf, otherIndexes } from '../rewrite/expand-contract.ts';
import { takeHeader } from '../rewrite/header.ts';
import { readKeyChanges } from '../rewrite/key-changes.ts';
import { tableKey } from '../rewrite/known-schema.ts';
import type { Expansion, Explanation } from '../rewrite/outcome.ts';
import { oldestVersion, type RewriteOptions, rewriteMigration } from '../rewrite/rewrite-migration.ts';

export interface ContractPlan {
  /** The texts by their names; undefined where nothing of it has a plan. */
  files: Record<string, string> | undefined;
  /** Why a change has no plan, although its like has one. */
  whyNoPlan(explanation: Explanation): string | undefined;
}

interface PlannedStep {
  explanation: Explanation;
  expansion: Expansion;
  /** Indexes that have to be made by hand. */
  byHand: string[];
}

/** @param text the migration as it is in its file */
export async function planContract(
  name: string,
  text: string,
  { schema, version = oldestVersion }: Pick<RewriteOptions, 'schema' | 'version'>,
): Promise<ContractPlan> {
  const { body } = takeHeader(text);
  const { explanations } = await rewriteMigration(body, { version, schema });
  const changes = readKeyChanges(body, await loadGrammar());
  const steps = new Map<string, PlannedStep>();
  const reasons = new Map<string, string>();
  const open = new Set<string>();
  for (const explanation of explanations) {
    const expansion = expansionOf(explanation, { schema, version, changes, open });
    if (!expansion) continue;
    if ('whyNot' in expansion) {
      reasons.set(keyOf(explanation), expansion.whyNot);
      continue;
    }
    for (const id of expansion.open ?? []) open.add(id);
    steps.set(keyOf(explanation), { explanation, expansion, byHand: otherIndexes(schema, explanation) });
  }
  const whyNoPlan = (explanation: Explanation): string | undefined => reasons.get(keyOf(explanation));
  if (steps.size === 0) return { files: undefined, whyNoPlan };
  const { text: expanded } = await rewriteMigration(body, {
    version,
    schema,
    expand: (explanation) => steps.get(keyOf(explanation))?.expansion.expand,
    madeElsewhere: new Set([...steps.values()].flatMap(({ expansion }) => expansion.taken ?? [])),
    whyNoPlan,
  });
  const contract = [...steps.values()].flatMap(({ expansion }) => expansion.contract);
  const left = explanations.flatMap((explanation) => {
    const why = whyNoPlan(explanation);
    return why === undefined ? [] : [`${explanation.what}: ${why}`];
  });
  return {
    files: {
      'README.md': describePlan(name, [...steps.values()], left),
      '1_expand.sql': expanded.trim() === '' ? '-- Nothing to do before the code is rolled out.\n' : expanded,
      '2_contract.sql': `${contract.join(';--> statement-breakpoint\n')};\n`,
    },
    whyNoPlan,
  };
}

const keyOf = ({ kind, table, column, to }: Explanation): string =>
  JSON.stringify([kind, table && tableKey(table), column, to]);

/** What the folder of a plan says. */
function describePlan(name: string, steps: readonly PlannedStep[], left: readonly string[]): string {
  return [
    `# ${name} in two deploys`,
    '',
    'Code that is running breaks by what this migration does in one:',
    '',
    ...steps.map(({ explanation: { what, why } }) => `- ${what}: ${why}`),
    '',
    'In two it does not. Each file is ready to be deployed.',
    '',
    `1. Copy \`1_expand.sql\` over \`${name}.sql\` and deploy it: \`npx mytx deploy\`.`,
    '2. Roll out:',
    ...steps.map(({ expansion }) => `   - ${expansion.rollOut}`),
    `3. When no old code runs any more: \`npx mytx generate --custom --name ${contractName(name)}\`, copy \`2_contract.sql\` into the new file, and deploy it.`,
    '',
    'Drizzle’s snapshot is that of the end, before and behind: `npx drizzle-kit generate` finds nothing to do.',
    ...(left.length === 0
      ? []
      : ['', 'Not made in two, and left in `1_expand.sql` as it is:', '', ...left.map((one) => `- ${one}`)]),
    ...steps.flatMap(({ explanation, byHand }) =>
      byHand.length === 0
        ? []
        : [
            '',
            `By hand, beside \`1_expand.sql\`: ${byHand.join(', ')}, which may need ${explanation.what} (an expression, a part of the rows, another kind or order).`,
          ],
    ),
    '',
  ].join('\n');
}

const contractName = (name: string): string => `${name.replace(/^\d+_/, '')}_contract`;

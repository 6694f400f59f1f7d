// npm run docs:planning: docs/planning.md, from what npm run estimates:measure found (bench/results/plan-estimates.json). No
// figure of it is typed.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { instantBelowSeconds } from '../deploy/operations/estimate.ts';
import type { EstimateResult } from '../tests/deploy/operations/estimate-measurement.ts';
import { isInstantInBoth, isWithinThree } from '../tests/deploy/operations/estimate-verdict.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const resultFile = fileURLToPath(new URL('../bench/results/plan-estimates.json', import.meta.url));

export const planningPage: Generator = {
  command: 'npm run docs:planning',
  generate: async () => new Map([['docs/planning.md', drawPage(readResults())]]),
};

const readResults = (): EstimateResult[] => JSON.parse(readFileSync(resultFile, 'utf8')) as EstimateResult[];

function drawPage(results: readonly EstimateResult[]): string {
  const versions = [...new Set(results.map(({ version }) => version as number))];
  const timed = results.filter((one) => !isInstantInBoth(one));
  const within = timed.filter(isWithinThree).length;
  const factors = timed.map(({ estimated, measured }) => Math.max(estimated / measured, measured / estimated));
  const worst = Math.max(...factors);
  const instantMs = instantBelowSeconds * 1000;
  return [
    '# How long a change takes',
    '',
    'Written by `npm run docs:planning` from `bench/results/plan-estimates.json`; do not edit. `npm run estimates:measure` measures',
    'anew.',
    '',
    '[`mytx plan`](deploying.md#what-a-deploy-would-do) makes its estimate of the table’s size: what a row costs to read, to sort',
    'into an index, to write anew. These costs were found on one machine. How fast a server is, a probe says when the plan is made:',
    'small sorts in it, which read no table. The range that is shown is from half of the estimate to twice of it.',
    '',
    `Below, ${results.length} changes of tables of three sizes, on PostgreSQL ${versions.join(' and ')}, on the machine that the costs were`,
    `found on: so the error is that of the formulas, not that of another machine. ${results.length - timed.length} were under ${instantMs} ms, by the`,
    `estimate and by the clock, and are said to be instant. Of the ${timed.length} others ${within} were within a factor of 3; the worst was off`,
    `by ${worst.toFixed(1)}. Everything was in memory, without fsync, and other programs ran: a server that reads the table from a slow`,
    'disk takes longer than is said.',
    '',
    ...versions.flatMap((version) => drawVersion(version, results)),
  ].join('\n');
}

function drawVersion(version: number, results: readonly EstimateResult[]): string[] {
  const own = results.filter((one) => one.version === version);
  const sizes = [...new Set(own.map(({ rows }) => rows))];
  const changes = [...new Set(own.map(({ change }) => change))];
  const rows = changes.map((change) => {
    const cells = sizes.map((size) => drawCell(own.find((one) => one.change === change && one.rows === size)));
    return `| \`${change}\` | ${cells.join(' | ')} |`;
  });
  return [
    `## PostgreSQL ${version}`,
    '',
    'Estimated, measured (in seconds), and the one by the other.',
    '',
    `| | ${sizes.map((size) => `${size.toLocaleString('en-US')} rows`).join(' | ')} |`,
    `| --- |${sizes.map(() => ' --- |').join('')}`,
    ...rows,
    '',
  ];
}

function drawCell(result: EstimateResult | undefined): string {
  if (!result) return '';
  const { estimated, measured } = result;
  if (isInstantInBoth(result)) return `instant, ${measured.toFixed(3)}`;
  const factor = `${(estimated / measured).toFixed(1)}×`;
  return `${estimated.toFixed(2)}, ${measured.toFixed(2)}: ${isWithinThree(result) ? factor : `**${factor}**`}`;
}

await runAsCommand(import.meta.url, planningPage);

// npm run docs:benchmarks: docs/benchmarks.md, from the results that the benches saved. No figure of it is typed.

import { readFileSync } from 'node:fs';
import { type Figure, isMet } from '../bench/figure.ts';
import { readResult } from '../bench/harness.ts';
import { type FiguresResult, promiseOf } from '../bench/main.ts';
import { type PoolerResult, resultFile as poolerFile } from '../bench/pooler.ts';
import { compare, type SaturationResult, resultFile as saturationFile } from '../bench/saturation.ts';
import type { KitResult } from '../bench/testing-kit.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

export const benchmarksPage: Generator = {
  command: 'npm run docs:benchmarks',
  generate: async () => new Map([['docs/benchmarks.md', drawPage()]]),
};

function read<Result>(file: string): Result {
  return JSON.parse(readFileSync(file, 'utf8')) as Result;
}

function drawPage(): string {
  return [
    `# Benchmarks

Each figure is a ratio to the driver alone, in the same run: seconds differ from machine to machine, and from minute to
minute. Written by \`npm run docs:benchmarks\` from \`bench/results/\`; do not edit.
`,
    drawFigures(readResult('figures')),
    drawSaturation(read(saturationFile)),
    drawPooler(read(poolerFile)),
    drawTestingKit(readResult('testing-kit')),
  ].join('\n');
}

function drawFigures({ date, node, postgres, cores, figures, turns }: FiguresResult): string {
  const groups = [...new Set(figures.map(({ group }) => group))].map((group) => {
    const rows = figures.filter((figure) => figure.group === group).map(drawFigure);
    return [
      `### ${group}`,
      '',
      '| | To | Ratio | Half of the rounds | Promised | Kept | Embedded | The specification’s way | LangGraph |',
      '| --- | --- | ---: | --- | --- | --- | ---: | ---: | ---: |',
      ...rows,
    ].join('\n');
  });
  const longest = Math.max(...turns.map(({ specMs, langGraphMs = 0 }) => Math.max(specMs, langGraphMs)));
  const lengths = turns.map(({ messages }) => `"${messages.toLocaleString('en-US')}"`).join(', ');
  const line = (pick: (turn: FiguresResult['turns'][number]) => number): string =>
    turns.map((turn) => pick(turn).toFixed(1)).join(', ');
  const ratio = (of: number | undefined, to: number): string => (of === undefined ? '' : (of / to).toFixed(1));
  return `## What a call costs

Both sides of a ratio are measured in turns, in one run, on a PostgreSQL that syncs. Behind what is promised and kept stand the
ratios of others to the same thing: this package on the embedded database, to its driver alone; the specification’s own way, one
JSON column that is read and written as a whole, lists without pages, a query built for each call; and LangGraph’s Postgres
checkpointer, whose graph does the same turns without a model. Repeat it: \`npm run bench\` (\`-- --quick\` takes under a minute;
\`-- --help\`).

${groups.join('\n\n')}

### A turn, three ways

Two messages more, of 200 and 1,200 characters, in a chat that has so many; this package’s \`saveChat\` is given the whole
history. Milliseconds of one machine; look at how they grow.

| Messages there | This package | The specification’s way | LangGraph | The specification’s, to this | LangGraph’s, to this |
| ---: | ---: | ---: | ---: | ---: | ---: |
${turns
  .map(
    ({ messages, oursMs, specMs, langGraphMs }) =>
      `| ${messages.toLocaleString('en-US')} | ${oursMs.toFixed(1)} | ${specMs.toFixed(1)} | ${langGraphMs?.toFixed(1) ?? ''} | ${ratio(specMs, oursMs)} | ${ratio(langGraphMs, oursMs)} |`,
  )
  .join('\n')}

\`\`\`mermaid
xychart-beta
  title "Milliseconds of a turn"
  x-axis "messages there" [${lengths}]
  y-axis "ms" 0 --> ${Math.ceil(longest / 10) * 10}
  line [${line(({ oursMs }) => oursMs)}]
  line [${line(({ specMs }) => specMs)}]
  line [${line(({ langGraphMs = 0 }) => langGraphMs)}]
\`\`\`

The lowest line is this package, the highest LangGraph. Measured on ${date} with PostgreSQL ${postgres} and Node ${node} on ${cores}
cores, which the server shares.
`;
}

function drawFigure(figure: Figure): string {
  const { name, to, ratio, middle, embedded, spec, langGraph } = figure;
  const [low, high] = middle.map((value) => value.toFixed(2));
  const half = low === high ? '' : `${low} to ${high}`;
  const kept = { true: 'yes', false: '**no**', undefined: '' }[`${isMet(figure)}`];
  const others = [embedded, spec, langGraph].map((value) => value?.toFixed(2) ?? '').join(' | ');
  return `| ${name} | ${to} | ${ratio.toFixed(2)} | ${half} | ${promiseOf(figure)} | ${kept} | ${others} |`;
}

function drawPooler({ date, node, postgres, pgbouncer, cores, ratios }: PoolerResult): string {
  const rows = ratios.map(({ callers, ratio }) => `| ${callers} | ${ratio.toFixed(2)} |`);
  return `## By way of PgBouncer

A user read by e-mail, calls by way of a PgBouncer in transaction mode to calls without one; more is better.

| Callers at once | To calls without a pooler |
| --------------- | ------------------------- |
${rows.join('\n')}

Measured on ${date} with PgBouncer ${pgbouncer}, PostgreSQL ${postgres} and Node ${node} on ${cores} cores, which all of them share.
Repeat it: \`npm run bench:pooler\`.
`;
}

function drawTestingKit({ date, node, postgres, cores, server, embedded }: KitResult): string {
  const row = (name: string, pick: (times: KitResult['server']) => number, most: string): string =>
    `| ${name} | ${pick(server)} | ${pick(embedded)} | ${most} |`;
  return `## The testing kit

Milliseconds to [make a test database](testing.md) behind the first one of a process, to empty it after a row was put into every
table, and to close it; medians.

| | PostgreSQL ${postgres}, with fsync | Embedded, in memory | Promised at most |
| --- | ---: | ---: | --- |
${row('make', ({ nextMs }) => nextMs, '300 on a server, 1,000 embedded')}
${row('empty', ({ resetMs }) => resetMs, '50')}
${row('close', ({ closeMs }) => closeMs, '')}

Measured on ${date} with Node ${node} on ${cores} cores. Repeat it: \`npm run bench:testing-kit\`.
`;
}

function drawSaturation(result: SaturationResult): string {
  return `## More callers than connections

${result.callers} callers ask one prepared query after the other for ${result.seconds} seconds. They wait for a connection in this
package's own line, which is first come, first served, bounded ([POOL_EXHAUSTED](errors/POOL_EXHAUSTED.md)), and does not slow
down. The stock driver (postgres.js, \`max\` as large as the pool) pipelines, which is fast at first, and has a queue that
gets slower for as long as it is never empty.

${drawTable(result)}

Queries a second, over the ${result.seconds} seconds:

${result.pools.map((pool) => drawChart(pool)).join('\n\n')}

The first line is this package, the second the stock driver. Measured on ${result.date} with PostgreSQL ${result.postgres} and Node
${result.node} on ${result.cores} cores, which the server shares. Repeat it: \`npm run bench:saturation\`.
`;
}

function drawTable(result: SaturationResult): string {
  const rows = compare(result).map(({ size, oursFirst, oursLast, stockFirst, stockLast }) => {
    const ratio = (of: number, to: number): string => (of / to).toFixed(2);
    return `| ${size} | ${ratio(oursLast, oursFirst)} | ${ratio(stockLast, stockFirst)} | ${ratio(oursFirst, stockFirst)} | ${ratio(oursLast, stockLast)} |`;
  });
  return [
    '| Pool | Last ten seconds to the first ten | The stock driver’s | To the stock driver, first ten seconds | Last ten seconds |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function drawChart({ size, ours, stock }: SaturationResult['pools'][number]): string {
  const rates = (counts: readonly number[]): string => everyFewSeconds(counts).join(', ');
  return `\`\`\`mermaid
xychart-beta
  title "Pool of ${size}"
  x-axis "seconds" 0 --> ${ours.length}
  y-axis "queries a second" 0 --> ${Math.ceil(Math.max(...ours, ...stock) / 1000) * 1000}
  line [${rates(ours)}]
  line [${rates(stock)}]
\`\`\``;
}

/** The mean of every three seconds: single ones jump on a busy machine. */
function everyFewSeconds(counts: readonly number[]): number[] {
  const means: number[] = [];
  for (let from = 0; from + 3 <= counts.length; from += 3) {
    const few = counts.slice(from, from + 3);
    means.push(Math.round(few.reduce((sum, count) => sum + count, 0) / few.length));
  }
  return means;
}

await runAsCommand(import.meta.url, benchmarksPage);

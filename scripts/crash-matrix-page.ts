// npm run docs:crash-matrix: docs/deploy-crash-matrix.md, from the results that the long run of the crash matrix writes
// (tests/deploy/results/). It counts, and invents no number.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CrashResult, migrations } from '../tests/deploy/crash-points.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const resultsFolder = fileURLToPath(new URL('../tests/deploy/results', import.meta.url));

export const crashMatrixPage: Generator = {
  command: 'npm run docs:crash-matrix',
  generate: async () => new Map([['docs/deploy-crash-matrix.md', writePage(readResults())]]),
};

interface Run {
  version: string;
  results: CrashResult[];
}

function readResults(): Run[] {
  return readdirSync(resultsFolder)
    .filter((name) => /^crash-matrix-\d+\.json$/.test(name))
    .sort()
    .map((name) => ({
      version: name.replaceAll(/\D/g, ''),
      results: JSON.parse(readFileSync(`${resultsFolder}/${name}`, 'utf8')) as CrashResult[],
    }));
}

function writePage(runs: readonly Run[]): string {
  const count = runs.reduce((sum, { results }) => sum + results.length, 0);
  const versions = runs.map(({ version }) => version).join(' and ');
  return [
    '# A deploy that is killed',
    '',
    'Written by `npm run docs:crash-matrix` from what `npm run test:long:deploy` found (`tests/deploy/results/`); do not edit.',
    '',
    `A deploy of three migrations was stopped at each of its boundaries on PostgreSQL ${versions}. There the tool was killed with`,
    '-9, the server was, the connections were cut, or another session took the table’s lock. Then it went on, and behind its end',
    `\`deploy\` ran once more. ${count} times of ${count} that run finished: the catalogue, the rows and the history were those of an`,
    'undisturbed run, no index was invalid, and nothing was applied twice, which a backfill that counts would show.',
    '',
    ...migrations.flatMap(({ tag, sql }) => ['```text', `-- ${tag}.sql`, sql, '```', '']),
    'In the table is how the disturbed run itself ended: `done` where the disturbance came behind the last thing that it could',
    'break, or where a lock was waited for; else the error that it ended with, or `killed`.',
    '',
    ...runs.flatMap(writeRun),
  ].join('\n');
}

function writeRun({ version, results }: Run): string[] {
  const faults = [...new Set(results.map(({ fault }) => fault))];
  const boundaries = results.filter(({ fault }) => fault === faults[0]).map(({ at }) => at);
  const rows = boundaries.map((at, index) => {
    const ends = faults.map((name) => results.filter(({ fault }) => fault === name)[index]?.ended ?? '');
    return `| ${index + 1} | ${at} | ${ends.join(' | ')} |`;
  });
  return [
    `## PostgreSQL ${version}`,
    '',
    `| | at | ${faults.join(' | ')} |`,
    `| ---: | --- |${faults.map(() => ' --- |').join('')}`,
    ...rows,
    '',
  ];
}

await runAsCommand(import.meta.url, crashMatrixPage);

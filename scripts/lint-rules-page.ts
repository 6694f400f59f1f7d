// npm run docs:lint-rules: docs/lint-rules.md, from the rules of deploy/lint/rules.ts.

import { type Rule, rules } from '../deploy/lint/rules.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

export const lintRulesPage: Generator = {
  command: 'npm run docs:lint-rules',
  generate: async () => new Map([['docs/lint-rules.md', drawPage()]]),
};

type Entry = [name: string, rule: Rule];

function drawPage(): string {
  const all = [...rules];
  const isSquawks = ([name]: Entry): boolean => name.startsWith('squawk/');
  const off = all.filter(([, { severity }]) => severity === 'off');
  return [
    '# The rules of the lint',
    '',
    'Written by `npm run docs:lint-rules` from [deploy/lint/rules.ts](../deploy/lint/rules.ts); do not edit. How they are used is',
    'in [linting](linting.md).',
    '',
    '## Ours',
    '',
    ...drawTable(all.filter((entry) => !isSquawks(entry))),
    '',
    '## squawk’s',
    '',
    'Their names begin with `squawk/`. squawk has [a page](https://squawkhq.com/docs/rules) of each.',
    '',
    ...drawTable(all.filter(isSquawks)),
    '',
    '## What is off, and why',
    '',
    '`lint.rules` in mytx.config.ts switches them on.',
    '',
    ...off.map(([name, { why = '' }]) => `- \`${name}\`: ${cell(why)}`),
    '',
  ].join('\n');
}

function drawTable(entries: readonly Entry[]): string[] {
  return [
    '| Rule | Severity | It finds | What to do |',
    '| --- | --- | --- | --- |',
    ...entries.map(
      ([name, rule]) =>
        `| \`${name}\` | ${severityOf(rule)} | ${cell(rule.finds)}${needsOf(rule)} | ${cell(rule.help)} |`,
    ),
  ];
}

const severityOf = ({ severity, milder }: Rule): string => (milder ? `${severity}; ${milder}` : severity);

function needsOf({ needs }: Rule): string {
  if (needs === undefined) return '';
  return needs === 'database' ? '. Needs the database' : '. Needs `--deployed`';
}

/** Text that Markdown takes as it is, also where it looks like a tag or the end of a cell. */
function cell(text: string): string {
  return text.replaceAll(/[<|]/g, '\\$&');
}

await runAsCommand(import.meta.url, lintRulesPage);

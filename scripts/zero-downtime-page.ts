// npm run docs:zero-downtime: the beginning of docs/zero-downtime.md, the table of operations with the locks that were
// measured. What stands behind the mark was written by people, and is left as it is.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LockMode, measuredOn, type Role } from '../deploy/operations/locks.ts';
import { type OperationFacts, type OperationId, operations } from '../deploy/operations/operations.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const path = 'docs/zero-downtime.md';
const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
const mark = '<!-- Behind this line nothing is generated. -->';
const versions = [15, 16, 17, 18];

export const zeroDowntimePage: Generator = {
  command: 'npm run docs:zero-downtime',
  generate: async () => new Map([[path, `${drawTable()}\n${mark}${writtenByHand()}`]]),
};

function writtenByHand(): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.split(mark)[1] ?? '\n';
}

function drawTable(): string {
  const ids = (Object.keys(operations) as OperationId[]).filter((id) => id !== 'other');
  return [
    '# Changing a schema while it is used',
    '',
    'This table is written by `npm run docs:zero-downtime` from `deploy/operations/`; do not edit it.',
    '',
    `What each operation locks was measured on PostgreSQL ${versions.join(', ')}, and is measured again by the tests. It is the same`,
    'on all of them, where nothing else is said. `ACCESS EXCLUSIVE` keeps readers and writers out, `SHARE` and what is stronger keeps',
    'writers out, all others nobody but another change. A lock is held until its transaction ends, and who comes behind one that',
    'waits waits too: so an operation that does nothing to the rows still needs a `lock_timeout`, which',
    '[`mytx deploy`](deploying.md#how-a-migration-runs) sets. [`mytx plan`](deploying.md#what-a-deploy-would-do) says the same of the',
    'statements that are pending, on the tables that are there. Where nothing is said of the rows, only the catalogue changes, in',
    'milliseconds.',
    '',
    '| operation | locks | to the rows | `mytx generate` |',
    '| --- | --- | --- | --- |',
    ...ids.map(drawRow),
    '',
  ].join('\n');
}

function drawRow(id: OperationId): string {
  const facts: OperationFacts = operations[id];
  const having = versions.filter((version) => measuredOn(id, version)?.versions.includes(version));
  const byLocks = new Map<string, number[]>();
  for (const version of having) {
    const text = locksText(measuredOn(id, version)?.locks ?? {});
    byLocks.set(text, [...(byLocks.get(text) ?? []), version]);
  }
  const locks = [...byLocks].map(([text, on]) => (byLocks.size === 1 ? text : `${on.join(', ')}: ${text}`)).join('; ');
  const since = facts.since === undefined ? '' : ` (from ${facts.since})`;
  return `| ${facts.title}${since} | ${locks} | ${workText(id)} | ${facts.rewrittenTo ?? ''} |`;
}

const roles: Readonly<Record<Role, string>> = {
  table: '',
  parent: 'the other table: ',
  partition: 'the partition: ',
  source: 'what is read: ',
  index: '',
};

/** An index is locked along with its table, and only where no table is, that says anything. */
function locksText(locks: Partial<Record<Role, LockMode>>): string {
  const { index, ...others } = locks;
  const named = Object.entries(others).sort(([one], [other]) => order(one) - order(other));
  if (named.length === 0) return index === undefined ? 'none' : `the index: ${index}`;
  return named.map(([role, mode]) => `${roles[role as Role]}${mode}`).join(', ');
}

const order = (role: string): number => ['table', 'parent', 'partition', 'source'].indexOf(role);

function workText(id: OperationId): string {
  const { work, isConcurrent, breaks, loses, failsWhere } = operations[id] as OperationFacts;
  const does = {
    none: '',
    scan: 'reads all',
    'foreign-key': 'reads all, and looks for each',
    index: 'reads all, builds an index',
    reindex: 'reads all, builds indexes anew',
    rewrite: '**writes all anew**, with all indexes',
    rows: 'those it chooses',
    unknown: '',
  }[work];
  const more = [
    does,
    ...(isConcurrent ? ['waits for older transactions'] : []),
    ...(breaks === undefined ? [] : [breaks]),
    ...(loses === undefined ? [] : [`loses ${loses}`]),
    ...(failsWhere === undefined ? [] : [`fails where ${failsWhere}`]),
  ];
  return more.filter((text) => text !== '').join('; ');
}

await runAsCommand(import.meta.url, zeroDowntimePage);

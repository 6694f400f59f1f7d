// npm run docs:zero-downtime: the end of docs/zero-downtime.md: what others waited in a bench, and the table of operations
// with the locks that were measured. What stands before the mark was written by people, and is left as it is.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readResult } from '../bench/harness.ts';
import type { FiguresResult } from '../bench/main.ts';
import { type Fared, longestMs, mostWaitMs } from '../bench/zero-downtime.ts';
import { type LockMode, measuredOn, type Role } from '../deploy/operations/locks.ts';
import { type OperationFacts, type OperationId, operations } from '../deploy/operations/operations.ts';
import { expansionOf } from '../deploy/rewrite/expand-contract.ts';
import { noKeyChanges } from '../deploy/rewrite/key-changes.ts';
import type { KnownSchema } from '../deploy/rewrite/known-schema.ts';
import type { Explanation } from '../deploy/rewrite/outcome.ts';
import { oldestVersion, rewriteMigration } from '../deploy/rewrite/rewrite-migration.ts';
import { examples } from '../tests/deploy/operations/examples.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const path = 'docs/zero-downtime.md';
const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
const mark = '<!-- Behind this line all is generated. -->';
const versions = [15, 16, 17, 18];

export const zeroDowntimePage: Generator = {
  command: 'npm run docs:zero-downtime',
  generate: async () =>
    new Map([
      [path, `${writtenByHand()}${mark}\n\n${drawWaits(readResult<FiguresResult>('figures'))}\n${await drawTable()}`],
    ]),
};

function writtenByHand(): string {
  return readFileSync(file, 'utf8').split(mark)[0] as string;
}

function drawWaits({ changes: result, ...machine }: FiguresResult): string {
  if (!result) throw new Error('no waits were saved yet; run: npm run bench -- --only zero-downtime --alone --save');
  const { rows, readers, writers, undisturbed, changes } = result;
  const failed = (fared: readonly Fared[]): number => fared.reduce((sum, one) => sum + one.failed, 0);
  return [
    '## What others wait meanwhile',
    '',
    `The longest that any of ${readers} readers and ${writers} writers waited for an answer, while a change was made to the table of`,
    `${grouped(rows)} rows that they use: by \`drizzle-kit migrate\`, and as \`mytx generate\` and \`mytx deploy\` make it.`,
    `Without a change they waited ${ms(longestMs(undisturbed))} at most; promised is less than ${mostWaitMs} ms. Requests that failed:`,
    `${failed(changes.map(({ drizzleKit }) => drizzleKit))} and ${failed(changes.map(({ ours }) => ours))}. PostgreSQL ${machine.postgres}, ${machine.cores} cores, ${machine.date}; again by`,
    '`npm run bench -- --only zero-downtime --alone --save && npm run docs:zero-downtime`.',
    '',
    '| change | longest wait, drizzle-kit | longest wait, mytx | it takes, drizzle-kit | it takes, mytx |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...changes.map(({ name, drizzleKit, ours }) => {
      const [theirs, own] = [longestMs(drizzleKit), longestMs(ours)];
      return `| ${name} | ${ms(theirs)} | ${ms(own)} | ${seconds(drizzleKit.tookMs)} | ${seconds(ours.tookMs)} |`;
    }),
    '',
  ].join('\n');
}

const grouped = (count: number): string => count.toLocaleString('en-US');
const ms = (value: number): string => `${grouped(Math.round(value))} ms`;
const seconds = (value: number): string => `${(value / 1000).toFixed(value < 1000 ? 2 : 1)} s`;

async function drawTable(): Promise<string> {
  const ids = (Object.keys(operations) as OperationId[]).filter((id) => id !== 'other');
  const rows: string[] = [];
  for (const id of ids) rows.push(drawRow(id, await rewrittenText(id)));
  return [
    '## Each operation: what it locks, and for how long',
    '',
    'Written by `npm run docs:zero-downtime` from `deploy/operations/`; do not edit it.',
    '',
    `What each operation locks was measured on PostgreSQL ${versions.join(', ')}, and is measured again by the tests. It is the same`,
    'on all of them, where nothing else is said. `ACCESS EXCLUSIVE` keeps readers and writers out, `SHARE` and what is stronger keeps',
    'writers out, all others nobody but another change. A lock is held until its transaction ends, and who comes behind one that',
    'waits waits too: so an operation that does nothing to the rows still needs a `lock_timeout`, which',
    '[`mytx deploy`](deploying.md#how-a-migration-runs) sets. [`mytx plan`](deploying.md#what-a-deploy-would-do) says the same of the',
    'statements that are pending, on the tables that are there. Where nothing is said of the rows, only the catalogue changes, in',
    'milliseconds. The last column is what the rewriting says of the statement that was measured; where it is empty, the statement',
    'stays as drizzle-kit writes it.',
    '',
    '| operation | locks | to the rows | `mytx generate` |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function drawRow(id: OperationId, rewritten: string): string {
  const facts: OperationFacts = operations[id];
  const having = versions.filter((version) => measuredOn(id, version)?.versions.includes(version));
  const byLocks = new Map<string, number[]>();
  for (const version of having) {
    const text = locksText(measuredOn(id, version)?.locks ?? {});
    byLocks.set(text, [...(byLocks.get(text) ?? []), version]);
  }
  const locks = [...byLocks].map(([text, on]) => (byLocks.size === 1 ? text : `${on.join(', ')}: ${text}`)).join('; ');
  const since = facts.since === undefined ? '' : ` (from ${facts.since})`;
  return `| ${facts.title}${since} | ${locks} | ${workText(id)} | ${rewritten} |`;
}

/** The columns of the tables that the statements were measured on, as far as the rewriting asks for them. */
const schema: KnownSchema = new Map(
  ['t', 'p', 'child'].map((name) => {
    const types = { id: 'integer', a: 'integer', b: 'varchar(50)', c: 'text', n: 'numeric(10, 2)', ts: 'timestamp' };
    const columns = Object.entries(types).map(
      ([column, type]) => [column, { type, isNullable: column !== 'id', default: undefined }] as const,
    );
    const keys = { primaryKey: ['id'], indexes: [], uniques: [], foreignKeys: [] };
    return [`public.${name}`, { columns: new Map(columns), ...keys }];
  }),
);

async function rewrittenText(id: OperationId): Promise<string> {
  if (id === 'other') return '';
  const { changes, explanations } = await rewriteMigration(examples[id].sql, { schema });
  const forms = changes.map(({ why }) => why.replace(/ \(.*/, ''));
  const context = { schema, version: oldestVersion, changes: noKeyChanges, open: new Set<string>() };
  const hasPlan = (one: Explanation): boolean => 'expand' in (expansionOf(one, context) ?? {});
  const left = explanations.map((one) => (hasPlan(one) ? 'explained, with a plan in two deploys' : 'explained'));
  return [...new Set([...forms, ...left])].join('; ');
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

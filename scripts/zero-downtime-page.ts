// npm run docs:zero-downtime: the beginning of docs/zero-downtime.md, the table of operations with the locks that were
// measured. What stands behind the mark was written by people, and is left as it is.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LockMode, measuredOn, type Role } from '../deploy/operations/locks.ts';
import { type OperationFacts, type OperationId, operations } from '../deploy/operations/operations.ts';
import { expansionOf } from '../deploy/rewrite/expand-contract.ts';
import type { KnownSchema } from '../deploy/rewrite/known-schema.ts';
import { oldestVersion, rewriteMigration } from '../deploy/rewrite/rewrite-migration.ts';
import { examples } from '../tests/deploy/operations/examples.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const path = 'docs/zero-downtime.md';
const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
const mark = '<!-- Behind this line nothing is generated. -->';
const versions = [15, 16, 17, 18];

export const zeroDowntimePage: Generator = {
  command: 'npm run docs:zero-downtime',
  generate: async () => new Map([[path, `${await drawTable()}\n${mark}${writtenByHand()}`]]),
};

function writtenByHand(): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.split(mark)[1] ?? '\n';
}

async function drawTable(): Promise<string> {
  const ids = (Object.keys(operations) as OperationId[]).filter((id) => id !== 'other');
  const rows: string[] = [];
  for (const id of ids) rows.push(drawRow(id, await rewrittenText(id)));
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
  const left = explanations.map((one) =>
    expansionOf(one, schema, oldestVersion) ? 'explained, with a plan in two deploys' : 'explained',
  );
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

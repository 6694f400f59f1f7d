// A deploy in a process of its own that stops at each of its boundaries, one after another: there the test does what may
// happen to a deploy, and lets it go on.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeployOptions } from '../../db/deployment.ts';
import { type MigrationFile, statements } from './own-database.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Everything that a deploy can be made of: plain transactions, what can't be in one, and a backfill that counts. */
export const migrations: readonly MigrationFile[] = [
  {
    tag: '0000_tables',
    when: 1000,
    sql: statements(
      `create table person (id int primary key, last text, mood text, n int not null default 0)`,
      `insert into person select n, 'l' || n from generate_series(1, 2000) n`,
      `create type mood as enum ('calm')`,
    ),
  },
  {
    tag: '0001_steps',
    when: 2000,
    sql: statements(
      'alter table person add column nick text',
      'create index concurrently person_last_idx on person (last)',
      `alter type mood add value 'wild'`,
      '-- mytx:backfill batch=300\nupdate person set n = n + 1',
      'alter table person add constraint person_n_check check (n = 1) not valid',
      'alter table person validate constraint person_n_check',
      'create unique index concurrently person_old_idx on person (id, last)',
      'drop index concurrently person_old_idx',
    ),
  },
  { tag: '0002_last', when: 3000, sql: `insert into person (id, last, n) values (0, 'zero', 1)` },
];

/** What a disturbance at one boundary did, behind which the next run finished the deploy. */
export interface CrashResult {
  fault: string;
  /** The event at whose moment it struck, and the step or migration. */
  at: string;
  /** How the disturbed run ended: `done`, `killed`, or its error code. */
  ended: string;
}

export interface StoppedDeploy {
  /** Resolves when it stands at its boundary, with what that is, or when it ends before. */
  readonly stands: Promise<string | undefined>;
  readonly child: ChildProcess;
  goOn(): void;
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
}

/** @param point at which of its events it stops, from 1 */
export function deployUntil(point: number, options: DeployOptions): StoppedDeploy {
  const code = `
    import { readSync, writeSync } from 'node:fs';
    import { deploy } from ${JSON.stringify(join(root, 'db/deployment.ts'))};
    let count = 0;
    const onEvent = (event) => {
      if (event.type === 'progress' || event.type === 'lock-retry') return;
      count += 1;
      if (count !== ${point}) return;
      writeSync(1, 'stands at ' + event.type + ' ' + (event.step ?? event.name) + '\\n');
      readSync(0, Buffer.alloc(1));
    };
    try {
      await deploy({ ...${JSON.stringify(options)}, onEvent });
      writeSync(1, 'done after ' + count + '\\n');
    } catch (error) {
      writeSync(1, error.code + ': ' + error.message);
      process.exitCode = 1;
    }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  const stands = new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', () => {
      const found = /stands at (.*)\n/.exec(output);
      if (found) resolve(found[1]);
    });
    void ended.then(() => resolve(undefined));
  });
  return { child, stands, ended, goOn: () => void child.stdin.write('\n') };
}

/** What a database is after a deploy, in the words of the catalogue, and its rows. */
export const catalogue = `
  select 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull as line
  from pg_attribute where attrelid = 'person'::regclass and attnum > 0 and not attisdropped
  union all
  select 'index ' || indexrelid::regclass || ' ' || pg_get_indexdef(indexrelid) || ' valid ' || indisvalid
  from pg_index where indrelid = 'person'::regclass
  union all
  select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'person'::regclass
  union all
  select 'value ' || enumlabel from pg_enum
  union all
  select 'rows ' || count(*) || ' n ' || sum(n) || ' most ' || max(n) from person
  union all
  select 'history ' || count(*) || ' ' || count(distinct hash) from drizzle.__drizzle_migrations
  union all
  select 'steps ' || state || ' ' || count(*) from mytx_deploy.step group by state
  order by 1`;

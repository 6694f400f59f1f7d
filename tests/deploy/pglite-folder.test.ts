// A Drizzle project on a folder of PGlite, which Drizzle's own migrator made: what is read of it, a deploy on it, and
// which folders are refused and left as they are.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate as drizzleMigrate } from 'drizzle-orm/pglite/migrator';
import { beforeAll, describe, expect, test } from 'vitest';
import { deploy, findDeployTarget, plan, status } from '../../db/deployment.ts';
import { holdersByLsof, holdersOf } from '../../db/embedded/process-facts.ts';
import { rewrite } from '../../db/generation.ts';
import { lint } from '../../db/linting.ts';
import { embeddedFolderOf } from '../../deploy/project/credentials.ts';
import { endNeighbours, Neighbour } from '../db/embedded/neighbour.ts';
import { addFiles, deleteProjectsAfterwards, migrationFiles, pgliteProject, writeProject } from './layouts.ts';
import { statements } from './own-database.ts';

deleteProjectsAfterwards();
endNeighbours();

const first = {
  '0000_note': statements(
    'create table note (id int primary key, name text not null, size int)',
    `insert into note select n, 'note ' || n from generate_series(1, 1500) as n`,
  ),
};
const both = {
  ...first,
  '0001_index': statements(
    'create index concurrently note_name on note (name)',
    '-- mytx:backfill batch=400\nupdate note set size = length(name) where size is null',
  ),
};

/** Opens the folder as the application does, and closes it. */
async function onPglite<T>(folder: string, work: (client: PGlite) => Promise<T>): Promise<T> {
  const client = await PGlite.create(join(folder, 'data'));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const migrateByDrizzle = (client: PGlite, folder: string): Promise<void> =>
  drizzleMigrate(drizzle(client), { migrationsFolder: join(folder, 'drizzle') });

const appliedBy = async (client: PGlite): Promise<unknown[]> =>
  (await client.query('select * from drizzle.__drizzle_migrations order by id')).rows;

/** Every file below a folder, by its content. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (statSync(join(folder, path)).isFile()) hash.update(`${path}\n`).update(readFileSync(join(folder, path)));
  }
  return hash.digest('hex');
}

/** A project that the application has migrated to its first file, and whose files have a second one. */
let made: string;

function copyOfMade(): string {
  const folder = writeProject(pgliteProject(both));
  cpSync(join(made, 'data'), join(folder, 'data'), { recursive: true });
  return folder;
}

beforeAll(async () => {
  made = writeProject(pgliteProject(first));
  await onPglite(made, (client) => migrateByDrizzle(client, made));
  addFiles(made, migrationFiles(both));
});

test('status, plan, lint and deploy work on what Drizzle migrated, and Drizzle finds nothing to do behind it', async () => {
  const folder = copyOfMade();
  const data = join(folder, 'data');
  expect(await status({ from: folder })).toMatchObject({
    target: `embedded, ${data}`,
    environment: null,
    counts: { applied: 1, pending: 1 },
  });
  expect(await plan({ from: folder })).toMatchObject({ migrations: [{ name: '0001_index' }] });
  expect(await lint({ from: folder })).toMatchObject({ target: `embedded, ${data}`, errors: 0 });
  await expect(rewrite({ from: folder, file: 'drizzle/0000_note.sql' })).rejects.toMatchObject({
    code: 'REWRITE_REFUSED',
  });
  expect(await deploy({ from: folder })).toMatchObject({ target: `embedded, ${data}`, applied: ['0001_index'] });
  await onPglite(folder, async (client) => {
    const before = await appliedBy(client);
    await migrateByDrizzle(client, folder);
    expect(await appliedBy(client)).toEqual(before);
    expect(before).toHaveLength(2);
    const { rows } = await client.query(
      `select indisvalid, (select count(*)::int from note where size = length(name)) as filled
       from pg_index where indexrelid = 'note_name'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: true, filled: 1500 }]);
  });
  expect(await status({ from: folder })).toMatchObject({ isUpToDate: true });
  expect(readdirSync(folder).filter((name) => name.startsWith('data'))).toEqual(['data']);
  expect(readdirSync(data)).toEqual(readdirSync(join(made, 'data'))); // nothing of ours, and closed
});

test('a folder that is not there is not made by looking; a deploy makes it, whole, and Drizzle goes on with it', async () => {
  const folder = writeProject(pgliteProject(both));
  const target = `embedded, ${join(folder, 'data')} (not there yet)`;
  const before = readdirSync(folder);
  expect(await status({ from: folder })).toMatchObject({ target, counts: { pending: 2 } });
  expect(await plan({ from: folder })).toMatchObject({ target });
  expect(await lint({ from: folder })).toMatchObject({ target: null });
  expect(readdirSync(folder)).toEqual(before);
  mkdirSync(join(folder, 'data')); // empty
  expect(await status({ from: folder })).toMatchObject({ target, counts: { pending: 2 } });
  addFiles(folder, { 'data.mytx-unfinished/PG_VERSION': '18\n' }); // of a deploy that was killed while it made one
  expect(await deploy({ from: folder })).toMatchObject({ applied: ['0000_note', '0001_index'] });
  expect(readdirSync(folder)).toEqual([...before, 'data'].sort());
  await onPglite(folder, async (client) => {
    await migrateByDrizzle(client, folder);
    expect(await appliedBy(client)).toHaveLength(2);
  });
});

test('two deploys at once exclude each other: one applies, the other is told to come again', async () => {
  const folder = copyOfMade();
  const ends = await Promise.allSettled([deploy({ from: folder }), deploy({ from: folder })]);
  expect(ends.filter(({ status: end }) => end === 'fulfilled')).toMatchObject([{ value: { applied: ['0001_index'] } }]);
  expect(ends.filter(({ status: end }) => end === 'rejected')).toMatchObject([
    {
      reason: {
        code: 'EMBEDDED_IN_USE',
        message: expect.stringContaining(`${join(folder, 'data')} is in use by process ${process.pid}`),
        hint: 'Run this again when that process has ended; nothing was opened.',
      },
    },
  ]);
  expect(await deploy({ from: folder })).toMatchObject({ applied: [] });
});

test('a deploy that was killed between two steps leaves a folder that the next one goes on with', async () => {
  const folder = copyOfMade();
  const deploying = new Neighbour(`
    const { deploy } = await load('db/deployment.ts');
    const onEvent = ({ type }) => type === 'step-done' && process.kill(process.pid, 'SIGKILL');
    await deploy({ from: ${JSON.stringify(folder)}, onEvent });`);
  expect(await deploying.end()).toMatchObject({ signal: 'SIGKILL' });
  expect(existsSync(`${join(folder, 'data')}.owner.pid`)).toBe(true);
  expect(await status({ from: folder })).toMatchObject({ migrations: [{}, { state: 'pending', stepsDone: 1 }] });
  expect(await deploy({ from: folder })).toMatchObject({ applied: ['0001_index'] });
  await onPglite(folder, async (client) => {
    const { rows } = await client.query('select count(*)::int as filled from note where size = length(name)');
    expect(rows).toEqual([{ filled: 1500 }]);
  });
  expect(readdirSync(folder).filter((name) => name.startsWith('data'))).toEqual(['data']);
});

describe('an application that has the folder open', () => {
  const open = (data: string): Neighbour =>
    new Neighbour(`
      const { PGlite } = await import('@electric-sql/pglite');
      const client = await PGlite.create(${JSON.stringify(data)});
      console.log('open');
      setInterval(() => {}, 1000);`);

  test('is seen, and nothing is opened until it has ended, killed or not', async () => {
    const folder = copyOfMade();
    const data = join(folder, 'data');
    const application = open(data);
    await application.says('open');
    const before = digestOf(data);
    const refused = {
      code: 'EMBEDDED_IN_USE',
      message: `the PGlite database in ${data} is open in process ${application.pid}`,
      details: { pid: application.pid, folder: data },
    };
    const target = await findDeployTarget({ from: folder });
    for (const look of [status, plan, deploy]) await expect(look(target)).rejects.toMatchObject(refused);
    await expect(lint({ from: folder })).rejects.toMatchObject(refused);
    expect(digestOf(data)).toBe(before);
    expect(existsSync(`${data}.owner.pid`)).toBe(false);
    await application.end('SIGKILL');
    expect(existsSync(join(data, 'postmaster.pid'))).toBe(true); // says nothing of who is alive
    expect(await deploy({ from: folder })).toMatchObject({ applied: ['0001_index'] });
  });

  test('is seen in this process, too', async () => {
    const folder = copyOfMade();
    await onPglite(folder, () =>
      expect(deploy({ from: folder })).rejects.toMatchObject({
        code: 'EMBEDDED_IN_USE',
        message: `the PGlite database in ${join(folder, 'data')} is open in this process`,
      }),
    );
    expect(await status({ from: folder })).toMatchObject({ counts: { pending: 1 } });
  });

  const hasLsof = spawnSync('lsof', ['-v']).error === undefined;

  test.skipIf(!hasLsof)('is found by lsof, as on macOS (skipped where lsof is not installed)', async () => {
    const data = join(copyOfMade(), 'data');
    const application = open(data);
    await application.says('open');
    expect(holdersByLsof(data)).toEqual([application.pid]);
    expect(holdersOf(data)).toEqual([application.pid]);
    await application.end('SIGKILL');
    expect(holdersByLsof(data)).toEqual([]);
  });
});

describe('what is no database that can be opened is refused and left as it is', () => {
  test('a folder of something else, a file, and one of another PostgreSQL', async () => {
    const cases: [string, string][] = [
      ['data/notes.txt', 'ENVIRONMENT_UNKNOWN'],
      ['data', 'ENVIRONMENT_UNKNOWN'],
      ['data/PG_VERSION', 'EMBEDDED_VERSION'],
    ];
    for (const [path, code] of cases) {
      const folder = writeProject({ ...pgliteProject(both), [path]: '17\n' });
      const before = digestOf(folder);
      await expect(deploy({ from: folder })).rejects.toMatchObject({ code });
      expect(digestOf(folder)).toBe(before);
    }
  });

  test('one that says it is of this PostgreSQL, and can’t be opened', async () => {
    const folder = copyOfMade();
    writeFileSync(join(folder, 'data/global/pg_control'), Buffer.alloc(8192, 7));
    await expect(status({ from: folder })).rejects.toMatchObject({
      code: 'EMBEDDED_VERSION',
      message: expect.stringContaining('it is the folder of a server, or damaged'),
    });
    expect(existsSync(`${join(folder, 'data')}.owner.pid`)).toBe(false);
  });

  test('one that is in no folder', async () => {
    for (const url of ['memory://', ':memory:', 'idb://notes', 'opfs-ahp://notes']) {
      expect(embeddedFolderOf({ url }, '/app')).toBe('memory');
    }
    const from = writeProject(pgliteProject(both, 'memory://'));
    await expect(deploy({ from })).rejects.toMatchObject({
      code: 'ENVIRONMENT_UNKNOWN',
      message: expect.stringContaining('names a PGlite that is in no folder'),
    });
  });
});

test('a folder of this package that the configuration names goes the way of ours, with its snapshots', async () => {
  const folder = writeProject(pgliteProject(both));
  const ours = join(folder, 'data');
  const migrationsFolder = join(folder, 'drizzle');
  await deploy({ folder: ours, migrationsFolder });
  const targets = await Promise.all([
    findDeployTarget({ from: folder }),
    findDeployTarget({ folder: join(ours, 'database'), migrationsFolder }),
    findDeployTarget({ folder: join(made, 'data'), migrationsFolder }),
  ]);
  expect(targets.map((one) => [one.folder, one.isPlain])).toEqual([
    [ours, undefined],
    [ours, undefined],
    [join(made, 'data'), true],
  ]);
  expect(await status({ from: folder })).toMatchObject({
    target: `embedded, ${join(ours, 'database')}`,
    isUpToDate: true,
  });
});

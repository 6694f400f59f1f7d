// mytx status, mytx plan and mytx deploy, as a person and a pipeline run them: what is printed, and the exit codes.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { deleteProjectsAfterwards, pgliteProject, writeProject } from '../deploy/layouts.ts';
import { type OwnDatabase, onNewDatabase, statements } from '../deploy/own-database.ts';
import { cleanUpCommands, type Ended, mytx, newFolder, startMytx } from './command.ts';

cleanUpCommands();
deleteProjectsAfterwards();

const first = statements(
  'create table person (id int primary key, name text)',
  `insert into person values (1, 'Dana')`,
);
const second = statements(
  'create index concurrently person_name on person (name)',
  'alter table person add column age int',
);

/** A project with two migrations and an environment that is protected. */
function newProject(): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'migrations/meta'), { recursive: true });
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/schema.ts'), '');
  writeFileSync(
    join(folder, 'drizzle.config.ts'),
    `export default { dialect: 'postgresql', out: './migrations', schema: './src/schema.ts' } as const;\n`,
  );
  write(folder, { '0000_person': first, '0001_age': second });
  return folder;
}

function write(folder: string, files: Record<string, string>): void {
  const entries = Object.keys(files).map((tag, idx) => ({ idx, tag, when: 1_700_000_000_000 + 1000 * idx }));
  writeFileSync(join(folder, 'migrations/meta/_journal.json'), JSON.stringify({ entries }));
  for (const [tag, text] of Object.entries(files)) writeFileSync(join(folder, 'migrations', `${tag}.sql`), text);
}

const withoutTimes = (text: string): string =>
  text.replaceAll(/\d+\.\d s/g, '0.0 s').replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH');

/** Behind those two: what is instant and loses values, and what takes its time and blocks nobody. */
const third = statements(
  'alter table person add column email text',
  'alter table person drop column age',
  'create index concurrently person_email on person (email, name)',
);

/** What docs/deploying.md shows of status, deploy and plan. */
function transcripts(): string[] {
  const page = readFileSync(fileURLToPath(new URL('../../docs/deploying.md', import.meta.url)), 'utf8');
  return [...page.matchAll(/^```text\n(target: [\s\S]*?)^```$/gm)].map(([, text]) => text as string);
}

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const onProject = (
    work: (run: (...args: string[]) => Promise<Ended>, folder: string, database: OwnDatabase) => Promise<void>,
  ): Promise<void> =>
    onNewDatabase(serverUrl, (database) => {
      const folder = newProject();
      const place = { folder, env: { POSTGRES_URL: database.url } };
      return work((...args) => mytx(args, place), folder, database);
    });

  test('from pending to up to date, as docs/deploying.md shows it, line by line', { timeout: 120_000 }, () =>
    onProject(async (run, folder, { url }) => {
      const target = `${new URL(url).host}${new URL(url).pathname}, from POSTGRES_URL`;
      const [statusShown, deployShown] = transcripts();
      const asShown = (text: string): string =>
        withoutTimes(text).replace(target, 'localhost:5432/app, from POSTGRES_URL').replaceAll('HASH', '0a1b2c3d4e5f');
      const before = await run('status');
      expect(before.exitCode).toBe(2);
      expect(asShown(before.stdout)).toBe(statusShown);
      const deployed = await run('deploy');
      expect(deployed).toMatchObject({ exitCode: 0, stderr: '' });
      expect(asShown(deployed.stdout)).toBe(deployShown);
      expect(await run('status')).toMatchObject({
        exitCode: 0,
        stdout: `target: ${target}\n2 applied, the newest 0001_age\nup to date\n`,
      });
      expect((await mytx(['deploy'], { folder: join(folder, 'src'), env: { POSTGRES_URL: url } })).stdout).toContain(
        'nothing to do',
      );
      const json = JSON.parse((await run('status', '--json')).stdout);
      expect(json).toMatchObject({
        ok: true,
        command: 'status',
        target,
        data: { isUpToDate: true, planHash: null },
        error: null,
      });
      write(folder, { '0000_person': `${first} -- edited`, '0001_age': second });
      expect(await run('status')).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('edited: Put the files back'),
      });
    }),
  );

  test(
    'a plan, as docs/deploying.md shows it; exit 2 where something is pending, 0 where nothing is',
    {
      timeout: 120_000,
    },
    () =>
      onProject(async (run, folder, { url, sql }) => {
        expect(await run('plan')).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('highest risk: none') });
        await run('deploy');
        expect(await run('plan')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing is pending') });
        await sql`insert into person select n, md5(n::text) from generate_series(2, 200000) n`;
        await sql`vacuum analyze person`;
        write(folder, { '0000_person': first, '0001_age': second, '0002_email': third });
        const { exitCode, stdout, stderr } = await run('plan');
        expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
        const target = `${new URL(url).host}${new URL(url).pathname}, from POSTGRES_URL`;
        const asShown = stdout
          .replace(target, 'localhost:5432/app, from POSTGRES_URL')
          .replaceAll(/\b[0-9a-f]{12}\b/g, '0a1b2c3d4e5f')
          .replaceAll(/\d\.\d-\d\.\d s/g, '0.2-0.8 s');
        expect(asShown).toBe(transcripts()[2]);
        expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
        const { data } = JSON.parse((await run('plan', '--json')).stdout);
        expect(data).toMatchObject({
          risk: 'high',
          migrations: [{ name: '0002_email', steps: [{}, { kind: 'alone' }] }],
        });
        expect(await run('status')).toMatchObject({ stdout: expect.stringContaining(`plan ${data.hash}: `) });
        const coloured = await mytx(['plan'], { folder, env: { POSTGRES_URL: url, FORCE_COLOR: '1' } });
        expect(coloured.stdout).toContain('\u001b[31m');
        const plain = await mytx(['plan'], { folder, env: { POSTGRES_URL: url, NO_COLOR: '1' } });
        expect(plain.stdout).not.toContain('\u001b');
      }),
  );

  test(
    'a failure shows PostgreSQL’s message, the file and line, what is done, and the next command',
    { timeout: 120_000 },
    () =>
      onProject(async (run, folder) => {
        write(folder, { '0000_person': first, '0001_age': `${second};\n\nalter table person add column age text` });
        const failed = await run('deploy');
        expect(failed.exitCode).toBe(1);
        expect(failed.stderr).toMatch(
          /MIGRATION_FAILED: 0001_age failed at .*0001_age\.sql:\d+ \(SQLSTATE 42701\): column "age" of relation "person" already exists/,
        );
        expect(failed.stderr).toContain('applied before it: 0000_person');
        expect(failed.stderr).toContain('of 0001_age: 1 of 2 steps are done, and stay');
        expect(failed.stderr).toMatch(/next: Correct the statement in the file/);
        expect((await run('status')).stdout).toContain('pending, 1 steps done');
        write(folder, { '0000_person': first, '0001_age': second });
        expect(await run('deploy')).toMatchObject({ exitCode: 0 });
      }),
  );

  test('a protected environment asks for the hash, and the database remembers its name', { timeout: 120_000 }, () =>
    onNewDatabase(serverUrl, async ({ url }) => {
      const folder = newProject();
      const environments = { production: { url: 'PRODUCTION_URL', protected: true }, staging: { url: 'STAGING_URL' } };
      writeFileSync(join(folder, 'mytx.config.json'), JSON.stringify({ environments }));
      const place = { folder, env: { PRODUCTION_URL: url } };
      expect(await mytx(['status'], place)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('several environments'),
      });
      const production = ['--environment', 'production'];
      const refused = await mytx(['deploy', ...production], place);
      expect(refused).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('(protected)') });
      const hash = /--confirm ([0-9a-f]{12})/.exec(refused.stderr)?.[1] as string;
      expect(await mytx(['deploy', ...production, '--confirm', '000000000000'], place)).toMatchObject({ exitCode: 2 });
      expect(await mytx(['deploy', ...production, '--confirm', hash], place)).toMatchObject({ exitCode: 0 });
      const mixedUp = { folder, env: { STAGING_URL: url } };
      const other = await mytx(['deploy', '--environment', 'staging'], mixedUp);
      expect(other).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('marked as "production"') });
    }),
  );

  test('Ctrl-C stops it between two steps, exit 130, and the next run goes on', { timeout: 120_000 }, () =>
    onProject(async (run, folder, { url, sql }) => {
      const slow = statements(
        'create index concurrently person_name on person (name)',
        'vacuum person',
        'select pg_sleep(2)',
        'alter table person add column age int',
      );
      write(folder, { '0000_person': first, '0001_age': slow });
      const running = startMytx(['deploy'], { folder, env: { POSTGRES_URL: url } });
      await running.until('step 1 of 3');
      const ended = await running.end('SIGINT');
      expect(ended.exitCode).toBe(130);
      expect(ended.stderr).toContain('DEPLOY_STOPPED');
      expect(await run('deploy')).toMatchObject({ exitCode: 0 });
      expect(await sql`select count(*)::int from drizzle.__drizzle_migrations`).toEqual([{ count: 2 }]);
    }),
  );

  test('what is not there: a configuration, a server, a known flag', { timeout: 120_000 }, async () => {
    const nowhere = { folder: newFolder() };
    expect(await mytx(['status'], nowhere)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('CONFIG_NOT_FOUND'),
    });
    const folder = newProject();
    const noServer = { folder, env: { POSTGRES_URL: 'postgres://u:hidden@127.0.0.1:1/none' } };
    const unreachable = await mytx(['deploy'], noServer);
    expect(unreachable.exitCode).toBe(5);
    expect(unreachable.stdout + unreachable.stderr).not.toContain('hidden');
    expect(await mytx(['deploy', '--accept', 'everything'], noServer)).toMatchObject({ exitCode: 2 });
    rmSync(join(folder, 'migrations'), { recursive: true });
    expect(await mytx(['status', '--url', serverUrl], { folder })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('MIGRATIONS_UNREADABLE'),
    });
  });
});

test('an embedded database that is not there is looked at without being made', { timeout: 120_000 }, async () => {
  const folder = newProject();
  mkdirSync(join(folder, '.mytx'));
  expect(await mytx(['status'], { folder })).toMatchObject({
    exitCode: 2,
    stdout: expect.stringContaining('pending  0000_person'),
  });
  // From nothing: not as the database that comes with the package, which has the package's tables and history.
  expect(await mytx(['deploy'], { folder })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('applied 2 of 2'),
  });
  expect(await mytx(['status'], { folder })).toMatchObject({ exitCode: 0 });
});

test('a folder of PGlite that drizzle.config.ts names: one deploy at a time, exit 4', {
  timeout: 120_000,
}, async () => {
  const slow = statements('alter table person add column age int', 'select pg_sleep(4)');
  const folder = writeProject(pgliteProject({ '0000_person': first, '0001_slow': slow }));
  const target = `embedded, ${join(folder, 'data')}, from drizzle.config.ts`;
  const before = await mytx(['status'], { folder });
  expect(before).toMatchObject({ exitCode: 2, stdout: expect.stringContaining(`target: ${target}`) });
  const running = startMytx(['deploy'], { folder });
  await running.until('applying 0001_slow');
  const other = await mytx(['deploy'], { folder });
  expect(other).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('EMBEDDED_IN_USE') });
  expect(other.stderr).toContain(`is in use by process ${running.pid}`);
  expect(await running.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('applied 2 of 2') });
  expect(await mytx(['plan'], { folder })).toMatchObject({ exitCode: 0 });
  expect(await mytx(['status'], { folder })).toMatchObject({
    exitCode: 0,
    stdout: `target: ${target}\n2 applied, the newest 0001_slow\nup to date\n`,
  });
});

// The socket of an embedded database, for those who use it: where it is, who may come in, with which tools, and what
// they are told when they can't.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryMessage } from '../../../db/embedded/wire.ts';
import { createDatabase, createUser, getUser, transaction } from '../../../db/index.ts';
import { projectFolder } from '../../docs/project-copy.ts';
import { allMigrations } from '../../own-migrations.ts';
import {
  closeBehindTests,
  newFolder,
  newOwner,
  type Owner,
  psql,
  psqlProgram,
  RawClient,
  run,
} from './embedded-owner.ts';
import { endNeighbours, runNeighbour } from './neighbour.ts';

endNeighbours();
closeBehindTests();

let owner: Owner;
beforeAll(async () => {
  owner = await newOwner();
});

const hasPsql = 'path' in psqlProgram;
const noPsql = 'missing' in psqlProgram ? ` (skipped: ${psqlProgram.missing})` : '';
const plain = ['--tuples-only', '--no-align'];

describe('where it is', () => {
  test('in a folder that only this user may enter', () => {
    expect(owner.database.report.warnings).toEqual([]);
    expect(owner.url).toBe(`postgres://postgres@localhost/postgres?host=${owner.folder}/socket`);
    expect(statSync(join(owner.folder, 'socket')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(owner.folder, 'socket'))).toEqual(['.s.PGSQL.5432']);
  });

  test('among temporary files, where its path would be too long, and the same place each time', async () => {
    const folder = join(newFolder(), 'a'.repeat(60), 'b'.repeat(60));
    const deep = await newOwner({ folder });
    const place = join(deep.socketPath, '..');
    expect(place).toMatch(/\/mytx-socket-[0-9a-f]{16}$/);
    expect(statSync(place).mode & 0o777).toBe(0o700);
    expect(await deep.client()`select 1 as one`).toEqual([{ one: 1 }]);
    await deep.database.close();
    expect(existsSync(place)).toBe(false);
    const again = await newOwner({ folder });
    expect(again.url).toBe(deep.url);
    await again.database.close();
  });

  test('nowhere, for a database in memory and for one that wants none', async () => {
    const inMemory = await newOwner({ folder: 'memory' });
    expect(inMemory.database.report.socketUrl).toBeUndefined();
    const withoutSocket = await newOwner({ socket: false });
    expect(withoutSocket.database.report).toMatchObject({ warnings: [] });
    expect(existsSync(join(withoutSocket.folder, 'socket'))).toBe(false);
    await expect(createDatabase({ folder: withoutSocket.folder })).rejects.toMatchObject({ code: 'EMBEDDED_IN_USE' });
    await inMemory.database.close();
    await withoutSocket.database.close();
  });

  test.each([
    ['others may enter', 'has mode 0755; chmod 700', (path: string) => chmodSync(mkdir(path), 0o755)],
    ['is a link', 'is no folder', (path: string) => symlinkSync(mkdir(`${path}-elsewhere`), path)],
    ['is a file', 'is no folder', (path: string) => writeFileSync(path, '')],
  ])('nowhere, where the folder %s: a warning says so, and the database is open', async (_, reason, prepare) => {
    const folder = newFolder();
    const path = join(folder, 'socket');
    prepare(path);
    const elsewhere = join(folder, 'socket-elsewhere');
    if (existsSync(elsewhere)) writeFileSync(join(elsewhere, '.s.PGSQL.5432'), 'of another server');
    const { database, url, run: runHere } = await newOwner({ folder });
    expect(url).toBe('');
    expect(database.report.warnings).toEqual([
      expect.stringMatching(new RegExp(`^no other process can come in to embedded, .*/database: ${path} ${reason}`)),
    ]);
    expect(await runHere('select 1 as one')).toEqual([{ one: 1 }]);
    await database.close();
    if (existsSync(elsewhere)) expect(readdirSync(elsewhere)).toEqual(['.s.PGSQL.5432']);
  });

  test('where a killed owner left one, the next owner’s is', async () => {
    const folder = newFolder();
    await runNeighbour(
      `const { createDatabase } = await load('db/index.ts');
       const { readFileSync } = await import('node:fs');
       await createDatabase({ folder: ${JSON.stringify(folder)} });
       process.kill(process.pid, 'SIGKILL');`,
    ).catch(() => {});
    expect(existsSync(join(folder, 'socket/.s.PGSQL.5432'))).toBe(true);
    const next = await newOwner({ folder });
    expect(await next.client()`select 1 as one`).toEqual([{ one: 1 }]);
    await next.database.close();
    expect(readdirSync(folder).sort()).toEqual(['database', 'snapshots']);
  });
});

describe.skipIf(!hasPsql)(`psql${noPsql}`, () => {
  const command = (text: string): Promise<{ exitCode: number | null; stdout: string; stderr: string }> =>
    psql(owner.url, [...plain, '--set=ON_ERROR_STOP=1', `--command=${text}`]).ended;

  test('selects, describes a table, and copies out', async () => {
    expect(await command('select 40 + 2')).toMatchObject({ exitCode: 0, stdout: '42\n', stderr: '' });
    const described = await psql(owner.url, ['--command=\\d "Memory"']).ended;
    expect(described.stdout).toMatch(/^ user_id +\| uuid +\| +\| not null/m);
    expect(described.stdout).toContain('"Memory_pkey" PRIMARY KEY');
    const copied = await command('copy (select i, i * i from generate_series(1, 3) i) to stdout');
    expect(copied).toMatchObject({ exitCode: 0, stdout: '1\t1\n2\t4\n3\t9\n' });
  });

  test('is told that COPY FROM STDIN can’t be done, and goes on', async () => {
    const { child, ended } = psql(owner.url, plain);
    child.stdin?.end('copy "Memory" from stdin;\nselect 40 + 2;\n');
    const { stdout, stderr } = await ended;
    expect(stderr).toContain('ERROR:  the embedded database can’t do COPY ... FROM STDIN');
    expect(stderr).toContain('HINT:  Insert the rows, many in one statement.');
    expect(stdout).toBe('42\n');
  });

  test('keeps a transaction over several statements', async () => {
    const { child, ended } = psql(owner.url, plain);
    child.stdin?.end(`begin; create table of_psql (a int); insert into of_psql values (1), (2); commit;
      select sum(a) from of_psql; drop table of_psql;\n`);
    expect((await ended).stdout).toBe('BEGIN\nCREATE TABLE\nINSERT 0 2\nCOMMIT\n3\nDROP TABLE\n');
  });

  test('hears of another user or database than there is', async () => {
    const other = (text: string): string => owner.url.replace('postgres@localhost/postgres', text);
    const asRoot = await psql(other('root@localhost/postgres'), ['--command=select 1']).ended;
    expect(asRoot.stderr).toContain('FATAL:  there is no such role');
    const elsewhere = await psql(other('postgres@localhost/assistant'), ['--command=select 1']).ended;
    expect(elsewhere.stderr).toContain('FATAL:  there is no such database');
    expect(elsewhere.stderr).toContain('one user, postgres, and one database, postgres');
  });
});

describe('commands of this project', () => {
  const tsx = (...args: string[]): ReturnType<typeof run>['ended'] =>
    run(process.execPath, ['--import', 'tsx', ...args], { cwd: projectFolder, env: { POSTGRES_URL: owner.url } }).ended;

  test('migrate', async () => {
    const { exitCode, stdout, stderr } = await tsx('db/migrate.ts');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^target: \/.*\/socket:5432\/postgres\nnothing to do: all \d+ migrations are applied\n$/);
    expect(exitCode).toBe(0);
  });

  test('reset, which applies every migration, and start --once', async () => {
    const dropped = await tsx('cli/main.ts', 'reset');
    expect(dropped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`\napplied: ${allMigrations}\n`) });
    const { exitCode, stdout } = await tsx('cli/main.ts', 'start', '--once');
    expect(stdout).toMatch(/^Message +2,500$/m);
    expect(exitCode).toBe(0);
    expect(await owner.run('select count(*)::int as messages from "Message"')).toEqual([{ messages: 2500 }]);
  });

  test('drizzle-kit pull and check', { timeout: 120_000 }, async () => {
    const out = newFolder();
    // In the project's folder, for its node_modules; the configuration is the project's own but for where it writes.
    const config = join(mkdtempSync(join(projectFolder, 'node_modules', '.mytx-test-')), 'drizzle.config.ts');
    afterAll(() => rmSync(join(config, '..'), { recursive: true, force: true }));
    const whole = JSON.stringify(join(projectFolder, 'drizzle.config.ts'));
    writeFileSync(config, `import whole from ${whole};\nexport default { ...whole, out: ${JSON.stringify(out)} };\n`);
    const kit = join(projectFolder, 'node_modules/.bin/drizzle-kit');
    const place = { cwd: projectFolder, env: { POSTGRES_URL: owner.url } };
    const pulled = await run(kit, ['pull', `--config=${config}`], place).ended;
    expect(pulled.stderr).toBe('');
    expect(pulled.exitCode).toBe(0);
    expect(readFileSync(join(out, 'schema.ts'), 'utf8')).toContain('export const memory = pgTable("Memory", {');
    expect(await run(kit, ['check'], place).ended).toMatchObject({ exitCode: 0 });
  });
});

test('another process of an application uses the owner’s database as a server', { timeout: 120_000 }, async () => {
  const output = await runNeighbour(`
    const { createDatabase, createUser, getUser, saveMemory, getMemoriesByUserId, transaction } = await load('db/index.ts');
    const database = await createDatabase({ url: ${JSON.stringify(owner.url)} });
    await database.run(async () => {
      const [{ id: userId }] = await createUser('guest@example.com', 'a long pass phrase');
      await Promise.all(Array.from({ length: 30 }, (_, i) => saveMemory({ userId, content: 'memory ' + i })));
      await transaction(async () => { await saveMemory({ userId, content: 'one' }); throw new Error('no'); }).catch(() => {});
      console.log(JSON.stringify([(await getMemoriesByUserId({ userId })).length, database.report.warnings]));
    });
    await database.close();`);
  expect(JSON.parse(output)).toEqual([30, []]);
  expect(await owner.database.run(() => getUser('guest@example.com'))).toHaveLength(1);
});

describe('who comes in', () => {
  test('at most 50 at once; the next is told so, and comes in when one has left', async () => {
    const full = await newOwner();
    const inside = await Promise.all(Array.from({ length: 50 }, () => RawClient.begin(full.socketPath)));
    await expect(full.client()`select 1`).rejects.toMatchObject({
      code: '53300',
      message: 'sorry, too many clients already',
    });
    inside[0]?.socket.end();
    await sleep(200);
    expect(await full.client()`select 1 as one`).toEqual([{ one: 1 }]);
    await full.database.close();
  });

  test('to cancel a statement is hung up on, so that it does not wait', async () => {
    const { socketPath } = owner;
    const canceling = RawClient.silent(socketPath);
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80_877_102, 4);
    canceling.send(request);
    await expect.poll(() => canceling.hasClosed, { timeout: 2000 }).toBe(true);
  });

  test('with what is no message of PostgreSQL’s hears so, and nobody else does', async () => {
    const odd = await RawClient.begin(owner.socketPath);
    odd.send(Buffer.from([0x7a, 0, 0, 0, 4])); // 'z'
    expect(await odd.untilReady()).toEqual([{ type: 'E', text: expect.stringContaining('C08P01') }]);
    expect(await owner.run('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('when the owner closes', () => {
  test('guests are told so, and what they have not committed is rolled back', async () => {
    const closing = await newOwner();
    await closing.run('create table kept (a int)');
    const guest = await RawClient.begin(closing.socketPath);
    guest.send(queryMessage('begin; insert into kept values (1)'));
    await guest.untilReady();
    const startMs = performance.now();
    await closing.database.close();
    expect(performance.now() - startMs).toBeLessThan(5000);
    const [told] = await guest.untilReady();
    expect(told?.text).toContain('C57P01');
    expect(told?.text).toContain('the owner closes the embedded database');
    const again = await newOwner({ folder: closing.folder });
    expect(await again.run('select count(*)::int as rows from kept')).toEqual([{ rows: 0 }]);
    await again.database.close();
  });

  test('a guest that comes later finds nobody', async () => {
    const closed = await newOwner();
    await closed.database.close();
    await expect(createDatabase({ url: closed.url })).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

test('an owner that is none any more lets nobody write, and writes nothing itself, not even when it is closed', async () => {
  const lost = await newOwner();
  const guest = await RawClient.begin(lost.socketPath);
  await lost.database.run(() => createUser('dana@example.com', 'a long pass phrase'));
  guest.send(queryMessage('select count(*) from "User"'));
  expect((await guest.untilReady()).map(({ type }) => type)).toEqual(['T', 'D', 'C', 'Z']);
  writeFileSync(join(lost.folder, 'owner.pid'), '1\n');
  await sleep(300);
  const before = filesOf(join(lost.folder, 'database'));
  await expect(lost.database.run(() => createUser('noa@example.com', 'a long pass phrase'))).rejects.toMatchObject({
    code: 'EMBEDDED_LOST',
    message: expect.stringContaining('process 1 took it over'),
  });
  await expect(lost.database.run(() => transaction(() => getUser('dana@example.com')))).rejects.toMatchObject({
    code: 'EMBEDDED_LOST',
  });
  guest.send(queryMessage('delete from "User"'));
  expect(await guest.untilReady()).toEqual([{ type: 'E', text: expect.stringMatching(/FATAL.*not this process/) }]);
  await lost.database.close();
  expect(filesOf(join(lost.folder, 'database'))).toEqual(before);
  expect(readFileSync(join(lost.folder, 'owner.pid'), 'utf8')).toBe('1\n');
  expect(readdirSync(join(lost.folder, 'socket'))).toEqual(['.s.PGSQL.5432']); // the next owner's, for all it knows
});

/** Every file's size and time of change. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { size, mtimeMs, ino } = statSync(join(folder, path));
      return `${path} ${size} ${mtimeMs} ${ino}`;
    });
}

function mkdir(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  return path;
}

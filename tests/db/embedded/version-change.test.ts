// A database that an older PGlite made (PostgreSQL 17) is carried over to the one that is installed, from its dump, row by
// row; one whose dump has not everything, and a newer one, are refused and stay as they are.

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite as PGlite17 } from 'pglite-postgres-17';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { SnapshotKeeper } from '../../../db/embedded/snapshot-keeper.ts';
import { defaultPolicy, type SnapshotPolicy } from '../../../db/embedded/snapshot-policy.ts';
import { type DumpSource, digestTables, type TableRows } from '../../../db/embedded/sql-dump.ts';
import { installedMajor } from '../../../db/embedded/version-change.ts';
import { createDatabase, getChatsByUserId, getUser, saveMemory } from '../../../db/index.ts';
import { loadSampleAssistant } from '../../../db/sample/load.ts';
import { listSnapshots, restoreSnapshot, takeSnapshot } from '../../../db/snapshots.ts';

const parent = mkdtempSync(join(tmpdir(), 'mytx-version-'));
/** A database of PostgreSQL 17 with the sample assistant, closed and saved; and its rows. */
const made = join(parent, 'made');
let rows: TableRows[];

beforeAll(async () => {
  const current = join(parent, 'current');
  const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
  const database = await createDatabase({ folder: current, snapshot, keepSnapshots: false });
  await database.run(() => loadSampleAssistant());
  await database.close();
  const { sqlFile } = await takeSnapshot({ folder: current });
  mkdirSync(made);
  const client = await PGlite17.create(join(made, 'database'));
  await client.exec(readFileSync(sqlFile, 'utf8'));
  await client.exec('reset all');
  rows = await digestTables(client as unknown as DumpSource);
  await closeAsOwner(client, made);
}, 180_000);
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Closes it as the versions of that time would have. */
async function closeAsOwner(
  client: PGlite17,
  folder: string,
  policy: SnapshotPolicy | null = defaultPolicy,
): Promise<void> {
  const keeper = await SnapshotKeeper.begin({
    client: client as unknown as DumpSource,
    enter: async () => {},
    closeClient: () => client.close(),
    folder,
    dataFolder: join(folder, 'database'),
    policy,
  });
  await keeper.close();
}

let copies = 0;
function copyOfMade(): string {
  copies += 1;
  const folder = join(parent, `copy-${copies}`);
  cpSync(made, folder, { recursive: true });
  return folder;
}

/** Every file with its checksum. */
function filesOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true }).map(String).sort();
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(
    files.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  );
}

test('the version that is installed is the one the code names', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(dependencies['@electric-sql/pglite']).toMatch(/^0\.5\./);
  expect(installedMajor).toBe(18);
  expect(readFileSync(join(made, 'database/PG_VERSION'), 'utf8').trim()).toBe('17');
});

test('every row is carried over; the old database is kept, and the report says so', { timeout: 120_000 }, async () => {
  const folder = copyOfMade();
  const before = filesOf(join(folder, 'database'));
  const progress: string[] = [];
  const database = await createDatabase({ folder, onProgress: (text) => progress.push(text) });
  expect(database.report.applied).toEqual([]);
  expect(database.report.warnings).toEqual([
    `the embedded database was of PostgreSQL 17 and is of PostgreSQL 18 now, with all of its rows; the old one is kept in ${join(folder, 'database-postgresql-17')}: delete it when you do not need it`,
  ]);
  expect(progress[0]).toBe('the database is of PostgreSQL 17: carrying its data over to PostgreSQL 18');
  await database.run(async () => {
    const [user] = await getUser('maya.levi@example.com');
    expect((await getChatsByUserId({ id: user?.id ?? '' })).length).toBeGreaterThan(0);
    await saveMemory({ userId: user?.id ?? '', content: 'written after the change' });
  });
  await database.close();
  expect(readFileSync(join(folder, 'database/PG_VERSION'), 'utf8').trim()).toBe('18');
  expect(filesOf(join(folder, 'database-postgresql-17'))).toEqual(before);

  const [newest, oldest] = await listSnapshots({ folder });
  expect([newest?.postgresql, oldest?.postgresql]).toEqual([18, 17]);
  await restoreSnapshot({ folder, name: oldest?.name ?? '' });
  const { PGlite } = await import('@electric-sql/pglite');
  const restored = await PGlite.create(join(folder, 'database'));
  expect(await digestTables(restored)).toEqual(rows);
  await restored.close();
});

test.each([
  ['was killed while it was open', 'and no dump has all of its data'],
  ['was written to with snapshots switched off', 'and no dump has all of its data'],
  ['has a damaged dump', 'and its dump is damaged'],
])('one that %s is refused, with what to do, and stays as it is', { timeout: 60_000 }, async (state, problem) => {
  const folder = copyOfMade();
  if (state.includes('damaged')) {
    const [file] = readdirSync(join(folder, 'snapshots')).filter((name) => name.endsWith('.sql'));
    writeFileSync(join(folder, 'snapshots', file ?? ''), 'select 1;');
  } else {
    const client = await PGlite17.create(join(folder, 'database'));
    await client.exec(`insert into "User" (id, email) values (gen_random_uuid(), 'later@example.com')`);
    if (state.includes('killed')) {
      await SnapshotKeeper.begin({
        client: client as unknown as DumpSource,
        enter: async () => {},
        closeClient: () => client.close(),
        folder,
        dataFolder: join(folder, 'database'),
        policy: defaultPolicy,
      });
      await client.close();
    } else await closeAsOwner(client, folder, null);
  }
  const before = filesOf(folder);
  await expect(createDatabase({ folder })).rejects.toMatchObject({
    code: 'EMBEDDED_VERSION',
    message: expect.stringContaining(problem),
    hint: expect.stringMatching(/@electric-sql\/pglite 0\.3\.16.*restore /),
    details: { made: 17, installed: 18 },
  });
  expect(filesOf(folder)).toEqual(before);
});

test('one of a newer version is refused', async () => {
  const folder = copyOfMade();
  writeFileSync(join(folder, 'database/PG_VERSION'), '19\n');
  const before = filesOf(folder);
  await expect(createDatabase({ folder })).rejects.toMatchObject({
    code: 'EMBEDDED_VERSION',
    message: expect.stringContaining('was made by PostgreSQL 19; installed is PostgreSQL 18'),
  });
  expect(filesOf(folder)).toEqual(before);
});

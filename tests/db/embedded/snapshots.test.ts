// Snapshots of an embedded database: when they are taken, which stay, and what a restore brings back, also one that is
// killed at any step or finds its files damaged.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import type { SnapshotFacts, SnapshotReason } from '../../../db/embedded/snapshot-files.ts';
import { chooseOutdated, defaultPolicy, readPolicy } from '../../../db/embedded/snapshot-policy.ts';
import { createDatabase, type DatabaseOptions, db } from '../../../db/index.ts';
import { migrate, reset } from '../../../db/opening.ts';
import { addTask, createUser, getTasksByUserId, getUser } from '../../../db/queries.ts';
import { listSnapshots, restoreSnapshot, takeSnapshot } from '../../../db/snapshots.ts';
import { migrationNames } from '../../own-migrations.ts';
import { endNeighbours, Neighbour } from './neighbour.ts';

endNeighbours();
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with a migrated database, one user, and no snapshot yet. */
async function newFolder(): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'mytx-snapshots-'));
  folders.push(parent);
  const folder = join(parent, 'mytx');
  const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
  const database = await createDatabase({ folder, snapshot, keepSnapshots: false });
  await database.run(() => createUser('dana@example.com', 'a long pass phrase'));
  await database.close();
  return folder;
}

async function userId(): Promise<string> {
  const [user] = await getUser('dana@example.com');
  return user?.id as string;
}

/** Opens the database, adds tasks, and closes it. */
async function addAndClose(folder: string, tasks: string[], options: DatabaseOptions = {}): Promise<void> {
  const database = await createDatabase({ folder, ...options });
  await database.run(async () => {
    for (const description of tasks) await addTask({ userId: await userId(), description });
  });
  await database.close();
}

async function readTasks(folder: string): Promise<string[]> {
  const database = await createDatabase({ folder, keepSnapshots: false });
  try {
    return await database.run(async () =>
      (await getTasksByUserId({ userId: await userId() })).map(({ description }) => description).sort(),
    );
  } finally {
    await database.close();
  }
}

describe('which stay', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  const taken = (minutesAgo: number, reason: SnapshotReason = 'closed'): SnapshotFacts =>
    ({
      name: `${minutesAgo}`,
      takenAt: new Date(now.getTime() - minutesAgo * 60_000).toISOString(),
      reason,
    }) as SnapshotFacts;
  const outdated = (snapshots: SnapshotFacts[], policy = {}): string[] =>
    chooseOutdated(snapshots, { ...defaultPolicy, ...policy }, now);

  test('the newest of them, up to the count', () => {
    const snapshots = [0, 100, 200, 300, 400, 500, 600].map((minutes) => taken(minutes));
    expect(outdated(snapshots)).toEqual(['500', '600']);
    expect(outdated(snapshots, { count: 1 })).toEqual(['100', '200', '300', '400', '500', '600']);
  });

  test('not those that are older than maxAgeDays, but always the newest', () => {
    const day = 1440;
    expect(outdated([0, 29 * day, 31 * day].map((minutes) => taken(minutes)))).toEqual([`${31 * day}`]);
    expect(outdated([taken(400 * day)])).toEqual([]);
  });

  test('one that came soon after the one before it gives way to the next, unless it was asked for', () => {
    expect(outdated([taken(0), taken(5), taken(10), taken(90)])).toEqual(['5']);
    expect(outdated([taken(0), taken(5, 'asked for'), taken(10)])).toEqual([]);
    expect(outdated([taken(0), taken(5, 'before migrations'), taken(10)])).toEqual([]);
  });

  test('as options or the environment say', () => {
    expect(readPolicy(undefined, {})).toEqual({ count: 5, everyMinutes: 60, maxAgeDays: 30 });
    expect(readPolicy({ count: 2 }, { MYTX_SNAPSHOTS_KEEP: '9' })).toEqual({ ...defaultPolicy, count: 2 });
    expect(
      readPolicy(undefined, {
        MYTX_SNAPSHOTS_KEEP: '9',
        MYTX_SNAPSHOTS_EVERY_MINUTES: '15',
        MYTX_SNAPSHOTS_MAX_AGE_DAYS: '7',
      }),
    ).toEqual({ count: 9, everyMinutes: 15, maxAgeDays: 7 });
    expect(readPolicy(false, { MYTX_SNAPSHOTS_KEEP: '9' })).toBeNull();
    expect(readPolicy(undefined, { MYTX_SNAPSHOTS_KEEP: '0' })).toBeNull();
  });

  test.each([
    [{ count: 0 }, {}, /keepSnapshots\.count.*\b0\b/],
    [{ everyMinutes: 20_000 }, {}, /keepSnapshots\.everyMinutes.*20000/],
    [{ maxAgeDays: 1.5 }, {}, /keepSnapshots\.maxAgeDays.*1\.5/],
    [undefined, { MYTX_SNAPSHOTS_KEEP: 'many' }, /MYTX_SNAPSHOTS_KEEP.*"many"/],
    ['5', {}, /keepSnapshots must be false or an object/],
  ])('what they may not say is named: %j %j', (options, environment, message) => {
    expect(() => readPolicy(options as never, environment as never)).toThrow(message);
  });
});

describe('when they are taken', () => {
  test('when the database is closed and something was written; the oldest go', async () => {
    const folder = await newFolder();
    await addAndClose(folder, ['one'], { keepSnapshots: { count: 2, everyMinutes: 0.0001 } });
    const [first] = await listSnapshots({ folder });
    const lastMigration = migrationNames.at(-1);
    expect(first).toMatchObject({ reason: 'closed', postgresql: 18, lastMigration, damage: null });
    expect(readFileSync(first?.sqlFile ?? '', 'utf8')).toContain("'one'");
    await addAndClose(folder, []);
    expect((await listSnapshots({ folder })).map(({ name }) => name)).toEqual([first?.name]);
    for (const task of ['two', 'three']) {
      await addAndClose(folder, [task], { keepSnapshots: { count: 2, everyMinutes: 0.0001 } });
    }
    const names = (await listSnapshots({ folder })).map(({ name }) => name);
    expect(names).toHaveLength(2);
    expect(names).not.toContain(first?.name);
    expect(readdirSync(join(folder, 'snapshots'))).toHaveLength(6);
  });

  test('now and then while it is open, without a wrong turn for those who use it meanwhile', async () => {
    const folder = await newFolder();
    const database = await createDatabase({ folder, keepSnapshots: { everyMinutes: 0.01 } });
    await database.run(async () => {
      const id = await userId();
      await expect
        .poll(
          async () => {
            await addTask({ userId: id, description: 'again' });
            return (await listSnapshots({ folder })).map(({ reason }) => reason);
          },
          { timeout: 20_000 },
        )
        .toContain('while it was open');
      await db.execute('set statement_timeout to default');
      expect((await getTasksByUserId({ userId: id })).length).toBeGreaterThan(1);
    });
    await database.close();
  });

  test('before migrations, before a reset, and when asked for; none where they are switched off', async () => {
    const folder = await newFolder();
    await addAndClose(folder, ['one'], { keepSnapshots: false });
    expect(await listSnapshots({ folder })).toEqual([]);
    const taken = await takeSnapshot({ folder });
    expect(taken).toMatchObject({ reason: 'asked for', rows: expect.any(Number), damage: null });
    expect((await takeSnapshot({ folder })).name).toBe(taken.name);
    await addAndClose(folder, ['two'], { keepSnapshots: false });
    await reset({ folder });
    const [beforeReset] = (await listSnapshots({ folder })).filter(({ reason }) => reason === 'before a reset');
    expect(readFileSync(beforeReset?.sqlFile ?? '', 'utf8')).toContain("'two'");
    const database = await createDatabase({ folder, keepSnapshots: false });
    await database.run(async () => {
      await db.execute('drop schema public cascade');
      await db.execute('create schema public');
      await db.execute(`update drizzle.__drizzle_migrations set hash = 'an earlier one', created_at = 1`);
    });
    await database.close();
    expect((await migrate({ folder })).applied).toEqual(migrationNames);
    expect((await listSnapshots({ folder })).map(({ reason }) => reason)).toContain('before migrations');
  });

  test('one that can’t be written keeps the database neither from closing nor from opening again', async () => {
    const folder = await newFolder();
    writeFileSync(join(folder, 'snapshots'), 'a file where the folder would be');
    await expect(addAndClose(folder, ['one'])).rejects.toMatchObject({ code: 'SNAPSHOT_FAILED' });
    expect(existsSync(join(folder, 'owner.pid'))).toBe(false);
    rmSync(join(folder, 'snapshots'));
    expect(await readTasks(folder)).toEqual(['one']);
  });
});

describe('restore', () => {
  /** Two snapshots, ['one'] and ['one', 'two'], and a database with a third task. */
  async function withHistory(): Promise<{ folder: string; names: string[] }> {
    const folder = await newFolder();
    const names: string[] = [];
    for (const task of ['one', 'two']) {
      await addAndClose(folder, [task], { keepSnapshots: false });
      names.push((await takeSnapshot({ folder })).name);
    }
    await addAndClose(folder, ['three'], { keepSnapshots: false });
    return { folder, names };
  }

  test('brings back exactly what was saved, and keeps what it replaces', async () => {
    const { folder, names } = await withHistory();
    const steps: string[] = [];
    const report = await restoreSnapshot({ folder, name: names[0] ?? '', onProgress: (step) => steps.push(step) });
    expect(steps.length).toBeGreaterThan(2);
    expect(report.restored.name).toBe(names[0]);
    expect(await readTasks(folder)).toEqual(['one']);
    await restoreSnapshot({ folder, name: 'latest' });
    expect(await readTasks(folder)).toEqual(['one', 'two']);
    const kept = join(folder, 'again');
    mkdirSync(kept);
    renameSync(report.keptIn ?? '', join(kept, 'database'));
    expect(await readTasks(kept)).toEqual(['one', 'three', 'two']);
  });

  test('refuses a name that is none or several, and a database that is open elsewhere', async () => {
    const { folder } = await withHistory();
    for (const name of ['', 'nothing', '2']) {
      await expect(restoreSnapshot({ folder, name })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    }
    await expect(takeSnapshot({ folder: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    });
    const database = await createDatabase({ folder, keepSnapshots: false });
    await expect(restoreSnapshot({ folder, name: 'latest' })).rejects.toMatchObject({ code: 'EMBEDDED_IN_USE' });
    await database.close();
  });

  test.each(['tar.gz', 'sql', 'json'])(
    'finds a damaged .%s, offers the older one, and touches nothing',
    async (ending) => {
      const { folder, names } = await withHistory();
      const path = join(folder, 'snapshots', `${names[1]}.${ending}`);
      if (ending === 'sql') appendFileSync(path, '\ndrop table "Task";\n');
      else {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0xff;
        writeFileSync(path, ending === 'json' ? bytes.subarray(0, 50) : bytes);
      }
      const refused = restoreSnapshot({ folder, name: names[1] ?? '' });
      await expect(refused).rejects.toMatchObject({
        code: 'SNAPSHOT_DAMAGED',
        hint: expect.stringContaining(names[0] ?? ''),
      });
      expect(await readTasks(folder)).toEqual(['one', 'three', 'two']);
      expect((await restoreSnapshot({ folder, name: names[0] ?? '' })).restored.name).toBe(names[0]);
      expect(await readTasks(folder)).toEqual(['one']);
    },
  );

  test('killed at any step, the database is the old one or the new one, whole', { timeout: 180_000 }, async () => {
    const { folder, names } = await withHistory();
    const outcomes = new Set<string>();
    for (const delayMs of [0, 5, 20]) {
      for (const step of ['checking', 'loading', 'comparing', 'putting']) {
        const victim = new Neighbour(`
          const { restoreSnapshot } = await load('db/snapshots.ts');
          const kill = () => process.kill(process.pid, 'SIGKILL');
          const onProgress = (text) => {
            if (!text.startsWith('${step}')) return;
            if (${delayMs} === 0) kill();
            else new Worker(new URL('data:text/javascript,setTimeout(() => process.kill(process.pid, "SIGKILL"), ${delayMs})'));
          };
          const { Worker } = await import('node:worker_threads');
          await restoreSnapshot({ folder: ${JSON.stringify(folder)}, name: '${names[0]}', onProgress });`);
        await victim.end();
        const tasks = await readTasks(folder);
        expect([['one', 'three', 'two'], ['one']]).toContainEqual(tasks);
        outcomes.add(tasks.join());
        if (tasks.length === 1) await addAndClose(folder, ['three', 'two'], { keepSnapshots: false });
      }
    }
    expect(outcomes).toContain('one,three,two');
    await restoreSnapshot({ folder, name: names[0] ?? '' });
    expect(await readTasks(folder)).toEqual(['one']);
    expect(readdirSync(folder).filter((name) => name.startsWith('database.') || name.endsWith('.json'))).toEqual([]);
  });
});

// mytx snapshot and restore, as a person and a script run them, on a real embedded database.

import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { migrationNames } from '../own-migrations.ts';
import { cleanUpCommands, type Ended, mytx, newFolder, startMytx } from './command.ts';

cleanUpCommands();
const folder = newFolder();
const patient = { timeout: 180_000 };
const snapshotsOf = (): string[] =>
  readdirSync(join(folder, '.mytx/snapshots'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
const run = (...args: string[]): Promise<Ended> => mytx(args, { folder });

beforeAll(async () => {
  expect((await run('start', '--once')).exitCode).toBe(0);
}, 180_000);

test('--help has examples', patient, async () => {
  for (const verb of ['snapshot', 'restore']) {
    const { exitCode, stdout } = await run(verb, '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`npx mytx ${verb}`);
  }
});

test('the first run has saved itself; a list says what there is', patient, async () => {
  const [name] = snapshotsOf();
  const { exitCode, stdout } = await run('restore', '--list');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('target: embedded, .mytx/database');
  expect(stdout).toContain(name);
  expect(stdout).toMatch(new RegExp(` ${migrationNames.at(-1)} +closed +whole`));
});

test('a snapshot of what was saved already is that one', patient, async () => {
  const [name] = snapshotsOf();
  const { exitCode, stdout } = await run('snapshot', '--json');
  expect(exitCode).toBe(0);
  const { ok, data } = JSON.parse(stdout);
  expect({ ok, name: data.name, damage: data.damage }).toEqual({ ok: true, name, damage: null });
  expect(snapshotsOf()).toEqual([name]);
});

test('restore asks first, and without a terminal names the flag', patient, async () => {
  const { exitCode, stderr } = await run('restore', 'latest');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('error CONFIRMATION_NEEDED');
  expect(stderr).toContain('--yes');
});

test('restore --yes brings the rows back, and says where the old database is', patient, async () => {
  const { exitCode, stdout, stderr } = await run('restore', 'latest', '--yes');
  // The first message is the only one that a quick machine has a second for.
  expect(stderr).toContain('checking the snapshot');
  expect(stdout).toMatch(/kept: the database that was there, in \.mytx\/database-before-\S+;/);
  expect(exitCode).toBe(0);
  expect((await run('start', '--once')).stdout).not.toContain('sample: loaded');
});

test('what can’t be restored is refused by name', patient, async () => {
  const unknown = await run('restore', 'yesterday', '--yes');
  expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('error SNAPSHOT_NOT_FOUND')]);
  const owner = startMytx(['start'], { folder });
  await owner.until('ready');
  const inUse = await run('restore', 'latest', '--yes');
  expect([inUse.exitCode, inUse.stderr]).toEqual([4, expect.stringContaining('error EMBEDDED_IN_USE')]);
  expect((await owner.end('SIGINT')).exitCode).toBe(0);
  const [name] = snapshotsOf();
  appendFileSync(join(folder, '.mytx/snapshots', `${name}.sql`), '-- one line more\n');
  const damaged = await run('restore', name ?? '', '--yes', '--json');
  expect(damaged.exitCode).not.toBe(0);
  expect(JSON.parse(damaged.stdout)).toMatchObject({ ok: false, error: { code: 'SNAPSHOT_DAMAGED' } });
  const elsewhere = await mytx(['snapshot'], { folder, env: { POSTGRES_URL: 'postgres://a:b@localhost/c' } });
  expect(elsewhere.stderr).toContain('is a server: snapshots are of the embedded database');
});

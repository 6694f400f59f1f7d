// One owner of an embedded database: who is refused, who takes over, and who finds that it is not the owner any more.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeOwnership } from '../../../db/embedded/owner.ts';
import { type OwnerFacts, readOwnerFile, writeFacts } from '../../../db/embedded/owner-file.ts';
import { beginOf, bootedAtMs, thisPlace } from '../../../db/embedded/process-facts.ts';
import { endNeighbours, Neighbour, runNeighbour } from './neighbour.ts';

endNeighbours();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mytx-owner-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ownerFile = (): string => join(folder, 'owner.pid');
const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid;

/** Takes the folder, and gives it up again. */
async function takeAndRelease(): Promise<void> {
  (await takeOwnership(folder)).release();
}

/** Leaves the file of an owner, last heard from so long ago. */
function leaveFile(pid: number, facts: Partial<OwnerFacts>, heardMsAgo = 0): void {
  const startedAt = '2026-08-01T09:00:00.000Z';
  writeFileSync(ownerFile(), writeFacts(pid, { token: 'another', ...thisPlace(), startedAt, ...facts }));
  const heardAt = new Date(Date.now() - heardMsAgo);
  utimesSync(ownerFile(), heardAt, heardAt);
}

/** How long until the folder is refused. */
async function refusedAfterMs(): Promise<number> {
  const startMs = performance.now();
  await expect(takeOwnership(folder)).rejects.toMatchObject({ code: 'EMBEDDED_IN_USE' });
  return performance.now() - startMs;
}

/** A process that owns the folder until it is ended; it says `lost` when it finds that it does not. */
async function neighbourOwns(): Promise<Neighbour> {
  const neighbour = new Neighbour(`
    const { takeOwnership } = await load('db/embedded/owner.ts');
    const ownership = await takeOwnership(${JSON.stringify(folder)});
    console.log('owner');
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      try { ownership.assertKept(); } catch (error) { console.log('lost', error.code, error.message); break; }
    }
    ownership.release();`);
  await neighbour.says('owner');
  return neighbour;
}

test('the owner’s process id is in the file until it gives up', async () => {
  const { release, assertKept } = await bound();
  expect(readFileSync(ownerFile(), 'utf8').split('\n')[0]).toBe(String(process.pid));
  expect(readOwnerFile(ownerFile())?.facts).toMatchObject({ ...thisPlace(), begunAt: beginOf(process.pid) });
  expect(assertKept).not.toThrow();
  release();
  release();
  expect(existsSync(ownerFile())).toBe(false);
});

test('the owner is heard from every two seconds', async () => {
  const { release } = await bound();
  const begunMs = statSync(ownerFile()).mtimeMs;
  await sleep(2500);
  const heardMs = statSync(ownerFile()).mtimeMs - begunMs;
  release();
  expect(heardMs).toBeGreaterThan(1500);
});

test('a second owner in the same process is refused, and told so', async () => {
  const { release } = await bound();
  await expect(takeOwnership(folder)).rejects.toMatchObject({
    code: 'EMBEDDED_IN_USE',
    hint: 'It is this process that has it open: use that database, or close it first.',
    details: { pid: process.pid, folder },
  });
  release();
  await takeAndRelease();
});

test('eleven databases in one process add one listener for its end', async () => {
  const before = process.listenerCount('exit');
  const held = await Promise.all(Array.from({ length: 11 }, (_, i) => takeOwnership(join(folder, String(i)))));
  expect(process.listenerCount('exit') - before).toBe(1);
  for (const ownership of held) ownership.release();
  expect(process.listenerCount('exit')).toBe(before);
});

test('a second process is refused in under a second, with the pid, since when, and what to do', async () => {
  const { release } = await bound();
  const output = await runNeighbour(`
    const { createDatabase } = await load('db/index.ts');
    const startMs = performance.now();
    const error = await createDatabase({ folder: ${JSON.stringify(folder)} }).catch((error) => error);
    console.log(JSON.stringify({ ms: performance.now() - startMs, ...error.toJSON() }));`);
  release();
  const { ms, code, message, hint, details } = JSON.parse(output);
  expect(ms).toBeLessThan(1000);
  expect(code).toBe('EMBEDDED_IN_USE');
  expect(message).toMatch(
    new RegExp(`is in use by process ${process.pid} since 20[\\d-]+T[\\d:.]+Z, last heard from \\d s ago$`),
  );
  expect(hint).toBe(
    'Stop that process, or set POSTGRES_URL to a PostgreSQL server, which many processes can use at once.',
  );
  expect(details).toMatchObject({ pid: process.pid, folder });
});

describe('taken over', () => {
  test('from a process that was killed', async () => {
    const neighbour = await neighbourOwns();
    await neighbour.end('SIGKILL');
    expect(existsSync(ownerFile())).toBe(true);
    await takeAndRelease();
  });

  test('what an older version left', async () => {
    writeFileSync(ownerFile(), `${gone()}\n`);
    await takeAndRelease();
    writeFileSync(ownerFile(), `${process.pid}\n`); // the same pid again, as in a container that was restarted
    await takeAndRelease();
    writeFileSync(ownerFile(), 'not a number');
    await takeAndRelease();
  });

  test('from a process whose id another one has now', async () => {
    leaveFile(process.ppid, { begunAt: 'another time' });
    await takeAndRelease();
    leaveFile(process.pid, { begunAt: 'another time' });
    await takeAndRelease();
  });

  test('from before the machine was started', async () => {
    leaveFile(process.ppid, { bootId: 'another' }, Date.now() - bootedAtMs() + 10_000);
    await takeAndRelease();
  });

  test('from another machine that was silent for a minute and stays so', { timeout: 30_000 }, async () => {
    leaveFile(process.ppid, { host: 'elsewhere', bootId: 'another' }, 61_000);
    const startMs = performance.now();
    await takeAndRelease();
    expect(performance.now() - startMs).toBeGreaterThan(6000);
  });
});

describe('not taken', () => {
  test('from the process that has this id and began then', async () => {
    const begunAt = beginOf(process.ppid);
    leaveFile(process.ppid, begunAt ? { begunAt } : {}, 3_600_000);
    expect(await refusedAfterMs()).toBeLessThan(1000);
  });

  test('from another machine that was heard from, at once', async () => {
    leaveFile(1, { host: 'elsewhere', bootId: 'another' }, 30_000);
    const startMs = performance.now();
    await expect(takeOwnership(folder)).rejects.toMatchObject({
      message: expect.stringMatching(/process 1 since .* on elsewhere, last heard from 30 s ago$/),
      hint: expect.stringContaining('is taken over 60 s after it was last heard from'),
    });
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  test('from another container of this machine that was heard from', async () => {
    leaveFile(gone(), { host: 'container', pidNamespace: 'pid:[1]' });
    expect(await refusedAfterMs()).toBeLessThan(1000);
  });

  test('from another machine that is heard from while it is watched', { timeout: 30_000 }, async () => {
    leaveFile(1, { host: 'elsewhere', bootId: 'another' }, 61_000);
    const beat = sleep(2000).then(() => utimesSync(ownerFile(), new Date(), new Date()));
    expect(await refusedAfterMs()).toBeGreaterThan(1000);
    await beat;
  });

  test('from a process that is frozen, however long', async () => {
    const neighbour = await neighbourOwns();
    neighbour.signal('SIGSTOP');
    utimesSync(ownerFile(), new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
    expect(await refusedAfterMs()).toBeLessThan(1000);
    neighbour.signal('SIGCONT');
    await sleep(500);
    expect(neighbour.stdout).toBe('owner\n');
    await neighbour.end('SIGKILL');
  });
});

describe('an owner that is none any more finds out, and leaves the other’s file alone', () => {
  test('when another took it over', async () => {
    const neighbour = await neighbourOwns();
    rmSync(ownerFile());
    const { release } = await bound();
    expect(await neighbour.end()).toMatchObject({ exitCode: 0 });
    expect(neighbour.stdout).toContain(
      `lost EMBEDDED_LOST the embedded database in ${folder} is not this process’s any more: process ${process.pid} took it over`,
    );
    expect(readOwnerFile(ownerFile())?.pid).toBe(process.pid);
    release();
  });

  test('when its file was removed', async () => {
    const { release, assertKept } = await bound();
    rmSync(ownerFile());
    await sleep(250);
    expect(assertKept).toThrow(expect.objectContaining({ code: 'EMBEDDED_LOST' }));
    expect(assertKept).toThrow('its file owner.pid was removed');
    release();
  });
});

test('of eight processes that find a dead owner’s file at once, one becomes the owner', async () => {
  writeFileSync(ownerFile(), `${gone()}\n`);
  const script = `
    const { takeOwnership } = await load('db/embedded/owner.ts');
    await new Promise((resolve) => setTimeout(resolve, ${Date.now() + 5000} - Date.now()));
    try { await takeOwnership(${JSON.stringify(folder)}); console.log('owner'); } catch (error) { console.log(error.code); }
    await new Promise((resolve) => setTimeout(resolve, 2500));`;
  const outputs = await Promise.all(Array.from({ length: 8 }, () => runNeighbour(script)));
  expect(outputs.filter((output) => output === 'owner')).toHaveLength(1);
  expect(outputs.filter((output) => output === 'EMBEDDED_IN_USE')).toHaveLength(7);
  expect(existsSync(ownerFile())).toBe(false);
});

/** An ownership of this process, its methods free to be passed on. */
async function bound(): Promise<{ release(): void; assertKept(): void }> {
  const ownership = await takeOwnership(folder);
  return { release: () => ownership.release(), assertKept: () => ownership.assertKept() };
}

// An embedded database whose process gets a signal: it is closed, the process ends as it would have without it, and
// what was acknowledged is there.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createDatabase, getMemoriesByUserId, getUser } from '../../../db/index.ts';
import { endNeighbours, Neighbour } from './neighbour.ts';

endNeighbours();
let folder: string;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mytx-signal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that has the database open, and a user in it; then it does what `code` says. */
async function startOwner(code: string): Promise<Neighbour> {
  const owner = new Neighbour(`
    const { createDatabase, createUser, saveMemory, transaction } = await load('db/index.ts');
    const { readFileSync } = await import('node:fs');
    const snapshot = new Blob([readFileSync(${JSON.stringify(inject('snapshotFile'))})]);
    const database = await createDatabase({ folder: ${JSON.stringify(folder)}, snapshot });
    await database.run(async () => {
      const [{ id: userId }] = await createUser('dana@example.com', 'a long pass phrase');
      console.log('open');
      ${code}
    });`);
  await owner.says('open');
  return owner;
}

/** Writes memory after memory, and says so behind each. */
const writeOnAndOn = `
  for (let i = 0; ; i += 1) {
    await saveMemory({ userId, content: 'memory ' + i });
    console.log('saved ' + i);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }`;

/** What PostgreSQL's control file says (DBState in pg_control.h): whether the next start has to recover. */
function controlState(): 'shut down' | 'in production' | number {
  const state = readFileSync(join(folder, 'database/global/pg_control')).readInt32LE(16);
  return state === 1 ? 'shut down' : state === 6 ? 'in production' : state;
}

async function memoriesOfDana(): Promise<string[]> {
  const database = await createDatabase({ folder });
  try {
    return await database.run(async () => {
      const [user] = await getUser('dana@example.com');
      return (await getMemoriesByUserId({ userId: user?.id ?? '' })).map(({ content }) => content);
    });
  } finally {
    await database.close();
  }
}

describe.each(signals)('%s', (signal) => {
  test('closes the database and ends the process by that signal; nothing acknowledged is lost', async () => {
    const owner = await startOwner(writeOnAndOn);
    await owner.says('saved 20');
    expect(controlState()).toBe('in production');
    const startMs = performance.now();
    expect(await owner.end(signal)).toEqual({ exitCode: null, signal });
    expect(performance.now() - startMs).toBeLessThan(30_000); // not held up: a second or so, where the machine is quick
    expect(existsSync(join(folder, 'owner.pid'))).toBe(false);
    expect(existsSync(join(folder, 'socket'))).toBe(false);
    expect(controlState()).toBe('shut down');
    const saved = [...owner.stdout.matchAll(/^saved (\d+)$/gm)].map(([, i]) => `memory ${i}`);
    expect(saved.length).toBeGreaterThan(20);
    expect(await memoriesOfDana()).toEqual(expect.arrayContaining(saved));
  });
});

test('SIGKILL, which nobody can listen for, leaves a database to recover, with all that was acknowledged', async () => {
  const owner = await startOwner(writeOnAndOn);
  await owner.says('saved 20');
  await owner.end('SIGKILL');
  expect(controlState()).toBe('in production');
  expect(existsSync(join(folder, 'owner.pid'))).toBe(true);
  const saved = [...owner.stdout.matchAll(/^saved (\d+)$/gm)].map(([, i]) => `memory ${i}`);
  expect(await memoriesOfDana()).toEqual(expect.arrayContaining(saved));
});

test('an application that listens for the signal decides itself', async () => {
  const owner = await startOwner(`
    process.on('SIGTERM', async () => {
      await database.run(() => saveMemory({ userId, content: 'one more' }));
      await database.close();
      process.exit(7);
    });
    console.log('listens');
    setInterval(() => {}, 1000);`);
  await owner.says('listens');
  expect(await owner.end('SIGTERM')).toEqual({ exitCode: 7, signal: null });
  expect(controlState()).toBe('shut down');
  expect(await memoriesOfDana()).toEqual(['one more']);
});

test('a listener that ends the process only where it is alone, as the package signal-exit has it, ends it', async () => {
  const owner = await startOwner(`
    const listener = () => {
      if (process.listenerCount('SIGTERM') > 1) return;
      process.off('SIGTERM', listener);
      process.kill(process.pid, 'SIGTERM');
    };
    process.on('SIGTERM', listener);
    console.log('listens');
    setInterval(() => {}, 1000);`);
  await owner.says('listens');
  expect(await owner.end('SIGTERM')).toEqual({ exitCode: null, signal: 'SIGTERM' });
});

const neverEnding = `
  await saveMemory({ userId, content: 'before' });
  await transaction(async () => {
    await saveMemory({ userId, content: 'inside' });
    console.log('inside');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });`;

test('a transaction that does not end keeps the process for five seconds, and is rolled back', async () => {
  const owner = await startOwner(neverEnding);
  await owner.says('inside');
  const startMs = performance.now();
  expect(await owner.end('SIGTERM')).toEqual({ exitCode: null, signal: 'SIGTERM' });
  expect(performance.now() - startMs).toBeGreaterThan(4500);
  expect(performance.now() - startMs).toBeLessThan(30_000);
  expect(await memoriesOfDana()).toEqual(['before']);
});

test('the second Ctrl-C ends it at once; the same one passed on twice does not', async () => {
  const owner = await startOwner(neverEnding);
  await owner.says('inside');
  const startMs = performance.now();
  owner.signal('SIGINT');
  await sleep(100);
  owner.signal('SIGINT');
  await sleep(1400);
  expect(await owner.end('SIGINT')).toEqual({ exitCode: null, signal: 'SIGINT' });
  expect(performance.now() - startMs).toBeGreaterThan(1400);
  expect(performance.now() - startMs).toBeLessThan(4000);
});

test('one listener for each signal, however many databases are open, and none behind them', async () => {
  const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
  const counts = (): number[] => signals.map((signal) => process.listenerCount(signal));
  const before = counts();
  const opened = [];
  for (const name of ['a', 'b']) opened.push(await createDatabase({ folder: join(folder, name), snapshot }));
  opened.push(await createDatabase({ folder: 'memory', snapshot }));
  expect(counts()).toEqual(before.map((count) => count + 1));
  for (const database of opened) await database.close();
  expect(counts()).toEqual(before);
});

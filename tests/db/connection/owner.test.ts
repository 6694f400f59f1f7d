import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeOwnership } from '../../../db/connection/owner.ts';

const ownerModule = fileURLToPath(new URL('../../../db/connection/owner.ts', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mytx-owner-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lockFile = (): string => join(folder, 'owner.pid');

test('the owner’s process id is in the file until it gives up', () => {
  const release = takeOwnership(folder);
  expect(readFileSync(lockFile(), 'utf8')).toBe(`${process.pid}\n`);
  release();
  release();
  expect(existsSync(lockFile())).toBe(false);
});

test('a second owner is refused with the first one’s pid, also in the same process', () => {
  const release = takeOwnership(folder);
  expect(() => takeOwnership(folder)).toThrow(
    expect.objectContaining({ code: 'EMBEDDED_IN_USE', details: { pid: process.pid, folder } }),
  );
  release();
  takeOwnership(folder)();
});

test('what a killed process left behind is taken over', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(lockFile(), `${dead}\n`);
  takeOwnership(folder)();
  writeFileSync(lockFile(), `${process.pid}\n`); // the same pid again, as in a container that was restarted
  takeOwnership(folder)();
  writeFileSync(lockFile(), 'not a number');
  takeOwnership(folder)();
});

test('of eight processes that find a dead owner’s file at once, one becomes the owner', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(lockFile(), `${dead}\n`);
  const script = `
    const { takeOwnership } = await import(${JSON.stringify(ownerModule)});
    await new Promise((resolve) => setTimeout(resolve, ${Date.now() + 4000} - Date.now()));
    try { takeOwnership(${JSON.stringify(folder)}); console.log('owner'); } catch (error) { console.log(error.code); }
    await new Promise((resolve) => setTimeout(resolve, 1500));`;
  const outputs = await Promise.all(Array.from({ length: 8 }, () => run(script)));
  expect(outputs.filter((output) => output === 'owner')).toHaveLength(1);
  expect(outputs.filter((output) => output === 'EMBEDDED_IN_USE')).toHaveLength(7);
  expect(existsSync(lockFile())).toBe(false);
});

function run(script: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', () => resolve(output.trim()));
  });
}

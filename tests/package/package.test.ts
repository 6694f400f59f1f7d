// The packed tarball, as somebody installs it: its files, types, command line and library, on the versions of Node that
// it is for.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrate } from '../../db/opening.ts';
import { modulesLoadedBy } from '../cli/loaded-modules.ts';
import { readBlocks } from '../docs/markdown.ts';
import { type Bundle, bundleRoute } from './bundled.ts';
import { type InstalledPackage, installNode, installPackage, listFiles, root, run } from './installed.ts';

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, 300_000);
afterAll(() => installed?.remove());

const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

/** The README's example of the library, which is JavaScript too. */
function libraryExample(): string {
  const block = readBlocks(readFileSync(join(root, 'README.md'), 'utf8')).find(
    ({ language, text }) => language === 'ts' && text.includes("from 'mytx-ai'"),
  );
  if (!block) throw new Error('the README has no example of the library');
  return block.text;
}

test('has what runs and nothing else', () => {
  const files = listFiles(installed);
  const strange = files.filter(
    (path) => !/^(bin|dist)(\/|$)|^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(path),
  );
  expect(strange).toEqual([]);
  expect(files.filter((path) => /\.test\.|\.map$|^dist\/(tests|bench|scripts)/.test(path))).toEqual([]);
  expect(files).toContain('dist/lib/prepared.tar.gz');
  expect(files).toContain('dist/lib/drizzle/meta/_journal.json');
  const journal = readFileSync(join(root, 'lib/drizzle/meta/_journal.json'), 'utf8');
  for (const { tag } of JSON.parse(journal).entries) expect(files).toContain(`dist/lib/drizzle/${tag}.sql`);
});

test('installs without scripts, and without the servers of the tests', () => {
  const packages = readdirSync(join(installed.folder, 'node_modules'));
  expect(packages).toContain('drizzle-orm');
  expect(packages.filter((name) => /^postgres-\d|vitest|drizzle-kit/.test(name))).toEqual([]);
  const lock = JSON.parse(readFileSync(join(installed.folder, 'package-lock.json'), 'utf8'));
  const withScripts = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(
    ([, one]) => one.hasInstallScript,
  );
  expect(withScripts).toEqual([]);
});

test('publint and attw find nothing', async () => {
  const publint = await run(bin('publint'), ['--strict', installed.tarball], { cwd: installed.folder });
  expect(publint.stdout + publint.stderr).toContain('All good!');
  const attw = await run(bin('attw'), [installed.tarball, '--profile', 'esm-only'], { cwd: installed.folder });
  expect(attw.exitCode, attw.stdout).toBe(0);
});

test('npm audit finds nothing of weight in what users install', async ({ skip }) => {
  const audit = await run('npm', ['audit', '--omit=dev', '--audit-level=high'], { cwd: installed.folder });
  if (/audit endpoint returned an error/.test(audit.stderr)) skip('the registry of this machine has no audit endpoint');
  expect(audit.exitCode, audit.stdout).toBe(0);
});

const typed = `import { appendMessages, type Chat, getUser, listChats, MytxError, saveChat, type User } from 'mytx-ai';
import { protocols } from 'mytx-ai/protocols-schema';
import { chat, message } from 'mytx-ai/schema';
import { saveMemory } from 'mytx-ai/queries';
import { saveProtocol } from 'mytx-ai/protocol-queries';
const users: User[] = await getUser('dana@example.com');
const page: { items: { title: string | null }[]; nextCursor: string | null } = await listChats({ userId: 'x' });
// @ts-expect-error: a chat needs its user
await saveChat({ id: 'x', messages: [] });
const row: typeof chat.$inferSelect | undefined = undefined;
export { appendMessages, type Chat, message, MytxError, page, protocols, row, saveMemory, saveProtocol, users };
`;

test.each([
  ['nodenext', 'nodenext'],
  ['preserve', 'bundler'],
])('its types are those of the sources: module %s, resolution %s', async (module, moduleResolution) => {
  const folder = installed.newFolder();
  writeFileSync(join(folder, 'typed.mts'), typed);
  const flags = [
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--module',
    module,
    '--moduleResolution',
    moduleResolution,
  ];
  // Drizzle's own types name drivers that nobody has all of.
  const checked = await run(bin('tsc'), [...flags, '--skipLibCheck', 'typed.mts'], { cwd: folder });
  expect(checked.stdout).toBe('');
});

describe.each([[Number(process.versions.node.split('.')[0])], [22], [24]])('on Node %i', (version) => {
  let node: string | { missing: string };
  beforeAll(async () => {
    const isThis = process.versions.node.startsWith(`${version}.`);
    node = isThis ? process.execPath : await installNode(version, join(installed.folder, '..'));
  }, 120_000);

  test('the library’s example in the README', async ({ skip }) => {
    if (typeof node !== 'string') return skip(node.missing);
    const folder = installed.newFolder();
    writeFileSync(join(folder, 'hello.mjs'), libraryExample());
    const { exitCode, stdout, stderr } = await run(node, ['hello.mjs'], { cwd: folder });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain("{ role: 'assistant', content: 'Lisbon.' }");
  });

  test('the commands', async ({ skip }) => {
    if (typeof node !== 'string') return skip(node.missing);
    const folder = installed.newFolder();
    const mytx = (...args: string[]) =>
      run(join(installed.folder, 'node_modules/.bin/mytx'), args, { cwd: folder, node: node as string });
    const start = await mytx('start', '--once', '--json');
    expect(start.exitCode, start.stderr).toBe(0);
    expect(start.stderr).not.toContain('Warning');
    expect(start.stderr).not.toContain('initdb');
    expect(JSON.parse(start.stdout)).toMatchObject({ ok: true, command: 'start', data: { engine: 'embedded' } });
    expect((await mytx('snapshot')).stdout).toContain('snapshot: ');
    expect((await mytx('reset')).exitCode).toBe(0);
    expect((await mytx('migrate')).stdout).toContain('nothing to do');
    expect(await mytx('--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('npx mytx start') });
    expect((await mytx('strat')).exitCode).toBe(2);
  });
});

test('mytx --help loads the names of the verbs, and no driver, no WASM and nothing of db/', () => {
  const root = join(installed.folder, 'node_modules/mytx-ai');
  const loaded = modulesLoadedBy(['bin/mytx.js', '--help'], { cwd: root, root });
  expect(loaded).toContain('dist/cli/main.js');
  // Chunks are what the verbs share; each verb is a file that has its name.
  expect(loaded.filter((path) => !/^(bin\/mytx|dist\/cli\/(main|chunk-\w+))\.js$/.test(path))).toEqual([]);
});

test('docs/installing.md: its commands run in an empty folder, and its imports are those there are', async () => {
  const page = readFileSync(join(root, 'docs/installing.md'), 'utf8');
  const folder = installed.newFolder();
  writeFileSync(join(folder, 'package.json'), '{}');
  const commands = readBlocks(page).filter(({ language, options }) => language === 'bash' && 'package' in options);
  const lines = commands.flatMap(({ text }) => text.trim().split('\n'));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    const command = line.replace(
      'npm install mytx-ai',
      `npm install --no-audit --no-fund --prefer-offline ${installed.tarball}`,
    );
    const { exitCode, stderr } = await run('bash', ['-c', command], { cwd: folder });
    expect(exitCode, `${line}\n${stderr}`).toBe(0);
  }
  const named = [...page.matchAll(/`(mytx-ai(?:\/[\w-]+)?)`/g)].map(([, name]) =>
    (name as string).replace('mytx-ai', '.'),
  );
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect([...new Set(named)].sort()).toEqual(
    Object.keys(exports)
      .filter((name) => !name.endsWith('.json'))
      .sort(),
  );
});

test('a first start that is killed leaves nothing in the way of the next', async () => {
  for (const delayMs of [300, 700, 1100]) {
    const folder = installed.newFolder();
    const command = join(installed.folder, 'node_modules/.bin/mytx');
    const child = spawn(command, ['migrate'], { cwd: folder, stdio: 'ignore' });
    await sleep(delayMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { exitCode, stdout, stderr } = await run(command, ['migrate', '--json'], { cwd: folder });
    expect(exitCode, `killed after ${delayMs} ms: ${stderr}`).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    expect(existsSync(join(folder, '.mytx/database/PG_VERSION'))).toBe(true);
  }
});

test('a prepared database that is damaged is left out, and initdb makes one', async () => {
  const file = join(installed.folder, 'node_modules/mytx-ai/dist/lib/prepared.tar.gz');
  const bytes = readFileSync(file);
  for (const damaged of [bytes.subarray(0, bytes.length / 2), Buffer.from('none')]) {
    writeFileSync(file, damaged);
    const { exitCode, stderr } = await run(join(installed.folder, 'node_modules/.bin/mytx'), ['migrate'], {
      cwd: installed.newFolder(),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('initdb') });
  }
  writeFileSync(file, bytes);
});

describe('in an application that is bundled, as Next.js does', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await bundleRoute(installed);
  }, 60_000);

  test('there is no WASM, no command line and no tool', () => {
    const inputs = Object.keys(bundle.metafile.inputs);
    expect(inputs.length).toBeGreaterThan(100);
    const heavy = /pglite|\.wasm|commander|@clack|drizzle-kit|\/cli\/|\/sample\/|esbuild/;
    expect(inputs.filter((path) => heavy.test(path))).toEqual([]);
    const outputs = Object.values(bundle.metafile.outputs);
    expect(outputs).toHaveLength(1);
    console.info(`the bundle, not minified, has ${outputs[0]?.bytes} bytes of ${inputs.length} files`);
    expect(outputs[0]?.bytes).toBeLessThan(2_500_000);
  });

  test('it says what it needs for the embedded database', async () => {
    expect(await bundle.run()).toMatchObject({
      code: 'EMBEDDED_MISSING',
      message: expect.stringContaining('@electric-sql/pglite'),
    });
  });

  test('it opens the embedded database where the package is installed', async () => {
    // The package alone, as package managers have it that keep an application from what it did not name itself.
    expect(await bundle.run({ packages: ['mytx-ai'] })).toMatchObject({
      engine: 'embedded',
      email: 'dana@example.com',
    });
  });

  test.runIf(inject('servers').length > 0)(
    'it refuses a server that is behind, and works on one that is not',
    async () => {
      const server = inject('servers').at(-1)?.url ?? '';
      const name = `bundle_${randomUUID().replaceAll('-', '')}`;
      const sql = postgres(server, { max: 1, onnotice: () => {} });
      await sql.unsafe(`create database ${name}`);
      const env = { POSTGRES_URL: Object.assign(new URL(server), { pathname: `/${name}` }).href };
      expect(await bundle.run({ env })).toMatchObject({ code: 'SCHEMA_BEHIND' });
      await migrate({ url: env.POSTGRES_URL });
      expect(await bundle.run({ env })).toEqual({ engine: 'server', applied: [], email: 'dana@example.com' });
      await sql.unsafe(`drop database ${name}`);
      await sql.end();
    },
  );
});

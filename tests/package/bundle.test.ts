// What an application carries with it that bundles the root of the package, as Next.js does: no WASM, no command line;
// and that the bundle works, with a server where it is alone, and on the embedded database where the package is there.

import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrate } from '../../db/opening.ts';
import { root, run } from './installed.ts';

let folder: string;
let metafile: Metafile;
const bundle = (): string => join(folder, 'server', 'route.mjs');

const route = `
import { closeDatabase, createUser, getUser, openDatabase } from 'mytx-ai';
try {
  const { engine, applied } = await openDatabase();
  await createUser('dana@example.com', 'correct horse battery staple');
  const [user] = await getUser('dana@example.com');
  console.log(JSON.stringify({ engine, applied, email: user.email }));
  await closeDatabase();
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }));
}
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mytx-bundle-'));
  mkdirSync(join(folder, 'server'));
  writeFileSync(join(folder, 'route.js'), route);
  const built = await run('npm', ['run', 'build'], { cwd: root });
  if (built.exitCode !== 0) throw new Error(built.stderr);
  ({ metafile } = await build({
    entryPoints: [join(folder, 'route.js')],
    outfile: bundle(),
    bundle: true,
    platform: 'node',
    format: 'esm',
    minify: true,
    metafile: true,
    // Native code can be in no bundle: Next.js leaves such packages where they are, too.
    external: ['@node-rs/bcrypt'],
    alias: { 'mytx-ai': join(root, 'dist/db/index.js') },
    nodePaths: [join(root, 'node_modules')],
    banner: { js: "import { createRequire as cr } from 'node:module'; const require = cr(import.meta.url);" },
    logLevel: 'error',
  }));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a bundle of the root holds no WASM, no command line and no tool', () => {
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.length).toBeGreaterThan(100);
  expect(
    inputs.filter((path) => /pglite|\.wasm|commander|@clack|drizzle-kit|\/cli\/|\/sample\/|esbuild/.test(path)),
  ).toEqual([]);
  const outputs = Object.entries(metafile.outputs);
  const bytes = outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
  console.info(`the bundle has ${bytes} bytes, of ${inputs.length} files`);
  expect(outputs.map(([path]) => path.endsWith('.mjs'))).toEqual([true]);
  expect(bytes).toBeLessThan(1_500_000);
});

/** Node finds bcrypt here, which is native, and nothing else. */
function newPlace(): string {
  const place = mkdtempSync(join(folder, 'place-'));
  copyFileSync(bundle(), join(place, 'route.mjs'));
  mkdirSync(join(place, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@node-rs'), join(place, 'node_modules/@node-rs'));
  return place;
}

async function runBundle(place: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await run(process.execPath, ['route.mjs'], { cwd: place, env });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('the bundle alone says what it needs for the embedded database', async () => {
  expect(await runBundle(newPlace())).toMatchObject({
    code: 'EMBEDDED_MISSING',
    message: expect.stringContaining('@electric-sql/pglite'),
  });
});

test('the bundle beside an installed package opens the embedded database, and migrates it', async () => {
  const place = newPlace();
  symlinkSync(root, join(place, 'node_modules/mytx-ai'));
  expect(await runBundle(place)).toMatchObject({ engine: 'embedded', email: 'dana@example.com' });
});

describe.runIf(inject('servers').length > 0)('the bundle alone, on a server', () => {
  const server = inject('servers').at(-1);
  const name = `bundle_${randomUUID().replaceAll('-', '')}`;
  const url = server && Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  let sql: postgres.Sql;
  beforeAll(async () => {
    sql = postgres(server?.url ?? '', { max: 1, onnotice: () => {} });
    await sql.unsafe(`create database ${name}`);
  });
  afterAll(async () => {
    await sql.unsafe(`drop database ${name}`);
    await sql.end();
  });

  test('refuses one that is behind, and works on one that is not', async () => {
    const env = { POSTGRES_URL: url ?? '' };
    expect(await runBundle(newPlace(), env)).toMatchObject({ code: 'SCHEMA_BEHIND' });
    await migrate({ url: url ?? '' });
    expect(await runBundle(newPlace(), env)).toEqual({ engine: 'server', applied: [], email: 'dana@example.com' });
  });
});

// The house rules of ARCHITECTURE.md, read from the sources: who may import whom, and what a file must begin with.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const own = sources.filter((path) => /^(db|deploy|cli|init)\//.test(path));
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Import {
  from: string;
  /** A path of the project, or a package's name. */
  to: string;
  isType: boolean;
  isDynamic: boolean;
}

const imports: Import[] = own.flatMap((from) =>
  [...text(from).matchAll(/(?:^(import|export) (type )?[^;'"]*?from |(\bimport\())'([^']+)'/gm)].map((match) => {
    const [, , typeOnly, dynamic, specifier = ''] = match;
    const to = specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : specifier;
    return { from, to, isType: typeOnly !== undefined, isDynamic: dynamic !== undefined };
  }),
);

const folderOf = (path: string): string => path.split('/')[0] ?? '';
const between = (from: string, to: string): string[] =>
  imports
    .filter((one) => folderOf(one.from) === from && folderOf(one.to) === to)
    .map((one) => `${one.from} -> ${one.to}`);

test('the sources are seen', () => {
  expect(own.length).toBeGreaterThan(60);
  expect(imports.length).toBeGreaterThan(200);
});

test('deploy/ imports nothing from db/, cli/ or a console', () => {
  expect(['db', 'init', 'cli', 'console', 'tests'].flatMap((folder) => between('deploy', folder))).toEqual([]);
});

test('db/ imports nothing outside itself, but its opening and mytx-ai/deploy call deploy/, where its migrations are read, too', () => {
  expect(['init', 'cli', 'console', 'tests', 'scripts'].flatMap((folder) => between('db', folder))).toEqual([]);
  expect([...new Set(between('db', 'deploy').map((line) => line.split(' ')[0]))].sort()).toEqual([
    'db/deploy-target.ts',
    'db/deployment.ts',
    'db/generation.ts',
    'db/linting.ts',
    'db/migrations-folder.ts',
    'db/opening.ts',
  ]);
  expect(between('db', 'lib')).toEqual(['db/migrations-folder.ts -> lib/drizzle/meta/_journal.json']);
});

test('init/ knows of db/ where the migrations are, of deploy/ how they are read, and nothing else', () => {
  expect(['cli', 'console', 'tests', 'scripts', 'lib'].flatMap((folder) => between('init', folder))).toEqual([]);
  expect(between('init', 'db')).toEqual(['init/plan.ts -> db/migrations-folder.ts']);
  expect(new Set(between('init', 'deploy').map((line) => line.split(' ').at(-1)))).toEqual(
    new Set(['deploy/migrations.ts']),
  );
});

test('each driver is imported in one file, PGlite only when an embedded database is opened', () => {
  const importers = (driver: string): Import[] => imports.filter(({ to }) => to === driver);
  expect([
    ...new Set(
      importers('postgres')
        .filter(({ isType }) => !isType)
        .map(({ from }) => from),
    ),
  ]).toEqual(['db/connection/server.ts']);
  const pglite = importers('@electric-sql/pglite').filter(({ isType }) => !isType);
  expect(pglite.length).toBeGreaterThan(0);
  expect(pglite.every(({ from, isDynamic }) => from === 'db/embedded/engine.ts' && isDynamic)).toBe(true);
  const socket = importers('@electric-sql/pglite-socket');
  expect(socket).toEqual([expect.objectContaining({ from: 'db/embedded/socket.ts', isDynamic: true })]);
});

test('no import circle but that of the two schema files', () => {
  const edges = imports.filter(({ isType, to }) => !isType && own.includes(to));
  const circles = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      circles.add(trail.slice(start).sort().join(' <-> '));
      return;
    }
    if (done.has(path)) return;
    for (const { to } of edges.filter(({ from }) => from === path)) visit(to, [...trail, path]);
    done.add(path);
  };
  const done = new Set<string>();
  for (const path of own) visit(path, []);
  expect([...circles]).toEqual(['db/protocols-schema.ts <-> db/schema.ts']);
});

test('the environment is read in db/environment.ts and cli/, and libraries do not print or end the process', () => {
  const library = own.filter((path) => !/^cli\/|^db\/migrate.ts$/.test(path));
  const uses = (pattern: RegExp): string[] =>
    library.filter((path) => membersIn(path).some((one) => pattern.test(one)));
  expect(uses(/^process\.env$/)).toEqual(['db/environment.ts']);
  expect(uses(/^console\.|^process\.exit(Code)?$/)).toEqual([]);
});

test('cli/ holds no SQL', () => {
  const cli = own.filter((path) => path.startsWith('cli/'));
  expect(
    cli.filter((path) =>
      /\b(select|insert into|update|delete from)\b .*\b(from|set|values|where)\b/i.test(withoutComments(path)),
    ),
  ).toEqual([]);
});

test('every file says at its beginning what it is for, and has a name of its own', () => {
  expect(own.filter((path) => !text(path).startsWith('// '))).toEqual([]);
  expect(sources.filter((path) => /(^|\/)(utils?|helpers?|common|types|misc|manager|handler)\.ts$/.test(path))).toEqual(
    [],
  );
});

test('the root export loads no WASM, no command line and no generator', () => {
  const script = `
    import { register } from 'node:module';
    const { port1, port2 } = new MessageChannel();
    const hook = "let port; export const initialize = (data) => { port = data; }; " +
      "export const load = (url, context, next) => { port.postMessage(url); return next(url, context); };";
    const seen = [];
    port1.on('message', (url) => seen.push(url));
    port1.unref();
    register('data:text/javascript,' + encodeURIComponent(hook), { data: port2, transferList: [port2] });
    await import(${JSON.stringify(join(root, 'db/index.ts'))});
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log(JSON.stringify(seen));`;
  const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: root,
  });
  const here = pathToFileURL(root).href; // the checkout may have any name
  const loaded = (JSON.parse(output) as string[]).map((url) => url.replace(here, '/'));
  expect(loaded.some((url) => url.includes('/db/index.ts'))).toBe(true);
  expect(loaded.some((url) => url.includes('drizzle-orm'))).toBe(true);
  expect(loaded.filter((url) => /pglite|commander|drizzle-kit|\/cli\/|\/sample\//.test(url))).toEqual([]);
});

/** Each `object.member` of a source's code, which the texts in it are not: one may be a file that is to be written. */
function membersIn(path: string): string[] {
  const file = ts.createSourceFile(path, text(path), ts.ScriptTarget.Latest);
  const members: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) members.push(`${node.expression.getText(file)}.${node.name.text}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return members;
}

function withoutComments(path: string): string {
  return text(path).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

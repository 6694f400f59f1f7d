// npm run build: dist/, which the package consists of, or another folder that is given. The compiler writes a module and its types for each source;
// JSON that a source imports becomes a part of its module, because Node 20 warns of such an import; the migrations are
// copied. The command line is bundled, with commander: `mytx --help` takes 1.26 times an empty Node so, and 1.41 times
// where it is loaded module by module. Nothing in a checkout needs it.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
const jsonImport = /^import (\w+) from '([^']+\.json)' with \{ type: 'json' \};$/gm;

/** db/, deploy/, init/ and every other package are as they are for an application. */
const leaveTheRest: Plugin = {
  name: 'leave the rest',
  setup(bundling): void {
    bundling.onResolve({ filter: /^(\.\.\/|[^.])/ }, ({ path, kind, importer }) => {
      const isInside = kind === 'entry-point' || path === 'commander' || importer.includes('node_modules');
      return isInside ? undefined : { path, external: true };
    });
  },
};

/** commander is CommonJS, and requires modules of Node. */
const requireForCommander =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

rmSync(dist, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', dist], {
  cwd: root,
  stdio: 'inherit',
});
for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (path.endsWith('.js')) finish(path);
}
await bundleCommandLine(join(dist, 'cli'));
rmSync(join(dist, 'package.json'), { force: true });
rmSync(join(dist, 'lib'), { recursive: true, force: true });
cpSync(join(root, 'lib'), join(dist, 'lib'), { recursive: true });

function finish(path: string): void {
  const file = join(dist, path);
  const text = readFileSync(file, 'utf8');
  const finished = leaveToRunTime(putJsonInside(text, path));
  if (finished !== text) writeFileSync(file, finished);
}

function putJsonInside(text: string, path: string): string {
  return text.replace(jsonImport, (_, name: string, specifier: string) => {
    const value: unknown = JSON.parse(readFileSync(join(root, dirname(path), specifier), 'utf8'));
    // Of package.json only what the command line says of itself.
    const { version } = value as { version?: string };
    return `const ${name} = ${JSON.stringify(specifier.endsWith('package.json') ? { version } : value)};`;
  });
}

/** An import whose name is no literal: the compiler wraps it, in case it is a source's path; here it is a package's. */
function leaveToRunTime(text: string): string {
  return text
    .replace(/^var __rewriteRelativeImportExtension = [\s\S]*?^};\n/m, '')
    .replaceAll(/import\(__rewriteRelativeImportExtension\(([^()]*)\)\)/g, 'import($1)');
}

/** Puts the files that are imported together into one: a verb stays a file of its own, loaded when it is run. */
async function bundleCommandLine(folder: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.js')],
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    chunkNames: '[name]-[hash]',
    banner: { js: requireForCommander },
    plugins: [leaveTheRest],
    write: false,
  });
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  for (const { path, text } of outputFiles) writeFileSync(path, text);
  cpSync(join(root, 'node_modules/commander/LICENSE'), join(folder, 'commander.LICENSE'));
}

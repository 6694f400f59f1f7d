// npm run build: dist/, which the package consists of. The compiler writes a module and its types for each source;
// JSON that a source imports becomes a part of its module, because Node 20 warns of such an import; the migrations are
// copied. Nothing in a checkout needs it.

import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const jsonImport = /^import (\w+) from '([^']+\.json)' with \{ type: 'json' \};$/gm;

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (path.endsWith('.js')) finish(path);
}
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

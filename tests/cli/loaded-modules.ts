// Which modules a command line loads: every one that Node imports or requires in the process, told by a hook of its loader
// and by what require has kept. Not how long it takes, which is a figure of bench/.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Written at once, since messages of the loader's thread may be lost at the end of the process. */
const hook = `import { appendFileSync } from 'node:fs';
  let file;
  export const initialize = (data) => { file = data; };
  export const load = (url, context, next) => { appendFileSync(file, url + '\\n'); return next(url, context); };`;

const moduleOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

const recorder = (file: string): string =>
  moduleOf(`import { appendFileSync } from 'node:fs';
  import { createRequire, register } from 'node:module';
  register(${JSON.stringify(moduleOf(hook))}, { data: ${JSON.stringify(file)} });
  const required = createRequire(${JSON.stringify(file)}).cache;
  process.on('exit', () => appendFileSync(${JSON.stringify(file)}, Object.keys(required).join('\\n')));`);

/**
 * Runs Node with `args` in `cwd`, to whatever end. @returns sorted: packages by their names, other files by their paths
 * from `root`; nothing of Node itself, and nothing of tsx
 */
export function modulesLoadedBy(args: readonly string[], { cwd, root }: { cwd: string; root: string }): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-loaded-'));
  const file = join(folder, 'modules');
  try {
    run(['--import', recorder(file), ...args], cwd);
    const urls = readFileSync(file, 'utf8').split('\n');
    const paths = urls.filter((url) => url.startsWith('file:') || url.startsWith('/')).map(pathOf);
    const names = new Set(paths.map((path) => packageOf(path) ?? path.replace(`${root}/`, '')));
    return [...names].filter((name) => !['tsx', 'esbuild', 'get-tsconfig'].includes(name)).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], cwd: string): void {
  const { POSTGRES_URL: _url, NODE_OPTIONS: _options, ...env } = process.env;
  try {
    execFileSync(process.execPath, args, { cwd, env, stdio: 'pipe' });
  } catch (error) {
    if ((error as { status?: number | null }).status == null) throw error;
  }
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? decodeURIComponent(new URL(url).pathname) : url;
}

/** Of this package itself, where it is installed, there is no name but the path. */
function packageOf(path: string): string | undefined {
  const [, inside] = /.*\/node_modules\/(.+)$/.exec(path) ?? [];
  if (inside === undefined || inside.startsWith('mytx-ai/')) return undefined;
  return /^(@[^/]+\/)?[^/]+/.exec(inside)?.[0];
}

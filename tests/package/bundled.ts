// A route of an application in one file, as Next.js makes it: its own code with all that it imports.

import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { type InstalledPackage, run } from './installed.ts';

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

export interface Bundle {
  metafile: Metafile;
  /** Runs it in a folder where of all packages only bcrypt is there, which is native, and those that are named. */
  run(options?: { packages?: string[]; env?: Record<string, string> }): Promise<Record<string, unknown>>;
}

export async function bundleRoute({ folder, newFolder }: InstalledPackage): Promise<Bundle> {
  const made = newFolder();
  writeFileSync(join(made, 'route.js'), route);
  const { metafile } = await build({
    entryPoints: [join(made, 'route.js')],
    outfile: join(made, 'out', 'route.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    metafile: true,
    // Native code can be in no bundle: Next.js leaves such packages where they are, too.
    external: ['@node-rs/bcrypt'],
    // Commander, for one, is CommonJS: it would work, so that its absence says something.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    logLevel: 'error',
  });
  return {
    metafile,
    async run({ packages = [], env = {} } = {}): Promise<Record<string, unknown>> {
      const place = mkdtempSync(join(folder, '..', 'place-'));
      copyFileSync(join(made, 'out', 'route.mjs'), join(place, 'route.mjs'));
      mkdirSync(join(place, 'node_modules'));
      for (const name of ['@node-rs', ...packages]) {
        symlinkSync(join(folder, 'node_modules', name), join(place, 'node_modules', name));
      }
      const { stdout, stderr } = await run(process.execPath, ['route.mjs'], { cwd: place, env });
      if (stdout === '') throw new Error(stderr.slice(-2000));
      return JSON.parse(stdout) as Record<string, unknown>;
    },
  };
}

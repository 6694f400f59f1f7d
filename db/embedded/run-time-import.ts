// Loads a package of the embedded database when it is opened. Its name is no literal here, so that a bundler leaves it
// alone: an application on a server carries no WASM with it, and one in development finds the package installed.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConnectionError } from '../errors.ts';

/** @throws ConnectionError EMBEDDED_MISSING */
export async function importAtRunTime<Module>(name: string): Promise<Module> {
  try {
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)) as Module;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const file = findThroughPackage(name);
    if (file === undefined) throw missing(name, error);
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ file)) as Module;
  }
}

/** Package managers that keep an application from what it did not name itself still let this package find it. */
function findThroughPackage(name: string): string | undefined {
  try {
    const own = createRequire(join(process.cwd(), 'index.js')).resolve('mytx-ai/package.json');
    return pathToFileURL(createRequire(own).resolve(name)).href;
  } catch {
    return undefined;
  }
}

function missing(name: string, cause: unknown): ConnectionError {
  return new ConnectionError(
    'EMBEDDED_MISSING',
    `the embedded database needs the package ${name}, which is not found from ${process.cwd()}`,
    'Set POSTGRES_URL to use a server. Or install mytx-ai where the application runs, and tell the bundler to leave it out: serverExternalPackages: ["mytx-ai"] in next.config.',
    { package: name },
    cause,
  );
}

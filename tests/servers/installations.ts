// Finds the PostgreSQL servers that tests can start on this machine: Debian's packages, and the binaries that npm
// installs as optional dependencies. A version that is not here is listed too, with the reason, so that no test is
// left out in silence. It only looks: it never starts, copies or downloads anything.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const sources = [
  { version: 15, find: findDebianServer },
  { version: 16, find: findNpmServer },
  { version: 17, find: findNpmServer },
  { version: 18, find: findNpmServer },
] as const;

/** Those on which everything runs; what lies between them serves the tests in which it may differ (vitest.config.ts). */
const ends: readonly ServerVersion[] = [15, 18];

export type ServerVersion = (typeof sources)[number]['version'];

export interface FoundInstallation {
  version: ServerVersion;
  binFolder: string;
  /** Set when the binaries come from npm: they lack their links, so they are copied before they run. */
  packageFolder?: string;
}

export interface MissingInstallation {
  version: ServerVersion;
  missing: string;
}

export type Installation = FoundInstallation | MissingInstallation;

/** The oldest and the newest version that tests know, in this order. Example: `findInstallations().filter(isFound)`. */
export function findInstallations(): Installation[] {
  return findEveryInstallation().filter(({ version }) => ends.includes(version));
}

/** The versions between those two, oldest first. */
export function findInstallationsBetween(): Installation[] {
  return findEveryInstallation().filter(({ version }) => !ends.includes(version));
}

/** Every version that tests know, oldest first. */
export function findEveryInstallation(): Installation[] {
  return sources.map(({ version, find }) => find(version));
}

export function isFound(installation: Installation): installation is FoundInstallation {
  return !('missing' in installation);
}

/**
 * Narrows to a wish such as `15,18` or `none` (the value of MYTX_TEST_SERVERS); undefined or empty means all.
 * What was not wished for is returned as missing. A version that was asked for by name and is not here throws:
 * a CI job that names its servers must not pass without them.
 */
export function chooseInstallations(installations: Installation[], wish: string | undefined): Installation[] {
  if (!wish) return installations;
  const names = wish === 'none' ? [] : wish.split(',');
  const wanted: Installation[] = names.flatMap((name) => findByName(installations, name.trim(), wish));
  return installations.map((installation) =>
    wanted.includes(installation)
      ? installation
      : { version: installation.version, missing: `not in MYTX_TEST_SERVERS=${wish}` },
  );
}

/** None for a version that tests know and that is none of these. */
function findByName(installations: Installation[], name: string, wish: string): FoundInstallation[] {
  const found = installations.find(({ version }) => String(version) === name);
  if (found && isFound(found)) return [found];
  if (found) throw new Error(`MYTX_TEST_SERVERS=${wish} asks for PostgreSQL ${name}: ${found.missing}`);
  const known = sources.map(({ version }) => String(version));
  if (known.includes(name)) return [];
  throw new Error(
    `MYTX_TEST_SERVERS=${wish}: "${name}" is not known. Allowed: none, or a comma list of ${known.join(', ')}`,
  );
}

function findDebianServer(version: ServerVersion): Installation {
  const binFolder = `/usr/lib/postgresql/${version}/bin`;
  if (existsSync(join(binFolder, 'postgres'))) return { version, binFolder };
  return { version, missing: `${binFolder}/postgres is not there (apt-get install postgresql-${version})` };
}

function findNpmServer(version: ServerVersion): Installation {
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  const packageFolder = findPackageFolder(name);
  if (packageFolder) return { version, binFolder: join(packageFolder, 'native', 'bin'), packageFolder };
  return { version, missing: `the optional npm package ${name} is not installed (tests/servers/package.json)` };
}

function findPackageFolder(name: string): string | null {
  try {
    // The package exports only dist/index.js; its package.json cannot be asked for.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

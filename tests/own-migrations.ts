// The migrations of this package as tests expect them, so that one more needs no change of a test. Read from the journal
// itself, not through the code that the tests are about.

import { readFileSync } from 'node:fs';

const { entries } = readMeta<{ entries: { tag: string }[] }>('_journal.json');

/** Their names, in the order in which they are applied. */
export const migrationNames: readonly string[] = entries.map(({ tag }) => tag);

/** The names as commands print them. */
export const allMigrations = migrationNames.join(', ');

/** What SCHEMA_BEHIND says of a database without any. */
export const lacksAllMigrations = `lacks ${migrationNames.length} migration${migrationNames.length === 1 ? '' : 's'}: ${allMigrations}`;

/** The files that mytx init writes for them, in its order. */
export const migrationFiles: readonly string[] = [
  ...migrationNames.flatMap((name) => [`lib/drizzle/${name}.sql`, `lib/drizzle/meta/${snapshotOf(name)}`]),
  'lib/drizzle/meta/_journal.json',
];

/** How many tables there are behind the last of them, as drizzle-kit keeps it. */
export const tableCount = Object.keys(
  readMeta<{ tables: object }>(snapshotOf(migrationNames.at(-1) ?? '')).tables,
).length;

/** What an application's own migration is called behind ours, as drizzle-kit numbers it. */
export function nameBehindOurs(name: string): string {
  return `${String(migrationNames.length).padStart(4, '0')}_${name}`;
}

function snapshotOf(name: string): string {
  return `${name.split('_')[0]}_snapshot.json`;
}

function readMeta<Content>(file: string): Content {
  return JSON.parse(readFileSync(new URL(`../lib/drizzle/meta/${file}`, import.meta.url), 'utf8')) as Content;
}

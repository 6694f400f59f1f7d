// The folder of migrations of an application: copies of the package's files, to which the application adds its own. A
// later version of the package adds what it has more, behind the application's. What is there is never changed but for
// the journal, which gets longer.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Migration, readMigrations } from '../deploy/migrations.ts';
import {
  filesOf,
  type Journal,
  journalPath,
  migrationsPath,
  type OwnMigration,
  readOwnMigrations,
} from './migration-files.ts';
import { addBehind } from './migrations-behind.ts';
import type { RefuseStep, Step } from './step.ts';

export interface MigrationsPlan {
  steps: Step[];
  notes: string[];
}

/**
 * What is to be done so that `lib/drizzle` of the project has every migration in `packageFolder`.
 * @param generate drizzle-kit's command, for what is left to people
 * @throws DeployError MIGRATIONS_UNREADABLE for a journal that is damaged, or names a file that is not there
 */
export function planMigrations(folder: string, packageFolder: string, generate: string): MigrationsPlan {
  const own = readOwnMigrations(packageFolder);
  const hasJournal = existsSync(join(folder, journalPath));
  const theirs = hasJournal ? readMigrations(join(folder, migrationsPath)) : [];
  if (theirs.length === 0) return { steps: planAll(folder, packageFolder, own), notes: [] };
  const found = own.map((one) => theirs.find((other) => isSame(one, other)));
  if (found[0] === undefined) return { steps: [foreignFolder()], notes: [] };
  const notes = own.flatMap((one, index) => editedNote(one, found[index]));
  const missing = own.filter((_, index) => found[index] === undefined);
  if (missing.length === 0) {
    return { steps: [{ action: 'leave', path: migrationsPath, reason: 'has every migration of mytx-ai' }], notes };
  }
  return { steps: planMissing({ folder, own, missing, generate }), notes };
}

/** By its time, as Drizzle recognises it, or by what is in it. */
function isSame(one: Migration, other: Migration): boolean {
  return one.createdAt === other.createdAt || one.hash === other.hash;
}

function editedNote({ name, text }: OwnMigration, theirs: Migration | undefined): string[] {
  if (!theirs || withUnixLines(readFileSync(theirs.file, 'utf8')) === withUnixLines(text)) return [];
  return [`${migrationsPath}/${theirs.name}.sql is not as ${name}.sql of mytx-ai is; it is left as you have it`];
}

const withUnixLines = (text: string): string => text.replaceAll('\r\n', '\n');

function planAll(folder: string, packageFolder: string, own: readonly OwnMigration[]): Step[] {
  const journalText = readFileSync(join(packageFolder, 'meta', '_journal.json'), 'utf8');
  const files = [
    ...own.flatMap(({ name, text, snapshotText }) => filesOf(name, text, snapshotText)),
    { path: journalPath, text: journalText }, // last: with it the folder is one of migrations
  ];
  const expected = new Set(files.map(({ path }) => path));
  const strange = listFiles(folder).filter((path) => !expected.has(path));
  if (strange.length > 0) return [foreignFolder(strange)];
  return files.map(({ path, text }) => planFile(folder, path, text));
}

/** A file that is there already is what an earlier run was interrupted behind, or somebody's. */
function planFile(folder: string, path: string, text: string): Step {
  if (!existsSync(join(folder, path))) return { action: 'create', path, text };
  const before = readFileSync(join(folder, path), 'utf8');
  if (before === text) return { action: 'leave', path, reason: 'is there already' };
  if (path === journalPath) return { action: 'change', path, before, text }; // it has no entries
  return {
    action: 'refuse',
    path,
    reason: 'is there already, and is not the file of mytx-ai',
    byHand: ['Move it out of the way, then run this again.'],
  };
}

function listFiles(folder: string): string[] {
  const place = join(folder, migrationsPath);
  if (!existsSync(place)) return [];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .map((path) => `${migrationsPath}/${path.replaceAll('\\', '/')}`)
    .filter((path) => /\.(sql|json)$/.test(path));
}

function foreignFolder(strange: readonly string[] = []): RefuseStep {
  const what = strange.length > 0 ? ` (${strange.slice(0, 3).join(', ')}${strange.length > 3 ? ', ...' : ''})` : '';
  return {
    action: 'refuse',
    path: migrationsPath,
    reason: `holds migrations that are not those of mytx-ai${what}`,
    byHand: withoutInit,
  };
}

/** For a project with a history of migrations that is not ours. */
export const withoutInit: readonly string[] = [
  'Two histories do not become one by copying files. Leave yours as it is, and leave this command out:',
  'import the queries from mytx-ai, and make its tables with npx mytx migrate, in a database of their own.',
];

interface Missing {
  folder: string;
  own: readonly OwnMigration[];
  missing: readonly OwnMigration[];
  generate: string;
}

/** What the package has more than the folder, behind all that is there. */
function planMissing({ folder, own, missing, generate }: Missing): Step[] {
  const first = own.length - missing.length;
  if (own[first] !== missing[0]) return [byHand('lacks a migration in the middle', missing, generate)];
  const before = readFileSync(join(folder, journalPath), 'utf8');
  const journal = JSON.parse(before) as Journal;
  const successors = missing.map((migration, i) => ({ migration, previous: own[first + i - 1] as OwnMigration }));
  const added = addBehind(folder, journal, successors);
  if (typeof added === 'string') return [byHand(added, missing, generate)];
  const files = added.flatMap(({ files }) => files.map(({ path, text }) => planFile(folder, path, text)));
  const entries = [...journal.entries, ...added.map(({ entry }) => entry)];
  const text = JSON.stringify({ ...journal, entries }, null, 2) + (before.endsWith('\n') ? '\n' : '');
  return [...files, { action: 'change', path: journalPath, before, text }];
}

/** What this can't do rightly, step by step. */
function byHand(reason: string, missing: readonly OwnMigration[], generate: string): RefuseStep {
  return {
    action: 'refuse',
    path: migrationsPath,
    reason: `${reason}; mytx-ai brings ${missing.map(({ name }) => name).join(', ')}`,
    byHand: missing.flatMap(({ name, file, createdAt }) => [
      `${generate} --name ${name.replace(/^\d+_/, '')}, which writes a file with what your folder lacks; replace its`,
      `  statements that are also in ${file} by those there, and set its "when" in the journal to ${createdAt}`,
    ]),
  };
}

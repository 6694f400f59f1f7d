// The folder of migrations of an application: copies of the package's files, to which the application adds its own. A
// later version of the package adds what it has more, behind the application's. What is there is never changed but for
// the journal, which gets longer.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Migration, readMigrations } from '../deploy/migrations.ts';
import { mergeSnapshots, type Snapshot } from './snapshot-merge.ts';
import type { RefuseStep, Step } from './step.ts';

/** Where an application has them. */
export const migrationsPath = 'lib/drizzle';
const journalPath = `${migrationsPath}/meta/_journal.json`;

interface Journal {
  entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[];
}

/** A migration of the package with all that belongs to it. */
interface OwnMigration extends Migration {
  text: string;
  entry: Journal['entries'][number];
  snapshotText: string;
}

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
  const own = readOwn(packageFolder);
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
  return { steps: planMissing({ folder, own, theirs, missing, packageFolder, generate }), notes };
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

function readOwn(packageFolder: string): OwnMigration[] {
  const { entries } = JSON.parse(readFileSync(join(packageFolder, 'meta', '_journal.json'), 'utf8')) as Journal;
  return readMigrations(packageFolder).map((migration, index) => ({
    ...migration,
    text: readFileSync(migration.file, 'utf8'),
    entry: entries[index] as Journal['entries'][number],
    snapshotText: readFileSync(join(packageFolder, 'meta', snapshotName(migration.name)), 'utf8'),
  }));
}

/** As drizzle-kit names it: by what is before the first underscore. */
function snapshotName(tag: string): string {
  return `${tag.split('_')[0]}_snapshot.json`;
}

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

function filesOf(tag: string, text: string, snapshotText: string): { path: string; text: string }[] {
  return [
    { path: `${migrationsPath}/${tag}.sql`, text },
    { path: `${migrationsPath}/meta/${snapshotName(tag)}`, text: snapshotText },
  ];
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
    byHand: [
      'Two histories do not become one by copying files. Leave yours as it is, and leave this command out:',
      'import the queries from mytx-ai, and make its tables with npx mytx migrate, in a database of their own.',
    ],
  };
}

interface Missing {
  folder: string;
  packageFolder: string;
  own: readonly OwnMigration[];
  theirs: readonly Migration[];
  missing: readonly OwnMigration[];
  generate: string;
}

/** What the package has more than the folder: as it is behind nothing but ours, and otherwise behind all of theirs. */
function planMissing(all: Missing): Step[] {
  const { folder, own, theirs, missing } = all;
  const firstMissing = own.indexOf(missing[0] as OwnMigration);
  if (own.length - firstMissing !== missing.length) return [byHand(all, missing, 'lacks a migration in the middle')];
  const before = readFileSync(join(folder, journalPath), 'utf8');
  const journal = JSON.parse(before) as Journal;
  const isPrefix = theirs.length === firstMissing;
  const added = isPrefix
    ? missing.map(({ name, text, snapshotText, entry }) => ({ entry, files: filesOf(name, text, snapshotText) }))
    : addBehind(all, journal);
  if (!Array.isArray(added)) return [added];
  const files = added.flatMap(({ files }) => files.map(({ path, text }) => planFile(folder, path, text)));
  const entries = [...journal.entries, ...added.map(({ entry }) => entry)];
  const text = JSON.stringify({ ...journal, entries }, null, 2) + (before.endsWith('\n') ? '\n' : '');
  return [...files, { action: 'change', path: journalPath, before, text }];
}

interface Added {
  entry: Journal['entries'][number];
  files: { path: string; text: string }[];
}

/**
 * Copies with the next numbers, each with a snapshot of the application's schema and ours together. They keep their
 * times, by which a database knows that it has them; this package's migrator applies them though they are older.
 */
function addBehind(all: Missing, journal: Journal): Added[] | RefuseStep {
  const { folder, own, missing } = all;
  const snapshots = readdirSync(join(folder, migrationsPath, 'meta')).filter((name) => !name.startsWith('_'));
  const last = snapshots.sort().at(-1) ?? '';
  if (last !== snapshotName(journal.entries.at(-1)?.tag ?? '')) {
    return byHand(all, missing, 'has no snapshot of its last migration where drizzle-kit looks for it');
  }
  let theirs = parseSnapshot(readFileSync(join(folder, migrationsPath, 'meta', last), 'utf8'));
  let idx = Math.max(...journal.entries.map((entry) => entry.idx));
  const added: Added[] = [];
  for (const one of missing) {
    const previous = own[own.indexOf(one) - 1] as OwnMigration;
    const [before, after] = [parseSnapshot(previous.snapshotText), parseSnapshot(one.snapshotText)];
    if (theirs.version !== after.version)
      return byHand(all, missing, 'has snapshots of another version of drizzle-kit');
    const result = mergeSnapshots({ before, after, theirs });
    if ('conflicts' in result)
      return byHand(all, missing, `changes what ${one.name} changes: ${result.conflicts.join(', ')}`);
    theirs = result.merged;
    idx += 1;
    const tag = `${String(idx).padStart(4, '0')}_${one.name.replace(/^\d+_/, '')}`;
    if (snapshotName(tag) <= last)
      return byHand(all, missing, 'numbers its migrations otherwise than by 0000, 0001, ...');
    added.push({ entry: { ...one.entry, idx, tag }, files: filesOf(tag, one.text, JSON.stringify(theirs, null, 2)) });
  }
  return added;
}

const parseSnapshot = (text: string): Snapshot => JSON.parse(text) as Snapshot;

/** What this can't do rightly, step by step. */
function byHand({ generate }: Missing, missing: readonly OwnMigration[], reason: string): RefuseStep {
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

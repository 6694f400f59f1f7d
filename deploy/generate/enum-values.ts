// New values of an enum in a migration of their own, before the one that may use them: PostgreSQL knows them only behind
// the commit of the transaction that added them.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadGrammar } from '../grammar.ts';
import type { Migration } from '../migrations.ts';
import { listSnapshots, type Snapshot, snapshotOf } from './migrations-folder.ts';

const breakpoint = '--> statement-breakpoint';

interface Journal {
  entries: { idx: number; when: number; tag: string; [property: string]: unknown }[];
  [property: string]: unknown;
}

/**
 * Takes the new values out of a migration that drizzle-kit has just added, if there is anything else in it.
 * @returns the names of both, in their order, or of the one that it was
 */
export async function splitEnumValues(folder: string, migration: Migration): Promise<string[]> {
  const whole = [migration.name];
  const parts = readFileSync(migration.file, 'utf8').split(breakpoint);
  const { values, others } = await divide(parts);
  const prefixes = prefixesOf(migration);
  const own = snapshotOf(folder, migration);
  if (values.length === 0 || others.length === 0 || !prefixes || !own) return whole;
  const idsBefore = own.json.prevIds ?? [own.json.prevId];
  const before = listSnapshots(folder).find(({ json }) => idsBefore.includes(json.id));
  if (!before) return whole;

  const title = migration.name.slice(migration.name.indexOf('_') + 1);
  const names = [`${prefixes.first}_${title}_enum_values`, `${prefixes.second}_${title}`] as const;
  const write = migration.layout === 'folders' ? writeFolders : writeJournal;
  write(folder, migration, names, [joined(values), joined(others)], snapshotsOf(before, own));
  return [...names];
}

type Two<T> = readonly [values: T, others: T];

/** drizzle-kit and this engine know the migration as it was until the journal, which is last. */
function writeJournal(
  folder: string,
  { name, file }: Migration,
  names: Two<string>,
  texts: Two<string>,
  snapshots: Two<object>,
): void {
  const meta = join(folder, 'meta');
  const snapshotFile = (n: 0 | 1): string => join(meta, `${names[n].split('_')[0]}_snapshot.json`);
  writeFileSync(join(folder, `${names[0]}.sql`), texts[0]);
  writeFileSync(snapshotFile(1), asJson(snapshots[1]));
  writeFileSync(snapshotFile(0), asJson(snapshots[0]));
  writeFileSync(join(folder, `${names[1]}.sql`), texts[1]);
  writeEntries(join(meta, '_journal.json'), name, names);
  if (name !== names[1]) rmSync(file);
}

/** Each is complete when it has its name; the one that it was goes last. */
function writeFolders(
  folder: string,
  { name }: Migration,
  names: Two<string>,
  texts: Two<string>,
  snapshots: Two<object>,
): void {
  for (const n of [0, 1] as const) {
    const made = join(folder, `.${names[n]}`);
    mkdirSync(made);
    writeFileSync(join(made, 'snapshot.json'), asJson(snapshots[n]));
    writeFileSync(join(made, 'migration.sql'), texts[n]);
  }
  renameSync(join(folder, `.${names[0]}`), join(folder, names[0]));
  renameSync(join(folder, `.${names[1]}`), join(folder, names[1]));
  rmSync(join(folder, name), { recursive: true });
}

/** Which statements add values, and which do anything else. */
async function divide(parts: readonly string[]): Promise<{ values: string[]; others: string[] }> {
  const grammar = await loadGrammar();
  const isValues = (part: string): boolean => {
    const statements = grammar.parse(part) ?? [];
    return statements.length > 0 && statements.every(({ type, node }) => type === 'AlterEnumStmt' && !node.oldVal);
  };
  return { values: parts.filter(isValues), others: parts.filter((part) => !isValues(part) && part.trim() !== '') };
}

const joined = (parts: readonly string[]): string => parts.map((part) => part.trim()).join(`${breakpoint}\n`);

const asJson = (value: unknown): string => JSON.stringify(value, null, 2);

/** drizzle-kit counts from 0000, or takes the time, in seconds; undefined for what it does otherwise. */
function prefixesOf({ name, layout }: Migration): { first: string; second: string } | undefined {
  const prefix = /^\d+(?=_)/.exec(name)?.[0] ?? '';
  // A folder's time is when its migration was made, for the history too: not before that of the one before it.
  if (layout === 'folders') return { first: prefix, second: movedBy(1, prefix) };
  if (prefix.length === 4) return { first: prefix, second: String(Number(prefix) + 1).padStart(4, '0') };
  if (prefix.length === 10) return { first: String(Number(prefix) - 1), second: prefix };
  return prefix.length === 14 ? { first: movedBy(-1, prefix), second: prefix } : undefined;
}

/** A time such as `20261231235959` some seconds later. */
function movedBy(seconds: number, time: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time) ?? [];
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return new Date(ms + 1000 * seconds).toISOString().slice(0, 19).replaceAll(/\D/g, '');
}

/** What Drizzle keeps of an enum: 0.45 in `enums`, 1.0 in `ddl` among all else. */
interface Enum {
  name: string;
  schema?: string;
  values: string[];
}

/** The schema before the migration, but for the values; and the one behind it, which is that behind the other. */
function snapshotsOf({ json: before }: Snapshot, { json: own }: Snapshot): Two<object> {
  const id = randomUUID();
  const { prevIds, footprints, deltas } = own;
  if (prevIds === undefined)
    return [
      { ...before, enums: withValues(before, own), id, prevId: before.id },
      { ...own, prevId: id },
    ];
  const ids: Two<object> = [{ id, prevIds }, { prevIds: [id] }];
  const [ofValues, ofOthers] = divided(footprints, ({ statementTarget: [kind] = [] }: Footprint) => kind === 'enum');
  const touched: Two<object> = Array.isArray(footprints)
    ? [{ footprints: ofValues }, { footprints: ofOthers }]
    : [{}, {}];
  if (!Array.isArray(deltas)) {
    return [
      { ...before, ddl: ddlWithValues(before, own), ...touched[0], ...ids[0] },
      { ...own, ...touched[1], ...ids[1] },
    ];
  }
  const [changed, others] = divided(
    deltas,
    ({ op, key }: Delta) => op === 'alter' && key?.startsWith('enums\0') === true,
  );
  return [
    { ...own, deltas: changed, ...touched[0], ...ids[0] },
    { ...own, deltas: others, ...touched[1], ...ids[1] },
  ];
}

/** What a statement changes, as 1.0.0-rc.5 keeps it. */
interface Footprint {
  statementTarget?: string[];
}

/** How a snapshot differs from the one before it, as 1.0.0-rc.5 keeps it. */
interface Delta {
  op: string;
  key?: string;
}

function divided<Item>(list: unknown, isFirst: (item: Item) => boolean): Two<Item[]> {
  const items = (list ?? []) as Item[];
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function withValues(before: Snapshot['json'], own: Snapshot['json']): Record<string, Enum> {
  const [old, now] = [before, own].map(({ enums }) => (enums ?? {}) as Record<string, Enum>);
  return Object.fromEntries(
    Object.entries(old ?? {}).map(([key, one]) => [key, { ...one, values: now?.[key]?.values ?? one.values }]),
  );
}

function ddlWithValues(before: Snapshot['json'], own: Snapshot['json']): object[] {
  const isEnum = (one: object): one is Enum => 'entityType' in one && one.entityType === 'enums';
  const now = (own.ddl as object[]).filter(isEnum);
  return (before.ddl as object[]).map((one) => {
    const same = isEnum(one) ? now.find(({ name, schema }) => name === one.name && schema === one.schema) : undefined;
    return same ? { ...one, values: same.values } : one;
  });
}

function writeEntries(file: string, name: string, [valuesTag, othersTag]: Two<string>): void {
  const journal = JSON.parse(readFileSync(file, 'utf8')) as Journal;
  const entry = journal.entries.find(({ tag }) => tag === name) as Journal['entries'][number];
  const others = journal.entries.filter((one) => one !== entry);
  const entries = [
    ...others,
    { ...entry, when: entry.when - 1, tag: valuesTag },
    { ...entry, idx: entry.idx + 1, tag: othersTag },
  ];
  writeFileSync(file, asJson({ ...journal, entries }));
}

// New values of an enum in a migration of their own, before the one that may use them: PostgreSQL knows them only behind
// the commit of the transaction that added them.

import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
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
 * Takes the new values out of the newest migration of a folder of Drizzle 0.45, if there is anything else in it.
 * @returns the names of both, in their order, or of the one that it was
 */
export async function splitEnumValues(folder: string, migration: Migration): Promise<string[]> {
  const whole = [migration.name];
  if (migration.layout !== 'journal') return whole;
  const parts = readFileSync(migration.file, 'utf8').split(breakpoint);
  const { values, others } = await divide(parts);
  const prefixes = nextPrefixes(migration.name);
  const own = snapshotOf(folder, migration);
  if (values.length === 0 || others.length === 0 || !prefixes || !own) return whole;
  const before = listSnapshots(folder).find(({ json }) => json.id === own.json.prevId);
  if (!before) return whole;

  const title = migration.name.slice(migration.name.indexOf('_') + 1);
  const tags = [`${prefixes.first}_${title}_enum_values`, `${prefixes.second}_${title}`] as const;
  const valuesId = randomUUID();
  const meta = join(folder, 'meta');
  // The journal is last: before it, drizzle-kit and this engine know the migration as it was.
  writeFileSync(join(folder, `${tags[0]}.sql`), joined(values));
  writeFileSync(join(meta, `${prefixes.second}_snapshot.json`), asJson({ ...own.json, prevId: valuesId }));
  writeFileSync(join(meta, `${prefixes.first}_snapshot.json`), asJson(withValues(before, own, valuesId)));
  writeFileSync(join(folder, `${tags[1]}.sql`), joined(others));
  writeJournal(folder, migration.name, tags);
  if (migration.name !== tags[1]) rmSync(migration.file);
  return [...tags];
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
function nextPrefixes(name: string): { first: string; second: string } | undefined {
  const prefix = /^\d+(?=_)/.exec(name)?.[0] ?? '';
  if (prefix.length === 4) return { first: prefix, second: String(Number(prefix) + 1).padStart(4, '0') };
  if (prefix.length === 10) return { first: String(Number(prefix) - 1), second: prefix };
  if (prefix.length !== 14) return undefined;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(prefix) ?? [];
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const earlier = new Date(ms - 1000).toISOString().slice(0, 19).replaceAll(/\D/g, '');
  return { first: earlier, second: prefix };
}

/** The schema before the migration, but for the values. */
function withValues(before: Snapshot, { json }: Snapshot, id: string): unknown {
  const [old, now] = [before.json, json].map(({ enums }) => (enums ?? {}) as Record<string, { values: string[] }>);
  const enums = Object.fromEntries(
    Object.entries(old ?? {}).map(([key, one]) => [key, { ...one, values: now?.[key]?.values ?? one.values }]),
  );
  return { ...before.json, enums, id, prevId: before.json.id };
}

function writeJournal(folder: string, name: string, [valuesTag, othersTag]: readonly [string, string]): void {
  const file = join(folder, 'meta', '_journal.json');
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

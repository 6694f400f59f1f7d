// Brings a change of our schema into the snapshot of a schema that has tables of the application's own beside ours: what
// differs between two snapshots of ours is applied to theirs. Never guesses: a place that both changed is a conflict.

import { isDeepStrictEqual } from 'node:util';

/** A snapshot of drizzle-kit: what is in it, by names. */
export type Snapshot = { id: string; prevId: string; version: string; [part: string]: unknown };

/** @returns the merged snapshot, or the places that both sides changed, such as `tables.public.Chat.columns.title` */
export function mergeSnapshots({
  before,
  after,
  theirs,
}: {
  before: Snapshot;
  after: Snapshot;
  theirs: Snapshot;
}): { merged: Snapshot } | { conflicts: string[] } {
  const conflicts: string[] = [];
  const { id: _beforeId, prevId: _beforePrevious, ...base } = before;
  const { id, prevId: _afterPrevious, ...ours } = after;
  const { id: prevId, prevId: _theirPrevious, ...others } = theirs;
  const merged = mergeValues(base, ours, others, [], conflicts) as Record<string, unknown>;
  return conflicts.length > 0 ? { conflicts } : { merged: { id, prevId, version: theirs.version, ...merged } };
}

function mergeValues(
  base: unknown,
  ours: unknown,
  theirs: unknown,
  path: readonly string[],
  conflicts: string[],
): unknown {
  if (isDeepStrictEqual(base, ours) || isDeepStrictEqual(ours, theirs)) return theirs;
  if (isDeepStrictEqual(base, theirs)) return ours;
  if (!isObject(base) || !isObject(ours) || !isObject(theirs)) {
    conflicts.push(path.join('.'));
    return theirs;
  }
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  const merged = names.map((name) => [
    name,
    mergeValues(base[name], ours[name], theirs[name], [...path, name], conflicts),
  ]);
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

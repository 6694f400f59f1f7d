// How much a statement may hurt those who use the database while it is deployed: by whom it blocks, for how long, and what
// is another way behind it.

import type { Known } from './operations/known.ts';
import { blocksReaders, blocksWriters } from './operations/locks.ts';
import type { Operation, RelationLock } from './operations/operation.ts';
import { operations } from './operations/operations.ts';

/** `none`: nobody who is there waits. `high`: somebody waits for a second or more, data is lost, or running code fails. */
export type Risk = 'none' | 'low' | 'medium' | 'high';

const order: readonly Risk[] = ['none', 'low', 'medium', 'high'];

export const highest = (risks: readonly Risk[]): Risk =>
  risks.reduce((one, other) => (order.indexOf(other) > order.indexOf(one) ? other : one), 'none');

export interface Assessment {
  risk: Risk;
  /** A sentence each. */
  reasons: string[];
}

/** Who waits for at most so long notices little, and much. */
const noticedSeconds = { medium: 0.1, high: 1 };

/**
 * @param held how long its locks are held at most, in seconds: until the transaction ends; undefined where that is not known
 */
export function assess(operation: Operation, known: Known, held: number | undefined): Assessment {
  const all = [...blocking(operation, known, held), ...consequences(operation, known), ...unknowns(operation)];
  return { risk: highest(all.map(({ risk }) => risk)), reasons: all.flatMap(({ reason }) => reason ?? []) };
}

interface Finding {
  risk: Risk;
  reason?: string;
}

function blocking({ locks, id }: Operation, known: Known, held: number | undefined): Finding[] {
  const findings = locks
    .filter(({ isNew, role }) => !isNew && role !== 'index')
    .map((lock): Finding => {
      if (!blocksWriters(lock.mode)) return { risk: 'low' };
      const risk = riskOf(held);
      return risk === 'low' ? { risk } : { risk, reason: `${whom(lock)} ${forHowLong(held)}${sizeText(lock, known)}` };
    });
  const rowsAreLocked = (id === 'update' || id === 'delete') && riskOf(held) === 'high' && findings.length > 0;
  if (!rowsAreLocked) return findings;
  return [...findings, { risk: 'medium', reason: `who writes a row that it has changed waits ${forHowLong(held)}` }];
}

function riskOf(held: number | undefined): Risk {
  if (held === undefined) return 'medium';
  if (held >= noticedSeconds.high) return 'high';
  return held >= noticedSeconds.medium ? 'medium' : 'low';
}

function whom({ mode, relation }: RelationLock): string {
  return `${blocksReaders(mode) ? 'who reads or writes' : 'who writes'} ${shortName(relation)} waits`;
}

const forHowLong = (held: number | undefined): string =>
  held === undefined ? 'for a time that is not known' : `for up to ${secondsText(held)}`;

function sizeText({ relation }: RelationLock, { catalogue }: Known): string {
  const table = catalogue.tables.get(relation);
  if (!table) return '';
  const rows = table.rows === undefined ? '' : `${table.rows.toLocaleString('en-US')} rows, `;
  return ` (${rows}${(table.bytes / 1_000_000).toFixed(1)} MB)`;
}

function consequences({ id, locks, relations }: Operation, { catalogue }: Known): Finding[] {
  const { breaks, loses } = operations[id] as { breaks?: string; loses?: string };
  const isOnNew = locks.length > 0 && locks.every(({ isNew }) => isNew);
  if (isOnNew) return [];
  const rows = (relations.table ?? []).some((table) => catalogue.tables.get(table)?.bytes !== 0);
  return [
    ...(breaks === undefined ? [] : [{ risk: 'high', reason: breaks } as const]),
    ...(loses === undefined ? [] : [{ risk: 'high', reason: `it loses ${loses}` } as const]),
    ...(id === 'add-column-not-null' && rows
      ? [{ risk: 'high', reason: 'it fails where the table has rows' } as const]
      : []),
  ];
}

function unknowns({ id, assumed }: Operation): Finding[] {
  if (assumed === undefined) return [];
  return [{ risk: id === 'other' ? 'medium' : 'none', reason: assumed }];
}

/** Without the schema that everybody has. */
export const shortName = (relation: string): string => relation.replace(/^public\./, '');

/** For people: `0.4 s`, `12 s`, `3 min`. */
export function secondsText(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

// One thing that a statement does, to which relations, with which locks.

import { fullName, type Known } from './known.ts';
import { type LockMode, type MeasuredOperation, measuredOn, type Role } from './locks.ts';
import type { OperationId } from './operations.ts';

export interface RelationLock {
  role: Role;
  /** `schema.name`. */
  relation: string;
  mode: LockMode;
  /** Made by a statement before it, or by this one: nobody waits for it. */
  isNew: boolean;
}

export interface IndexShape {
  name: string | undefined;
  /** Its columns; of an expression undefined. */
  columns: (string | undefined)[];
  /** Such as `btree`. */
  method: string;
  isUnique: boolean;
  isPartial: boolean;
}

/** What is read of a tree; the locks follow from it. */
export interface Draft {
  id: OperationId;
  /** By what they are to the operation, as `schema.name`. */
  relations: Partial<Record<Role, string[]>>;
  /** Those that it is about: of a key, all of its columns. */
  columns?: string[];
  /** Its name, or that of what a foreign key's or check's constraint is called. */
  constraint?: string;
  index?: IndexShape;
  /** Of LOCK TABLE, whose mode the statement says. */
  mode?: LockMode;
  /** What could not be known, and what is taken for true instead: the worse case. */
  assumed?: string;
}

export interface Operation extends Draft {
  locks: RelationLock[];
  /** Tables of which it reads all rows, as `schema.name`. */
  scans: string[];
  /** Tables that it writes anew. */
  rewrites: string[];
  /** Tables on which it builds an index, or more. */
  builds: string[];
}

export function operationFrom(draft: Draft, known: Known): Operation {
  const measured = measuredOn(draft.id, known.catalogue.version);
  const modeOf = (role: Role): LockMode | undefined => draft.mode ?? measured?.locks[role];
  const locks = Object.entries(draft.relations).flatMap(([role, names]): RelationLock[] => {
    const mode = modeOf(role as Role);
    if (mode === undefined) return [];
    return names.map((relation) => ({ role: role as Role, relation, mode, isNew: known.created.has(relation) }));
  });
  const tablesOf = (what: 'scans' | 'rewrites' | 'builds'): string[] => tablesWith(measured, draft, what);
  return { ...draft, locks, scans: tablesOf('scans'), rewrites: tablesOf('rewrites'), builds: tablesOf('builds') };
}

/** An index that is built or built anew is one of the table. */
function tablesWith(
  measured: MeasuredOperation | undefined,
  { relations }: Draft,
  what: 'scans' | 'rewrites' | 'builds',
): string[] {
  const roles = (measured?.[what] ?? []).map((role): Role => (role === 'index' ? 'table' : role));
  return [...new Set(roles)].flatMap((role) => relations[role] ?? []);
}

/** One relation, by a name as it is written. */
export function relation(known: Known, named: Parameters<typeof fullName>[1]): string[] {
  return [fullName(known, named)];
}

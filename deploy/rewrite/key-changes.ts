// The keys and indexes that a migration drops, adds and renames: drizzle-kit makes each of them anew beside a renamed column,
// often under another name. A plan in two deploys makes them itself, and at a time when old code can do without the old one.

import type { Grammar, Node } from '../grammar.ts';
import type { Named } from '../sql-statements.ts';
import { defaultName, namedOf, namesOf } from './command.ts';
import { tableKey } from './known-schema.ts';

export type KeyKind = 'PRIMARY KEY' | 'UNIQUE' | 'FOREIGN KEY' | 'INDEX' | 'UNIQUE INDEX';

/** What a key is about, with which one that is dropped is known again in one that is added. */
export interface KeyShape {
  kind: KeyKind;
  columns: readonly string[];
  /** Of a foreign key. */
  to?: Named;
  columnsTo?: readonly string[];
  /** `CASCADE/NO ACTION`: on delete, on update. */
  actions?: string;
}

interface AddedKey extends KeyShape {
  id: string;
  name: string;
}

export interface KeyChanges {
  dropped: ReadonlySet<string>;
  added: readonly AddedKey[];
  /** The new name by the id of the old one. */
  renamed: ReadonlyMap<string, string>;
}

export const noKeyChanges: KeyChanges = { dropped: new Set(), added: [], renamed: new Map() };

/** An index is its schema's, whatever its table; a constraint is its table's. */
export const keyId = (kind: KeyKind, table: Named, name: string): string =>
  kind.endsWith('INDEX') ? `${table.schema ?? 'public'}/${name}` : `${tableKey(table)}.${name}`;

/** A statement of the file, which a plan makes in another way. */
export type Taken = `${'drop' | 'add' | 'rename'} ${string}`;

export function readKeyChanges(text: string, grammar: Grammar): KeyChanges {
  const dropped = new Set<string>();
  const added: AddedKey[] = [];
  const renamed = new Map<string, string>();
  for (const { type, node } of text.split('--> statement-breakpoint').flatMap((part) => grammar.parse(part) ?? [])) {
    if (type === 'AlterTableStmt') {
      for (const command of commandsOf(node)) {
        const table = namedOf(node.relation);
        if (command.subtype === 'AT_DropConstraint') dropped.add(keyId('UNIQUE', table, command.name as string));
        const key = command.subtype === 'AT_AddConstraint' ? addedConstraint(table, constraintOf(command)) : undefined;
        if (key) added.push(key);
      }
    }
    if (type === 'DropStmt') for (const index of droppedIndexes(node)) dropped.add(keyId('INDEX', index, index.name));
    const index = type === 'IndexStmt' ? addedIndex(node) : undefined;
    if (index) added.push(index);
    if (type === 'RenameStmt' && node.renameType === 'OBJECT_TABCONSTRAINT')
      renamed.set(keyId('UNIQUE', namedOf(node.relation), node.subname as string), node.newname as string);
    if (type === 'RenameStmt' && node.renameType === 'OBJECT_INDEX') {
      const { schema, name } = namedOf(node.relation);
      renamed.set(keyId('INDEX', { schema, name }, name), node.newname as string);
    }
  }
  return { dropped, added, renamed };
}

const commandsOf = (node: Node): Node[] =>
  ((node.cmds ?? []) as { AlterTableCmd: Node }[]).map(({ AlterTableCmd }) => AlterTableCmd);

const constraintOf = (command: Node): Node => (command.def as { Constraint: Node }).Constraint;

function droppedIndexes({ removeType, objects }: Node): Named[] {
  if (removeType !== 'OBJECT_INDEX') return [];
  return (objects as { List: { items: unknown } }[]).map(({ List }) => {
    const parts = namesOf(List.items);
    return { schema: parts.at(-2), name: parts.at(-1) as string };
  });
}

const actionNames: Readonly<Record<string, string>> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

export const actionsText = (onDelete: string | undefined, onUpdate: string | undefined): string =>
  `${onDelete ?? 'no action'}/${onUpdate ?? 'no action'}`.toUpperCase();

/** Undefined for what is no key, or has more to it than a snapshot says. */
function addedConstraint(table: Named, constraint: Node): AddedKey | undefined {
  const name = (constraint.conname as string | undefined) ?? defaultName(table, constraint);
  const kind = ({ CONSTR_PRIMARY: 'PRIMARY KEY', CONSTR_UNIQUE: 'UNIQUE', CONSTR_FOREIGN: 'FOREIGN KEY' } as const)[
    constraint.contype as string
  ];
  const isMore = ['including', 'nulls_not_distinct', 'deferrable', 'indexname', 'without_overlaps'].some(
    (one) => constraint[one] !== undefined,
  );
  if (!kind || isMore) return undefined;
  const id = keyId(kind, table, name);
  if (kind !== 'FOREIGN KEY') return { id, name, kind, columns: namesOf(constraint.keys) };
  return {
    id,
    name,
    kind,
    columns: namesOf(constraint.fk_attrs),
    to: namedOf(constraint.pktable),
    columnsTo: namesOf(constraint.pk_attrs),
    actions: actionsText(
      actionNames[constraint.fk_del_action as string],
      actionNames[constraint.fk_upd_action as string],
    ),
  };
}

/** Undefined for an index of which columns alone do not say all. */
function addedIndex(node: Node): AddedKey | undefined {
  const parts = ((node.indexParams ?? []) as { IndexElem: Node }[]).map(({ IndexElem }) => IndexElem);
  const isPlain =
    node.whereClause === undefined &&
    (node.accessMethod ?? 'btree') === 'btree' &&
    [node.indexIncludingParams, node.options, node.nulls_not_distinct].every((one) => one === undefined) &&
    parts.every(
      ({ name, opclass, collation, ordering, nulls_ordering: nulls }) =>
        name !== undefined &&
        opclass === undefined &&
        collation === undefined &&
        (ordering === undefined || ordering === 'SORTBY_DEFAULT') &&
        (nulls === undefined || nulls === 'SORTBY_NULLS_DEFAULT'),
    );
  if (!isPlain || node.idxname === undefined) return undefined;
  const kind = node.unique === true ? 'UNIQUE INDEX' : 'INDEX';
  const name = node.idxname as string;
  return { id: keyId(kind, namedOf(node.relation), name), name, kind, columns: parts.map((one) => one.name as string) };
}

/** What becomes of a key, by what the file itself says of it. */
interface KeyFate {
  /** Its name at the end; undefined where it goes, and nothing that is alike comes. */
  after: string | undefined;
  taken: Taken[];
  /** Dropped, and added under the same name as another key. */
  isOther: boolean;
}

export function fateOf(id: string, name: string, shapeAfter: KeyShape, changes: KeyChanges): KeyFate {
  const other = changes.renamed.get(id);
  if (other !== undefined) return { after: other, taken: [`rename ${id}`], isOther: false };
  if (!changes.dropped.has(id)) return { after: name, taken: [], isOther: false };
  const again = changes.added.find((one) => isAlike(one, shapeAfter) && isOfSameTable(one, id, name));
  if (again) return { after: again.name, taken: [`drop ${id}`, `add ${again.id}`], isOther: false };
  return { after: undefined, taken: [`drop ${id}`], isOther: changes.added.some((one) => one.id === id) };
}

/** With the name taken off, what is left of an id is the table, or the schema of an index. */
const isOfSameTable = (one: AddedKey, id: string, name: string): boolean =>
  one.id.slice(0, -one.name.length) === id.slice(0, -name.length);

function isAlike(one: KeyShape, other: KeyShape): boolean {
  const same = (first: readonly string[] = [], second: readonly string[] = []): boolean =>
    first.join('\0') === second.join('\0');
  return (
    one.kind === other.kind &&
    same(one.columns, other.columns) &&
    same(one.columnsTo, other.columnsTo) &&
    one.actions === other.actions &&
    (one.to === undefined ? undefined : tableKey(one.to)) === (other.to === undefined ? undefined : tableKey(other.to))
  );
}

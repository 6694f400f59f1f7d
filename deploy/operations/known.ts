// What is known of the database before a statement: its catalogue as it was read or, without a database, nothing, and
// what the statements before it have made of that.

import { type Catalogue, findTable, type TableFacts } from '../catalogue.ts';
import type { Named } from '../sql-statements.ts';

export interface Known {
  catalogue: Catalogue;
  /** The catalogue was read: what is not in it is not there. */
  isRead: boolean;
  /** Tables that statements before have made, as `schema.table`: nobody uses them yet. */
  created: ReadonlySet<string>;
}

/** A version whose locks hold for all: where no database says which it is. */
const oldestVersion = 15;

/** @param catalogue undefined where there is no database to read it from */
export function knownFrom(catalogue: Catalogue | undefined): Known {
  const none: Catalogue = { version: oldestVersion, searchPath: ['public'], tables: new Map() };
  return { catalogue: catalogue ?? none, isRead: catalogue !== undefined, created: new Set() };
}

/** The table that a name means; undefined where it is not known. */
export const tableOf = ({ catalogue }: Known, named: Named): TableFacts | undefined => findTable(catalogue, named);

/** `schema.name`: of a table that is known its own schema, else the first one of the search path. */
export function fullName(known: Known, named: Named): string {
  const found = tableOf(known, named);
  const schema = found?.schema ?? named.schema ?? known.catalogue.searchPath[0] ?? 'public';
  return `${schema}.${named.name}`;
}

/** The table that an index is of. */
export function tableOfIndex({ catalogue }: Known, { schema, name }: Named): TableFacts | undefined {
  const schemas = schema === undefined ? catalogue.searchPath : [schema];
  return [...catalogue.tables.values()].find(
    (table) => schemas.includes(table.schema) && table.indexes.some((index) => index.name === name),
  );
}

/** The tables whose foreign keys point to this one. */
export function tablesPointingTo({ catalogue }: Known, table: string): string[] {
  return [...catalogue.tables.values()]
    .filter(({ constraints }) => constraints.some(({ references }) => references === table))
    .map(({ schema, name }) => `${schema}.${name}`);
}

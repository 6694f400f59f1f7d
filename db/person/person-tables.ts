// The tables that hold a person's data: what an export has of each, in which order, and what is left out of it and why.
// A table of user data that is in neither list fails tests/db/person-catalogue.test.ts.

import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { storedMemory } from '../encrypted-memories.ts';
import type { LimitName } from '../limit-settings.ts';
import { protocols, protocolVersions } from '../protocols-schema.ts';
import { apiKey, chat, memories, message, reservation, searchBlock, searchSegment, tasks, user } from '../schema.ts';

export interface PersonTable {
  readonly name: string;
  /** The column with the person's id. */
  readonly userColumn: string;
  /** What a row of an export has, under the names of the row types, in this order. */
  readonly fields: Readonly<Record<string, PgColumn>>;
  /** The fields that rows are in the order of: a row comes behind those that it refers to. */
  readonly key: readonly string[];
  /** The last field, where it is JSON that is kept to the last character and not read. */
  readonly verbatim?: string;
  /** The fields whose JSON has a limit, and which one. */
  readonly sizes: Readonly<Record<string, LimitName>>;
  /** Columns that no export has, and how an import makes their values of a row's: by their names in the database. */
  readonly made: Readonly<Record<string, (values: Record<string, unknown>) => unknown>>;
  /** Fields that are there only with `includeSecrets`: with them somebody could try passwords, or keys. */
  readonly secrets: readonly string[];
}

interface TableRules {
  key: readonly string[];
  userColumn?: string;
  verbatim?: string;
  sizes?: Readonly<Record<string, LimitName>>;
  secrets?: readonly string[];
  /** Columns that are made again from others, later. */
  derived?: readonly string[];
  /** Columns that are made again when a row is imported. */
  made?: Readonly<Record<string, (values: Record<string, unknown>) => unknown>>;
}

function personTable(table: PgTable, rules: TableRules): PersonTable {
  const { key, userColumn = 'userId', verbatim, sizes = {}, secrets = [], derived = [], made = {} } = rules;
  const columns: Record<string, PgColumn> = getTableColumns(table);
  const names = Object.keys(columns).filter((name) => name !== verbatim && !derived.includes(name) && !(name in made));
  if (verbatim) names.push(verbatim);
  return {
    name: getTableName(table),
    userColumn: (columns[userColumn] as PgColumn).name,
    fields: Object.fromEntries(names.map((name) => [name, columns[name] as PgColumn])),
    key,
    ...(verbatim ? { verbatim } : {}),
    sizes,
    made: Object.fromEntries(Object.entries(made).map(([name, make]) => [(columns[name] as PgColumn).name, make])),
    secrets,
  };
}

/** In the order of their lines: a table comes behind those that it refers to. */
export const personTables: readonly PersonTable[] = [
  personTable(user, { key: ['id'], userColumn: 'id', secrets: ['password'] }),
  // Search begins anew with a chat that was imported.
  personTable(chat, { key: ['id'], derived: ['indexedCount'] }),
  personTable(message, { key: ['chatId', 'position', 'id'], verbatim: 'body', sizes: { body: 'messageBytes' } }),
  // The digest of an encrypted text is made with the keys of the database that the text is imported into.
  personTable(memories, {
    key: ['id'],
    derived: ['searchDigest'],
    made: {
      contentIndex: ({ userId, content }) => storedMemory(userId as string, content as string).contentIndex,
    },
  }),
  personTable(tasks, { key: ['id'] }),
  personTable(reservation, { key: ['id'], sizes: { details: 'reservationBytes' } }),
  personTable(protocols, { key: ['id'], verbatim: 'parts', sizes: { parts: 'protocolBytes' } }),
  personTable(protocolVersions, {
    key: ['protocolId', 'version'],
    verbatim: 'parts',
    sizes: { parts: 'protocolBytes' },
  }),
  personTable(apiKey, { key: ['id'], secrets: ['hashedKey', 'pepperId'] }),
];

/** What search makes of a person's rows: erased with them, and never exported. */
export const derivedTables: readonly Pick<PersonTable, 'name' | 'userColumn'>[] = [searchBlock, searchSegment].map(
  (table) => ({ name: getTableName(table), userColumn: table.userId.name }),
);

/** The fields of a row in an export with, or without, secrets. */
export function fieldsOf({ fields, secrets }: PersonTable, includesSecrets: boolean): [string, PgColumn][] {
  return Object.entries(fields).filter(([name]) => includesSecrets || !secrets.includes(name));
}

/** A name as SQL takes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

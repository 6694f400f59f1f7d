// npm run docs:schema: docs/schema-picture.md, the tables of db/schema.ts and db/protocols-schema.ts as a Mermaid
// diagram, which GitHub draws. Made from the Drizzle tables, so that it can't differ from the code.

import { is } from 'drizzle-orm';
import { type ForeignKey, getTableConfig, type PgColumn, PgTable } from 'drizzle-orm/pg-core';
import * as protocolsSchema from '../db/protocols-schema.ts';
import * as schema from '../db/schema.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

type TableConfig = ReturnType<typeof getTableConfig>;

const header = `# The schema as a picture

Written by \`npm run docs:schema\` from [db/schema.ts](../db/schema.ts) and [db/protocols-schema.ts](../db/protocols-schema.ts); do not edit.
What the tables are for stands in [schema.md](schema.md), every constraint and index in [schema.sql](../tests/golden/schema.sql).

\`PK\` primary key, \`FK\` foreign key, \`UK\` unique by itself; a column is never null unless it says "or null".
`;

export const schemaPicture: Generator = {
  command: 'npm run docs:schema',
  generate: async () => new Map([['docs/schema-picture.md', `${header}\n\`\`\`mermaid\n${draw()}\n\`\`\`\n`]]),
};

function draw(): string {
  const tables = Object.values({ ...schema, ...protocolsSchema })
    .filter((value) => is(value, PgTable))
    .map(getTableConfig);
  const boxes = tables.map(drawTable);
  const lines = tables.flatMap((table) => table.foreignKeys.map((key) => drawRelation(table, key)));
  return ['erDiagram', ...boxes, ...lines].join('\n');
}

function drawTable(table: TableConfig): string {
  const columns = table.columns.map((column) => {
    const keys = keysOf(table, column);
    return `    ${typeOf(column)} ${column.name}${keys.length > 0 ? ` ${keys.join(', ')}` : ''}${column.notNull ? '' : ' "or null"'}`;
  });
  return [`  ${table.name} {`, ...columns, '  }'].join('\n');
}

/** Mermaid takes no space in a type. */
function typeOf(column: PgColumn): string {
  return column
    .getSQLType()
    .replace(/^timestamp ?(\(\d\))? with time zone$/, 'timestamptz$1')
    .replaceAll(' ', '_');
}

function keysOf(table: TableConfig, column: PgColumn): string[] {
  const isPrimary = column.primary || table.primaryKeys.some(({ columns }) => namesOf(columns).includes(column.name));
  const isForeign = table.foreignKeys.some((key) => namesOf(key.reference().columns).includes(column.name));
  const isUnique = !column.primary && uniqueSets(table).some((names) => names.join() === column.name);
  return [isPrimary ? 'PK' : '', isForeign ? 'FK' : '', isUnique ? 'UK' : ''].filter((key) => key !== '');
}

/** `||--o{`: one, and only one, to none or many. */
function drawRelation(table: TableConfig, key: ForeignKey): string {
  const { columns, foreignTable } = key.reference();
  const parent = columns.every((column) => column.notNull) ? '||' : '|o';
  const child = isOneRow(table, columns) ? 'o|' : 'o{';
  const names = columns.map(({ name }) => name).join(', ');
  return `  ${getTableConfig(foreignTable as PgTable).name} ${parent}--${child} ${table.name} : "${names}"`;
}

/** Whether the columns of a foreign key are unique together, so that a parent has one row at most. */
function isOneRow(table: TableConfig, columns: readonly PgColumn[]): boolean {
  const names = namesOf(columns);
  return uniqueSets(table).some((unique) => unique.every((name) => names.includes(name)));
}

/** The sets of columns of which no two rows have the same values; an index on an expression is none. */
function uniqueSets({ columns, primaryKeys, uniqueConstraints, indexes }: TableConfig): string[][] {
  const uniqueIndexes = indexes.filter(({ config }) => config.unique && !config.where);
  return [
    ...columns.filter((column) => column.primary || column.isUnique).map(({ name }) => [name]),
    ...[...primaryKeys, ...uniqueConstraints].map((key) => namesOf(key.columns)),
    ...uniqueIndexes.map(({ config }) => namesOf(config.columns)),
  ];
}

/** Columns compare by name: the constraints of a table hold copies of them. */
function namesOf(columns: readonly object[]): string[] {
  return columns.map((column) => ('name' in column ? String(column.name) : '(expression)'));
}

await runAsCommand(import.meta.url, schemaPicture);

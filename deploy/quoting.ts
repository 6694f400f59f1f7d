// Names and texts as SQL has them.

import type { Named } from './sql-statements.ts';

/** @example quoteName('user') // '"user"' */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** @example quoteText("it's") // "'it''s'" */
export const quoteText = (text: string): string =>
  text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;

/** A name with its schema, if it has one. */
export const qualified = ({ schema, name }: Named): string =>
  schema === undefined ? quoteName(name) : `${quoteName(schema)}.${quoteName(name)}`;

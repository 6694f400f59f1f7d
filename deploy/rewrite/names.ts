// The names that PostgreSQL gives to what a statement does not name, so that what is made in steps is called what it would
// have been called. Source: makeObjectName and ChooseConstraintName (src/backend/commands/indexcmds.c, pg_constraint.c).

/** A name of PostgreSQL's has 63 bytes at most. */
const longestName = 63;

/** `table_column_label`, with the longer of the first two shortened until it fits. */
export function objectName(table: string, column: string | undefined, label: string): string {
  const room = longestName - Buffer.byteLength(label) - (column === undefined ? 1 : 2);
  let first = Buffer.byteLength(table);
  let second = column === undefined ? 0 : Buffer.byteLength(column);
  while (first + second > room) {
    if (first > second) first -= 1;
    else second -= 1;
  }
  return [clip(table, first), ...(column === undefined ? [] : [clip(column, second)]), label].join('_');
}

/** A name with an ending, both of them within what PostgreSQL keeps. */
export function withEnding(name: string, ending: string): string {
  return clip(name, longestName - Buffer.byteLength(ending)) + ending;
}

/** The beginning of a text in so many bytes, without half a character. */
function clip(text: string, bytes: number): string {
  let clipped = text;
  while (Buffer.byteLength(clipped) > bytes) clipped = [...clipped].slice(0, -1).join('');
  return clipped;
}

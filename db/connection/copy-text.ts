// Rows as COPY takes them: its text format, in pieces that a connection sends one by one. Values are texts in
// PostgreSQL's own notation, as everywhere between us and a driver.

import type { WireValue } from './connection.ts';

const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One value: null is `\N`, and whatever would end a value or a row is escaped. */
export function copyField(value: WireValue): string {
  if (value === null) return '\\N';
  return special.test(value) ? value.replaceAll(/[\\\t\n\r]/g, (character) => escapes[character] as string) : value;
}

/** Small enough to be sent without a pause, large enough to make few messages. */
const pieceCharacters = 64 * 1024;

/** The rows of one COPY. */
export class CopyText {
  /** How many rows there are. */
  rows = 0;
  private readonly pieces: Buffer[] = [];
  private text = '';

  add(values: readonly WireValue[]): void {
    this.text += values.map(copyField).join('\t');
    this.text += '\n';
    this.rows += 1;
    if (this.text.length >= pieceCharacters) this.cut();
  }

  chunks(): readonly Buffer[] {
    if (this.text !== '') this.cut();
    return this.pieces;
  }

  private cut(): void {
    this.pieces.push(Buffer.from(this.text));
    this.text = '';
  }
}

// The keys that are really used: from each encryption key one for every column and purpose (HKDF-SHA-256), so that what
// is learned of one says nothing of another, and the nonces of a key are those of one column alone.

import { hkdfSync } from 'node:crypto';

/** Which column a value belongs to. One object for each column, which its keys are remembered by. */
export interface Place {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

export type KeyPurpose = 'encryption' | 'blind index';

const derived = new WeakMap<Buffer, WeakMap<Place, Partial<Record<KeyPurpose, Buffer>>>>();

/** 32 bytes, the same for the same key, purpose and column. */
export function deriveKey(key: Buffer, purpose: KeyPurpose, place: Place): Buffer {
  const ofKey = derived.get(key) ?? new WeakMap();
  derived.set(key, ofKey);
  const ofColumn: Partial<Record<KeyPurpose, Buffer>> = ofKey.get(place) ?? {};
  ofKey.set(place, ofColumn);
  ofColumn[purpose] ??= derive(key, purpose, place);
  return ofColumn[purpose];
}

function derive(key: Buffer, purpose: KeyPurpose, { schema, table, column }: Place): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', encodeFields('mytx-ai', purpose, schema, table, column), 32));
}

/** Texts as bytes, each behind its length: no two lists of texts have the same bytes. */
export function encodeFields(...texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

// The folder of an embedded database as a packed tar, which PGlite loads. PGlite's own dumpDataDir makes the same, with
// the whole of it in memory twice and a second of the only thread. Call it while nothing writes into the folder.

import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

const block = 512;
const pieceBytes = 1 << 20;

/**
 * The bytes of a `.tar.gz` of everything in `folder`, piece by piece.
 * @param isLeftOut is asked for each file by its path inside the folder, such as `pg_wal/000000010000000000000001`
 */
export function packFolder(folder: string, isLeftOut: (path: string) => boolean): AsyncIterable<Uint8Array> {
  // Packed by another thread; higher levels take twice the time for a tenth less.
  return Readable.from(tarOf(folder, isLeftOut), { objectMode: false }).pipe(createGzip({ level: 1 }));
}

function* tarOf(folder: string, isLeftOut: (path: string) => boolean): Generator<Uint8Array> {
  for (const path of listPaths(folder, '')) {
    if (isLeftOut(path)) continue;
    const entry = lstatSync(join(folder, path));
    if (entry.isDirectory()) yield header(path, '5', 0, entry.mtimeMs);
    if (entry.isFile()) {
      yield header(path, '0', entry.size, entry.mtimeMs);
      yield* contentOf(join(folder, path), entry.size);
    }
  }
  yield Buffer.alloc(2 * block);
}

function* listPaths(folder: string, below: string): Generator<string> {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    yield path;
    if (entry.isDirectory()) yield* listPaths(folder, path);
  }
}

/** Exactly `size` bytes, filled up to whole blocks. */
function* contentOf(path: string, size: number): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (let position = 0; position < size; ) {
      const left = size - position;
      const padded = left > pieceBytes ? pieceBytes : Math.ceil(left / block) * block;
      const piece = Buffer.alloc(padded);
      const length = readSync(file, piece, 0, Math.min(left, pieceBytes), position);
      if (length === 0) throw new Error(`${path} became shorter while it was read`);
      position += length;
      yield position < size ? piece.subarray(0, length) : piece;
    }
  } finally {
    closeSync(file);
  }
}

/** A header of the ustar format. */
function header(path: string, type: '0' | '5', size: number, mtimeMs: number): Uint8Array {
  const name = `/${path}`;
  if (Buffer.byteLength(name) > 99) throw new Error(`the path ${path} is too long for a tar`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  bytes.write(name, 0);
  bytes.write(octal(type === '5' ? 0o700 : 0o600, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(Math.max(0, Math.floor(mtimeMs / 1000)), 12), 136);
  bytes.write(type, 156);
  bytes.write('ustar\0', 257);
  bytes.write('00', 263);
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

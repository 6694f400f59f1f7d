// The folder of an embedded database as a packed tar, which PGlite loads. PGlite's own dumpDataDir makes the same, with
// the whole of it in memory twice and a second of the only thread; its own loading takes a second more than unpacking
// here. Call it while nothing writes into the folder.

import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip, gunzipSync } from 'node:zlib';

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

/**
 * Writes what `packFolder` packed into a folder, which is made.
 * @throws where the bytes are not such an archive, or it ends early; what was written until then stays
 */
export function unpackFolder(packed: Uint8Array, folder: string): void {
  const tar = gunzipSync(packed);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let at = 0; at + block <= tar.length; ) {
    const head = tar.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) return;
    const path = head.toString('utf8', 0, head.indexOf(0));
    const size = Number.parseInt(head.toString('latin1', 124, 135), 8);
    const content = tar.subarray(at + block, at + block + size);
    if (!/^\/[^\0]/.test(path) || path.split('/').includes('..') || content.length !== size) break;
    if (head[156] === 0x35) mkdirSync(join(folder, path), { mode: 0o700 });
    else writeFileSync(join(folder, path), content, { mode: 0o600 });
    at += block + Math.ceil(size / block) * block;
  }
  throw new Error('the archive ends early, or is none');
}

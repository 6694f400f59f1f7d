// A folder is packed and unpacked to what it was; an archive that is damaged is an error, never half a database.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packFolder, unpackFolder } from '../../../db/embedded/folder-archive.ts';

let place: string;
let packed: Buffer;
const sizes = [0, 1, 511, 512, 513, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 7];

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'mytx-archive-'));
  mkdirSync(join(place, 'from', 'base', 'empty'), { recursive: true });
  for (const size of sizes) writeFileSync(join(place, 'from', 'base', `of-${size}`), Buffer.alloc(size, size % 251));
  writeFileSync(join(place, 'from', 'left-out'), 'x');
  const pieces: Uint8Array[] = [];
  for await (const piece of packFolder(join(place, 'from'), (path) => path === 'left-out')) pieces.push(piece);
  packed = Buffer.concat(pieces);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

test('what is unpacked is what was packed, for no eyes but the owner’s', () => {
  const to = join(place, 'to');
  unpackFolder(packed, to);
  expect(readdirSync(to, { recursive: true, encoding: 'utf8' }).sort()).toEqual(
    ['base', 'base/empty', ...sizes.map((size) => `base/of-${size}`)].sort(),
  );
  for (const size of sizes) {
    expect(readFileSync(join(to, 'base', `of-${size}`)).equals(Buffer.alloc(size, size % 251))).toBe(true);
  }
  expect(statSync(join(to, 'base', 'of-1')).mode & 0o777).toBe(0o600);
  expect(statSync(join(to, 'base')).mode & 0o777).toBe(0o700);
});

test('an archive that ends early, is none, or leads out of the folder is refused', () => {
  const tar = gunzipSync(packed);
  const outside = Buffer.from(tar.subarray(0, 2048));
  outside.write('/../outside\0', 0);
  for (const [name, bytes] of Object.entries({
    cut: packed.subarray(0, packed.length / 2),
    'cut between files': gzipSync(tar.subarray(0, 512)),
    'cut inside a file': gzipSync(tar.subarray(0, tar.length - 4096)),
    'no archive': gzipSync(Buffer.alloc(4096, 7)),
    'not packed': tar,
    'leads outside': gzipSync(outside),
  })) {
    expect(() => unpackFolder(bytes, join(place, name.replaceAll(' ', '-'))), name).toThrow();
  }
  expect(readdirSync(place)).not.toContain('outside');
});

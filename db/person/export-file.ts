// An export as a file: there whole or not at all, and only for who wrote it to read.

import { createWriteStream, rmSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { renameDurably, unfinished } from '../embedded/durable-file.ts';
import { type ExportOptions, exportUser } from './export.ts';

export interface WrittenExport {
  lines: number;
  bytes: number;
}

/**
 * Writes an export into a stream, as fast as that takes it, and leaves the stream open. Errors as `exportUser`, and the
 * stream's own.
 */
export async function writeExport(stream: Writable, options: ExportOptions): Promise<WrittenExport> {
  const written: WrittenExport = { lines: 0, bytes: 0 };
  await pipeline(Readable.from(counted(written, options)), stream, { end: false });
  return written;
}

/**
 * Writes an export into a file, mode 0600, in the place of one that is there: under another name first, so that a file of
 * this name is a whole one. Errors as `exportUser`, and those of the file system.
 * @example await exportUserToFile('dana.jsonl', { userId });
 */
export async function exportUserToFile(path: string, options: ExportOptions): Promise<WrittenExport> {
  const temporary = `${path}${unfinished}`;
  const written: WrittenExport = { lines: 0, bytes: 0 };
  rmSync(temporary, { force: true }); // one that was left behind may be open to others
  try {
    const file = createWriteStream(temporary, { mode: 0o600, flags: 'wx', flush: true });
    await pipeline(Readable.from(counted(written, options)), file);
    renameDurably(temporary, path);
    return written;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function* counted(written: WrittenExport, options: ExportOptions): AsyncGenerator<string, void, void> {
  for await (const line of exportUser(options)) {
    written.lines += 1;
    written.bytes += Buffer.byteLength(line);
    yield line;
  }
}

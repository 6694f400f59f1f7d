// Files that are there whole or not at all, also after a process was killed: written under another name, synced,
// renamed. Never writes into a file that somebody may be reading.

import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Files of this ending were not finished. */
export const unfinished = '.unfinished';

/** Writes `text` under `path`, replacing what is there in one step. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}${unfinished}`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameDurably(temporary, path);
}

/** Renames a file or folder, so that a power cut does not take the new name away again. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** Makes names that were added to a folder or taken from it last. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return; // a folder can't be opened there
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

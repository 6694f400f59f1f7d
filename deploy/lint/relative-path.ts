// A file's path as a report has it: relative, with slashes, on every system.

import { isAbsolute, relative, sep } from 'node:path';

/** Absolute where the file is on another drive. */
export function relativeTo(folder: string, file: string): string {
  const path = relative(folder, file);
  return isAbsolute(path) ? file : path.split(sep).join('/');
}

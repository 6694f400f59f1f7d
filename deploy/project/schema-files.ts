// Which files the `schema` of a Drizzle configuration means: paths, folders and patterns, as drizzle-kit takes them.
// Reads names only, never what is in the files.

import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

const sourceFile = /\.[cm]?[jt]s$/;

/**
 * The source files that paths and patterns name, absolute, in alphabetical order, each once. A folder means the files
 * right in it. `*` stands for a part of a name, `**` for folders, `?` for a letter, `{a,b}` and `[ab]` for one of them.
 * A pattern finds nothing in `node_modules`, and nothing whose name begins with a dot.
 * @param root what paths that are not absolute are relative to
 * @example findSchemaFiles('/app', ['./src/**\/*.sql.ts'])
 */
export function findSchemaFiles(root: string, patterns: readonly string[]): string[] {
  const named = patterns.flatMap((pattern) => expand(root, pattern));
  const files = named.flatMap((path) => (isFolder(path) ? filesIn(path) : [path]));
  return [...new Set(files)].filter((file) => sourceFile.test(file)).sort();
}

function expand(root: string, pattern: string): string[] {
  const parts = pattern.replace(/\/+$/, '').split('/');
  const firstMagic = parts.findIndex((part) => /[*?{}[\]]/.test(part));
  if (firstMagic === -1) return entryOf(resolve(root, pattern)) ? [resolve(root, pattern)] : [];
  const base = resolve(root, parts.slice(0, firstMagic).join('/') || (pattern.startsWith('/') ? '/' : '.'));
  const expression = patternToRegExp(parts.slice(firstMagic).join('/'));
  return walk(base).filter((path) => expression.test(relative(base, path).split(sep).join('/')));
}

/** Everything below a folder. */
function walk(folder: string): string[] {
  return entriesIn(folder)
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [path, ...walk(path)] : [path];
    });
}

const wildcards: Readonly<Record<string, string>> = {
  '**/': '(?:[^/]+/)*',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

function patternToRegExp(pattern: string): RegExp {
  return new RegExp(`^${sourceOf(pattern)}$`);
}

/** A pattern as a regular expression's source, piece by piece: a wildcard, `{...}`, `[...]`, or plain letters. */
function sourceOf(pattern: string): string {
  return pattern.replaceAll(/\*\*\/?|[*?]|\{[^{}]*\}|\[[^\]]+\]|[^*?{[]+|./g, (piece) => {
    if (piece in wildcards) return wildcards[piece] ?? '';
    if (/^\{.*\}$/.test(piece)) return `(?:${piece.slice(1, -1).split(',').map(sourceOf).join('|')})`;
    if (/^\[.+\]$/.test(piece)) return piece.replace('[!', '[^');
    return piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
}

function filesIn(folder: string): string[] {
  return entriesIn(folder)
    .map(({ name }) => join(folder, name))
    .filter((path) => !isFolder(path));
}

/** A folder of another user's, such as the data of a server, is passed over, as drizzle-kit does. */
function entriesIn(folder: string): Dirent[] {
  if (!isFolder(folder)) return [];
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return [];
    throw error;
  }
}

const entryOf = (path: string): ReturnType<typeof statSync> => statSync(path, { throwIfNoEntry: false });

const isFolder = (path: string): boolean => entryOf(path)?.isDirectory() ?? false;
